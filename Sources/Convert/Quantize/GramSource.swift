/// Where the Gram matrices of a model's inputs come from.
package protocol GramSource: Sendable {
  /// - Parameter weight: a tensor of the source; its layer's inputs are meant.
  /// - Returns: nil where they were not measured, such as those of an expert that no token went to.
  /// - Throws: what reading throws.
  func gram(ofInputsOf weight: String) throws -> GramMatrix?
}
