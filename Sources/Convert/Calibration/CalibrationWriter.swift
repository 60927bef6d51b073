import Formats

/// Writes a calibration file while a model runs. Everything is written once; `finish` makes it complete.
package final class CalibrationWriter {
  private let file: SafetensorsAppender
  private var digests: [String: Digest] = [:]
  private var grams: [CalibrationRecord.Gram] = []

  /// Creates the file; one that is there already is an error.
  ///
  /// - Parameters:
  ///   - moduleLimit: the most modules whose inputs are measured.
  ///   - nameLength: of the longest name of a module, in bytes.
  package init(creating path: String, moduleLimit: Int, nameLength: Int) throws(FileError) {
    file = try SafetensorsAppender(
      creating: path, tensorLimit: 3 * moduleLimit + 2, nameLength: nameLength + 24,
      metadataLength: 256)
  }

  /// Adds the tokens of the text's whole windows.
  package func append(tokens: [Int]) throws(FileError) {
    digests[CalibrationFile.tokensName] = try file.append(
      CalibrationFile.tokensName,
      tokens.flatMap { token in (0..<4).map { UInt8(truncatingIfNeeded: token >> (8 * $0)) } })
  }

  /// Adds second moments of a module's inputs.
  package func append(_ gram: GramMatrix, of module: String) throws(FileError) {
    try append(
      module + CalibrationFile.gramEnding, shape: [gram.values.count], gram.values)
    grams.append(.init(module: module, order: gram.order, tokenCount: gram.tokenCount))
  }

  private func append(_ name: String, shape: [Int], _ values: [Float]) throws(FileError) {
    digests[name] = try file.append(name, shape: shape, values.span)
  }

  /// Adds what was measured, and the record of it all.
  ///
  /// - Parameters:
  ///   - measured: with every channel's figures.
  ///   - sharedInputs: modules that read what another one reads, by that one's name.
  /// - Throws: `FileError`, `CancellationError`.
  package func finish(
    _ measured: [TensorStatistics], sharedInputs: [String: String], of checkpoint: Checkpoint,
    text: CalibrationRecord.Text, sensitivity: Sensitivity?, _ context: RunContext
  ) throws {
    let figures = measured.map(\.figures)
    for tensor in figures where tensor.kind == .activation {
      if let values = tensor.absMax {
        try append(tensor.name + CalibrationFile.absMaxEnding, shape: [values.count], values)
      }
      if let values = tensor.meanSquares {
        try append(tensor.name + CalibrationFile.meanSquaresEnding, shape: [values.count], values)
      }
    }
    // Its progress is that of the layers.
    let context = RunContext(threads: context.threads, cancellation: context.cancellation)
    let model = try zip(checkpoint.fileNames, checkpoint.files).map { name, file in
      Manifest.RecordedFile(
        name: name, byteCount: file.input.byteCount,
        digest: try SourceDigestPass.digest(of: file, SourceDigests(), context))
    }
    try checkpoint.checkUnchanged()
    let record = CalibrationRecord(
      decantVersion: decantVersion, level: ProcessorLevel.current.rawValue, model: model,
      text: text,
      tensors: figures.map {
        .init(
          name: $0.name, shape: $0.shape, channelRatio: $0.channelRatio, roundTrips: $0.roundTrips)
      },
      grams: grams, sensitivity: sensitivity, sharedInputs: sharedInputs, digests: digests)
    let digest = try file.append(
      CalibrationFile.recordName, Array(record.json.compactText.utf8))
    try file.finish(metadata: [
      (CalibrationFile.formatKey, CalibrationFile.formatName),
      (CalibrationFile.recordDigestKey, digest.hexDigits),
    ])
    try file.synchronize()
  }
}
