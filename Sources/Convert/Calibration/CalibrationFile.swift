import Formats
import Model

/// What a model computed over a text, as `CalibrationWriter` left it: opened for a model, which must be the
/// one that was run.
package struct CalibrationFile: Sendable {
  package let path: String
  package let record: CalibrationRecord
  /// Inputs of linear layers, keys and values.
  package let figures: [TensorFigures]
  private let content: CalibrationContent
  /// By the weight whose inputs they are.
  private let grams: [String: CalibrationRecord.Gram]

  static let formatName = "decant_calibration"
  static let formatKey = "format"
  static let recordDigestKey = "record_digest"
  static let recordName = "calibration.json"
  static let tokensName = "tokens"
  private static let longestRecord = 256_000_000
  /// What stands after the name of what it is of.
  static let meanSquaresEnding = ".mean_square"
  static let absMaxEnding = ".abs_max"
  static let gramEnding = ".gram"

  /// Reads everything but the Gram matrices, and holds the model against the one that was run.
  ///
  /// - Throws: `CalibrationError`; `SafetensorsError`, `FileError`, `CancellationError`.
  package init(path: String, for checkpoint: Checkpoint, _ context: RunContext) throws {
    let file = try SafetensorsFile(path: path)
    let reader = CalibrationReader(file: path)
    guard file.header.metadataValue(Self.formatKey) == Self.formatName else {
      throw reader.error("its metadata does not name '\(Self.formatName)' as its format")
    }
    let content = CalibrationContent(file)
    let checksum = file.header.metadataValue(Self.recordDigestKey).map { JSONValue.string($0) }
    let digest = Digest(.blocks, try reader.checksum(checksum, Self.recordDigestKey))
    let text = try content.bytes(Self.recordName, digest: digest, limit: Self.longestRecord)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text)
    } catch let error as JSONError {
      throw reader.error("\(error.reason) (byte \(error.offset) of \(Self.recordName))")
    }
    let record = try CalibrationRecord(json, file: path)
    try Self.check(record, path: path, checkpoint, context)
    let model = try DumpedModel(checkpoint)
    self.path = path
    self.record = record
    self.content = content
    figures = try record.tensors.map { try content.figures($0, record, of: model) }
    grams = try Self.grams(record, path: path, of: model)
  }

  /// - Throws: `CalibrationError.otherModel`.
  private static func check(
    _ record: CalibrationRecord, path: String, _ checkpoint: Checkpoint, _ context: RunContext
  ) throws {
    func other(_ difference: String) -> CalibrationError {
      .otherModel(file: path, difference: difference)
    }
    guard record.model.map(\.name) == checkpoint.fileNames else {
      throw other(
        "its files are \(record.model.map(\.name).joined(separator: ", ")), here they are "
          + checkpoint.fileNames.joined(separator: ", "))
    }
    for (recorded, file) in zip(record.model, checkpoint.files) {
      guard recorded.byteCount == file.input.byteCount else {
        throw other(
          "\(recorded.name) had \(recorded.byteCount) bytes, \(file.path) has \(file.input.byteCount)"
        )
      }
    }
    for (recorded, file) in zip(record.model, checkpoint.files) {
      let digest = try SourceDigestPass.digest(of: file, SourceDigests(), context)
      guard recorded.digest == digest else {
        throw other(
          "the checksum of \(recorded.name) was \(recorded.digest.hexDigits), that of \(file.path)"
            + " is \(digest.hexDigits)")
      }
    }
  }

  private static func grams(
    _ record: CalibrationRecord, path: String, of model: DumpedModel
  ) throws(CalibrationError) -> [String: CalibrationRecord.Gram] {
    var grams: [String: CalibrationRecord.Gram] = [:]
    let byModule = Dictionary(
      record.grams.map { ($0.module, $0) }, uniquingKeysWith: { first, _ in first })
    let shared = record.sharedInputs.compactMap { module, other in
      byModule[other].map { (module, $0) }
    }
    for (module, gram) in byModule.map({ ($0.key, $0.value) }) + shared {
      // One of a stack's matrices has no tensor of its own.
      guard let weight = model.weight(ofModule: module), weight.stackIndex == nil else { continue }
      guard weight.inputCount == gram.order else {
        throw .unfit(
          file: path, tensor: module + gramEnding,
          reason: "\(gram.order) inputs, \(weight.name) has \(weight.inputCount)")
      }
      grams[weight.name] = gram
    }
    return grams
  }
}

extension CalibrationFile {
  /// The tokens of the windows that were read, one window after the other; nil in files of before, which do not
  /// hold them.
  ///
  /// - Throws: `CalibrationError.damaged`, `.unfit`, `.notACalibration`; `FileError`.
  package func tokens() throws -> [Int]? {
    guard let digest = record.digests[Self.tokensName] else { return nil }
    let bytes = try content.bytes(Self.tokensName, digest: digest)
    let window = record.text.windowLength
    guard bytes.count == 4 * record.text.tokenCount, window > 0, bytes.count / 4 % window == 0
    else {
      throw CalibrationError.unfit(
        file: path, tensor: Self.tokensName,
        reason: "\(bytes.count) bytes, for \(record.text.tokenCount) tokens in windows of \(window)"
      )
    }
    let span = bytes.span
    return (0..<bytes.count / 4).map { Int(span.loadLittleEndian(at: 4 * $0, as: UInt32.self)) }
  }
}

extension CalibrationFile: GramSource {
  package var hasGrams: Bool { !record.grams.isEmpty }

  package func key(ofInputsOf weight: String) -> GramKey? {
    grams[weight].map { GramKey(name: $0.module, order: $0.order) }
  }

  /// - Throws: `CalibrationError.damaged`, `.unfit`, `.notACalibration`; `FileError`.
  package func gram(ofInputsOf weight: String) throws -> GramMatrix? {
    guard let gram = grams[weight] else { return nil }
    let name = gram.module + Self.gramEnding
    let values = try content.floats(
      name, shape: [GramMatrix.valueCount(order: gram.order)].compactMap(\.self), record)
    return GramMatrix(order: gram.order, tokenCount: gram.tokenCount, values: values)
  }
}
