import Formats

extension ActivationWidths {
  package var json: JSONValue {
    [
      "allow_bits": .array(options.allowedBits.map { .integer($0) }),
      "minimum_sqnr_db": .double(options.minimumSQNR),
      "smoothing_ratio": .double(options.smoothingRatio),
      "weight_bits": .integer(options.weightBits), "inputs": .array(choices.map(\.json)),
    ]
  }

  /// Reads what `json` gives, edited or not.
  ///
  /// - Parameter file: what errors name.
  /// - Throws: `AllocationError.notAPlan`.
  package init(json: JSONValue, file: String) throws {
    let reader = PlanReader(file: file)
    var options = Options()
    options.allowedBits = try reader.array(json["allow_bits"], "allow_bits").enumerated().map {
      try reader.activationBits($1, "allow_bits[\($0)]")
    }
    options.minimumSQNR = try reader.number(json["minimum_sqnr_db"], "minimum_sqnr_db")
    options.smoothingRatio = try reader.number(json["smoothing_ratio"], "smoothing_ratio")
    options.weightBits = try reader.integer(json["weight_bits"], "weight_bits")
    self.init(
      options: options,
      choices: try reader.array(json["inputs"], "inputs").enumerated().map { index, input in
        try reader.activationChoice(input, "inputs[\(index)]")
      })
  }
}

extension ActivationWidths.Choice {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "role": role.map { .string($0) } ?? .null,
      "layer": layer.map { .integer($0) } ?? .null,
      "expert": expert.map { .integer($0) } ?? .null, "bits": .integer(bits),
      "sqnr_db": .double(sqnr), "channel_ratio": .double(channelRatio),
      "smoothing": smoothing.map { smoothing in
        [
          "alpha": .double(smoothing.alpha),
          "activation_spread": .double(smoothing.activationSpread),
          "weight_spread": .double(smoothing.weightSpread),
        ]
      } ?? .null,
      "reason": .string(reason),
    ]
  }
}

extension PlanReader {
  fileprivate func activationBits(_ value: JSONValue?, _ place: String) throws -> Int {
    let bits = try integer(value, place)
    guard ActivationWidths.knownBits.contains(bits) else {
      throw error("\(place): activations have 4, 8 or 16 bits, not \(bits)")
    }
    return bits
  }

  fileprivate func activationChoice(
    _ json: JSONValue, _ place: String
  ) throws -> ActivationWidths.Choice {
    ActivationWidths.Choice(
      name: try string(json["name"], "\(place).name"), role: json["role"]?.stringValue,
      layer: json["layer"]?.intValue, expert: json["expert"]?.intValue,
      bits: try activationBits(json["bits"], "\(place).bits"), sqnr: json["sqnr_db"]?.doubleValue,
      channelRatio: json["channel_ratio"]?.doubleValue,
      smoothing: try smoothing(json["smoothing"], "\(place).smoothing"),
      reason: try string(json["reason"], "\(place).reason"))
  }

  /// Nil where it is null or left out.
  private func smoothing(_ json: JSONValue?, _ place: String) throws -> Smoothing? {
    guard let json, json != .null else { return nil }
    let alpha = try number(json["alpha"], "\(place).alpha")
    guard (0...1).contains(alpha) else { throw error("\(place).alpha must lie between 0 and 1") }
    return Smoothing(
      alpha: alpha,
      activationSpread: try number(json["activation_spread"], "\(place).activation_spread"),
      weightSpread: try number(json["weight_spread"], "\(place).weight_spread"))
  }
}
