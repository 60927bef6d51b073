import Convert
import Formats

/// Why tensors of a plan have their widths, in words: by their size, by what they cost at the width that most
/// have, and by what reads them.
struct PlanReasons {
  private let plan: BitPlan
  private let common: AffineLayout?
  private let meanByteCount: Double
  /// Loss for each byte, of all tensors at the common width.
  private let meanPrice: Double

  /// A tensor is large or small, costly or robust, from this many times the mean on.
  private static let factor = 2.0

  init(_ plan: BitPlan) {
    self.plan = plan
    common = plan.commonLayout
    let quantized = plan.choices.filter { $0.layout != nil }
    let count = Double(max(1, quantized.count))
    meanByteCount = quantized.reduce(0) { $0 + Double($1.byteCount) } / count
    let losses = quantized.compactMap { Self.loss($0, at: plan.commonLayout, plan.measure) }
    let byteCount = losses.reduce(0) { $0 + $1.byteCount }
    meanPrice = byteCount > 0 ? losses.reduce(0) { $0 + $1.loss } / byteCount : 0
  }

  /// What a tensor adds to the loss at a width that was measured, and its bytes there.
  private static func loss(
    _ choice: BitPlan.Choice, at layout: AffineLayout?, _ measure: LossMeasure
  ) -> (loss: Double, byteCount: Double)? {
    guard let layout else { return nil }
    let (error, divergence, byteCount): (Double, Double?, Int)
    if choice.layout == layout {
      (error, divergence, byteCount) = (
        choice.relativeError, choice.divergence, choice.byteCount
      )
    } else if let other = choice.alternatives.first(where: { $0.layout == layout }) {
      (error, divergence, byteCount) = (other.relativeError, other.divergence, other.byteCount)
    } else {
      return nil
    }
    guard byteCount > 0 else { return nil }
    let loss = measure == .divergence ? divergence : error * choice.weight
    return loss.map { ($0, Double(byteCount)) }
  }

  /// Nil for a tensor of which nothing sets it apart.
  func words(_ choice: BitPlan.Choice) -> String? {
    guard let layout = choice.layout else { return "kept as it is, as was asked" }
    guard !choice.alternatives.isEmpty else { return "the only width that was allowed" }
    var words: [String] = []
    switch choice.role {
    case "token_embedding": words.append("feeds every layer")
    case "output_head": words.append("makes every prediction")
    default: break
    }
    let size = Double(choice.byteCount) / meanByteCount
    let sizeWord = size >= Self.factor ? "large" : size <= 1 / Self.factor ? "small" : nil
    let price = Self.loss(choice, at: common, plan.measure).map { $0.loss / $0.byteCount }
    let ratio = price.flatMap { meanPrice > 0 ? $0 / meanPrice : nil }
    let costWord = ratio.flatMap {
      $0 >= Self.factor ? "costly" : $0 <= 1 / Self.factor ? "robust" : nil
    }
    let nature = [sizeWord, costWord].compactMap(\.self).joined(separator: " and ")
    if !nature.isEmpty { words.append(nature) }
    let bits = common?.bits ?? layout.bits
    if layout.bits > bits {
      words.append(
        sizeWord == "small" ? "more bits take few bytes" : "more bits pay here first")
    } else if layout.bits < bits {
      words.append(
        sizeWord == "large" ? "fewer bits save many bytes" : "fewer bits hurt least here")
    }
    return words.isEmpty ? nil : words.joined(separator: "; ")
  }

  /// How the words are meant.
  static let note = """
    Large and small: at least twice or at most half the mean tensor’s bytes. Costly and robust: at the width \
    that most tensors have, at least twice or at most half the mean loss for a byte.
    """
}
