import Formats
import Foundation

/// Writes a checkpoint of a given size: the same bytes for the same request. Memory stays that of a
/// few rows, whatever the size.
struct CheckpointGenerator {
  private let request: CheckpointRequest
  private let shape: LlamaShape

  init(_ request: CheckpointRequest) throws {
    self.request = request
    shape = try LlamaShape(byteCount: request.byteCount, storage: request.storage)
  }

  /// Has another process write it. Where memory is measured, the one that measures stays small: systems
  /// count the memory of the process that started a program as that program's.
  static func runApart(_ request: CheckpointRequest, to folder: String) throws {
    let errors = folder + "-errors"
    let run = try ProgramRun(
      Programs.own, ["generate", folder] + request.arguments, errors: errors)
    guard run.status == 0 else { throw BenchmarkError(Workload.text(errors)) }
  }

  /// - Returns: what was written, in a line.
  /// - Throws: `FileError`, also where `folder` exists.
  func write(to folder: String) throws -> String {
    let tensors = shape.tensors
    let shards = try split(tensors)
    let staged = try StagedOutput(target: folder, replacing: false)
    do {
      var filler = TensorFiller(seed: request.seed)
      for (position, shard) in shards.enumerated() {
        try write(tensors, shard, to: staged.directory + "/" + name(position), &filler)
      }
      try write(shape.config, to: staged.directory + "/config.json")
      if shards.count > 1 {
        try write(index(tensors, shards), to: staged.directory + "/model.safetensors.index.json")
      }
      try staged.commit()
    } catch let error as FileError {
      throw staged.named(error)
    }
    let size = ByteCount(bytes: tensors.reduce(0) { $0 + $1.byteCount }).text
    return "\(folder): \(tensors.count) tensors, \(size), \(request.storage.rawValue)"
  }

  /// Tensors in their order, in files of about the same size.
  private func split(_ tensors: [GeneratedTensor]) throws -> [Range<Int>] {
    guard request.shardCount <= tensors.count else {
      throw BenchmarkError("\(tensors.count) tensors cannot fill \(request.shardCount) files")
    }
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    var shards: [Range<Int>] = []
    var (first, size) = (0, 0)
    for index in tensors.indices {
      size += tensors[index].byteCount
      let missing = request.shardCount - shards.count - 1
      let isFull = size >= total * (shards.count + 1) / request.shardCount
      guard missing > 0, isFull || tensors.count - index - 1 == missing else { continue }
      shards.append(first..<index + 1)
      first = index + 1
    }
    return shards + [first..<tensors.count]
  }

  private func name(_ position: Int) -> String {
    request.shardCount == 1
      ? "model.safetensors"
      : String(format: "model-%05d-of-%05d.safetensors", position + 1, request.shardCount)
  }

  private func write(
    _ tensors: [GeneratedTensor], _ shard: Range<Int>, to path: String,
    _ filler: inout TensorFiller
  ) throws {
    let file = try OutputFile(creating: path)
    let layout = SafetensorsLayout(tensors[shard].map(\.request))
    let header = layout.header(metadata: [("format", "pt")])
    try file.write(header, 0..<header.count, at: 0)
    let indexes = Dictionary(uniqueKeysWithValues: shard.map { (tensors[$0].name, $0) })
    var position = header.count
    for place in layout.tensors {
      let index = indexes[place.name]!
      try filler.forEachTile(of: tensors[index], index: index) { bytes, count in
        try file.write(bytes, 0..<count, at: position)
        position += count
      }
    }
    try file.synchronize()
  }

  private func index(_ tensors: [GeneratedTensor], _ shards: [Range<Int>]) -> JSONValue {
    let places = shards.enumerated().flatMap { position, shard in
      shard.map { JSONValue.Member(tensors[$0].name, .string(name(position))) }
    }
    return [
      "metadata": ["total_size": .integer(tensors.reduce(0) { $0 + $1.byteCount })],
      "weight_map": .object(places),
    ]
  }

  private func write(_ document: JSONValue, to path: String) throws {
    let bytes = Array(document.prettyText.utf8)
    let file = try OutputFile(creating: path)
    try file.write(bytes, 0..<bytes.count, at: 0)
    try file.synchronize()
  }
}
