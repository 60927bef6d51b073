import Formats
import Model

/// The weights of a checkpoint that was published in MXFP4 blocks.
struct MXFP4Source {
  private let checkpoint: Checkpoint
  private let byName: [String: Checkpoint.Tensor]

  /// Nil for a checkpoint whose configuration does not name this method.
  init?(_ checkpoint: Checkpoint) {
    guard checkpoint.config?.quantizationConfig?["quant_method"]?.stringValue == Self.method else {
      return nil
    }
    self.checkpoint = checkpoint
    byName = Dictionary(
      checkpoint.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  static let method = "mxfp4"

  /// Every weight of the checkpoint, in blocks or not, in the order of its first stored tensor. One in
  /// blocks is what transformers makes of it: `[experts, in, out]`, in BF16.
  ///
  /// - Throws: `PackedError.wrongTensor` where blocks and scales do not fit one another.
  func tensors() throws -> [SourceTensor] {
    try checkpoint.tensors.compactMap { tensor in
      if let name = weight(of: tensor, MXFP4Packing.scalesSuffix),
        byName[name + MXFP4Packing.blocksSuffix] != nil
      {
        return nil
      }
      guard let name = weight(of: tensor, MXFP4Packing.blocksSuffix) else {
        return SourceTensor(tensor)
      }
      return try SourceTensor(inBlocks: name, storage(name, tensor))
    }
  }

  private func weight(of tensor: Checkpoint.Tensor, _ suffix: String) -> String? {
    tensor.info.dtype == .u8 && tensor.name.hasSuffix(suffix)
      ? String(tensor.name.dropLast(suffix.count)) : nil
  }

  private func storage(_ name: String, _ blocks: Checkpoint.Tensor) throws -> PackedStorage {
    let shape = blocks.info.shape
    guard shape.count == 4, shape[3] == 16, !shape.contains(0),
      let scales = byName[name + MXFP4Packing.scalesSuffix], scales.info.dtype == .u8,
      scales.info.shape == Array(shape.dropLast())
    else {
      throw PackedError.unknownPacking(
        file: checkpoint.files[blocks.file].path, tensor: blocks.name)
    }
    let dimensions = blocks.info.dimensions
    return PackedStorage(
      checkpoint: checkpoint, parts: [blocks, scales], layout: MXFP4Packing(),
      shape: MatrixShape(
        matrices: dimensions[0], outputs: dimensions[1], inputs: dimensions[2] * 32),
      order: .inputMajor)
  }
}

extension SourceTensor {
  /// A weight in MXFP4 blocks.
  fileprivate init(inBlocks name: String, _ storage: PackedStorage) {
    let shape = storage.shape
    self.init(
      name: name, dtype: storage.decodedType.dtype,
      shape: [shape.matrices, shape.inputs, shape.outputs].map { UInt64($0) },
      byteCount: storage.byteCount, file: storage.parts[0].file, stored: storage.parts,
      recorded: [nil, nil], packing: storage, origin: nil)
  }

  /// Whether it was published as it is stored: nobody has it in 16 bits.
  package var isPublishedPacked: Bool {
    let parts = pieces.isEmpty ? [self] : pieces
    return parts.allSatisfy { $0.packing?.layout is MXFP4Packing }
  }
}
