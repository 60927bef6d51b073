import Foundation

/// A PEFT adapter directory open for reading: what each module's tensors are, with every rule that
/// needs no base model checked.
///
/// Source: huggingface/peft, `utils/save_and_load.py`, for names and shapes. Names are those of the
/// base model's modules after `base_model.model.`.
package struct Adapter: Sendable {
  /// What an adapter holds for one module of the base model.
  package struct Module: Sendable {
    /// As in the base model, without `.weight`.
    package let name: String
    /// Nil where the module has only weights that replace those of the base.
    package let pair: Pair?
    /// Replaces the base's weight (`modules_to_save`).
    package let weight: TensorInfo?
    /// Replaces the base's additive bias.
    package let bias: TensorInfo?
    /// PEQA: replaces the scales of the packed weight, `[out, in / group]`.
    package let scales: TensorInfo?
  }

  /// The low-rank pair of a module.
  package struct Pair: Sendable {
    /// `[r, in]`; `[r, in / group]` where inputs are pooled; `[r, entries]` for an embedding.
    package let a: TensorInfo
    /// `[out, r]`; `[width, r]` for an embedding.
    package let b: TensorInfo
    package let isEmbedding: Bool
    package let rank: Int
    package let alpha: Double
    /// The factor of B·A.
    package let scaling: Double
    /// DoRA: the length of every row of the merged weight, `[out]`.
    package let magnitude: TensorInfo?
    /// `lora_bias`: what B adds besides, `[out]`.
    package let bias: TensorInfo?
  }

  /// The directory.
  package let path: String
  package let config: AdapterConfig
  package let file: SafetensorsFile
  /// In byte order of their names.
  package let modules: [Module]

  package static let configName = "adapter_config.json"
  package static let weightsName = "adapter_model.safetensors"

  /// Whether `path` is a directory that an adapter was saved in, and no model.
  package static func isAdapter(_ path: String) -> Bool {
    func holds(_ name: String) -> Bool { FileStatus.exists(SourceTriage.join(path, name)) }
    return FileStatus.isDirectory(path) && holds(configName)
      && !holds("model.safetensors") && !holds("model.safetensors.index.json")
  }

  /// - Throws: `AdapterError`; `SafetensorsError`, `SourceError` or `FileError` where the files
  ///   cannot be read.
  package init(path: String) throws {
    guard FileStatus.exists(path) else { throw FileError.missing(path: path) }
    let configPath = SourceTriage.join(path, Self.configName)
    guard FileStatus.exists(configPath) else { throw AdapterError.noConfig(directory: path) }
    let weightsPath = SourceTriage.join(path, Self.weightsName)
    for name in [Self.configName, Self.weightsName] {
      try SourceTriage.checkInside(path, name: name, of: path)
    }
    config = try AdapterConfig(path: configPath)
    guard FileStatus.exists(weightsPath) else {
      let pickle = SourceTriage.join(path, "adapter_model.bin")
      throw FileStatus.exists(pickle)
        ? AdapterError.pickled(path: pickle) : AdapterError.noWeights(directory: path)
    }
    file = try SourceTriage.open(weightsPath)
    self.path = path
    guard !file.header.tensors.isEmpty else { throw AdapterError.empty(path: weightsPath) }
    modules = try ModuleReader(file, config).modules()
  }

  /// The name to record: the directory's own.
  package var name: String { URL(fileURLWithPath: path).lastPathComponent }

  /// Trained numbers: elements of all its tensors.
  package var parameterCount: Int {
    file.header.tensors.reduce(0) { $0 + $1.elementCount }
  }

  /// The elements of one of the adapter's tensors.
  package func values(of tensor: TensorInfo) throws -> [Float] {
    var values = [Float](repeating: 0, count: tensor.elementCount)
    try read(0..<tensor.elementCount, of: tensor, into: &values)
    return values
  }

  /// Decodes elements `range` of a tensor into `values`, from its start.
  ///
  /// - Throws: `AdapterError.notFinite` for NaN and infinities; `FileError`.
  package func read(
    _ range: Range<Int>, of tensor: TensorInfo, into values: inout [Float]
  ) throws {
    let size = tensor.dtype.bitCount / 8
    var bytes = [UInt8](repeating: 0, count: range.count * size)
    try file.read(range.lowerBound * size..<range.upperBound * size, of: tensor, into: &bytes)
    guard ElementDecoder.decode(bytes, count: range.count, as: tensor.dtype, into: &values) else {
      throw AdapterError.notFloat(path: file.path, tensor: tensor.name, dtype: tensor.dtype)
    }
    if let bad = (0..<range.count).first(where: { !values[$0].isFinite }) {
      throw AdapterError.notFinite(
        path: file.path, tensor: tensor.name, index: range.lowerBound + bad,
        value: values[bad].isNaN ? "NaN" : "\(values[bad])")
    }
  }

  /// Reads every tensor once, so that damage is found before anything is written.
  ///
  /// - Returns: XXH64 of the whole weight file.
  /// - Throws: as `read`.
  package func checkValues() throws -> UInt64 {
    var hash = XXH64()
    hash.update(file.headerBytes)
    let step = 1 << 18
    var values = [Float](repeating: 0, count: step)
    var bytes = [UInt8](repeating: 0, count: step * 8)
    for tensor in file.header.tensors {
      for start in stride(from: 0, to: tensor.elementCount, by: step) {
        let range = start..<min(start + step, tensor.elementCount)
        try read(range, of: tensor, into: &values)
        let size = tensor.dtype.bitCount / 8
        try file.read(
          range.lowerBound * size..<range.upperBound * size, of: tensor, into: &bytes)
        hash.update(bytes, 0..<range.count * size)
      }
    }
    return hash.value
  }
}
