import Formats

/// Everything of an output but the weights, and the order in which an output comes to be.
struct StagedResult {
  let target: OutputTarget
  /// Small files that are made.
  let documents: [OutputDocument]
  /// Files of the source directory that go with the weights.
  let carried: CarriedFiles?
  /// Everything that the weights are made of.
  let inputs: [InputFile]

  /// Refuses an output that must not be written.
  ///
  /// - Parameter weights: names of the weight files.
  func check(source: Checkpoint, replacing: Bool, weights: [String]) throws {
    try target.check(
      source: source, replacing: replacing,
      names: weights + documents.map(\.name) + (carried?.names ?? []))
  }

  /// Builds the output under a temporary name, and gives it its own when all of it is there, and
  /// nobody has written to the inputs meanwhile.
  ///
  /// - Parameters:
  ///   - weights: writes the weight files into a directory.
  ///   - inspect: looks at the finished file or directory before it gets its name.
  /// - Throws: `FileError.changed` where an input is no longer what it was; errors name the target.
  func write<Result>(
    replacing: Bool, cancellation: Cancellation, weights: (_ directory: String) throws -> Result,
    inspect: (_ path: String) throws -> Void = { _ in }
  ) throws -> Result {
    let staged = try StagedOutput(
      target: target.path, replacing: replacing, notice: target.notice)
    do {
      let result = try weights(staged.directory)
      for document in documents { try document.write(into: staged.directory) }
      try carried?.copy(to: staged.directory, cancellation: cancellation)
      try inspect(target.singleFileName.map { staged.directory + "/" + $0 } ?? staged.directory)
      try cancellation.check()
      for input in inputs { try input.checkUnchanged() }
      try staged.commit(only: target.singleFileName)
      return result
    } catch let error as FileError {
      throw staged.named(error)
    }
  }
}
