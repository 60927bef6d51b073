import Formats
import Model

/// A model in a list of many: what its headers and its configuration say of it, or why they do not.
package struct ListedModel: Sendable {
  package enum State: String, Sendable {
    case complete
    /// Parts are missing that a download would bring.
    case incomplete
    /// Something else is wrong with it, or it is no safetensors checkpoint.
    case unreadable
  }

  /// As it may be named to a command: `ORG/NAME` of the cache, or a path.
  package let name: String
  package let path: String
  package private(set) var state = State.complete
  /// Why it is not complete.
  package private(set) var reason: String?
  /// Of all weight files; nil where they could not be opened.
  package private(set) var byteCount: Int?
  /// That of the most bytes, as stored.
  package private(set) var dtype: DType?
  package private(set) var modelType: String?
  package private(set) var parameterCount: Int?
  /// Of the codes of packed weights, rising; none where nothing is packed.
  package private(set) var bits: [Int] = []
  /// Effective, scales and biases counted; nil where nothing is packed.
  package private(set) var bitsPerWeight: Double?

  /// Reads headers only. A model that cannot be read is one whose `state` says so.
  package init(name: String, path: String) {
    self.name = name
    self.path = path
    do {
      let checkpoint = try Checkpoint(path: path)
      byteCount = checkpoint.inputs.reduce(0) { $0 + $1.byteCount }
      modelType = checkpoint.config?.modelType
      dtype = Self.commonest(in: checkpoint)
      let inspection = try Inspection(checkpoint)
      parameterCount = inspection.parameterCount
      bits = Set(inspection.tensors.compactMap { $0.packing?.layout.bits }).sorted()
      if inspection.isPacked { bitsPerWeight = inspection.bitsPerWeight }
    } catch {
      state = Self.isIncomplete(error) ? .incomplete : .unreadable
      reason = (error as? any DescribedError)?.message ?? "\(error)"
    }
  }

  private static func commonest(in checkpoint: Checkpoint) -> DType? {
    var bytes: [DType: Int] = [:]
    for tensor in checkpoint.tensors {
      bytes[tensor.info.dtype, default: 0] += tensor.info.byteCount
    }
    return bytes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  /// Whether the error is that of a download which was not finished.
  private static func isIncomplete(_ error: any Error) -> Bool {
    switch error {
    case SourceError.noWeights, SourceError.missingShards, SourceError.unfinishedDownload,
      SourceError.gitLFSPointer, SourceError.tensorMissing, SourceError.cacheFolder,
      FileError.danglingLink:
      true
    case let error as SafetensorsError:
      switch error.violation {
      case .tooShort, .headerPastEnd, .dataMissing: true
      default: false
      }
    default: false
    }
  }
}
