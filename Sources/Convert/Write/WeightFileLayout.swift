import Formats

/// How a weight file is laid out: a header, and behind it tensors at known places.
package enum WeightFileLayout: Sendable {
  case safetensors(SafetensorsLayout)
  /// With the keys that say what the model is.
  case gguf(GGUFLayout, keys: [(key: String, value: GGUFValue)])

  /// Bytes behind the header.
  package var dataByteCount: Int {
    switch self {
    case .safetensors(let layout): layout.dataByteCount
    case .gguf(let layout, _): layout.dataByteCount
    }
  }

  /// The stored tensors, and where their bytes are, counted from the end of the header.
  var places: [(name: String, range: Range<Int>)] {
    switch self {
    case .safetensors(let layout): layout.tensors.map { ($0.name, $0.dataRange) }
    case .gguf(let layout, _): layout.tensors.map { ($0.name, $0.dataRange) }
    }
  }

  /// What follows the last tensor.
  var padding: Range<Int> {
    switch self {
    case .safetensors: dataByteCount..<dataByteCount
    case .gguf(let layout, _):
      (layout.tensors.last?.dataRange.upperBound ?? 0)..<layout.dataByteCount
    }
  }

  /// What decant's own files say beside their manifest.
  var packedMetadata: [(name: String, value: String)] {
    switch self {
    case .safetensors: [("format", "mlx")]
    case .gguf: []
    }
  }

  /// - Parameter metadata: of which the first comes before any text that is not decant's.
  func header(metadata: [(name: String, value: String)]) -> [UInt8] {
    switch self {
    case .safetensors(let layout): return layout.header(metadata: metadata)
    case .gguf(let layout, let keys):
      let own = metadata.map { (key: $0.name, value: GGUFValue.string($0.value)) }
      // The architecture is the first that people see, and what makes a header long the last.
      return layout.header(
        metadata: Array(keys.prefix(1)) + own.prefix(1) + Array(keys.dropFirst()) + own.dropFirst())
    }
  }

  /// Writes the checksum of a header into it.
  func seal(_ header: inout [UInt8]) {
    switch self {
    case .safetensors: HeaderChecksum.seal(&header, .safetensors)
    case .gguf: HeaderChecksum.seal(&header, .gguf)
    }
  }
}
