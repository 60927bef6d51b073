import Formats
import Stats

/// What a calibration file says about itself. docs/CALIBRATION.md specifies it.
package struct CalibrationRecord: Sendable {
  static let formatVersion = 1

  package let decantVersion: String
  /// The level of the processor's instructions: the last digits of what a model computes depend on it.
  package let level: String
  /// The files of the model's weights.
  package let model: [Manifest.RecordedFile]
  package let text: Text
  package let tensors: [Tensor]
  package let grams: [Gram]
  /// Nil where it was not measured.
  package let sensitivity: Sensitivity?
  /// Modules that read what another one reads, by that one's name.
  package let sharedInputs: [String: String]
  /// Of the file's other tensors, by name.
  package let digests: [String: Digest]

  /// What the model was run over.
  package struct Text: Sendable, Equatable {
    package let file: Manifest.RecordedFile
    /// Tokens of whole windows, which were read.
    package let tokenCount: Int
    package let windowLength: Int

    package init(file: Manifest.RecordedFile, tokenCount: Int, windowLength: Int) {
      self.file = file
      self.tokenCount = tokenCount
      self.windowLength = windowLength
    }
  }

  /// Inputs of a layer, or keys or values, named as in dumps (docs/DUMPS.md).
  package struct Tensor: Sendable {
    let name: String
    let shape: [Int]
    let channelRatio: Double?
    let roundTrips: [RoundTrip]
  }

  /// Second moments of a module's inputs.
  package struct Gram: Sendable, Equatable {
    package let module: String
    package let order: Int
    package let tokenCount: Int

    package init(module: String, order: Int, tokenCount: Int) {
      self.module = module
      self.order = order
      self.tokenCount = tokenCount
    }
  }
}

extension CalibrationRecord {
  var json: JSONValue {
    [
      "format_version": .integer(Self.formatVersion), "decant_version": .string(decantVersion),
      "processor_level": .string(level), "model": .array(model.map(\.json)),
      "text": [
        "file": text.file.json, "tokens": .integer(text.tokenCount),
        "window": .integer(text.windowLength),
      ],
      "tensors": .array(tensors.map(\.json)),
      "sensitivity": sensitivity?.json ?? .null,
      "grams": .array(
        grams.map {
          [
            "module": .string($0.module), "order": .integer($0.order),
            "tokens": .integer($0.tokenCount),
          ]
        }),
      "shared_inputs": .object(
        sharedInputs.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
      "digests": .object(
        digests.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value.hexDigits)) }),
    ]
  }

  /// - Throws: `CalibrationError.notACalibration`, `.newer`.
  init(_ json: JSONValue, file: String) throws(CalibrationError) {
    let reader = CalibrationReader(file: file)
    let version = try reader.integer(json["format_version"], "format_version")
    guard version > 0 else { throw reader.error("format_version must be at least 1") }
    guard version <= Self.formatVersion else {
      throw .newer(file: file, found: version, known: Self.formatVersion)
    }
    decantVersion = try reader.string(json["decant_version"], "decant_version")
    level = try reader.string(json["processor_level"], "processor_level")
    model = try reader.list(json["model"], "model", reader.recordedFile)
    let text = json["text"] ?? [:]
    self.text = Text(
      file: try reader.recordedFile(text["file"] ?? [:], "text.file"),
      tokenCount: try reader.integer(text["tokens"], "text.tokens"),
      windowLength: try reader.integer(text["window"], "text.window"))
    tensors = try reader.list(json["tensors"], "tensors", reader.tensor)
    grams = try reader.list(json["grams"], "grams") { json, place throws(CalibrationError) in
      Gram(
        module: try reader.string(json["module"], "\(place).module"),
        order: try reader.integer(json["order"], "\(place).order"),
        tokenCount: try reader.integer(json["tokens"], "\(place).tokens"))
    }
    sensitivity = try Sensitivity(json["sensitivity"], reader)
    sharedInputs = try reader.dictionary(
      json["shared_inputs"], "shared_inputs", reader.string)
    digests = try reader.dictionary(json["digests"], "digests") {
      json, place throws(CalibrationError) in
      Digest(.blocks, try reader.checksum(json, place))
    }
  }
}

extension CalibrationRecord.Tensor {
  fileprivate var json: JSONValue {
    var json: JSONValue = [
      "name": .string(name), "shape": .array(shape.map { .integer($0) }),
      "round_trips": .array(roundTrips.map(\.calibrationJSON)),
    ]
    json["channel_ratio"] = channelRatio.map { .double($0) }
    return json
  }
}

extension RoundTrip {
  fileprivate var calibrationJSON: JSONValue {
    var json: JSONValue = [
      "scheme": .string(scheme.name.rawValue), "bits": .integer(bits), "error": error.json,
    ]
    json["group_size"] = scheme.groupSize.map { .integer($0) }
    json["rest"] = rest?.json
    return json
  }
}

extension QuantizationError {
  fileprivate var json: JSONValue {
    [
      "squared_norm": .double(squaredNorm), "squared_error": .double(squaredError),
      "largest_error": .double(largestError),
    ]
  }
}
