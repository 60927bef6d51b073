import Foundation

extension Manifest {
  /// The manifest as JSON text of a length that does not depend on what was measured: digests have
  /// sixteen digits and errors a fixed width, so that the text can be planned before the first
  /// weight is read.
  package var jsonText: String { json.compactText }

  package var json: JSONValue {
    var json: JSONValue = [
      "format_version": .integer(Self.formatVersion),
      "decant_version": .string(decantVersion),
      "tensors": .object(tensors.map { .init($0.name, $0.json) }),
      "sources": .array(sources.map(\.json)),
      "options": options,
    ]
    json["plan"] = plan
    json["adapters"] = adapters?.json
    if !folds.isEmpty { json["folds"] = .array(folds.map(\.json)) }
    json["carried"] = .array(carried.map(\.json))
    json["output"] = output?.json
    return json
  }

  /// Reads a manifest; members it does not know are ignored.
  ///
  /// - Throws: `ManifestError`.
  package init(text: String, file: String) throws {
    let json: JSONValue
    do {
      json = try JSONValue(parsing: Array(text.utf8))
    } catch let error as JSONError {
      throw ManifestError.notJSON(file: file, reason: error.reason, offset: error.offset)
    }
    let reader = try ManifestReader(json, file: file)
    version = reader.version
    decantVersion = try reader.string(json["decant_version"], "decant_version")
    tensors = try reader.members(json["tensors"], "tensors").map { member in
      try reader.entry(member.value, name: member.name)
    }
    sources = try reader.array(json["sources"], "sources").enumerated().map {
      try reader.source($1, "sources[\($0)]")
    }
    options = json["options"] ?? [:]
    plan = json["plan"]
    adapters = try Adapters(json["adapters"], reader)
    folds = try Fold.all(json["folds"], reader)
    carried =
      reader.version == 1 && json["carried"] == nil
      ? []
      : try reader.array(json["carried"], "carried").enumerated().map {
        try reader.recordedFile($1, "carried[\($0)]")
      }
    output = try Output(json["output"], reader)
  }
}

extension Manifest.RecordedFile {
  package var json: JSONValue {
    [
      "file": .string(name), "byte_count": .integer(byteCount),
      digest.rule.memberName: .string(digest.hexDigits),
    ]
  }
}

extension Manifest.Entry {
  fileprivate var json: JSONValue {
    var json: JSONValue = ["layout": layout.json]
    json["method"] = method.map { .string($0) }
    var source: JSONValue = [
      "dtype": .string(sourceDType.rawValue), "shape": .array(sourceShape.map { .integer($0) }),
    ]
    if layout != .plain { source["order"] = .string(order.manifestName) }
    source["origin"] = origin?.json
    json["source"] = source
    json["stored"] = .object(stored.map { .init($0.name, .string($0.digest.hexDigits)) })
    if let error {
      json["error"] = [
        "squared_norm": .fixedWidth(error.squaredNorm),
        "squared_error": .fixedWidth(error.squaredError),
        "largest_error": .fixedWidth(error.largestError),
      ]
    }
    json["zeroed"] = zeroedCount.map { .fixedWidth($0) }
    return json
  }
}

extension Manifest.Layout {
  fileprivate var json: JSONValue {
    switch self {
    case .plain: ["name": "plain"]
    case .affine(let layout):
      [
        "name": "affine", "bits": .integer(layout.bits), "group_size": .integer(layout.groupSize),
      ]
    case .blocks(let type): ["name": "blocks", "type": .string(type.name)]
    }
  }
}

extension JSONValue {
  /// A finite number >= 0 in a spelling of fixed width, 16 characters: `1.2345678901e-05`. Squares
  /// of `Float` values and their sums stay within two digits of exponent.
  fileprivate static func fixedWidth(_ value: Double) -> JSONValue {
    .number(String(format: "%.10e", value))
  }

  /// A count right-aligned in sixteen characters: JSON allows the spaces before it.
  fileprivate static func fixedWidth(_ count: Int) -> JSONValue {
    let digits = String(count)
    return .number(String(repeating: " ", count: max(0, 16 - digits.utf8.count)) + digits)
  }
}

extension MatrixOrder {
  /// As a manifest names it.
  var manifestName: String {
    switch self {
    case .outputMajor: "output_major"
    case .inputMajor: "input_major"
    }
  }
}

extension Digest.Rule {
  /// Of the member that holds such a digest.
  var memberName: String {
    switch self {
    case .whole: "xxh64"
    case .blocks: "digest"
    }
  }
}
