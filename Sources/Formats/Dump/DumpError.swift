/// What is wrong with one tensor of a dump, or with a dump as a whole.
package enum DumpError: DescribedError, Equatable {
  case unknownName(file: String, tensor: String)
  case wrongType(file: String, tensor: String, dtype: DType)
  case wrongShape(file: String, tensor: String, shape: [UInt64], expected: String)
  case chunkMismatch(file: String, tensor: String, shape: [UInt64], first: [Int])
  case chunkTypes(file: String, tensor: String, dtype: DType, first: DType)
  case sameChunk(file: String, tensor: String, other: String)
  case unknownModule(file: String, tensor: String, module: String)
  case unknownLayer(file: String, tensor: String, layer: Int, layerCount: Int)
  case widthMismatch(file: String, tensor: String, shape: [UInt64], weight: String, expected: Int)
  case nonFinite(file: String, tensor: String, nan: Int, infinite: Int, count: Int)
  case nothing(files: [String])
  case otherKind(file: String, wanted: Kind)

  /// What a dump may hold.
  package enum Kind: Sendable {
    case activations
    case cache
  }

  package var message: String {
    switch self {
    case .unknownName(let file, let tensor):
      "\(file): tensor '\(tensor)' is neither MODULE.input nor layers.N.key nor layers.N.value"
    case .wrongType(let file, let tensor, let dtype):
      "\(file): tensor '\(tensor)' has dtype \(dtype.rawValue); a dump holds F16, BF16, F32 or F64"
    case .wrongShape(let file, let tensor, let shape, let expected):
      "\(file): tensor '\(tensor)' has shape \(shape), not \(expected)"
    case .chunkMismatch(let file, let tensor, let shape, let first):
      "\(file): tensor '\(tensor)' has shape \(shape); its other chunks are [tokens, "
        + first.map { "\($0)" }.joined(separator: ", ") + "]"
    case .chunkTypes(let file, let tensor, let dtype, let first):
      "\(file): tensor '\(tensor)' is \(dtype.rawValue); its other chunks are \(first.rawValue)"
    case .sameChunk(let file, let tensor, let other):
      "\(file): tensor '\(tensor)' is the same chunk as '\(other)'"
    case .unknownModule(let file, let tensor, let module):
      "\(file): tensor '\(tensor)' belongs to module '\(module)', which the checkpoint lacks"
    case .unknownLayer(let file, let tensor, let layer, let layerCount):
      "\(file): tensor '\(tensor)' is of layer \(layer); the checkpoint has \(layerCount), from 0 on"
    case .widthMismatch(let file, let tensor, let shape, let weight, let expected):
      "\(file): tensor '\(tensor)' has shape \(shape); '\(weight)' goes with \(expected) for each token"
    case .nonFinite(let file, let tensor, let nan, let infinite, let count):
      "\(file): tensor '\(tensor)' holds \(nan) NaN and \(infinite) infinities among \(count) values"
    case .otherKind(let file, .activations):
      "\(file) holds keys and values of the cache, and no inputs of layers"
    case .otherKind(let file, .cache):
      "\(file) holds inputs of layers, and no keys and values of the cache"
    case .nothing(let files):
      "\(files.joined(separator: ", ")): no tensor of the dump can be used"
    }
  }

  package var hint: String? {
    switch self {
    case .unknownName: "docs/DUMPS.md has the names; --keep-going leaves such tensors out"
    case .wrongType, .wrongShape, .chunkMismatch, .chunkTypes, .sameChunk:
      "--keep-going leaves such tensors out"
    case .unknownModule, .unknownLayer, .widthMismatch:
      "the dump is of another model; --keep-going leaves such tensors out"
    case .nonFinite: "--keep-going measures the finite values, and says so"
    case .nothing: nil
    case .otherKind(_, .activations): "name it with --kv"
    case .otherKind(_, .cache): "name it with --activations"
    }
  }
}
