import Formats
import Model

/// Whether a model fits: what weights, cache and activations need together, and how long a context
/// may be.
package struct MemoryEstimate: Sendable, Equatable {
  /// What a runtime is to hold.
  package struct Demand: Sendable {
    package var weightByteCount: Int
    package var cache: CacheGeometry
    package var format: CacheFormat
    package var activations: ActivationWorkingSet
    /// Sequences at a time.
    package var batch: Int
    /// Tokens of a prompt that a runtime computes at a time.
    package var prefillChunk: Int

    package init(
      weightByteCount: Int, cache: CacheGeometry, format: CacheFormat,
      activations: ActivationWorkingSet, batch: Int = 1, prefillChunk: Int = 512
    ) {
      self.weightByteCount = weightByteCount
      self.cache = cache
      self.format = format
      self.activations = activations
      self.batch = batch
      self.prefillChunk = prefillChunk
    }
  }

  /// Tokens of a sequence.
  package enum Context: Sendable, Hashable {
    case tokens(Int)
    /// More than `MemoryEstimate.longestContext`: the cache has stopped growing, or all but.
    case unlimited
  }

  /// Longest context that is computed with, 2^40 tokens.
  package static let longestContext = 1 << 40

  package let weightByteCount: Int
  package let cacheByteCount: Int
  package let activationByteCount: Int
  package let totalByteCount: Int
  /// What the budget leaves over, negative where it does not suffice; nil without a budget.
  package let remainingByteCount: Int?
  /// The longest context that fits the budget: one token more, in each sequence, would not. No
  /// tokens where not even one fits; nil without a budget.
  package let longestFittingContext: Context?
  /// The shortest context whose cache is larger than the weights; nil where none is.
  package let cacheOutgrowsWeightsAt: Int?

  /// - Parameters:
  ///   - context: tokens of each sequence, 0 to `longestContext`.
  ///   - budget: bytes, positive; nil to only sum up.
  /// - Throws: `MemoryEstimateError` where an argument is out of bounds or a sum does not fit.
  package init(_ demand: Demand, context: Int, budget: Int?) throws(MemoryEstimateError) {
    for (name, value, bounds) in [
      ("context", context, 0...Self.longestContext), ("batch", demand.batch, 1...1 << 20),
      ("prefill chunk", demand.prefillChunk, 1...Self.longestContext),
      ("weight bytes", demand.weightByteCount, 0...Int.max >> 1),
      ("memory", budget ?? 1, 1...Int.max >> 1),
    ] where !bounds.contains(value) {
      throw .outOfBounds(name, value: value, bounds)
    }
    let growth = demand.cache.growth(demand.format)
    func cache(_ context: Int) -> Int? {
      CacheGeometry.byteCount(context: context, batch: demand.batch, growth)
    }
    func activations(_ context: Int) -> Int? {
      demand.activations.byteCount(
        tokens: min(context, demand.prefillChunk), batch: demand.batch)
    }
    func total(_ context: Int) -> Int? {
      Checked.sum(Checked.sum(demand.weightByteCount, cache(context)), activations(context))
    }
    guard let cacheByteCount = cache(context), let activationByteCount = activations(context),
      let totalByteCount = total(context)
    else { throw .tooLarge(context: context, batch: demand.batch) }
    weightByteCount = demand.weightByteCount
    self.cacheByteCount = cacheByteCount
    self.activationByteCount = activationByteCount
    self.totalByteCount = totalByteCount
    remainingByteCount = budget.map { $0 - totalByteCount }
    // A size that does not fit an `Int` is beyond every budget and all weights.
    longestFittingContext = budget.map { budget in
      Self.first { total($0).map { $0 > budget } ?? true }.map { .tokens(max(0, $0 - 1)) }
        ?? .unlimited
    }
    cacheOutgrowsWeightsAt = Self.first { cache($0).map { $0 > demand.weightByteCount } ?? true }
  }

  /// The shortest context for which `holds`, which then holds for all longer ones; nil where it
  /// holds for none.
  private static func first(where holds: (Int) -> Bool) -> Int? {
    guard holds(longestContext) else { return nil }
    var low = 0
    var high = longestContext
    while low < high {
      let middle = low + (high - low) / 2
      if holds(middle) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
