import Convert
import Model

/// Quantizes the keys or the values of one layer as `FakeQuantizer` does those of all, and measures what that
/// changes of them.
final class CacheQuantizer: ForwardObserver {
  private let layer: Int
  private let kind: ObservedPlace.Kind
  private let groupSize: Int
  private let bits: Int
  private var squaredError = 0.0
  private var squaredNorm = 0.0

  /// - Parameters:
  ///   - kind: `.keys` or `.values`.
  ///   - width: features of a token and head.
  init(_ kind: ObservedPlace.Kind, of layer: Int, width: Int, bits: Int) {
    self.kind = kind
    self.layer = layer
    self.bits = bits
    groupSize = FakeQuantizer.cacheGroup(width: width)
  }

  /// Squared error over squared norm.
  var relativeError: Double { squaredError > 0 ? squaredError / squaredNorm : 0 }

  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) {
    guard place.layer == layer, place.kind == kind else { return }
    var before = [Float](repeating: 0, count: groupSize)
    for start in stride(from: 0, to: values.count, by: groupSize) {
      for index in 0..<groupSize { before[index] = values[start + index] }
      FakeQuantizationKernels.asymmetric(&values, start..<start + groupSize, bits: bits)
      for index in 0..<groupSize {
        let (old, new) = (Double(before[index]), Double(values[start + index]))
        squaredError += (new - old) * (new - old)
        squaredNorm += old * old
      }
    }
  }
}
