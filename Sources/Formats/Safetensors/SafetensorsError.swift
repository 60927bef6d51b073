/// Why a file is not a valid safetensors file: one case for each rule of the format.
///
/// Rules, limits and order of checks follow the reference library (huggingface/safetensors,
/// `tensor.rs`); where that is laxer than the format's own text (README, "Format"), the text holds.
/// Byte positions count from the start of the file.
package struct SafetensorsError: DescribedError, Equatable {
  package let file: String
  package let violation: Violation

  package enum Violation: Equatable, Sendable {
    /// The file is shorter than the eight bytes that give the header's length.
    case tooShort(byteCount: Int)
    case headerTooLarge(declared: UInt64, limit: UInt64)
    case headerPastEnd(declared: UInt64, available: Int)
    case headerNotUTF8(position: Int)
    case headerNotJSON(JSONError, position: Int)
    /// The first byte of the header is not `{`.
    case headerStart(byte: UInt8)
    /// Something other than spaces follows the header's JSON object.
    case headerPadding(byte: UInt8, position: Int)
    case recordNotObject(tensor: String, position: Int)
    case fieldMissing(tensor: String, field: String, position: Int)
    case unknownDType(tensor: String, found: String, position: Int)
    case badShape(tensor: String, found: String, position: Int)
    case tooManyDimensions(tensor: String, limit: Int, position: Int)
    case badOffsets(tensor: String, found: String, position: Int)
    case badMetadata(found: String, position: Int)
    case endBeforeBegin(tensor: String, begin: UInt64, end: UInt64)
    case gap(tensor: String, begin: UInt64, previousEnd: UInt64)
    case overlap(tensor: String, begin: UInt64, previousEnd: UInt64)
    case sizeOverflow(tensor: String, shape: [UInt64], dtype: DType)
    case partialByte(tensor: String, bits: UInt64)
    case wrongSize(tensor: String, declared: UInt64, expected: UInt64)
    case dataMissing(expected: UInt64, available: Int)
    case trailingData(expected: UInt64, available: Int)
  }

  /// The rules by short names that stay, for reports that programs read.
  package enum Rule: String, Sendable, CaseIterable {
    case headerLengthMissing = "header_length_missing"
    case headerTooLarge = "header_too_large"
    case headerPastEnd = "header_past_end"
    case headerNotUTF8 = "header_not_utf8"
    case repeatedName = "repeated_name"
    case headerNotJSON = "header_not_json"
    case headerStart = "header_start"
    case headerPadding = "header_padding"
    case recordNotObject = "record_not_object"
    case fieldMissing = "field_missing"
    case unknownDType = "unknown_dtype"
    case badShape = "bad_shape"
    case tooManyDimensions = "too_many_dimensions"
    case badOffsets = "bad_offsets"
    case badMetadata = "bad_metadata"
    case endBeforeBegin = "end_before_begin"
    case gap
    case overlap
    case sizeOverflow = "size_overflow"
    case partialByte = "partial_byte"
    case wrongSize = "wrong_size"
    case dataMissing = "data_missing"
    case trailingData = "trailing_data"
  }

  package var rule: Rule {
    switch violation {
    case .tooShort: .headerLengthMissing
    case .headerTooLarge: .headerTooLarge
    case .headerPastEnd: .headerPastEnd
    case .headerNotUTF8: .headerNotUTF8
    case .headerNotJSON(let error, _):
      if case .repeatedName = error.fault { .repeatedName } else { .headerNotJSON }
    case .headerStart: .headerStart
    case .headerPadding: .headerPadding
    case .recordNotObject: .recordNotObject
    case .fieldMissing: .fieldMissing
    case .unknownDType: .unknownDType
    case .badShape: .badShape
    case .tooManyDimensions: .tooManyDimensions
    case .badOffsets: .badOffsets
    case .badMetadata: .badMetadata
    case .endBeforeBegin: .endBeforeBegin
    case .gap: .gap
    case .overlap: .overlap
    case .sizeOverflow: .sizeOverflow
    case .partialByte: .partialByte
    case .wrongSize: .wrongSize
    case .dataMissing: .dataMissing
    case .trailingData: .trailingData
    }
  }

  /// The tensor that breaks the rule, where it is one tensor.
  package var tensor: String? {
    switch violation {
    case .recordNotObject(let tensor, _), .fieldMissing(let tensor, _, _),
      .unknownDType(let tensor, _, _), .badShape(let tensor, _, _),
      .tooManyDimensions(let tensor, _, _), .badOffsets(let tensor, _, _),
      .endBeforeBegin(let tensor, _, _), .gap(let tensor, _, _), .overlap(let tensor, _, _),
      .sizeOverflow(let tensor, _, _), .partialByte(let tensor, _), .wrongSize(let tensor, _, _):
      tensor
    default: nil
    }
  }

  package var message: String { "\(file): \(explanation)" }

  /// The violation in words, without the file.
  package var explanation: String {
    switch violation {
    case .tooShort(let count):
      "not a safetensors file: \(count) bytes, and the header's length alone takes 8"
    case .headerTooLarge(let declared, let limit):
      "the header claims \(declared) bytes; the format allows \(limit) (byte 0)"
    case .headerPastEnd(let declared, let available):
      "the header claims \(declared) bytes, and \(available) follow its length (byte 0)"
    case .headerNotUTF8(let position): "the header is not UTF-8 (byte \(position))"
    case .headerNotJSON(let error, let position):
      "broken header: \(error.reason) (byte \(position))"
    case .headerStart(let byte):
      "the header must begin with '{', not with byte \(byte) (byte 8)"
    case .headerPadding(let byte, let position):
      "only spaces may follow the header's object, not byte \(byte) (byte \(position))"
    case .recordNotObject(let tensor, let position):
      "tensor '\(tensor)': its record is not an object (byte \(position))"
    case .fieldMissing(let tensor, let field, let position):
      "tensor '\(tensor)': its record has no '\(field)' (byte \(position))"
    case .unknownDType(let tensor, let found, let position):
      "tensor '\(tensor)': unknown dtype \(found) (byte \(position))"
    case .badShape(let tensor, let found, let position):
      "tensor '\(tensor)': shape must be a list of unsigned integers; found \(found)"
        + " (byte \(position))"
    case .tooManyDimensions(let tensor, let limit, let position):
      "tensor '\(tensor)': its shape has more than \(limit) dimensions (byte \(position))"
    case .badOffsets(let tensor, let found, let position):
      "tensor '\(tensor)': data_offsets must be two unsigned integers; found \(found)"
        + " (byte \(position))"
    case .badMetadata(let found, let position):
      "__metadata__ must map strings to strings; found \(found) (byte \(position))"
    case .endBeforeBegin(let tensor, let begin, let end):
      "tensor '\(tensor)': its data ends at \(end), before it begins at \(begin)"
    case .gap(let tensor, let begin, let previousEnd):
      "tensor '\(tensor)': its data begins at \(begin) and leaves a gap after \(previousEnd)"
    case .overlap(let tensor, let begin, let previousEnd):
      "tensor '\(tensor)': its data begins at \(begin), inside data that ends at \(previousEnd)"
    case .sizeOverflow(let tensor, let shape, let dtype):
      "tensor '\(tensor)': the size of shape \(shape) in \(dtype.rawValue) exceeds 2^64 - 1 bits"
    case .partialByte(let tensor, let bits):
      "tensor '\(tensor)': \(bits) bits do not fill whole bytes"
    case .wrongSize(let tensor, let declared, let expected):
      "tensor '\(tensor)': data_offsets span \(declared) bytes; shape and dtype need \(expected)"
    case .dataMissing(let expected, let available):
      "the tensors need \(expected) bytes of data, and the file holds \(available)"
    case .trailingData(let expected, let available):
      "the tensors take \(expected) bytes of data, and the file holds \(available)"
    }
  }

  package var hint: String? {
    switch violation {
    case .tooShort, .headerPastEnd, .dataMissing:
      "the file is incomplete; download or copy it again"
    case .headerTooLarge, .headerNotUTF8, .headerStart:
      "this does not look like a safetensors file; check where it came from"
    case .trailingData: "something was appended to the file; download or copy it again"
    default: "the program that wrote this file broke the safetensors format; get another copy"
    }
  }
}
