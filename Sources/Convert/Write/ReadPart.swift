import Formats

/// A stored tensor that is read whole.
struct ReadPart: Sendable {
  let file: SafetensorsFile
  let tensor: TensorInfo
  /// The digest that it must have; nil where nothing says.
  let recorded: Digest?
}

extension Checkpoint {
  /// - Parameter recorded: the digest that the tensor must have; nil where nothing says.
  func readPart(_ tensor: Checkpoint.Tensor, recorded: Digest?) -> ReadPart {
    ReadPart(file: files[tensor.file], tensor: tensor.info, recorded: recorded)
  }
}

extension PackedCheckpoint {
  /// A tensor's stored tensors, to be read whole and held against their digests.
  func readParts(_ tensor: Tensor) -> [ReadPart] {
    zip(tensor.stored, recordedDigests(tensor)).map {
      checkpoint.readPart($0, recorded: $1)
    }
  }
}

extension Checkpoint {
  /// The stored tensors of a source, to be read whole.
  func readParts(_ tensor: SourceTensor) -> [ReadPart] {
    zip(tensor.stored, tensor.recorded).map { readPart($0, recorded: $1) }
  }
}
