import Formats

/// What a tensor is, and so what a conversion does with it.
package struct TensorIdentity: Sendable, Equatable {
  package let role: TensorRole
  /// Block index, from 0; nil outside the blocks of the language model.
  package let layer: Int?
  /// Index in its block where each expert has its own tensor; nil elsewhere, also for stacks.
  package let expert: Int?
  package let treatment: Treatment
  /// How a matrix is stored.
  package let order: MatrixOrder
  /// How the outputs of a fused weight are cut; nil where it is not fused or the configuration
  /// does not explain the number of outputs.
  package let fusedRows: FusedRows?

  package init(
    role: TensorRole, layer: Int?, expert: Int?, treatment: Treatment, order: MatrixOrder,
    fusedRows: FusedRows?
  ) {
    self.role = role
    self.layer = layer
    self.expert = expert
    self.treatment = treatment
    self.order = order
    self.fusedRows = fusedRows
  }
}
