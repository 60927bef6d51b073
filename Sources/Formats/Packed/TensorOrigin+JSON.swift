extension TensorOrigin {
  /// As a manifest has it: what is not said is all, or as it lies.
  var json: JSONValue {
    var json: JSONValue =
      names.isNumbered
      ? [
        "prefix": .string(names.prefix), "suffix": .string(names.suffix),
        "count": .integer(names.count),
      ]
      : ["name": .string(names.prefix)]
    json["shape"] = .array(shape.map { .integer($0) })
    if order == .inputMajor { json["order"] = .string(order.manifestName) }
    json["matrix_rows"] = matrixRows.map { .integer($0) }
    json["matrices"] = matrices.map(Self.json)
    json["outputs"] = outputs.map { steps in
      var json = Self.json(steps.first, steps.count)
      if steps.step != 1 { json["step"] = .integer(steps.step) }
      return json
    }
    json["inputs"] = inputs.map(Self.json)
    json["rows"] = rows.map { .array($0.runs.map(\.json)) }
    if !changes.isEmpty { json["changes"] = .array(changes.map(\.json)) }
    return json
  }

  private static func json(_ range: Range<Int>) -> JSONValue {
    json(range.lowerBound, range.count)
  }

  private static func json(_ first: Int, _ count: Int) -> JSONValue {
    ["first": .integer(first), "count": .integer(count)]
  }
}

extension RowOrder.Run {
  fileprivate var json: JSONValue {
    [
      "first": .integer(first),
      "loops": .array(loops.map { ["count": .integer($0.count), "step": .integer($0.step)] }),
    ]
  }
}

extension WeightChange {
  fileprivate var json: JSONValue {
    switch self {
    case .multiply(let factor): ["multiply": .double(factor)]
    case .multiplyRows(let rows):
      [
        "multiply_rows": .array(
          rows.map { ["count": .integer($0.count), "factor": .double($0.factor)] })
      ]
    case .add(let value): ["add": .double(value)]
    case .normalizeRows(let epsilon): ["normalize_rows": .double(epsilon)]
    case .negativeExponential: ["negative_exponential": true]
    }
  }
}

extension ManifestReader {
  /// More changes, or more runs of rows, than this are no model's.
  private static let changeLimit = 64

  /// Names, and what of them makes up a tensor of `shape`: as matrices where it is packed, else as many
  /// elements.
  func origin(
    _ json: JSONValue, _ place: String, shape entryShape: [UInt64], isPacked: Bool
  ) throws -> TensorOrigin {
    // Only GGUF files have them, and no weight is taken back from those.
    guard json["rows"] == nil else { throw malformed(place + ".rows", "no member of this file") }
    let names: TensorNameList
    if let name = json["name"] {
      names = TensorNameList(try string(name, place + ".name"))
    } else {
      names = TensorNameList(
        prefix: try string(json["prefix"], place + ".prefix"),
        suffix: try string(json["suffix"], place + ".suffix"),
        count: try integer(json["count"], place + ".count"))
    }
    let origin = TensorOrigin(
      names, shape: try shape(json["shape"], place + ".shape"),
      order: try json["order"].map { try order($0, place + ".order") } ?? .outputMajor,
      matrixRows: try json["matrix_rows"].map { try integer($0, place + ".matrix_rows") },
      matrices: try json["matrices"].map { try range($0, place + ".matrices") },
      outputs: try json["outputs"].map { json in
        let range = try range(json, place + ".outputs")
        return TensorOrigin.Steps(
          first: range.lowerBound, count: range.count,
          step: try json["step"].map { try integer($0, place + ".outputs.step") } ?? 1)
      },
      inputs: try json["inputs"].map { try range($0, place + ".inputs") },
      changes: try json["changes"].map { try short(array($0, place + ".changes"), place) }?
        .enumerated().map {
          try change($1, "\(place).changes[\($0)]")
        } ?? [])
    // In a header, this name is that of the metadata.
    guard names.count > 0, names.isNumbered || names.prefix != "__metadata__",
      let count = origin.elementCount,
      case .bytes(let size) = TensorSize(shape: entryShape, dtype: .f64),
      UInt64(count) == size / 8,
      !isPacked || origin.shape(ofMatrices: entryShape)
    else { throw malformed(place, "the weights of a tensor \(entryShape)") }
    return origin
  }

  private func range(_ json: JSONValue, _ place: String) throws -> Range<Int> {
    let first = try integer(json["first"], place + ".first")
    let count = try integer(json["count"], place + ".count")
    guard first < 1 << 50, count < 1 << 50 else {
      throw malformed(place, "numbers below 2^50")
    }
    return first..<first + count
  }

  private func short(_ list: [JSONValue], _ place: String) throws -> [JSONValue] {
    guard list.count <= Self.changeLimit else {
      throw malformed(place, "at most \(Self.changeLimit) changes")
    }
    return list
  }

  private func change(_ json: JSONValue, _ place: String) throws -> WeightChange {
    if let factor = json["multiply"] { return .multiply(try factorValue(factor, place)) }
    if let rows = json["multiply_rows"] {
      return .multiplyRows(
        try short(array(rows, place), place).map {
          .init(
            count: try integer($0["count"], place + ".count"),
            factor: try factorValue($0["factor"], place + ".factor"))
        })
    }
    if let value = json["add"]?.doubleValue, value.isFinite { return .add(value) }
    if let epsilon = json["normalize_rows"] {
      return .normalizeRows(epsilon: try number(epsilon, place + ".normalize_rows"))
    }
    throw malformed(place, "multiply, multiply_rows, add or normalize_rows")
  }

  /// One that can be taken back.
  private func factorValue(_ json: JSONValue?, _ place: String) throws -> Double {
    guard let value = json?.doubleValue, value.isFinite, value != 0, (1 / value).isFinite else {
      throw malformed(place, "a number other than 0")
    }
    return value
  }
}
