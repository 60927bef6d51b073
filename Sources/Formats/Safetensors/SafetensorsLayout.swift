/// A safetensors file before its first byte is written: names, offsets and the header's size.
///
/// Order and alignment are the reference writer's: tensors by dtype, widest alignment first, then
/// by name; the header padded with spaces to a multiple of eight bytes.
/// Source: huggingface/safetensors, `tensor.rs`, `prepare`.
package struct SafetensorsLayout: Sendable {
  /// A tensor to be written: its place is decided here.
  package struct Request: Sendable {
    package let name: String
    package let dtype: DType
    package let shape: [UInt64]

    package init(name: String, dtype: DType, shape: [UInt64]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  package let tensors: [TensorInfo]
  package let dataByteCount: Int

  /// - Precondition: sizes fit, and no name occurs twice: both follow from a checkpoint that was
  ///   read.
  package init(_ requests: [Request]) {
    let ordered = requests.sorted { a, b in
      a.dtype != b.dtype
        ? a.dtype > b.dtype : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
    var offset = 0
    tensors = ordered.map { request in
      guard case .bytes(let size) = TensorSize(shape: request.shape, dtype: request.dtype) else {
        preconditionFailure("tensor \(request.name) has no size in bytes")
      }
      defer { offset += Int(size) }
      return TensorInfo(
        name: request.name, dtype: request.dtype, shape: request.shape,
        dataRange: offset..<offset + Int(size))
    }
    dataByteCount = offset
  }

  /// Length field and header text with these metadata entries, in the order given.
  package func header(metadata: [(name: String, value: String)]) -> [UInt8] {
    Self.header(of: tensors, metadata: metadata)
  }

  /// That of tensors whose places are known.
  ///
  /// - Parameter byteCount: of the text, with spaces at its end: a multiple of eight, and enough; nil for as
  ///   many as it takes.
  static func header(
    of tensors: [TensorInfo], metadata: [(name: String, value: String)], byteCount: Int? = nil
  ) -> [UInt8] {
    var text = "{"
    if !metadata.isEmpty {
      text += "\"__metadata__\":"
      text += JSONValue.object(metadata.map { .init($0.name, .string($0.value)) }).compactText
    }
    for tensor in tensors {
      if text.utf8.count > 1 { text += "," }
      JSONValue.writeString(tensor.name, to: &text)
      text += ":{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":["
      text += tensor.shape.map { String($0) }.joined(separator: ",")
      text += "],\"data_offsets\":[\(tensor.dataRange.lowerBound),\(tensor.dataRange.upperBound)]}"
    }
    text += "}"
    var bytes = Array(text.utf8)
    let padded = byteCount ?? (bytes.count + 7) & ~7
    precondition(bytes.count <= padded, "a header has room for its entries")
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padded - bytes.count))
    let length = UInt64(bytes.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes
  }
}
