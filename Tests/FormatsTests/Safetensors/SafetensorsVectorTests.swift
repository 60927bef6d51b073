import Formats
import Testing

/// Agreement with the reference library, file by file. Where the library is laxer than the text of
/// the format, decant follows the text.
@Suite struct SafetensorsVectorTests {
  /// What decant calls the rule that each file breaks, by the file's name without ending.
  static let refused: [String: String] = [
    "empty_file": "header_length_missing",
    "seven_bytes": "header_length_missing",
    "length_field_only": "header_past_end",
    "header_one_byte_short": "header_past_end",
    "length_100000000_short_file": "header_past_end",
    "length_100000001": "header_too_large",
    "length_all_ones": "header_too_large",
    "utf8_ff": "header_not_utf8",
    "utf8_surrogate": "header_not_utf8",
    "zero_length_header": "header_not_json",
    "json_open_brace": "header_not_json",
    "json_trailing_comma": "header_not_json",
    "json_nan_shape": "header_not_json",
    "json_leading_zero": "header_not_json",
    "json_lone_surrogate_escape": "header_not_json",
    "json_raw_newline_in_name": "header_not_json",
    "json_depth_200": "header_not_json",
    "json_array_top": "header_start",
    "json_null_top": "header_start",
    "json_bom": "header_start",
    "json_trailing_garbage": "header_padding",
    "json_nul_padding": "header_padding",
    "json_two_objects": "header_padding",
    "missing_dtype": "field_missing",
    "missing_shape": "field_missing",
    "missing_data_offsets": "field_missing",
    "dtype_unknown": "unknown_dtype",
    "dtype_lowercase": "unknown_dtype",
    "dtype_number": "unknown_dtype",
    "shape_negative": "bad_shape",
    "shape_float": "bad_shape",
    "shape_string": "bad_shape",
    "shape_null": "bad_shape",
    "shape_minus_zero": "bad_shape",
    "offsets_one": "bad_offsets",
    "offsets_three": "bad_offsets",
    "offsets_negative": "bad_offsets",
    "offset_above_u64": "bad_offsets",
    "start_not_zero": "gap",
    "hole_between": "gap",
    "overlap": "overlap",
    "same_range_twice": "overlap",
    "end_before_begin": "end_before_begin",
    "size_too_small": "wrong_size",
    "size_too_large": "wrong_size",
    "data_truncated": "data_missing",
    "data_trailing": "trailing_data",
    "no_tensors_but_data": "trailing_data",
    "metadata_only_but_data": "trailing_data",
    "shape_product_overflow": "size_overflow",
    "bit_count_overflow": "size_overflow",
    "overflow_before_zero_dim": "size_overflow",
    "f4_odd_count": "partial_byte",
    "f6_two_values": "partial_byte",
    "metadata_number": "bad_metadata",
    "metadata_nested": "bad_metadata",
    "metadata_list": "bad_metadata",
    "metadata_as_tensor": "bad_metadata",
    "metadata_twice": "repeated_name",
    "field_twice": "repeated_name",
    "duplicate_name_moved": "repeated_name",
    "tensor_is_null": "record_not_object",
  ]

  /// Files that the library reads although the text of the format forbids them.
  static let refusedByTheText: [String: String] = [
    "ok_leading_space": "header_start",
    "ok_tab_newline_padding": "header_padding",
    "ok_duplicate_name_same": "repeated_name",
    "ok_record_as_array": "record_not_object",
  ]

  static let accepted = [
    "ok_empty_object", "ok_unaligned_header", "ok_padded", "ok_scalar", "ok_zero_size_middle",
    "ok_zero_dim_before_huge", "ok_header_order_differs", "ok_unaligned_f32", "ok_extra_field",
    "ok_metadata_null", "ok_empty_name", "ok_escaped_names", "ok_all_dtypes",
  ]

  private static func verdicts() throws -> JSONValue {
    let path = try Fixture.path("safetensors/expected.json")
    return try #require(try JSONValue(parsing: contents(of: path))["files"])
  }

  @Test(arguments: (Array(refused) + Array(refusedByTheText)).sorted { $0.key < $1.key })
  func isRefusedByItsRule(_ name: String, _ rule: String) throws {
    let error = #expect(throws: SafetensorsError.self) {
      try Fixture.open("safetensors/\(name).safetensors")
    }
    #expect(error?.rule.rawValue == rule)
    #expect(error?.file == (try Fixture.path("safetensors/\(name).safetensors")))
  }

  @Test(arguments: accepted)
  func isReadAsTheLibraryReadsIt(_ name: String) throws {
    let verdict = try #require(try Self.verdicts()[name + ".safetensors"])
    let tensors = try #require(verdict["tensors"]?.members)
    let file = try Fixture.open("safetensors/\(name).safetensors")
    #expect(file.header.tensors.count == tensors.count)
    for expected in tensors {
      let tensor = try file.tensor(expected.name)
      #expect(tensor.dtype.rawValue == expected.value["dtype"]?.stringValue)
      #expect(JSONValue.array(tensor.shape.map { .integer($0) }) == expected.value["shape"])
      #expect(tensor.byteCount == expected.value["bytes"]?.intValue)
      #expect(try file.bytes(expected.name).count == tensor.byteCount)
    }
  }

  @Test func everyFileIsJudgedAsTheLibraryJudgesIt() throws {
    let verdicts = try #require(try Self.verdicts().members)
    #expect(verdicts.count == 79)
    for verdict in verdicts {
      let name = String(verdict.name.dropLast(".safetensors".count))
      let isAccepted = Self.accepted.contains(name) || Self.refusedByTheText[name] != nil
      #expect(verdict.value["accepted"]?.boolValue == isAccepted, "\(name)")
      #expect(isAccepted || Self.refused[name] != nil, "\(name) is in no table")
    }
  }
}
