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

/// A layer's keys or values as they were measured.
struct CacheTensor {
  let name: String
  let kind: TensorStatistics.Kind
  let layer: Int
  /// Elements of a token.
  let elementCount: Int
  /// By rising bits, groups within a token first.
  let quantized: [CacheOption]

  /// - Throws: `AllocationError.unusableStatistics` where layer or shape are missing.
  init(_ tensor: TensorStatistics) throws(AllocationError) {
    guard let layer = tensor.layer else {
      throw .unusableStatistics(tensor: tensor.name, reason: "it belongs to no layer")
    }
    guard let count = tensor.shape.dropFirst().reduce(Optional(1), Checked.product), count > 0,
      tensor.shape.count > 1
    else {
      throw .unusableStatistics(
        tensor: tensor.name, reason: "shape \(tensor.shape) is not [tokens, heads, elements]")
    }
    name = tensor.name
    kind = tensor.kind
    self.layer = layer
    elementCount = count
    quantized = tensor.roundTrips.compactMap(CacheOption.init).enumerated()
      .sorted { a, b in
        func rank(_ option: CacheOption) -> Int { option.scheme?.name == .perTokenGroup ? 0 : 1 }
        return (a.element.bits, rank(a.element), a.offset)
          < (b.element.bits, rank(b.element), b.offset)
      }
      .map(\.element)
  }

  /// What may be chosen.
  ///
  /// - Throws: `AllocationError.unusableStatistics` where that is nothing.
  func options(
    _ allowedBits: Set<Int>, _ groups: CacheWidths.Groups
  ) throws(AllocationError) -> [CacheOption] {
    let perChannel = kind == .key && groups == .keysAlsoPerChannel
    let options =
      quantized.filter {
        allowedBits.contains($0.bits) && (perChannel || $0.scheme?.name == .perTokenGroup)
      } + (allowedBits.contains(CacheOption.untouched.bits) ? [.untouched] : [])
    guard !options.isEmpty else {
      throw .unusableStatistics(
        tensor: name, reason: "it was measured at none of the widths allowed")
    }
    return options
  }
}
