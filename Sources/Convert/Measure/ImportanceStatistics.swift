import Formats
import Model
import Stats

/// What an importance matrix of llama.cpp says of the inputs of one weight: E[x²] of every channel.
package struct ImportanceStatistics: Sendable {
  /// As the file calls it.
  package let name: String
  package let role: TensorRole
  package let layer: Int?
  /// 0 where there is one matrix.
  package let expert: Int
  /// Names of the checkpoint's weights that these are the inputs of.
  package let weights: [String]
  /// Tokens seen; nil where the file does not say.
  package let tokenCount: Double?
  /// By channel.
  package let meanSquares: [Float]
  package let energy: ChannelEnergy

  /// Whether a file is an importance matrix by its first bytes or, for the older form that has no
  /// mark, by the ending of its name.
  package static func isMatrix(path: String) throws -> Bool {
    if path.hasSuffix(".dat") || path.hasSuffix(".imatrix") { return true }
    let input = try InputFile(path: path)
    var start = [UInt8](repeating: 0, count: min(4, input.byteCount))
    try input.read(0..<start.count, into: &start)
    return GGUFFile.isGGUF(prefix: start)
  }

  /// Everything in the file that belongs to a weight of the checkpoint, in the file's order.
  /// Experts that saw no token have no statistics.
  ///
  /// - Parameter problem: called with what does not fit.
  /// - Throws: `GGUFError`, `ImportanceMatrixError`, `FileError`.
  static func read(
    _ path: String, of model: DumpedModel, problem: (DumpError) throws -> Void
  ) throws -> [ImportanceStatistics] {
    var result: [ImportanceStatistics] = []
    for entry in try ImportanceMatrix(path: path).entries {
      do throws(DumpError) {
        result += try statistics(entry, file: path, of: model)
      } catch {
        try problem(error)
      }
    }
    return result
  }

  private static func statistics(
    _ entry: ImportanceMatrix.Entry, file: String, of model: DumpedModel
  ) throws(DumpError) -> [ImportanceStatistics] {
    guard let place = GGUFTensorName(entry.name) else {
      throw .unknownModule(file: file, tensor: entry.name, module: entry.name)
    }
    let weights = model.weights(of: place.role, layer: place.layer)
    guard let first = weights.first else {
      throw .unknownModule(file: file, tensor: entry.name, module: entry.name)
    }
    // The older form does not say how many experts' channels follow each other.
    let width = first.inputCount
    guard width > 0, entry.meanSquares.count % width == 0,
      entry.matrixCount == 1 || entry.channelCount == width
    else {
      throw .widthMismatch(
        file: file, tensor: entry.name,
        shape: [UInt64(entry.matrixCount), UInt64(entry.channelCount)],
        weight: first.name, expected: width)
    }
    let experts = entry.meanSquares.count / width
    return (0..<experts).compactMap { expert in
      let values = Array(entry.meanSquares[expert * width..<(expert + 1) * width])
      let isSeen =
        experts == entry.matrixCount ? entry.isSeen(matrix: expert) : values.contains { $0 > 0 }
      guard isSeen, let energy = ChannelEnergy(values) else { return nil }
      let own = weights.filter { $0.identity.expert == nil || $0.identity.expert == expert }
      return ImportanceStatistics(
        name: entry.name, role: place.role, layer: place.layer, expert: expert,
        weights: own.map(\.name),
        tokenCount: experts == entry.matrixCount ? entry.tokenCounts?[expert] : nil,
        meanSquares: values, energy: energy)
    }
  }
}
