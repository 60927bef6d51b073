import Formats

/// How an output is laid out: one file, or a directory of weight files with what goes beside them. Names,
/// shards, documents and carried files are settled here, for whatever is written.
package struct Destination: Sendable {
  package let target: OutputTarget
  /// Files of the source directory that go along; nil for one file.
  package let carried: CarriedFiles?
  /// Data bytes after which the next weight file begins.
  private let shardLimit: Int

  /// - Parameter source: what the output is made of.
  /// - Throws: `FileError`, `SourceError` where the files beside the source cannot be listed.
  package init(
    _ target: OutputTarget, source: Checkpoint, shardLimit: Int = Int.max
  ) throws {
    self.target = target
    // One file is one, whatever its size.
    self.shardLimit = target.isDirectory ? shardLimit : Int.max
    carried = target.isDirectory ? try CarriedFiles(beside: source) : nil
  }

  /// The carried files as manifests record them, without their digests.
  var recorded: [Manifest.RecordedFile] { carried?.planned ?? [] }

  /// Items in the order of the weight files that they go into.
  func shards(_ items: [Int], sizes: (Int) -> Int) -> [[Int]] {
    Sharding.split(items, sizes: sizes, limit: shardLimit)
  }

  func fileName(_ position: Int, of count: Int) -> String {
    target.singleFileName ?? Sharding.fileName(position, of: count)
  }

  /// The small files that are made beside the weights; none where those are one file.
  ///
  /// - Parameter config: nil for a source that has none.
  func documents(
    config: @autoclosure () -> JSONValue?, files: [(name: String, layout: WeightFileLayout)]
  ) -> [OutputDocument] {
    target.isDirectory ? OutputDocument.all(config: config(), files: files) : []
  }

  /// Refuses an output that must not be written.
  ///
  /// - Parameters:
  ///   - replacing: whether an existing output may be replaced.
  ///   - weights: names of the weight files.
  func check(
    source: Checkpoint, replacing: Bool, weights: [String], documents: [OutputDocument]
  ) throws {
    try target.check(
      source: source, replacing: replacing,
      names: weights + documents.map(\.name) + (carried?.names ?? []))
  }
}
