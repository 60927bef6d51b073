/// Where the Gram matrices of a model's inputs come from.
package protocol GramSource: Sendable {
  /// For messages.
  var path: String { get }
  /// - Parameter weight: a tensor of the source; its layer's inputs are meant.
  /// - Returns: which matrix it is, without reading it; nil where they were not measured, such as those of an
  ///   expert that no token went to.
  func key(ofInputsOf weight: String) -> GramKey?
  /// - Returns: nil as `key`.
  /// - Throws: what reading throws.
  func gram(ofInputsOf weight: String) throws -> GramMatrix?
}

/// One of a source's Gram matrices. Layers that read the same inputs share one.
package struct GramKey: Sendable, Hashable {
  package let name: String
  package let order: Int

  package init(name: String, order: Int) {
    self.name = name
    self.order = order
  }
}
