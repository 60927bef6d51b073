import Formats

/// The checksums of source files that are read whole, tensor after tensor.
final class SourceDigests {
  private var hashes: [String: XXH64] = [:]

  init(_ files: [SafetensorsFile]) {
    for file in files {
      var hash = XXH64()
      hash.update(file.headerBytes)
      hashes[file.path] = hash
    }
  }

  func add(_ stored: ArraySlice<WeightTile.Bytes>, of producer: any TensorProducer) {
    for (read, stored) in zip(producer.reads, stored) {
      hashes[read.file.path]?.update(stored.bytes, 0..<stored.count)
    }
  }

  /// Reads the tensors again that were not read in order.
  func finish(_ producer: any TensorProducer) throws {
    guard !producer.readsInOrder else { return }
    for read in producer.reads {
      try read.file.forEachBlock(of: read.tensor) { bytes, count in
        hashes[read.file.path]?.update(bytes, 0..<count)
      }
    }
  }

  func checksum(of file: SafetensorsFile) -> UInt64 { hashes[file.path]?.value ?? 0 }
}
