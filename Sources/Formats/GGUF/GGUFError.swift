/// Why a file is not a valid GGUF file: one case for each rule of the format.
///
/// Rules are those of the reference library (ggml-org/llama.cpp, `ggml/src/gguf.cpp`); as the
/// format's description says, strings must also be UTF-8, and keys below 64 KiB. Byte positions count from the start of the file.
package struct GGUFError: DescribedError, Equatable {
  package let file: String
  package let violation: Violation

  package init(file: String, violation: Violation) {
    self.file = file
    self.violation = violation
  }

  package enum Violation: Error, Equatable {
    /// The file does not begin with `GGUF` but with these bytes, at most four.
    case notGGUF(start: [UInt8])
    case badVersion(UInt32)
    case endsEarly(position: Int, needed: UInt64, available: Int)
    case headerTooLarge(position: Int, needed: UInt64, limit: Int)
    case badCount(of: String, found: Int64, limit: Int)
    case notUTF8(String, position: Int)
    case keyTooLong(byteCount: UInt64, position: Int)
    case emptyKey(position: Int)
    case repeatedKey(String, position: Int)
    case unknownValueType(key: String, id: Int32, position: Int)
    case arrayTooLong(key: String, count: UInt64, limit: Int, position: Int)
    case nestedArray(key: String, position: Int)
    case alignmentType(GGUFValueType)
    case badAlignment(UInt32)
    case nameTooLong(byteCount: UInt64, position: Int)
    case repeatedTensor(String, position: Int)
    case tooManyDimensions(tensor: String, count: UInt32)
    case negativeDimension(tensor: String, dimensions: [Int])
    case unknownType(tensor: String, id: Int32)
    case partialBlock(tensor: String, dimension: Int, type: GGMLType)
    case sizeOverflow(tensor: String, dimensions: [Int], type: GGMLType)
    case wrongOffset(tensor: String, found: UInt64, expected: Int)
    case dataMissing(tensor: String, offset: Int, byteCount: Int, fileSize: Int)
  }

  package var message: String { "\(file): \(explanation)" }

  /// The violation in words, without the file.
  package var explanation: String {
    switch violation {
    case .notGGUF(let start): "a GGUF file begins with 'GGUF', not with bytes \(start)"
    case .badVersion(let version):
      "GGUF version \(version) cannot be read, only 2 and 3 in little-endian order (byte 4)"
    case .endsEarly(let position, let needed, let available):
      "the header goes on beyond the file: it needs \(needed) bytes, and \(available) are left"
        + " (byte \(position))"
    case .headerTooLarge(let position, let needed, let limit):
      "the header needs \(needed) bytes at byte \(position), and so more than the \(limit) in all"
        + " that decant reads"
    case .badCount(let things, let found, let limit):
      "the header claims \(found) \(things), and there is room for \(limit) at most"
    case .notUTF8(let owner, let position): "\(owner) is not UTF-8 (byte \(position))"
    case .keyTooLong(let count, let position):
      "a key claims \(count) bytes, and \(GGUFHeader.keyLimit) are allowed (byte \(position))"
    case .emptyKey(let position): "a key is empty (byte \(position))"
    case .repeatedKey(let key, let position): "key '\(key)' is given twice (byte \(position))"
    case .unknownValueType(let key, let id, let position):
      "key '\(key)': unknown value type \(id) (byte \(position))"
    case .arrayTooLong(let key, let count, let limit, let position):
      "key '\(key)': its array claims \(count) elements, and there is room for \(limit) at"
        + " most (byte \(position))"
    case .nestedArray(let key, let position):
      "key '\(key)': arrays of arrays are not allowed (byte \(position))"
    case .alignmentType(let type): "general.alignment must be a uint32, not a \(type)"
    case .badAlignment(let alignment):
      "general.alignment must be a power of two, not \(alignment)"
    case .nameTooLong(let count, let position):
      "a tensor's name claims \(count) bytes, and \(GGUFHeader.nameLimit) are allowed"
        + " (byte \(position))"
    case .repeatedTensor(let tensor, let position):
      "tensor '\(tensor)' is given twice (byte \(position))"
    case .tooManyDimensions(let tensor, let count):
      "tensor '\(tensor)': \(count) dimensions, and \(GGUFHeader.dimensionLimit) are allowed"
    case .negativeDimension(let tensor, let dimensions):
      "tensor '\(tensor)': dimensions \(dimensions) go below zero"
    case .unknownType(let tensor, let id): "tensor '\(tensor)': unknown ggml type \(id)"
    case .partialBlock(let tensor, let dimension, let type):
      "tensor '\(tensor)': rows of \(dimension) values are not whole \(type.name) blocks of"
        + " \(type.blockLength)"
    case .sizeOverflow(let tensor, let dimensions, let type):
      "tensor '\(tensor)': the size of dimensions \(dimensions) in \(type.name) exceeds 2^63 - 1"
    case .wrongOffset(let tensor, let found, let expected):
      "tensor '\(tensor)': its data begins at offset \(found), and must at \(expected), right after"
        + " the tensor before it"
    case .dataMissing(let tensor, let offset, let byteCount, let fileSize):
      "tensor '\(tensor)': its \(byteCount) bytes begin at byte \(offset), and the file ends at"
        + " \(fileSize)"
    }
  }

  package var hint: String? {
    switch violation {
    case .notGGUF: "check where this file came from, and whether its download finished"
    case .badVersion(let version) where version & 0xFFFF == 0:
      "the file is big-endian; get a copy made for little-endian machines"
    case .badVersion: "make the file again with a current llama.cpp"
    case .endsEarly, .dataMissing: "the file is incomplete; download or copy it again"
    case .badCount, .arrayTooLong:
      "the file is incomplete or damaged, or its header has more than the"
        + " \(GGUFHeader.lengthLimit) bytes that decant reads"
    case .unknownType: "the file may be newer than decant; a newer decant may read it"
    default: "the program that wrote this file broke the GGUF format; get another copy"
    }
  }
}
