import Formats
import Model

/// What share of a checkpoint's bytes some of its tensors have.
package struct InspectionShare: Sendable {
  package private(set) var tensorCount = 0
  /// Of everything stored for them.
  package private(set) var byteCount = 0
  package private(set) var parameterCount = 0
  /// Of the bytes of all tensors, 0 to 1.
  package fileprivate(set) var share = 0.0

  package var bitsPerWeight: Double {
    parameterCount == 0 ? 0 : 8 * Double(byteCount) / Double(parameterCount)
  }

  fileprivate init() {}

  fileprivate mutating func add(_ tensor: Inspection.Tensor) {
    tensorCount += 1
    byteCount += tensor.byteCount
    parameterCount += tensor.parameterCount
  }
}

extension Inspection {
  /// How weights are stored: quantized to so many bits, or as a type.
  package enum Width: Hashable, Sendable {
    case quantized(AffineLayout)
    case kept(DType)
  }

  /// By what tensors do, the largest first.
  package var sharesByRole: [(role: TensorRole, share: InspectionShare)] {
    shares { $0.identity.role }.map { ($0, $1) }
  }

  /// By how tensors are stored, the largest first.
  package var sharesByWidth: [(width: Width, share: InspectionShare)] {
    shares { $0.width }.map { ($0, $1) }
  }

  /// What tensors of one key have together; keys of as many bytes in the order of their first tensor.
  private func shares<Key: Hashable>(_ key: (Tensor) -> Key) -> [(Key, InspectionShare)] {
    var keys: [Key] = []
    var shares: [Key: InspectionShare] = [:]
    for tensor in tensors {
      let key = key(tensor)
      if shares[key] == nil { keys.append(key) }
      shares[key, default: InspectionShare()].add(tensor)
    }
    let total = Double(max(1, byteCount))
    return keys.enumerated().map { index, key in
      var share = shares[key, default: InspectionShare()]
      share.share = Double(share.byteCount) / total
      return (index, key, share)
    }.sorted { ($1.2.byteCount, $0.0) < ($0.2.byteCount, $1.0) }.map { ($0.1, $0.2) }
  }
}

extension Inspection.Tensor {
  package var width: Inspection.Width { packing.map { .quantized($0.layout) } ?? .kept(dtype) }
}
