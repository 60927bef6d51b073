import Foundation

/// A directory that PEFT or mlx-lm saved an adapter in, open for reading: what each module's tensors are, with every
/// rule that needs no base model checked.
///
/// Source: huggingface/peft, `utils/save_and_load.py`, for names and shapes, which begin with `base_model.model.`
/// before the names of the base model's modules; ml-explore/mlx-lm, `tuner/lora.py` and `tuner/dora.py`.
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
    package let a: Factor
    /// `[out, r]`; `[width, r]` for an embedding.
    package let b: Factor
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

  /// A matrix of a pair.
  package struct Factor: Sendable {
    package let tensor: TensorInfo
    /// Whether it is stored with rows and columns exchanged, as mlx-lm stores both.
    package let isTransposed: Bool

    package var name: String { tensor.name }
    /// Of the matrix that is meant.
    package var shape: [UInt64] { isTransposed ? tensor.shape.reversed() : tensor.shape }
    package var dimensions: [Int] {
      isTransposed ? tensor.dimensions.reversed() : tensor.dimensions
    }
  }

  /// The directory.
  package let path: String
  package let config: AdapterConfig
  package let file: SafetensorsFile
  /// In byte order of their names.
  package let modules: [Module]

  package static let configName = "adapter_config.json"
  private static let peftWeightsName = "adapter_model.safetensors"
  private static let mlxWeightsName = "adapters.safetensors"

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
    try SourceTriage.checkInside(path, name: Self.configName, of: path)
    config = try AdapterConfig(path: configPath)
    let weightsName = config.form == .mlx ? Self.mlxWeightsName : Self.peftWeightsName
    let weightsPath = SourceTriage.join(path, weightsName)
    try SourceTriage.checkInside(path, name: weightsName, of: path)
    guard FileStatus.exists(weightsPath) else {
      let pickle = SourceTriage.join(path, "adapter_model.bin")
      throw FileStatus.exists(pickle)
        ? AdapterError.pickled(path: pickle)
        : AdapterError.noWeights(directory: path, name: weightsName)
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

  /// The elements of a factor, row after row of the matrix that is meant.
  ///
  /// - Throws: as `read`.
  package func values(of factor: Factor) throws -> [Float] {
    let stored = try values(of: factor.tensor)
    return factor.isTransposed ? stored.transposed(columns: factor.tensor.dimensions[1]) : stored
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
