import Convert
import Formats
import Foundation
import Model
import Testing

/// The vectors' checkpoints as GGUF files, against what llama.cpp's converter makes of them: keys, names,
/// dimensions and every value.
@Suite struct GGUFVectorTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  struct Golden: CustomTestStringConvertible {
    let name: String
    let json: JSONValue
    var testDescription: String { name }
  }

  static let all: [Golden] = {
    guard let path = try? Fixture.path("gguf.json"), let bytes = try? contents(of: path),
      let json = try? JSONValue(parsing: bytes)
    else { return [] }
    return (json.members ?? []).map { Golden(name: $0.name, json: $0.value) }
  }()

  /// - Returns: the file as it is read again.
  private func write(_ source: String) throws -> GGUFFile {
    var options = ConversionOptions()
    options.ggufTypes = GGUFTypes("F32")
    let plan = try ConversionPlan(
      Checkpoint(path: source), options: options, arrangement: .gguf)
    let path = folder.path("model.gguf")
    _ = try Conversion(plan, target: OutputTarget(path: path, takesGGUF: true)).run(
      replacing: false, RunContext(threads: 2))
    return try GGUFFile(path: path)
  }

  @Test func allFamiliesAreThere() { #expect(Self.all.count == 25) }

  @Test(arguments: all) func equalsTheReferenceConverter(golden: Golden) throws {
    let file = try write(ReferenceVector(golden.name).path)
    #expect(
      file.header.value("general.architecture")?.stringValue
        == golden.json["architecture"]?.stringValue)
    for key in golden.json["keys"]?.members ?? [] {
      #expect(isEqual(file.header.value(key.name), key.value), "\(key.name)")
    }
    let tensors = golden.json["tensors"]?.membersByName ?? [:]
    #expect(Set(file.header.tensors.map(\.name)) == Set(tensors.keys))
    for tensor in file.header.tensors {
      guard let expected = tensors[tensor.name] else { continue }
      #expect(tensor.type == .f32)
      #expect(tensor.dimensions == expected["dims"]?.arrayValue?.compactMap(\.intValue))
      var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
      try file.read(0..<bytes.count, of: tensor, into: &bytes)
      if let digest = expected["xxh64"]?.stringValue {
        #expect(XXH64.digest(bytes).hexDigits == digest, "\(tensor.name)")
      } else {
        checkNearly(numbers(bytes), expected, tensor.name)
      }
    }
  }

  /// OLMo 2 has no head in llama.cpp but one of its own.
  @Test func aTiedHeadIsACopyWhereThereMustBeOne() throws {
    var model = try ChangedModel("olmo2")
    model.config["tie_word_embeddings"] = true
    model.replace("lm_head.weight") { _ in nil }
    _ = try model.open()
    let file = try write(model.folder.path)
    let copies = try ["token_embd.weight", "output.weight"].map { name in
      let tensor = try #require(file.header.tensors.first { $0.name == name })
      var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
      try file.read(0..<bytes.count, of: tensor, into: &bytes)
      return bytes
    }
    #expect(copies[0] == copies[1] && copies[0].contains { $0 != 0 })
  }

  private func isEqual(_ value: GGUFValue?, _ expected: JSONValue) -> Bool {
    let number = expected["value"]
    switch value {
    case .uint32(let found): return expected["type"] == "u32" && Int(found) == number?.intValue
    case .float32(let found):
      guard expected["type"] == "f32", let number = number?.doubleValue else { return false }
      return abs(Double(found) - number) <= 1e-6 * abs(number)
    case .string(let found): return found == number?.stringValue
    case .bool(let found): return found == number?.boolValue
    case .array(.bool(let found)): return found == number?.arrayValue?.compactMap(\.boolValue)
    default: return false
    }
  }

  private func numbers(_ bytes: [UInt8]) -> [Double] {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      let pattern = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
      return Double(Float(bitPattern: pattern))
    }
  }

  /// What passes through an exponential, a power or a fold.
  private func checkNearly(_ found: [Double], _ expected: JSONValue, _ name: String) {
    if let values = expected["values"]?.arrayValue?.compactMap(\.doubleValue) {
      #expect(found.count == values.count)
      for (one, other) in zip(found, values) {
        #expect(abs(one - other) <= 1e-5 * max(1, abs(other)), "\(name)")
      }
    } else {
      let (sum, size) = (
        expected["sum"]?.doubleValue ?? .nan, expected["sum_abs"]?.doubleValue ?? .nan
      )
      #expect(abs(found.reduce(0, +) - sum) <= 1e-5 * size, "\(name)")
      #expect(abs(found.reduce(0) { $0 + abs($1) } - size) <= 1e-5 * size, "\(name)")
    }
  }
}
