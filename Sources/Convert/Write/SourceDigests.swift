import Formats

/// The digests of source files, from those of their tensors, which may be read in any order.
final class SourceDigests {
  /// By the paths of the files, then by the names of the tensors.
  private var digests: [String: [String: Digest]] = [:]

  func add(_ digest: Digest, of read: ReadPart) {
    digests[read.file.path, default: [:]][read.tensor.name] = digest
  }

  func holds(_ tensor: TensorInfo, of file: SafetensorsFile) -> Bool {
    digests[file.path]?[tensor.name] != nil
  }

  func digest(of file: SafetensorsFile) -> Digest {
    let ofFile = digests[file.path] ?? [:]
    return file.sourceDigest { tensor in
      guard let digest = ofFile[tensor.name] else {
        preconditionFailure("every tensor of a source is read")
      }
      return digest
    }
  }
}
