/// The Gram matrices of a folded model's inputs.
struct FoldedGrams: GramSource {
  let base: any GramSource
  let folding: Folding

  var path: String { base.path }

  /// Layers that read the same inputs have them divided alike.
  func key(ofInputsOf weight: String) -> GramKey? { base.key(ofInputsOf: weight) }

  func gram(ofInputsOf weight: String) throws -> GramMatrix? {
    guard let gram = try base.gram(ofInputsOf: weight) else { return nil }
    guard let factors = folding.inputFactors[weight], factors.count == gram.order else {
      return gram
    }
    return gram.divided(by: factors)
  }
}
