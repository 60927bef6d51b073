import Formats
import Foundation
import Model
import Stats

/// A width for the inputs of every linear layer that was captured, and where to smooth them first.
package struct ActivationWidths: Sendable, Equatable {
  /// What becomes of one layer's inputs.
  package struct Choice: Sendable, Equatable {
    /// Of the dump's tensor.
    package let name: String
    /// Of the layer whose inputs these are.
    package let role: String?
    package let layer: Int?
    package let expert: Int?
    /// With one scale for each token; 16 where the inputs stay as they are.
    package let bits: Int
    /// Of the choice, in dB, in the channels that are no outliers; nil where nothing is lost.
    package let sqnr: Double?
    /// AbsMax of the largest channel over that of the median one; nil where that is 0.
    package let channelRatio: Double?
    /// Nil where it is not called for, does not help, or cannot be folded.
    package let smoothing: Smoothing?
    /// In words, for people.
    package let reason: String
  }

  package struct Options: Sendable, Equatable {
    /// 4 bits fail in the literature (`WidthStanding.activations`) and are left out: only where
    /// somebody named them.
    package var allowedBits = [8, 16]
    /// In dB. Our own choice: weights of 4 bits in groups of 64 keep about 21 dB, to whose noise
    /// inputs at 30 dB add an eighth.
    package var minimumSQNR = 30.0
    /// Our own choice: beyond this many times the median channel, 3 of the 8 bits of an ordinary
    /// channel go to waste.
    package var smoothingRatio = 8.0
    /// Of the weights that these inputs meet.
    package var weightBits = 8

    package init() {}
  }

  package let options: Options
  /// In the order of the dump.
  package let choices: [Choice]

  static let knownBits = MeasureOptions.activationBits + [16]

  init(options: Options, choices: [Choice]) {
    self.options = options
    self.choices = choices
  }

  /// The fewest bits that keep enough of every tensor; the most that are allowed where none do.
  ///
  /// - Parameter tensors: activations; for smoothing with every channel's figures, and with them
  ///   all weights that have these inputs. Others do not count.
  /// - Throws: `AllocationError.notMeasured` without activations, `.widthNotMeasured`, or
  ///   `.unusableStatistics` for a tensor that was measured at none of the widths allowed.
  package init(
    _ tensors: [TensorFigures], options: Options = Options()
  ) throws(AllocationError) {
    if let unknown = options.allowedBits.first(where: { !Self.knownBits.contains($0) }) {
      throw .widthNotMeasured(bits: unknown, kind: "activations", known: Self.knownBits)
    }
    let activations = tensors.filter { $0.kind == .activation }
    guard !activations.isEmpty else { throw .notMeasured(what: "activations") }
    let channels = SharedChannels(tensors)
    self.options = options
    choices = try activations.map { tensor throws(AllocationError) in
      let width = try Self.width(tensor, options)
      let (smoothing, advice) = Self.smoothing(tensor, bits: width.bits, channels, options)
      return Choice(
        name: tensor.name, role: tensor.role?.rawValue, layer: tensor.layer, expert: tensor.expert,
        bits: width.bits, sqnr: width.sqnr.flatMap { $0.isFinite ? $0 : nil },
        channelRatio: tensor.channelRatio, smoothing: smoothing,
        reason: width.reason + "; " + advice)
    }
  }

  // MARK: - Width

  private static func width(
    _ tensor: TensorFigures, _ options: Options
  ) throws(AllocationError) -> (bits: Int, sqnr: Double?, reason: String) {
    let measured = Set(options.allowedBits).sorted().compactMap { bits in
      let sqnr = bits == 16 ? Double.infinity : tensor.roundTrips.sqnr(.perToken, bits: bits)
      return sqnr.map { (bits: bits, sqnr: $0) }
    }
    guard let most = measured.last else {
      throw .unusableStatistics(
        tensor: tensor.name, reason: "it was measured at none of the widths allowed")
    }
    let wanted = String(format: "%.1f dB", options.minimumSQNR)
    let enough = measured.first { $0.sqnr >= options.minimumSQNR }
    let chosen = enough ?? most
    let fewer = measured.last { $0.bits < chosen.bits }.map {
      "\($0.bits) bits keep only \(text($0.sqnr))"
    }
    let words: [String?] =
      if enough == nil {
        ["\(chosen.bits) bits keep \(text(chosen.sqnr)), short of \(wanted): no more are allowed"]
      } else if chosen.bits == 16 {
        [fewer.map { "\($0), short of \(wanted)" } ?? "the only width allowed"]
      } else {
        ["\(chosen.bits) bits keep \(text(chosen.sqnr)), enough for \(wanted)", fewer]
      }
    return (chosen.bits, chosen.sqnr, words.compactMap(\.self).joined(separator: "; "))
  }

  private static func text(_ sqnr: Double) -> String {
    sqnr.isFinite ? String(format: "%.1f dB", sqnr) : "everything"
  }

  // MARK: - Smoothing

  private static func smoothing(
    _ tensor: TensorFigures, bits: Int, _ channels: SharedChannels, _ options: Options
  ) -> (Smoothing?, String) {
    guard let ratio = tensor.channelRatio else {
      return (
        nil, "no smoothing: more than half of the channels are 0, or they were not kept apart"
      )
    }
    let spread = String(format: "the largest channel is %.1f times the median", ratio)
    guard ratio > options.smoothingRatio else { return (nil, "\(spread): no smoothing needed") }
    if let obstacle = tensor.role.foldingObstacle { return (nil, "\(spread), but \(obstacle)") }
    guard let (inputs, weights) = channels.figures(of: tensor) else {
      return (nil, "\(spread), but the channels of inputs and weights were not all measured")
    }
    // Inputs that stay at 16 bits are smoothed for the sake of 8.
    guard
      let smoothing = Smoothing(
        activations: inputs, weights: weights, activationBits: min(bits, 8),
        weightBits: options.weightBits)
    else { return (nil, "\(spread), but no smoothing helps: the weights would suffer more") }
    let after = String(
      format:
        "smoothing with alpha %.1f leaves %.1f times in the inputs, %.1f times in the weights",
      smoothing.alpha, smoothing.activationSpread, smoothing.weightSpread)
    return (
      smoothing,
      "\(spread): \(after); it folds into the norm before if that feeds no other layers"
    )
  }
}

extension TensorRole? {
  /// Why a layer's inputs cannot be divided by folding the divisors into what comes before it; nil
  /// where that is a norm.
  fileprivate var foldingObstacle: String? {
    switch self {
    case .attnQ, .attnK, .attnV, .attnQKV, .attnQA, .attnKVA, .mlpGate, .mlpUp, .mlpGateUp: nil
    case .attnO: "smoothing would have to be folded into the values, which query heads may share"
    case .expertGate, .expertUp, .expertGateUp, .sharedExpertGate, .sharedExpertUp,
      .sharedExpertGateUp:
      "the norm before feeds the router and all other experts too"
    // Where a gate multiplies, the up projection could take the divisors; that is not offered.
    case .mlpDown, .expertDown, .sharedExpertDown:
      "a product or an activation function stands before, no norm to fold smoothing into"
    default: "no norm is known to stand right before, to fold smoothing into"
    }
  }
}

/// AbsMax of every input channel, over all layers that have the same inputs.
private struct SharedChannels {
  private struct Place: Hashable {
    let role: TensorRole
    let layer: Int?

    init?(_ tensor: TensorFigures) {
      guard let role = tensor.role else { return nil }
      self.role = role.sharedInput ?? role
      layer = tensor.layer
    }
  }

  /// Empty where a tensor's channels are not known, or do not fit those of the others.
  private var inputs: [Place: [Float]] = [:]
  private var weights: [Place: [Float]] = [:]

  init(_ tensors: [TensorFigures]) {
    for tensor in tensors {
      guard let place = Place(tensor) else { continue }
      let channels = tensor.absMax ?? []
      switch tensor.kind {
      case .activation: inputs[place] = Self.larger(inputs[place] ?? channels, channels)
      case .weight: weights[place] = Self.larger(weights[place] ?? channels, channels)
      case .key, .value, .latent, .rotaryKey: break
      }
    }
  }

  private static func larger(_ a: [Float], _ b: [Float]) -> [Float] {
    a.count == b.count ? zip(a, b).map { max($0, $1) } : []
  }

  /// Nil where those of inputs or weights are not known, or their numbers differ.
  func figures(of tensor: TensorFigures) -> (inputs: [Float], weights: [Float])? {
    guard let place = Place(tensor), let inputs = inputs[place], let weights = weights[place],
      !inputs.isEmpty, inputs.count == weights.count
    else { return nil }
    return (inputs, weights)
  }
}
