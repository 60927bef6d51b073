import Formats

extension BitPlan {
  /// As `schemas/plan.schema.json` describes it.
  ///
  /// - Parameter predictedByteCount: of the output directory; nil where it is not known.
  package func json(predictedByteCount: Int?) -> JSONValue {
    var json: JSONValue = [
      "format_version": .integer(Self.formatVersion), "decant_version": .string(decantVersion),
      "request": request, "method": .string(method.rawValue),
      "scale_dtype": .string(scaleType?.rawValue.lowercased() ?? "auto"),
      "sources": .array(sources.map { $0.json("header_xxh64") }),
      "dumps": .array(dumps.map { $0.json("xxh64") }),
      "totals": totals.json(measure, predictedByteCount: predictedByteCount),
      "uniform": .array(
        uniform.map {
          [
            "bits": .integer($0.layout.bits), "group_size": .integer($0.layout.groupSize),
            "tensor_bytes": .integer($0.tensorByteCount),
            "bits_per_weight": .double($0.bitsPerWeight),
            measure.name: .double($0.loss),
          ]
        }),
      "curve": .array(
        curve.map {
          [
            "bits_per_weight": .double($0.bitsPerWeight),
            "tensor_bytes": .integer($0.tensorByteCount),
            measure.name: .double($0.loss),
          ]
        }),
      "tensors": .array(choices.map { $0.json(withAlternatives: true) }),
    ]
    for setting in settings { json[setting.name] = setting.value }
    return json
  }

  /// What the manifest of a file with these tensors records: the choices without the ones that lost.
  func manifestJSON(tensors names: Set<String>) -> JSONValue {
    var json: JSONValue = [
      "format_version": .integer(Self.formatVersion), "decant_version": .string(decantVersion),
      "request": request, "sources": .array(sources.map { $0.json("header_xxh64") }),
      "dumps": .array(dumps.map { $0.json("xxh64") }),
      "totals": totals.json(measure, predictedByteCount: nil),
      "tensors": .array(
        choices.filter { names.contains($0.name) }.map { $0.json(withAlternatives: false) }),
    ]
    for setting in settings { json[setting.name] = setting.value }
    return json
  }

  /// Reads a plan, edited or not. Of its tensors only what a conversion needs is kept: the widths
  /// that lost would take many times the space of the file.
  ///
  /// - Throws: `AllocationError.notAPlan`, `.newerPlan`; `FileError`.
  package init(path: String) throws {
    let bytes = try InputFile(path: path).readAll(limit: 256_000_000)
    do {
      try self.init(PlanReader(file: path), bytes)
    } catch let error as JSONError {
      throw AllocationError.notAPlan(
        file: path, reason: "\(error.reason) (byte \(error.offset))")
    }
  }

  private init(_ reader: PlanReader, _ bytes: [UInt8]) throws {
    var members: [JSONValue.Member] = []
    var tensors: Result<[Choice], any Error> = .failure(reader.error("tensors must be an array"))
    try JSONScanner.object(parsing: bytes) { scanner, name in
      if name == "tensors" {
        tensors = try reader.choices(&scanner)
      } else {
        members.append(.init(name, try scanner.value(depth: 1)))
      }
    }
    let json = JSONValue.object(members)
    let version = try reader.integer(json["format_version"], "format_version")
    guard version > 0 else { throw reader.error("format_version must be at least 1") }
    guard version <= Self.formatVersion else {
      throw AllocationError.newerPlan(
        file: reader.file, found: version, known: Self.formatVersion)
    }
    decantVersion = try reader.string(json["decant_version"], "decant_version")
    request = json["request"] ?? [:]
    let methodName = try reader.string(json["method"], "method")
    guard let method = QuantizationMethod(rawValue: methodName), !method.needsGrams else {
      throw reader.error("method '\(methodName)' is not known")
    }
    self.method = method
    let scaleName = try reader.string(json["scale_dtype"], "scale_dtype")
    scaleType = ScaleType(rawValue: scaleName.uppercased())
    guard scaleType != nil || scaleName == "auto" else {
      throw reader.error("scale_dtype '\(scaleName)' is not known")
    }
    sources = try reader.inputs(json["sources"], "sources", checksum: "header_xxh64")
    dumps = try reader.inputs(json["dumps"], "dumps", checksum: "xxh64")
    let totals = json["totals"] ?? [:]
    measure = totals[LossMeasure.divergence.totalName] == nil ? .relativeError : .divergence
    let lossName = measure.totalName
    self.totals = Totals(
      bitsPerWeight: try reader.number(totals["bits_per_weight"], "totals.bits_per_weight"),
      tensorByteCount: try reader.integer(totals["tensor_bytes"], "totals.tensor_bytes"),
      loss: try reader.number(totals[lossName], "totals.\(lossName)"),
      optimalityGap: try reader.number(totals["optimality_gap"], "totals.optimality_gap"))
    choices = try tensors.get()
    var names = Set<String>()
    for choice in choices where !names.insert(choice.name).inserted {
      throw reader.error("tensor '\(choice.name)' is there twice")
    }
    // Comparisons are for people; a conversion does not need them.
    uniform = []
    curve = []
    settings = (json.members ?? []).filter { Self.settingNames.contains($0.name) }
  }
}

extension BitPlan.Totals {
  fileprivate func json(_ measure: LossMeasure, predictedByteCount: Int?) -> JSONValue {
    var json: JSONValue = [
      "bits_per_weight": .double(bitsPerWeight), "tensor_bytes": .integer(tensorByteCount),
      measure.totalName: .double(loss), "optimality_gap": .double(optimalityGap),
    ]
    if let predictedByteCount { json["predicted_bytes"] = .integer(predictedByteCount) }
    return json
  }
}

extension BitPlan.Input {
  func json(_ checksumName: String) -> JSONValue {
    [
      "file": .string(name), "byte_count": .integer(byteCount),
      checksumName: .string(checksum.hexDigits),
    ]
  }
}

extension BitPlan.Choice {
  fileprivate func json(withAlternatives: Bool) -> JSONValue {
    var json: JSONValue = [
      "name": .string(name), "shape": .array(shape.map { .integer($0) }), "role": .string(role),
      "layer": layer.map { .integer($0) } ?? .null,
      "keep": .bool(layout == nil),
      "bits": layout.map { .integer($0.bits) } ?? .null,
      "group_size": layout.map { .integer($0.groupSize) } ?? .null,
      "bytes": .integer(byteCount), "relative_error": .double(relativeError),
      "sampling_error": .double(samplingError), "weight": .double(weight),
      "reason": .string(reason),
    ]
    json["kl"] = divergence.map { .double($0) }
    if withAlternatives {
      json["alternatives"] = .array(
        alternatives.map {
          var json: JSONValue = [
            "bits": .integer($0.layout.bits), "group_size": .integer($0.layout.groupSize),
            "bytes": .integer($0.byteCount), "relative_error": .double($0.relativeError),
          ]
          json["kl"] = $0.divergence.map { .double($0) }
          return json
        })
    }
    return json
  }
}

extension PlanReader {
  fileprivate func inputs(
    _ value: JSONValue?, _ place: String, checksum: String
  ) throws -> [BitPlan.Input] {
    try array(value, place).enumerated().map { index, input in
      let place = "\(place)[\(index)]"
      let value = try self.checksum(input[checksum], "\(place).\(checksum)")
      return BitPlan.Input(
        name: try string(input["file"], "\(place).file"),
        byteCount: try integer(input["byte_count"], "\(place).byte_count"), checksum: value)
    }
  }

  /// The records of a plan, one after the other; what is wrong with the first that is wrong.
  ///
  /// - Throws: `JSONError`.
  fileprivate func choices(
    _ scanner: inout JSONScanner
  ) throws -> Result<[BitPlan.Choice], any Error> {
    guard try scanner.peek() == UInt8(ascii: "[") else {
      try scanner.skipValue(depth: 1)
      return .failure(error("tensors must be an array"))
    }
    var choices: [BitPlan.Choice] = []
    var failure: (any Error)?
    try scanner.array { scanner in
      guard failure == nil else { return try scanner.skipValue(depth: 2) }
      let record = try scanner.value(depth: 2)
      do {
        choices.append(try choice(record, "tensors[\(choices.count)]"))
      } catch { failure = error }
    }
    return failure.map { .failure($0) } ?? .success(choices)
  }

  private func choice(_ json: JSONValue, _ place: String) throws -> BitPlan.Choice {
    let shape = try array(json["shape"], "\(place).shape").map { dimension in
      guard case .number(let text) = dimension, let size = UInt64(text) else {
        throw error("\(place).shape must hold whole numbers")
      }
      return size
    }
    guard let isKept = (json["keep"] ?? false).boolValue else {
      throw error("\(place).keep must be true or false")
    }
    var layout: AffineLayout?
    if !isKept {
      let bits = try integer(json["bits"], "\(place).bits")
      let groupSize = try integer(json["group_size"], "\(place).group_size")
      layout = AffineLayout(bits: bits, groupSize: groupSize)
      guard layout != nil else {
        throw error("\(place): there is no layout of \(bits) bits in groups of \(groupSize)")
      }
    }
    return BitPlan.Choice(
      name: try string(json["name"], "\(place).name"), shape: shape,
      role: json["role"]?.stringValue ?? "", layer: json["layer"]?.intValue, layout: layout,
      byteCount: try integer(json["bytes"], "\(place).bytes"),
      relativeError: try number(json["relative_error"], "\(place).relative_error"),
      samplingError: try number(json["sampling_error"], "\(place).sampling_error"),
      weight: try number(json["weight"], "\(place).weight"),
      divergence: json["kl"] == nil ? nil : try number(json["kl"], "\(place).kl"),
      reason: try string(json["reason"], "\(place).reason"), alternatives: [])
  }
}
