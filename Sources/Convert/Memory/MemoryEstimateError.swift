import Formats

/// Why memory cannot be estimated as asked.
package enum MemoryEstimateError: DescribedError, Equatable {
  case outOfBounds(String, value: Int, ClosedRange<Int>)
  case tooLarge(context: Int, batch: Int)

  package var message: String {
    switch self {
    case .outOfBounds(let name, let value, let bounds):
      "\(name) is \(value), not \(bounds.lowerBound) to \(bounds.upperBound)"
    case .tooLarge(let context, let batch):
      "the memory for \(batch) sequences of \(context) tokens is too large a number"
    }
  }

  package var hint: String? { "ask for a shorter context or a smaller batch" }
}
