extension ManifestReader {
  /// How a tensor is stored and what it was, which the versions say in members of their own.
  private struct Description {
    let layout: Manifest.Layout
    let method: String?
    let dtype: DType
    let shape: [UInt64]
    let order: MatrixOrder
    var origin: TensorOrigin?
    /// The member that holds the digests of the stored tensors.
    let storedMember: String
  }

  func entry(_ json: JSONValue, name: String) throws -> Manifest.Entry {
    let place = "tensors['\(name)']"
    let description =
      version == 1
      ? try firstDescription(json, place) : try description(json, place, tensor: name)
    var storedNames = [name]
    if case .affine = description.layout {
      let names = Manifest.Entry.packedNames(of: name)
      storedNames = [names.weight, names.scales, names.biases]
    }
    let zeroed = try json["zeroed"].map { try integer($0, place + ".zeroed") }
    if version > 1, zeroed == nil, description.layout != .plain {
      throw malformed(place + ".zeroed", "an integer >= 0")
    }
    return Manifest.Entry(
      name: name, layout: description.layout, method: description.method,
      sourceDType: description.dtype, sourceShape: description.shape, order: description.order,
      origin: description.origin,
      stored: try stored(
        json[description.storedMember], "\(place).\(description.storedMember)", storedNames),
      error: try json["error"].map { try measuredError($0, place + ".error") },
      zeroedCount: zeroed)
  }

  private func description(
    _ json: JSONValue, _ place: String, tensor: String
  ) throws -> Description {
    let layout: Manifest.Layout
    let inner = place + ".layout"
    switch try string(json["layout"]?["name"], inner + ".name") {
    case "plain": layout = .plain
    case "affine": layout = .affine(try affineLayout(json["layout"] ?? [:], inner))
    case let other:
      throw ManifestError.unknownLayout(
        file: file, tensor: tensor, name: other, known: Manifest.Layout.names)
    }
    let source = json["source"]
    let dtype = try dtype(source?["dtype"], place + ".source.dtype")
    let shape = try shape(source?["shape"], place + ".source.shape")
    return Description(
      layout: layout, method: try method(json, place, layout), dtype: dtype, shape: shape,
      order: layout == .plain ? .outputMajor : try order(source?["order"], place + ".source.order"),
      origin: try source?["origin"].map {
        try origin($0, place + ".source.origin", shape: shape, isPacked: layout != .plain)
      },
      storedMember: "stored")
  }

  func order(_ json: JSONValue?, _ place: String) throws -> MatrixOrder {
    let text = try string(json, place)
    guard let order = MatrixOrder.allCases.first(where: { $0.manifestName == text }) else {
      throw malformed(
        place,
        MatrixOrder.allCases.map(\.manifestName).joined(separator: " or ") + ", not '\(text)'")
    }
    return order
  }

  /// As version 1 has it.
  private func firstDescription(_ json: JSONValue, _ place: String) throws -> Description {
    let dtype = try dtype(json["source_dtype"], place + ".source_dtype")
    let shape = try shape(json["source_shape"], place + ".source_shape")
    let layout: Manifest.Layout
    switch try string(json["encoding"], place + ".encoding") {
    case "raw": layout = .plain
    case "affine": layout = .affine(try affineLayout(json, place))
    case let other: throw malformed(place + ".encoding", "raw or affine, not '\(other)'")
    }
    return Description(
      layout: layout, method: try method(json, place, layout), dtype: dtype, shape: shape,
      order: try json["transposed"].map { try flag($0, place + ".transposed") } ?? false
        ? .inputMajor : .outputMajor,
      storedMember: "xxh64")
  }

  private func affineLayout(_ json: JSONValue, _ place: String) throws -> AffineLayout {
    let bits = try integer(json["bits"], place + ".bits")
    let groupSize = try integer(json["group_size"], place + ".group_size")
    guard let layout = AffineLayout(bits: bits, groupSize: groupSize) else {
      throw malformed(place, "a layout that exists; \(bits) bits, groups of \(groupSize) do not")
    }
    return layout
  }

  private func method(
    _ json: JSONValue, _ place: String, _ layout: Manifest.Layout
  ) throws -> String? {
    layout == .plain ? nil : try string(json["method"], place + ".method")
  }

  private func dtype(_ json: JSONValue?, _ place: String) throws -> DType {
    guard let dtype = DType(rawValue: try string(json, place)) else {
      throw malformed(place, "a dtype")
    }
    return dtype
  }

  func shape(_ json: JSONValue?, _ place: String) throws -> [UInt64] {
    try array(json, place).map { dimension in
      guard case .number(let text) = dimension, let value = UInt64(text) else {
        throw malformed(place, "a list of unsigned integers")
      }
      return value
    }
  }

  /// Looked up by name: the members of a JSON object have no order.
  private func stored(
    _ json: JSONValue?, _ place: String, _ names: [String]
  ) throws -> [Manifest.StoredTensor] {
    guard try members(json, place).count == names.count else {
      throw malformed(place, "the checksums of " + names.joined(separator: ", "))
    }
    return try names.map { name in
      Manifest.StoredTensor(
        name: name, digest: Digest(rule, try checksum(json?[name], "\(place)['\(name)']")))
    }
  }

  private func measuredError(
    _ json: JSONValue, _ place: String
  ) throws -> Manifest.MeasuredError {
    Manifest.MeasuredError(
      squaredNorm: try number(json["squared_norm"], place + ".squared_norm"),
      squaredError: try number(json["squared_error"], place + ".squared_error"),
      largestError: try number(json["largest_error"], place + ".largest_error"))
  }
}
