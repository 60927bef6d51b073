import Formats
import Foundation
import Model
import Stats

/// A width for the keys and one for the values of every layer of the cache, so that a token's
/// elements keep to an average.
///
/// The damage of a width is what its relative squared error does to the model's predictions, where that was
/// measured (`Sensitivity.cache`); else the error itself, keys and values of all layers counting alike. Every
/// layer is taken to hold as many tokens as the others.
package struct CacheWidths: Sendable, Equatable {
  /// How one layer stores its keys, or its values.
  package struct Choice: Sendable, Equatable {
    /// `.key` or `.value`.
    package let kind: TensorStatistics.Kind
    package let layer: Int
    /// Elements of a token: heads times the size of one.
    package let elementCount: Int
    /// With scale and offset of each group; `.f16` where the cache stays as it is, which counts as
    /// no loss.
    package let width: ElementWidth
    /// `.perTokenGroup` or `.perChannelGroup`; nil where the cache stays as it is.
    package let scheme: QuantizationScheme?
    /// Squared error over squared norm.
    package let relativeError: Double
    /// KL divergence in nats with this alone quantized; nil where none was measured.
    package let divergence: Double?
    /// In words, for people.
    package let reason: String

    package var bits: Int { width.bits }

    /// Signal to noise in dB; nil where nothing is lost.
    package var sqnr: Double? { relativeError > 0 ? -10 * log10(relativeError) : nil }
  }

  /// One width for keys and values of all layers, in groups within a token, for comparison.
  package struct Uniform: Sendable, Equatable {
    package let bits: Int
    package let averageBits: Double
    package let relativeError: Double
    package let divergence: Double?
  }

  /// Which elements may share a scale.
  package enum Groups: Sendable {
    /// Channels of one token and head; for keys tokens of one channel too, since a few of their
    /// channels are large throughout (KIVI, arXiv 2402.02750, section 3.2).
    case keysAlsoPerChannel
    /// Channels of one token and head only: all that mlx-lm and llama.cpp have.
    case perTokenOnly
  }

  /// By layer, keys before values.
  package let choices: [Choice]
  /// How far the error may be from the least possible, as a share of it.
  package let optimalityGap: Double
  /// At 4 and 8 bits, as far as every tensor was measured there.
  package let uniform: [Uniform]

  /// 2 bits fail in the literature (`WidthStanding.cache`) and are left out.
  package static let usualBits = [3, 4, 8, 16]

  init(choices: [Choice], optimalityGap: Double, uniform: [Uniform]) {
    self.choices = choices
    self.optimalityGap = optimalityGap
    self.uniform = uniform
  }

  /// Bits of an element, metadata counted, over all layers' elements of a token.
  package var averageBits: Double {
    Self.averageBits(choices.map { ($0.elementCount, $0.width) })
  }

  /// The cache with these widths; layers without a choice stay in 16 bits.
  package var format: CacheFormat {
    var format = CacheFormat.f16
    for choice in choices {
      if choice.kind == .key {
        format.keyExceptions[choice.layer] = choice.width
      } else {
        format.valueExceptions[choice.layer] = choice.width
      }
    }
    return format
  }

  /// Mean of the choices' relative squared errors.
  package var relativeError: Double { Self.mean(choices.map(\.relativeError)) }

  /// Sum of the choices' divergences; nil unless all are known.
  package var divergence: Double? { Self.sum(choices.map(\.divergence)) }
}

// MARK: - Choosing

extension CacheWidths {
  /// The widths with the least sum of divergences, or the least mean relative error.
  ///
  /// - Parameters:
  ///   - tensors: of these, keys and values count.
  ///   - sensitivity: what errors in them cost; used where it tells of all.
  ///   - budget: bits of an element, scale and offset of 16 bits each counted for every group. It
  ///     may be exceeded by rounding, 1e-12 of it.
  ///   - allowedBits: of `MeasureOptions.cacheBits` and 16; 2 only where somebody named it.
  /// - Throws: `AllocationError.notMeasured` without keys and values, `.widthNotMeasured`,
  ///   `.unusableStatistics`, or `.cacheTooSmall` where the cheapest widths exceed the budget.
  package init(
    _ tensors: [TensorFigures], sensitivity: Sensitivity? = nil, averageBits budget: Double,
    allowedBits: [Int] = Self.usualBits, groups: Groups = .keysAlsoPerChannel
  ) throws(AllocationError) {
    let known = MeasureOptions.cacheBits + [ElementWidth.f16.bits]
    if let unknown = allowedBits.first(where: { !known.contains($0) }) {
      throw .widthNotMeasured(bits: unknown, kind: "keys and values", known: known)
    }
    let measured = try Self.measured(tensors)
    let options = try measured.map { tensor throws(AllocationError) in
      try tensor.options(Set(allowedBits), groups)
    }
    let losses = Self.losses(measured, sensitivity)
    let costs = try Costs(measured, options)
    let knapsack = Knapsack(
      measured.indices.map { index in
        options[index].map { option in
          Knapsack.Option(
            cost: costs.cost(option.width, count: measured[index].elementCount),
            loss: losses.map { $0[index].divergence(at: option.relativeError) }
              ?? option.relativeError)
        }
      })
    // More than the largest width changes nothing, and NaN must not reach an integer.
    let cost = min(budget, 64) * Double(costs.unit) * (1 + 1e-12)
    guard cost >= 0, let solution = knapsack.solve(budget: Int(cost)) else {
      throw .cacheTooSmall(
        wanted: budget, smallest: Double(knapsack.smallestCost) / Double(costs.unit),
        largest: Double(knapsack.largestCost) / Double(costs.unit))
    }
    choices = measured.indices.map { index in
      let (tensor, options) = (measured[index], options[index])
      let chosen = options[solution.choices[index]]
      return Choice(
        kind: tensor.kind, layer: tensor.layer, elementCount: tensor.elementCount,
        width: chosen.width, scheme: chosen.scheme, relativeError: chosen.relativeError,
        divergence: losses?[index].divergence(at: chosen.relativeError),
        reason: knapsack.reason(
          class: index, chosen: solution.choices[index], loss: solution.loss,
          name: { options[$0].text },
          cost: { costs.text($0, count: tensor.elementCount) }))
    }
    optimalityGap = solution.gap
    uniform = [4, 8].compactMap { Self.uniform(bits: $0, measured, losses) }
  }

  /// One for each tensor; nil unless all are known.
  private static func losses(
    _ tensors: [CacheTensor], _ sensitivity: Sensitivity?
  ) -> [MeasuredLoss]? {
    let points = tensors.compactMap {
      sensitivity?.cache[Sensitivity.cacheName($0.kind, layer: $0.layer)]
    }
    return points.count == tensors.count ? points.map(MeasuredLoss.init) : nil
  }

  private static func measured(
    _ tensors: [TensorFigures]
  ) throws(AllocationError) -> [CacheTensor] {
    let measured = try tensors.filter { $0.kind == .key || $0.kind == .value }
      .map { tensor throws(AllocationError) in try CacheTensor(tensor) }
      .sorted { ($0.layer, $0.kind.rawValue) < ($1.layer, $1.kind.rawValue) }
    guard !measured.isEmpty else { throw .notMeasured(what: "keys or values of the cache") }
    for (a, b) in zip(measured, measured.dropFirst()) where (a.layer, a.kind) == (b.layer, b.kind) {
      throw .unusableStatistics(
        tensor: b.name, reason: "layer \(b.layer) has its \(b.kind.rawValue)s twice")
    }
    return measured
  }

  private static func uniform(
    bits: Int, _ tensors: [CacheTensor], _ losses: [MeasuredLoss]?
  ) -> Uniform? {
    let options = tensors.compactMap { tensor in
      tensor.quantized.first { $0.bits == bits && $0.scheme?.name == .perTokenGroup }
    }
    guard options.count == tensors.count else { return nil }
    return Uniform(
      bits: bits,
      averageBits: averageBits(zip(tensors, options).map { ($0.elementCount, $1.width) }),
      relativeError: mean(options.map(\.relativeError)),
      divergence: losses.map { losses in
        zip(losses, options).reduce(0) { $0 + $1.0.divergence(at: $1.1.relativeError) }
      })
  }

  private static func sum(_ values: [Double?]) -> Double? {
    values.reduce(0) { sum, value in sum.flatMap { sum in value.map { sum + $0 } } }
  }

  private static func averageBits(_ parts: [(count: Int, width: ElementWidth)]) -> Double {
    let (bits, count) = parts.reduce((0.0, 0.0)) { sums, part in
      (
        sums.0 + Double(part.count) * part.width.averageBits,
        sums.1 + Double(part.count)
      )
    }
    return count > 0 ? bits / count : 0
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(1, values.count))
  }
}

/// Bits of a token as whole numbers, so that a budget is met to the bit.
private struct Costs {
  /// Units in a bit: enough that every group's metadata spread over its elements is a whole number.
  private let scale: Int
  /// Cost of one bit for every element of a token.
  let unit: Int

  init(_ tensors: [CacheTensor], _ options: [[CacheOption]]) throws(AllocationError) {
    var scale: Int? = 1
    for width in options.joined().map(\.width) {
      let groupSize = width.groupSize ?? 1
      let part = groupSize / Self.divisor(groupSize, width.metadataBits)
      scale = Checked.product(scale, scale.map { part / Self.divisor($0, part) })
    }
    let count = tensors.reduce(Optional(0)) { Checked.sum($0, $1.elementCount) }
    // 16 bits and the metadata of a group of one are less than 128; no sum of costs overflows then.
    guard let scale, let unit = Checked.product(scale, count), unit < Int.max / 128 else {
      throw .unusableStatistics(
        tensor: tensors[0].name, reason: "the cache is too large to count its bits")
    }
    self.scale = scale
    self.unit = unit
  }

  /// Of a token's `count` elements.
  func cost(_ width: ElementWidth, count: Int) -> Int {
    count * (width.bits * scale + width.metadataBits * scale / (width.groupSize ?? 1))
  }

  func text(_ cost: Int, count: Int) -> String {
    String(format: "%.2f bits an element", Double(cost) / Double(count * scale))
  }

  /// The greatest common one; of positive numbers, or `b` may be 0.
  private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
}
