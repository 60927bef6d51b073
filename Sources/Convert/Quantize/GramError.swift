import Formats

/// Why weights cannot be quantized for the second moments of their inputs.
package enum GramError: DescribedError, Equatable {
  case wrongOrder(file: String, tensor: String, order: Int, inputs: Int)
  /// A number that is not finite, or a negative one on the diagonal.
  case impossible(file: String, tensor: String, row: Int, column: Int, value: String)
  case notDefinite(file: String, tensor: String, damping: Double)

  package var message: String {
    switch self {
    case .wrongOrder(let file, let tensor, let order, let inputs):
      "\(file): the Gram matrix for '\(tensor)' is of \(order) inputs; the tensor has \(inputs)"
    case .impossible(let file, let tensor, let row, let column, let value):
      "\(file): the Gram matrix for '\(tensor)' holds \(value) in row \(row), column \(column)"
    case .notDefinite(let file, let tensor, let damping):
      "\(file): the Gram matrix for '\(tensor)' is not positive definite, not even with"
        + " \(damping) of its mean diagonal added: it is none of any inputs"
    }
  }

  package var hint: String? { "calibrate again, on the model that is converted" }
}
