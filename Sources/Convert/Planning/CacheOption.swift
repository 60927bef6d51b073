import Formats
import Model
import Stats

/// One way to store a layer's keys or values, with what it loses.
struct CacheOption {
  let width: ElementWidth
  let scheme: QuantizationScheme?
  /// Squared error over squared norm.
  let relativeError: Double

  var bits: Int { width.bits }

  static let untouched = CacheOption(width: .f16, scheme: nil, relativeError: 0)

  private init(width: ElementWidth, scheme: QuantizationScheme?, relativeError: Double) {
    self.width = width
    self.scheme = scheme
    self.relativeError = relativeError
  }

  /// Nil for a round trip that no cache is stored by, or that has no relative error.
  init?(_ trip: RoundTrip) {
    switch trip.scheme {
    case .perTokenGroup, .perChannelGroup: break
    case .group, .perTensor, .perToken: return nil
    }
    let error = trip.error
    let relativeError = error.squaredError > 0 ? error.squaredError / error.squaredNorm : 0
    guard let groupSize = trip.scheme.groupSize,
      let width = ElementWidth(bits: trip.bits, groupSize: groupSize), relativeError.isFinite
    else { return nil }
    self.init(width: width, scheme: trip.scheme, relativeError: relativeError)
  }

  /// As a person would call it.
  var text: String {
    switch scheme {
    case .perChannelGroup(let tokens): "\(bits) bits per channel in groups of \(tokens) tokens"
    case .perTokenGroup(let size): "\(bits) bits per token in groups of \(size)"
    default: "\(bits) bits"
    }
  }
}
