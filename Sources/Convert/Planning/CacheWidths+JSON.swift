import Formats

extension CacheWidths {
  package var json: JSONValue {
    [
      "average_bits": .double(averageBits), "relative_error": .double(relativeError),
      "predicted_kl": .double(divergence), "optimality_gap": .double(optimalityGap),
      "uniform": .array(
        uniform.map {
          [
            "bits": .integer($0.bits), "average_bits": .double($0.averageBits),
            "relative_error": .double($0.relativeError), "kl": .double($0.divergence),
          ]
        }),
      "layers": .array(choices.map(\.json)),
    ]
  }

  /// Reads what `json` gives, edited or not. Averages follow from the choices.
  ///
  /// - Parameter file: what errors name.
  /// - Throws: `AllocationError.notAPlan`.
  package init(json: JSONValue, file: String) throws {
    let reader = PlanReader(file: file)
    self.init(
      choices: try reader.array(json["layers"], "layers").enumerated().map { index, layer in
        try reader.cacheChoice(layer, "layers[\(index)]")
      },
      optimalityGap: try reader.number(json["optimality_gap"], "optimality_gap"),
      uniform: try reader.array(json["uniform"], "uniform").enumerated().map { index, entry in
        let place = "uniform[\(index)]"
        return Uniform(
          bits: try reader.integer(entry["bits"], "\(place).bits"),
          averageBits: try reader.number(entry["average_bits"], "\(place).average_bits"),
          relativeError: try reader.number(entry["relative_error"], "\(place).relative_error"),
          divergence: try reader.divergence(entry["kl"], "\(place).kl"))
      })
  }
}

extension CacheWidths.Choice {
  fileprivate var json: JSONValue {
    [
      "kind": .string(kind.rawValue), "layer": .integer(layer),
      "elements_per_token": .integer(elementCount), "bits": .integer(bits),
      "scheme": scheme.map { .string($0.name.rawValue) } ?? .null,
      "group_size": width.groupSize.map { .integer($0) } ?? .null,
      "relative_error": .double(relativeError), "sqnr_db": .double(sqnr),
      "kl": .double(divergence), "reason": .string(reason),
    ]
  }
}

extension PlanReader {
  fileprivate func cacheChoice(_ json: JSONValue, _ place: String) throws -> CacheWidths.Choice {
    let kindName = try string(json["kind"], "\(place).kind")
    guard let kind = TensorStatistics.Kind(rawValue: kindName), kind == .key || kind == .value
    else {
      throw error("\(place).kind must be 'key' or 'value', not '\(kindName)'")
    }
    let elementCount = try integer(json["elements_per_token"], "\(place).elements_per_token")
    guard elementCount > 0 else { throw error("\(place).elements_per_token must be positive") }
    let (width, scheme) = try cacheWidth(json, place)
    return CacheWidths.Choice(
      kind: kind, layer: try integer(json["layer"], "\(place).layer"), elementCount: elementCount,
      width: width, scheme: scheme,
      relativeError: try number(json["relative_error"], "\(place).relative_error"),
      divergence: try divergence(json["kl"], "\(place).kl"),
      reason: try string(json["reason"], "\(place).reason"))
  }

  /// Nil where none was measured; plans of before do not say so.
  fileprivate func divergence(_ json: JSONValue?, _ place: String) throws -> Double? {
    guard let json, json != .null else { return nil }
    return try number(json, place)
  }

  private func cacheWidth(
    _ json: JSONValue, _ place: String
  ) throws -> (ElementWidth, QuantizationScheme?) {
    let bits = try integer(json["bits"], "\(place).bits")
    if bits == ElementWidth.f16.bits { return (.f16, nil) }
    let groupSize = try integer(json["group_size"], "\(place).group_size")
    guard let width = ElementWidth(bits: bits, groupSize: groupSize) else {
      throw error("\(place): no cache has \(bits) bits in groups of \(groupSize)")
    }
    let name = try string(json["scheme"], "\(place).scheme")
    switch QuantizationScheme.Name(rawValue: name) {
    case .perTokenGroup: return (width, .perTokenGroup(size: groupSize))
    case .perChannelGroup: return (width, .perChannelGroup(tokens: groupSize))
    default: throw error("\(place).scheme '\(name)' is none of a cache")
    }
  }
}
