import Formats

/// The tensors of a calibration file, read and checked.
struct CalibrationContent {
  private let file: SafetensorsFile
  private let tensors: [String: TensorInfo]

  init(_ file: SafetensorsFile) {
    self.file = file
    tensors = Dictionary(
      file.header.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  private var path: String { file.path }

  /// - Throws: `CalibrationError.notACalibration`, `.damaged`; `FileError`.
  func bytes(_ name: String, digest: Digest, limit: Int = .max) throws -> [UInt8] {
    guard let tensor = tensors[name] else { throw lacks(name) }
    guard tensor.byteCount <= limit else {
      throw CalibrationError.unfit(
        file: path, tensor: name, reason: "\(tensor.byteCount) bytes are more than \(limit)")
    }
    var bytes = [UInt8](repeating: 0, count: tensor.byteCount)
    try file.read(0..<tensor.byteCount, of: tensor, into: &bytes)
    let found = Digest(of: bytes)
    guard found == digest else {
      throw CalibrationError.damaged(file: path, tensor: name, expected: digest, found: found)
    }
    return bytes
  }

  /// Finite numbers.
  ///
  /// - Throws: as `bytes`; `CalibrationError.unfit`.
  func floats(_ name: String, shape: [Int], _ record: CalibrationRecord) throws -> [Float] {
    guard let tensor = tensors[name], let digest = record.digests[name] else { throw lacks(name) }
    guard tensor.dtype == .f32, tensor.shape == shape.map({ UInt64($0) }) else {
      throw CalibrationError.unfit(
        file: path, tensor: name,
        reason: "\(tensor.dtype.rawValue) \(tensor.shape), F32 \(shape) is expected")
    }
    let bytes = try bytes(name, digest: digest)
    let span = bytes.span
    var floats = [Float](repeating: 0, count: bytes.count / 4)
    for index in floats.indices {
      let bits = span.loadLittleEndian(at: 4 * index, as: UInt32.self)
      floats[index] = Float(bitPattern: bits)
    }
    guard let odd = floats.firstIndex(where: { !$0.isFinite }) else { return floats }
    throw CalibrationError.unfit(
      file: path, tensor: name, reason: "number \(odd) is \(floats[odd])")
  }

  /// - Throws: as `floats`; `CalibrationError.unfit` where the model has no such tensor.
  func figures(
    _ tensor: CalibrationRecord.Tensor, _ record: CalibrationRecord, of model: DumpedModel
  ) throws -> TensorFigures {
    func unfit(_ reason: String) -> CalibrationError {
      .unfit(file: path, tensor: tensor.name, reason: reason)
    }
    guard let subject = DumpName(tensor.name)?.subject else {
      throw unfit("neither inputs of a module nor keys or values of a layer")
    }
    let identity = model.identify(subject)
    var absMax: [Float]?
    var meanSquares: [Float]?
    if identity.kind == .activation {
      guard let weight = model.weight(ofInput: tensor.name) else {
        throw unfit("the model has no such module")
      }
      guard tensor.shape.count == 2, tensor.shape[1] == weight.inputCount else {
        throw unfit("shape \(tensor.shape), \(weight.name) has \(weight.inputCount) inputs")
      }
      let shape = [weight.inputCount]
      absMax = try floats(tensor.name + CalibrationFile.absMaxEnding, shape: shape, record)
      meanSquares = try floats(
        tensor.name + CalibrationFile.meanSquaresEnding, shape: shape, record)
    }
    return TensorFigures(
      name: tensor.name, kind: identity.kind, role: identity.role, layer: identity.layer,
      expert: identity.expert, shape: tensor.shape, roundTrips: tensor.roundTrips,
      channelRatio: tensor.channelRatio, absMax: absMax, meanSquares: meanSquares)
  }

  private func lacks(_ name: String) -> CalibrationError {
    .notACalibration(file: path, reason: "it lacks \(name)")
  }
}
