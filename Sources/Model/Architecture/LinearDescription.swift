import Formats

/// A linear layer: `y = W x + b`.
package struct LinearDescription: Sendable, Equatable {
  /// Its name without what the name of its weight ends in.
  package let module: String
  /// The tensor that holds its matrix.
  package let weight: String
  package let bias: String?
  package let inputs: Int
  package let outputs: Int
  /// Whether a stored row holds the weights of one output, or of one input.
  package let order: MatrixOrder
  /// Where the tensor is a stack of matrices: which one, of how many. The bias then is a row of
  /// `[count, outputs]`.
  package let place: StackPlace?

  package struct StackPlace: Sendable, Equatable {
    package let index: Int
    package let count: Int
  }

  package init(
    module: String, weight: String? = nil, bias: String? = nil, inputs: Int, outputs: Int,
    order: MatrixOrder = .outputMajor, place: StackPlace? = nil
  ) {
    self.module = module
    self.weight = weight ?? module + ".weight"
    self.bias = bias
    self.inputs = inputs
    self.outputs = outputs
    self.order = order
    self.place = place
  }

  /// The shape that its tensor must have.
  package var weightShape: [Int] {
    (place.map { [$0.count] } ?? [])
      + (order == .outputMajor ? [outputs, inputs] : [inputs, outputs])
  }

  package var biasShape: [Int] { (place.map { [$0.count] } ?? []) + [outputs] }
}
