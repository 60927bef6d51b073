/// How quantized weights are stored as tensors of a file: which tensors they are, and how their bytes
/// are read. Nothing else knows names of parts, or the order of words.
///
/// A weight is a run of groups, row after row of its output-major matrices; every part is a run of
/// bytes with the same number of them for each group.
package protocol PackedLayout: Sendable {
  /// Weights that share parameters, along the inputs.
  var groupSize: Int { get }
  /// Type that decoded weights have.
  var decodedType: ScaleType { get }
  var partCount: Int { get }

  /// The stored tensors, in the order in which manifests name them.
  ///
  /// - Parameters:
  ///   - weight: the weight's name.
  ///   - shape: output-major; its inputs are whole groups.
  func parts(of weight: String, shape: [UInt64]) -> [SafetensorsLayout.Request]
  func bytesPerGroup(ofPart part: Int) -> Int
  /// Takes `groupCount` groups from the bytes of a part.
  func decode(
    _ bytes: [UInt8], groupCount: Int, part: Int, into groups: inout PackedGroups)
  /// What the first `groupCount` groups decode to.
  func dequantize(_ groups: PackedGroups, groupCount: Int, into weights: inout [Float])
}

/// One that is also written.
package protocol WritableLayout: PackedLayout {
  /// Puts the first `groupCount` groups into the bytes of a part, from their start.
  func encode(
    _ groups: PackedGroups, groupCount: Int, part: Int, into bytes: inout [UInt8])
}

extension PackedLayout {
  /// Of all parts.
  package var bytesPerGroup: Int { (0..<partCount).reduce(0) { $0 + bytesPerGroup(ofPart: $1) } }
}
