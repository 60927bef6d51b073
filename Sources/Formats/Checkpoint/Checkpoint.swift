import Foundation

/// A checkpoint open for reading: its weight files, every tensor with its place, and its
/// configuration.
package struct Checkpoint: Sendable {
  /// A tensor and the file that holds it.
  package struct Tensor: Sendable {
    package let info: TensorInfo
    /// Index into `files`.
    package let file: Int
    package var name: String { info.name }
  }

  /// What was named: a file or a directory.
  package let path: String
  /// The directory, where one was named.
  package let directory: String?
  /// Where the files beside the weights are: the directory, or the one that the file lies in.
  package let home: String
  package let files: [SafetensorsFile]
  /// Their names, without directory.
  package let fileNames: [String]
  /// Files in order, and within each its tensors in the order of their data.
  package let tensors: [Tensor]
  /// Where in `tensors` those of each file stand.
  private let ranges: [Range<Int>]
  /// `config.json`; nil where there is none.
  package let configDocument: ConfigDocument?
  /// The file that `configDocument` was read from, for the record.
  package let configPath: String?

  private static let indexName = "model.safetensors.index.json"
  private static let configSizeLimit = 16_000_000

  /// Opens a file, or a directory with `model.safetensors`, an index and its shards, or any one
  /// set of `*.safetensors`.
  ///
  /// - Throws: `SourceError`, `SafetensorsError`, `FileError`.
  package init(path: String) throws {
    self.path = path
    let isDirectory = FileStatus.isDirectory(path)
    directory = isDirectory ? path : nil
    let (paths, index) = isDirectory ? try Self.weightFiles(in: path) : ([path], nil)
    files = try paths.map(SourceTriage.open)
    fileNames = paths.map { URL(fileURLWithPath: $0).lastPathComponent }
    var all: [Tensor] = []
    var ranges: [Range<Int>] = []
    for (index, file) in files.enumerated() {
      ranges.append(all.count..<all.count + file.header.tensors.count)
      all += file.header.tensors.map { Tensor(info: $0, file: index) }
    }
    tensors = all
    self.ranges = ranges
    home = directory ?? URL(fileURLWithPath: path).deletingLastPathComponent().path
    let configPath = SourceTriage.join(home, "config.json")
    configDocument = try Self.readConfig(configPath)
    self.configPath = configDocument == nil ? nil : configPath
    try checkUnique()
    if let index { try check(index, path: SourceTriage.join(path, Self.indexName)) }
  }

  /// Reads bytes of a tensor, counted from its first.
  package func read(
    _ range: Range<Int>, of tensor: Tensor, into buffer: inout [UInt8], at bufferOffset: Int = 0
  ) throws(FileError) {
    try files[tensor.file].read(range, of: tensor.info, into: &buffer, at: bufferOffset)
  }

  /// The files of its weights.
  package var inputs: [InputFile] { files.map(\.input) }

  /// - Throws: `FileError.changed` where somebody wrote to the weights since they were opened.
  package func checkUnchanged() throws(FileError) {
    for input in inputs { try input.checkUnchanged() }
  }

  package func fileName(of tensor: Tensor) -> String { fileNames[tensor.file] }

  /// The tensors of one file, in the order of their data.
  package func tensors(ofFile index: Int) -> ArraySlice<Tensor> { tensors[ranges[index]] }

  /// Paths of the one set of weights in `directory`, and its index where there is one.
  private static func weightFiles(in directory: String) throws -> ([String], ShardIndex?) {
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch { throw FileError.system("list", directory) }
    try SourceTriage.checkDownloads(directory, entries: entries)
    let weights = entries.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") }
    if weights.isEmpty, !entries.contains(indexName) {
      throw SourceTriage.explain(emptyDirectory: directory, entries: entries)
    }
    let index =
      entries.contains(indexName)
      ? try ShardIndex(path: SourceTriage.join(directory, indexName)) : nil
    let names = try chooseSet(directory, weights: weights, index: index)
    for name in names {
      try SourceTriage.checkInside(directory, name: name, of: SourceTriage.join(directory, name))
    }
    return (names.map { SourceTriage.join(directory, $0) }, index)
  }

  /// The names that belong together; two sets side by side are refused rather than guessed at.
  private static func chooseSet(
    _ directory: String, weights: [String], index: ShardIndex?
  ) throws -> [String] {
    if let index {
      let indexPath = SourceTriage.join(directory, indexName)
      for name in index.fileNames {
        try SourceTriage.checkInside(directory, name: name, of: indexPath)
      }
      let listed = Set(index.fileNames)
      let missing = listed.subtracting(weights).sorted()
      guard missing.isEmpty else {
        throw SourceError.missingShards(index: indexPath, names: missing)
      }
      // The index says which set is meant where another, of other names, lies beside it.
      let others = weights.filter {
        !listed.contains($0) && isModelName($0) && !isOriginalName($0)
      }
      let shards = others.filter { isShardName($0) }
      guard shards.isEmpty else {
        throw SourceError.unlistedShards(index: indexPath, names: shards)
      }
      guard others.isEmpty else {
        throw SourceError.severalSets(directory: directory, names: [indexName] + others)
      }
      return index.fileNames
    }
    // Beside a model other tensors may lie, such as dumps: they are no second set.
    let models = weights.filter(isModelName)
    let names = models.isEmpty ? weights : models
    if names.count > 1, !names.allSatisfy(isShardName) {
      throw SourceError.severalSets(directory: directory, names: names)
    }
    try checkShardCount(directory, names)
    return names
  }

  /// Whether a file's name is that of weights in the form of their first publication, which lie beside
  /// those that the index names.
  private static func isOriginalName(_ name: String) -> Bool { name.hasPrefix("consolidated") }

  /// Whether a file's name is one that the weights of a model have.
  private static func isModelName(_ name: String) -> Bool {
    isShardName(name) || name.hasPrefix("model") || name.hasPrefix("consolidated")
  }

  /// Without an index the names themselves say how many shards there must be.
  private static func checkShardCount(_ directory: String, _ weights: [String]) throws {
    guard let first = weights.first, let total = shardTotal(first) else { return }
    let stem = first.prefix { $0 != "-" }
    let digits = first.dropLast(".safetensors".count).split(separator: "-").last?.count ?? 5
    var missing: [String] = []
    for number in 1...max(1, min(total, 10_000)) {
      func padded(_ value: Int) -> String { String(format: "%0\(digits)d", value) }
      let name = "\(stem)-\(padded(number))-of-\(padded(total)).safetensors"
      if !weights.contains(name) { missing.append(name) }
    }
    // Other naming schemes are left alone: only a gap in this one is evidence.
    if missing.count < min(total, 10_000), !missing.isEmpty {
      throw SourceError.missingShards(index: "the shards' numbering", names: missing)
    }
  }

  private static func isShardName(_ name: String) -> Bool { shardTotal(name) != nil }

  /// The count in a name such as `model-00001-of-00003.safetensors`.
  private static func shardTotal(_ name: String) -> Int? {
    let parts = name.dropLast(".safetensors".count).split(separator: "-")
    guard parts.count >= 4, parts[parts.count - 2] == "of", Int(parts[parts.count - 3]) != nil
    else { return nil }
    return Int(parts[parts.count - 1])
  }

  private static func readConfig(_ path: String) throws -> ConfigDocument? {
    guard FileStatus.exists(path) else { return nil }
    let bytes = try InputFile(path: path).readAll(limit: configSizeLimit)
    do {
      // Mamba 2 is published with an upper limit of `Infinity`.
      let json = try JSONValue(parsing: bytes, allowingNonFinite: true)
      guard json.members != nil else {
        throw SourceError.badConfig(path: path, reason: "not a JSON object")
      }
      return ConfigDocument(json)
    } catch let error as JSONError {
      throw SourceError.badConfig(path: path, reason: "\(error.reason) (byte \(error.offset))")
    }
  }

  private func checkUnique() throws {
    var seen: [String: Int] = [:]
    for tensor in tensors {
      if let first = seen.updateValue(tensor.file, forKey: tensor.name), first != tensor.file {
        throw SourceError.tensorTwice(
          tensor: tensor.name, first: fileNames[first], second: fileNames[tensor.file])
      }
    }
  }

  private func check(_ index: ShardIndex, path: String) throws {
    var found = Dictionary(
      tensors.map { ($0.name, fileNames[$0.file]) }, uniquingKeysWith: { first, _ in first })
    for place in index.places {
      guard let file = found.removeValue(forKey: place.tensor) else {
        throw SourceError.tensorMissing(index: path, tensor: place.tensor, listed: place.file)
      }
      guard file == place.file else {
        throw SourceError.tensorElsewhere(
          index: path, tensor: place.tensor, listed: place.file, found: file)
      }
    }
    if let tensor = tensors.first(where: { found[$0.name] != nil }) {
      throw SourceError.tensorUnlisted(
        index: path, tensor: tensor.name, found: fileNames[tensor.file])
    }
  }
}
