/// Why a file is not an importance matrix that can be used. What is wrong with a GGUF file as such
/// is a `GGUFError`. Byte positions count from the start of the file.
package struct ImportanceMatrixError: DescribedError, Equatable {
  package let file: String
  package let violation: Violation

  package enum Violation: Error, Equatable {
    // The GGUF form.
    /// `general.type` has this value, or is missing.
    case notImportanceMatrix(type: String?)
    case keyMissing(String)
    case badKey(String, expected: String)
    case noEntries
    /// Of an entry's two tensors one is not there.
    case halfMissing(entry: String, missing: String)
    case notF32(tensor: String, type: GGMLType)
    case badDimensions(entry: String, sums: [Int], counts: [Int])
    case badTokenCount(entry: String, matrix: Int, count: Float)

    // The older form.
    case badEntryCount(Int32, limit: Int)
    case endsEarly(position: Int, needed: UInt64, available: Int)
    case badCount(of: String, found: Int32, position: Int)
    case notUTF8(String, position: Int)
    case repeatedEntry(String)
    case trailingBytes(position: Int, count: Int)

    /// A sum of squares that is below 0 or not finite, or becomes so over its number of tokens
    /// (in the older form: of calls).
    case badValue(entry: String, matrix: Int, channel: Int, value: Float, divisor: Double)
  }

  package var message: String { "\(file): \(explanation)" }

  /// The violation in words, without the file.
  package var explanation: String {
    switch violation {
    case .notImportanceMatrix(let type):
      "a GGUF file with the importance matrix of a model has general.type 'imatrix'; this one has "
        + (type.map { "'\($0.prefix(60))'" } ?? "none")
    case .keyMissing(let key): "an importance matrix needs key '\(key)'"
    case .badKey(let key, let expected): "key '\(key)' must be \(expected)"
    case .noEntries: "the importance matrix has no entries"
    case .halfMissing(let entry, let missing):
      "entry '\(entry)': tensor '\(missing)' is missing"
    case .notF32(let tensor, let type): "tensor '\(tensor)' must be F32, not \(type.name)"
    case .badDimensions(let entry, let sums, let counts):
      "entry '\(entry)': sums of dimensions \(sums) need one count for each matrix; its counts have"
        + " dimensions \(counts)"
    case .badTokenCount(let entry, let matrix, let count):
      "entry '\(entry)', matrix \(matrix): \(count) is no number of tokens"
    case .badEntryCount(let count, let limit):
      "no GGUF file, and read as an older importance matrix it claims \(count) entries, with room"
        + " for 1 to \(limit)"
    case .endsEarly(let position, let needed, let available):
      "the importance matrix goes on beyond the file: it needs \(needed) bytes, and \(available)"
        + " are left (byte \(position))"
    case .badCount(let field, let found, let position):
      "\(field) cannot be \(found) (byte \(position))"
    case .notUTF8(let field, let position): "\(field) is not UTF-8 (byte \(position))"
    case .repeatedEntry(let name): "entry '\(name)' is given twice"
    case .trailingBytes(let position, let count):
      "\(count) bytes follow the importance matrix (byte \(position))"
    case .badValue(let entry, let matrix, let channel, let value, let divisor):
      "entry '\(entry)', matrix \(matrix), channel \(channel): \(value) over \(divisor) cannot be a"
        + " mean of squares"
    }
  }

  package var hint: String? {
    switch violation {
    case .notImportanceMatrix: "pass the file that llama-imatrix wrote, not a model"
    case .badEntryCount, .badCount, .notUTF8:
      "this does not look like an importance matrix; pass the file that llama-imatrix wrote"
    case .endsEarly: "the file is incomplete; download or copy it again"
    case .badValue, .badTokenCount:
      "the model or the calibration went wrong, or the file is damaged; make it anew with"
        + " llama-imatrix"
    default: "make the file anew with llama-imatrix"
    }
  }
}
