import Formats

/// Everything of an output but the weights, and the order in which an output comes to be.
struct StagedResult {
  let destination: Destination
  /// Small files that are made.
  let documents: [OutputDocument]
  /// What the source's manifest says of such files; empty where it says nothing.
  var recorded: [Manifest.RecordedFile] = []
  /// Everything that the weights are made of.
  let inputs: [InputFile]

  /// Refuses an output that must not be written.
  ///
  /// - Parameter weights: names of the weight files.
  func check(source: Checkpoint, replacing: Bool, weights: [String]) throws {
    try destination.check(
      source: source, replacing: replacing, weights: weights, documents: documents)
  }

  /// Builds the output under a temporary name, and gives it its own when all of it is there, and
  /// nobody has written to the inputs meanwhile.
  ///
  /// - Parameters:
  ///   - weights: writes the weight files into a directory, given the files that were carried over.
  ///   - inspect: looks at the finished file or directory before it gets its name.
  /// - Throws: `FileError.changed` where an input is no longer what it was; errors name the target.
  func write<Result>(
    replacing: Bool, _ cancellation: Cancellation,
    weights: (_ directory: String, _ carried: [Manifest.RecordedFile]) throws -> Result,
    inspect: (_ path: String) throws -> Void = { _ in }
  ) throws -> Result {
    let target = destination.target
    let staged = try StagedOutput(
      target: target.path, replacing: replacing, notice: target.notice)
    do {
      // First, because the manifests record what was carried over.
      let copied =
        try destination.carried?.copy(
          to: staged.directory, recorded: recorded, cancellation: cancellation) ?? []
      let result = try weights(staged.directory, copied)
      for document in documents { try document.write(into: staged.directory) }
      try inspect(target.singleFileName.map { staged.directory + "/" + $0 } ?? staged.directory)
      try cancellation.check()
      for input in inputs { try input.checkUnchanged() }
      try staged.commit(only: target.singleFileName)
      return result
    } catch {
      // What looks like damage may be an input that somebody writes to.
      if !(error is CancellationError) { for input in inputs { try input.checkUnchanged() } }
      throw (error as? FileError).map(staged.named) ?? error
    }
  }
}
