/// The Gram matrices of the inputs of one tensor's matrices.
struct GPTQInputs: Sendable {
  let cache: GPTQCache
  let grams: TensorGrams

  /// - Returns: nil for a matrix whose inputs were not measured.
  /// - Throws: what reading throws; `GramError`.
  func factors(ofMatrix matrix: Int) throws -> GPTQFactors? {
    guard let weight = grams.weights[matrix] else { return nil }
    return try cache.factors(ofInputsOf: weight, damping: grams.damping)
  }
}
