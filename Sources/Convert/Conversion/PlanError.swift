import Formats

/// Why a conversion cannot be planned as asked.
package enum PlanError: DescribedError, Equatable {
  case badPattern(String)
  case patternMatchesNothing(String, option: String)
  case patternMatchesNothingQuantizable(String, option: String)
  case badOverride(String)
  case alreadyPacked(path: String)
  case alreadyQuantized(path: String, method: String)
  case coverageTooLow(reached: Double, wanted: Double, unfit: [String])
  case nothingQuantized(path: String)
  case larger(path: String, byteCount: Int, sourceByteCount: Int)
  case nameClash(tensor: String, stored: String)
  /// A pattern for some of the tensors that are stored as one.
  case patternDividesStack(String, option: String, tensor: String, stack: String)
  /// Of a type of which no part can be stored otherwise.
  case cannotArrange(tensor: String, dtype: DType)

  package var message: String {
    switch self {
    case .badPattern(let text): "'\(text)' is not a regular expression"
    case .patternMatchesNothing(let text, let option): "\(option) '\(text)' matches no tensor"
    case .patternMatchesNothingQuantizable(let text, let option):
      "\(option) '\(text)' matches only tensors that are not quantized"
    case .badOverride(let text): "'\(text)' is not PATTERN=BITS or PATTERN=BITS:GROUP"
    case .alreadyPacked(let path): "\(path) is packed already"
    case .alreadyQuantized(let path, let method):
      "\(path) is quantized already, by a method that decant does not decode: \(method)"
    case .coverageTooLow(let reached, let wanted, let unfit):
      "coverage is \(Self.percent(reached)), below \(Self.percent(wanted)); did not fit: "
        + (unfit.isEmpty ? "nothing" : unfit.prefix(5).joined(separator: ", "))
    case .nothingQuantized(let path): "nothing of \(path) would be quantized"
    case .larger(let path, let count, let sourceCount):
      "the tensors of \(path) would take \(count) bytes; now they take \(sourceCount)"
    case .nameClash(let tensor, let stored):
      "packing '\(tensor)' would write a second tensor '\(stored)'"
    case .patternDividesStack(let text, let option, let tensor, let stack):
      "\(option) '\(text)' matches '\(tensor)', but not all that is stored as '\(stack)'"
    case .cannotArrange(let tensor, let dtype):
      "'\(tensor)' is made of several tensors or of parts of one, and has dtype \(dtype.rawValue);"
        + " that can be done with F32, F16 and BF16"
    }
  }

  package var hint: String? {
    switch self {
    case .badPattern: "write a regular expression after re:, or a glob without it"
    case .patternMatchesNothing: "list the names with 'decant inspect'"
    case .patternMatchesNothingQuantizable:
      "'decant convert --dry-run' lists every tensor with the reason"
    case .badOverride:
      "bits are 2, 3, 4, 5, 6 or 8 and groups 32, 64 or 128, as in --override 'lm_head=8:64'"
    case .alreadyPacked:
      "convert the 16-bit original, which loses less; --requantize packs this one again"
    case .alreadyQuantized: "convert the 16-bit original"
    case .coverageTooLow: "a smaller --group-size fits more tensors"
    case .nothingQuantized, .larger:
      "'--dry-run' says why, tensor by tensor; '--min-coverage 0' converts all the same"
    case .patternDividesStack:
      "write a pattern for all of them: MLX has one width for all experts of a layer"
    case .cannotArrange: "quantize it"
    case .nameClash: "keep that tensor with --keep"
    }
  }

  private static func percent(_ share: Double) -> String {
    // Rounded down, so that a coverage just below the limit is not shown as the limit.
    "\((share * 1000).rounded(.down) / 10)%"
  }
}
