import Synchronization

/// The factors of a model's Gram matrices: read and factored when first asked for, shared by all threads and by
/// layers that read the same inputs.
///
/// Of n inputs, factors take 6 n² bytes, and as many more while they are made. Those asked for last are kept up
/// to a limit, but always the latest.
final class GPTQCache: Sendable {
  private let source: any GramSource
  private let state = Mutex(State())
  private static let heldLimit = 1 << 28

  private struct Place: Hashable {
    let key: GramKey
    let damping: Double
  }

  private struct State {
    /// From the oldest on.
    var known: [(place: Place, factors: GPTQFactors)] = []

    mutating func keep(_ factors: GPTQFactors, for place: Place) {
      known.append((place, factors))
      var held = known.reduce(0) { $0 + $1.factors.byteCount }
      while known.count > 1, held > heldLimit {
        held -= known.removeFirst().factors.byteCount
      }
    }
  }

  init(_ source: any GramSource) { self.source = source }

  /// - Parameter weight: a tensor of the source whose inputs were measured.
  /// - Throws: what reading throws; `GramError`.
  func factors(ofInputsOf weight: String, damping: Double) throws -> GPTQFactors? {
    guard let key = source.key(ofInputsOf: weight) else { return nil }
    let place = Place(key: key, damping: damping)
    return try state.withLock { state throws -> GPTQFactors? in
      if let known = state.known.first(where: { $0.place == place }) { return known.factors }
      guard let gram = try source.gram(ofInputsOf: weight) else { return nil }
      guard gram.order == key.order else {
        throw GramError.wrongOrder(
          file: source.path, tensor: weight, order: gram.order, inputs: key.order)
      }
      let factors = try GPTQFactors(gram, of: weight, in: source.path, damping: damping)
      state.keep(factors, for: place)
      return factors
    }
  }
}
