import Formats
import Foundation

/// What a configuration says of rotary positions, in either spelling: `rope_theta` and `rope_scaling` of
/// transformers 4, or `rope_parameters` of transformers 5, which wins where both are there.
struct RotaryParameters {
  let base: Double
  /// Share of the features that are turned.
  let fraction: Double
  let scaling: RotaryScaling
  /// What attention to latent vectors multiplies its scores with. Source: DeepSeek-V3's
  /// `modeling_deepseek.py`.
  let latentScale: Double

  /// - Throws: `ArchitectureError.badValue` where the features that turn are no pairs.
  func description(
    headWidth: Int, pairing: RotaryDescription.Pairing
  ) throws(ArchitectureError) -> RotaryDescription {
    // Widths and shares are limited: the product is small.
    let width = Int(Double(headWidth) * fraction)
    guard width >= 2, width % 2 == 0, width <= headWidth else {
      throw .badValue(
        key: "partial_rotary_factor", value: "\(fraction)",
        expected: "such that pairs of \(headWidth) features are turned")
    }
    if case .dynamic = scaling, width == 2 {
      throw .badValue(key: "head_dim", value: "\(headWidth)", expected: "more for dynamic scaling")
    }
    if case .longRope(let rope) = scaling {
      for (key, list) in [("short_factor", rope.short), ("long_factor", rope.long)] {
        guard list.count == width / 2 else {
          throw .badValue(
            key: "rope_scaling." + key, value: "\(list.count) numbers",
            expected: "\(width / 2) numbers")
        }
      }
    }
    return RotaryDescription(width: width, pairing: pairing, base: base, scaling: scaling)
  }
}

extension DecoderBuilder {
  /// - Parameter ofWindow: of layers with a window, which may have others.
  mutating func rotaryParameters(ofWindow: Bool) throws(ArchitectureError) -> RotaryParameters {
    let facts = family.rotary
    // Also where nothing is scaled.
    config.ignore(["original_max_position_embeddings"])
    let ownBase =
      try config.positive(facts.base.keys, absent: facts.base.absent)
      * config.positive(facts.baseRatio.keys, absent: facts.baseRatio.absent)
    let windowBase = try facts.windowBase.map { (fact) throws(ArchitectureError) in
      try config.positive(fact.keys, absent: fact.absent)
    }
    let fraction = try config.positive(facts.fraction.keys, absent: facts.fraction.absent)
    var (parameters, scaling) = (
      try config.object("rope_parameters"), try config.object("rope_scaling")
    )
    if parameters?.has("full_attention") == true {
      let (full, sliding) = (
        try parameters?.object("full_attention"), try parameters?.object("sliding_attention")
      )
      try parameters?.checkUnderstood()
      parameters = ofWindow ? sliding : full
    } else if parameters == nil, ofWindow, let windowBase {
      return try RotaryParameters(
        base: windowBase, fraction: checked(fraction), scaling: .none, latentScale: 1)
    }
    guard var object = parameters ?? scaling else {
      return try RotaryParameters(
        base: ownBase, fraction: checked(fraction), scaling: .none, latentScale: 1)
    }
    scaling = nil
    let base = try object.positive(["rope_theta"], absent: ownBase)
    guard base != 1 else {
      throw .badValue(key: "rope_theta", value: "1", expected: "a number other than 1")
    }
    let share = try checked(object.positive(["partial_rotary_factor"], absent: fraction))
    let original = try originalContext(&object)
    let (described, latentScale) = try object.rotaryScaling(
      context: contextLength, original: original)
    // A note of the first models with YaRN.
    object.ignore(["finetuned"])
    try object.checkUnderstood()
    return RotaryParameters(
      base: base, fraction: share, scaling: described, latentScale: latentScale)
  }

  private func checked(_ fraction: Double) throws(ArchitectureError) -> Double {
    guard fraction <= 1 else {
      throw .badValue(key: "partial_rotary_factor", value: "\(fraction)", expected: "at most 1")
    }
    return fraction
  }

  /// The context before scaling: beside the scaling's own members it comes first.
  private mutating func originalContext(
    _ object: inout ConfigReader
  ) throws(ArchitectureError) -> Int? {
    let key = ["original_max_position_embeddings"]
    let inside = try object.sizeIfPresent(key, limit: 1 << 30)
    return try config.sizeIfPresent(key, limit: 1 << 30) ?? inside ?? contextLength
  }
}

extension ConfigReader {
  /// - Parameters:
  ///   - context: of the model.
  ///   - original: that of its training before it was scaled.
  /// - Returns: the scaling, and what attention to latent vectors multiplies its scores with.
  fileprivate mutating func rotaryScaling(
    context: Int?, original: Int?
  ) throws(ArchitectureError) -> (RotaryScaling, Double) {
    let kind = try text(["rope_type", "type"], absent: "default")
    ignore(["type"])
    func known(_ context: Int?) throws(ArchitectureError) -> Int {
      guard let context else { throw missing(["original_max_position_embeddings"]) }
      return context
    }
    switch kind {
    case "default": return (.none, 1)
    case "linear": return (.linear(factor: try positive(["factor"])), 1)
    case "dynamic":
      let factor = try positive(["factor"])
      guard factor >= 1 else {
        throw .badValue(key: "factor", value: "\(factor)", expected: "at least 1")
      }
      return (.dynamic(factor: factor, context: try known(context)), 1)
    case "llama3":
      let (low, high) = (try positive(["low_freq_factor"]), try positive(["high_freq_factor"]))
      guard low < high else {
        throw .badValue(key: "low_freq_factor", value: "\(low)", expected: "below \(high)")
      }
      return (
        .llama3(
          factor: try positive(["factor"]), lowFactor: low, highFactor: high,
          context: try known(original)), 1
      )
    case "yarn":
      let original = try known(original)
      let factor = try positive(["factor"], absent: context.map { Double($0) / Double(original) })
      return try yarn(factor: factor, context: original)
    case "longrope", "su": return (.longRope(try longRope(context, try known(original))), 1)
    default: throw error("rope_type", .string(kind), expected: "a known kind of scaling")
    }
  }

  private mutating func yarn(
    factor: Double, context: Int
  ) throws(ArchitectureError) -> (RotaryScaling, Double) {
    typealias Yarn = RotaryScaling.Yarn
    let (own, all) = (
      try numberIfPresent(["mscale"]) ?? 0, try numberIfPresent(["mscale_all_dim"]) ?? 0
    )
    func magnitude(_ weight: Double) -> Double { Yarn.magnitude(factor: factor, weight: weight) }
    let given = try numberIfPresent(["attention_factor"])
    let derived = own != 0 && all != 0 ? magnitude(own) / magnitude(all) : magnitude(1)
    let (fast, slow) = (
      try positive(["beta_fast"], absent: 32), try positive(["beta_slow"], absent: 1)
    )
    let yarn = Yarn(
      factor: factor, magnitude: given ?? derived, fastTurns: fast, slowTurns: slow,
      truncates: try flag("truncate", absent: true), context: context)
    guard yarn.magnitude.isFinite else {
      throw .badValue(key: "mscale_all_dim", value: "\(all)", expected: "a usual number")
    }
    let root = all == 0 ? 1 : magnitude(all)
    return (.yarn(yarn), root * root)
  }

  private mutating func longRope(
    _ context: Int?, _ original: Int
  ) throws(ArchitectureError) -> RotaryScaling.LongRope {
    let factor =
      try numberIfPresent(["factor"])
      ?? Double(context ?? original) / Double(original)
    let given = try numberIfPresent(["attention_factor"]) ?? 0
    let derived =
      factor <= 1 || original < 2 ? 1 : (1 + log(factor) / log(Double(original))).squareRoot()
    func factors(_ key: String) throws(ArchitectureError) -> [Double] {
      guard let count = try listIfPresent(key)?.count else { throw missing([key]) }
      let list = try numbers(key, count: count)
      guard list.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw .badValue(key: "rope_scaling." + key, value: "…", expected: "positive numbers")
      }
      return list
    }
    return RotaryScaling.LongRope(
      short: try factors("short_factor"), long: try factors("long_factor"),
      magnitude: given == 0 ? derived : given, context: original)
  }
}
