/// Values that a model computed, captured into safetensors files: inputs of linear layers, and keys
/// and values of the cache. Chunks of one subject, in one file or several, make one tensor.
package struct TensorDump: Sendable {
  /// A run of tokens: one tensor of one file.
  package struct Part: Sendable {
    /// Index into `files`.
    package let file: Int
    package let info: TensorInfo
    package let chunk: Int
    package let tokenCount: Int
  }

  /// All tokens of one subject.
  package struct Tensor: Sendable {
    package let subject: DumpName.Subject
    package let dtype: DType
    /// What follows the tokens in the shape: `[features]`, `[kv_heads, head_dim]`, or `[width]`.
    package let tokenShape: [Int]
    /// In the order of their chunk numbers, and of the files where those are equal.
    package fileprivate(set) var parts: [Part]

    package var tokenCount: Int { parts.reduce(0) { $0 + $1.tokenCount } }
    /// Values for each token.
    package var width: Int { tokenShape.reduce(1, *) }
    package var shape: [Int] { [tokenCount] + tokenShape }
    package var byteCount: Int { parts.reduce(0) { $0 + $1.info.byteCount } }
    /// As the convention spells it, without a chunk.
    package var name: String { subject.name }
  }

  /// Whether keys had their rotary position embedding when they were captured.
  package enum Rotation: String, Sendable {
    case before
    case after
    /// The model has none.
    case none
  }

  package let files: [SafetensorsFile]
  /// Inputs by the order of their modules' first appearance, then keys and values by layer.
  package private(set) var tensors: [Tensor] = []
  /// What was left out, and why.
  package private(set) var problems: [DumpError] = []

  /// Values of a token that are still measured: far beyond any model.
  private static let widthLimit = 1 << 18
  private static let dtypes: Set<DType> = [.f16, .bf16, .f32, .f64]

  /// Opens all files and sorts their tensors; problems with single tensors are collected.
  ///
  /// - Throws: `SourceError`, `SafetensorsError`, `FileError` where a file cannot be read at all.
  package init(paths: [String]) throws {
    files = try paths.map(SourceTriage.open)
    var index = Index()
    for (file, source) in files.enumerated() {
      for info in source.header.tensors {
        guard let name = DumpName(info.name) else {
          problems.append(.unknownName(file: source.path, tensor: info.name))
          continue
        }
        do throws(DumpError) {
          try add(info, name, file: file, index: &index)
        } catch {
          problems.append(error)
        }
      }
    }
    tensors = tensors.enumerated()
      .sorted { ($0.element.subject.rank, $0.offset) < ($1.element.subject.rank, $1.offset) }
      .map(\.element)
    for position in tensors.indices {
      tensors[position].parts.sort { ($0.chunk, $0.file) < ($1.chunk, $1.file) }
    }
  }

  /// What was added so far.
  private struct Index {
    /// Places in `tensors`.
    var places: [DumpName.Subject: Int] = [:]
    /// Names of the chunks.
    var chunks: [Chunk: String] = [:]

    struct Chunk: Hashable {
      let file: Int
      let name: DumpName
    }
  }

  private mutating func add(
    _ info: TensorInfo, _ name: DumpName, file: Int, index: inout Index
  ) throws(DumpError) {
    let path = files[file].path
    guard Self.dtypes.contains(info.dtype) else {
      throw .wrongType(file: path, tensor: info.name, dtype: info.dtype)
    }
    let tokenShape = try Self.tokenShape(info, of: name.subject, file: path)
    let part = Part(
      file: file, info: info, chunk: name.chunk,
      tokenCount: info.elementCount / tokenShape.reduce(1, *))
    let chunk = Index.Chunk(file: file, name: name)
    if let other = index.chunks.updateValue(info.name, forKey: chunk) {
      throw .sameChunk(file: path, tensor: info.name, other: other)
    }
    guard let place = index.places[name.subject] else {
      index.places[name.subject] = tensors.count
      tensors.append(
        Tensor(subject: name.subject, dtype: info.dtype, tokenShape: tokenShape, parts: [part]))
      return
    }
    let first = tensors[place]
    guard first.tokenShape == tokenShape else {
      throw .chunkMismatch(
        file: path, tensor: info.name, shape: info.shape, first: first.tokenShape)
    }
    guard first.dtype == info.dtype else {
      throw .chunkTypes(file: path, tensor: info.name, dtype: info.dtype, first: first.dtype)
    }
    tensors[place].parts.append(part)
  }

  /// The shape without the tokens; inputs may have leading dimensions, as of a batch.
  private static func tokenShape(
    _ info: TensorInfo, of subject: DumpName.Subject, file: String
  ) throws(DumpError) -> [Int] {
    let shape = info.dimensions
    let expected: String
    let tokenShape: [Int]
    let fits: Bool
    switch subject {
    case .input:
      (expected, fits) = ("[tokens, features]", shape.count >= 2)
      tokenShape = Array(shape.suffix(1))
    case .latent, .rotaryKey:
      (expected, fits) = ("[tokens, width]", shape.count == 2)
      tokenShape = Array(shape.suffix(1))
    case .key, .value:
      (expected, fits) = ("[tokens, kv_heads, head_dim]", shape.count == 3)
      tokenShape = Array(shape.suffix(2))
    }
    guard fits, info.elementCount > 0, tokenShape.allSatisfy({ $0 <= widthLimit }),
      tokenShape.reduce(1, *) <= widthLimit
    else {
      throw .wrongShape(
        file: file, tensor: info.name, shape: info.shape,
        expected: expected + ", none of them 0, with at most \(widthLimit) values for a token")
    }
    return tokenShape
  }

  /// The same dump without the tensors for which `check` throws, which become problems.
  package func keeping(_ check: (Tensor) throws(DumpError) -> Void) -> TensorDump {
    var result = self
    result.tensors = tensors.filter { tensor in
      do throws(DumpError) {
        try check(tensor)
        return true
      } catch {
        result.problems.append(error)
        return false
      }
    }
    return result
  }

  /// The same dump with only the tensors for which `isWanted` is true.
  package func selecting(_ isWanted: (Tensor) -> Bool) -> TensorDump {
    var result = self
    result.tensors = tensors.filter(isWanted)
    return result
  }

  /// Where a tensor begins, for messages.
  package struct Origin: Sendable {
    package let file: String
    package let tensor: String
    package let shape: [UInt64]
  }

  /// What the file that a tensor begins in says in its metadata, under `rope`; nil where it does not.
  package func rotation(of tensor: Tensor) -> Rotation? {
    files[tensor.parts[0].file].header.metadataValue("rope").flatMap(Rotation.init)
  }

  package func origin(of tensor: Tensor) -> Origin {
    let part = tensor.parts[0]
    return Origin(file: files[part.file].path, tensor: part.info.name, shape: part.info.shape)
  }
}

extension DumpName.Subject {
  package var name: String {
    switch self {
    case .input(let module): module + ".input"
    case .key(let layer): "layers.\(layer).key"
    case .value(let layer): "layers.\(layer).value"
    case .latent(let layer): "layers.\(layer).latent"
    case .rotaryKey(let layer): "layers.\(layer).rope_key"
    }
  }

  /// Inputs first, the cache follows by layer.
  fileprivate var rank: Int {
    switch self {
    case .input: -1
    // No layer has both.
    case .key(let layer), .latent(let layer): 2 * layer
    case .value(let layer), .rotaryKey(let layer): 2 * layer + 1
    }
  }
}
