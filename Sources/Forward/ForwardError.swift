import Formats

/// Why a model cannot be run, or what went wrong when it was.
package enum ForwardError: DescribedError, Equatable {
  case missingTensor(String, modelType: String)
  case noHead([String])
  case wrongShape(tensor: String, shape: [Int], expected: [Int])
  /// A tensor of a layer that nothing reads.
  case unusedTensor(String, modelType: String)
  /// NaN or infinity among what a module gives. `layer` is nil outside of them.
  case nonFinite(module: String, layer: Int?, value: String, token: Int)
  case unknownToken(Int, position: Int, vocabularySize: Int)
  case windowTooLong(Int, longest: Int)
  case tooFewTokens(Int, needed: Int)
  /// One window takes more than the bound on memory, in bytes.
  case tooLittleMemory(Int, needed: Int, window: Int)
  case otherVocabulary(Int, expected: Int)
  case groupDoesNotDivide(Int, tensor: String, inputs: Int)
  /// None of the linear layers of the blocks can be quantized.
  case nothingToQuantize(modelType: String)
  case noCache(modelType: String)
  /// What stands in a list of tokens and is no whole number. `line` is from 1.
  case badToken(String, line: Int, path: String)
  /// A file beside the weights says of a special token what no token can be.
  case badSpecialToken(String, path: String)

  package var message: String {
    switch self {
    case .missingTensor(let name, let modelType):
      "there is no tensor '\(name)', which '\(modelType)' needs"
    case .noHead(let names):
      "there is no output head ('\(names.joined(separator: "', '"))'), and config.json does not say"
        + " that the embedding is used for it"
    case .wrongShape(let tensor, let shape, let expected):
      "tensor '\(tensor)' has shape \(shape); config.json makes it \(expected)"
    case .unusedTensor(let name, let modelType):
      "tensor '\(name)' is in a layer, and '\(modelType)' with this config.json does not use it"
    case .nonFinite(let module, let layer, let value, let token):
      "\(module)\(layer.map { " of layer \($0)" } ?? "") gives \(value) for token \(token)"
    case .unknownToken(let id, let position, let vocabularySize):
      "token \(position) is \(id); the vocabulary has \(vocabularySize)"
    case .windowTooLong(let length, let longest):
      "a window of \(length) tokens is longer than the \(longest) positions that the model knows"
    case .tooFewTokens(let count, let needed):
      "there are \(count) tokens; a window takes \(needed)"
    case .tooLittleMemory(let limit, let needed, let window):
      "a window of \(window) tokens takes \(Self.megabytes(needed)) of memory;"
        + " \(Self.megabytes(limit)) are allowed"
    case .otherVocabulary(let count, let expected):
      "the vocabularies have \(count) and \(expected) tokens: they cannot be compared"
    case .groupDoesNotDivide(let size, let tensor, let inputs):
      "groups of \(size) do not divide the \(inputs) inputs of '\(tensor)'"
    case .nothingToQuantize(let modelType):
      "no weights of this '\(modelType)' can be quantized"
    case .noCache(let modelType): "'\(modelType)' has no cache of keys and values"
    case .badToken(let text, let line, let path):
      "\(path): line \(line) has '\(text)', which is no token"
    case .badSpecialToken(let reason, let path): "\(path): \(reason)"
    }
  }

  /// In whole megabytes, rounded up.
  private static func megabytes(_ count: Int) -> String {
    "\(count / 1_000_000 + (count % 1_000_000 > 0 ? 1 : 0)) MB"
  }

  package var hint: String? {
    switch self {
    case .nonFinite: "its weights are damaged, or too large for arithmetic in F32"
    case .unusedTensor: "config.json may be of another model"
    case .groupDoesNotDivide:
      "without a group size each weight gets the largest of 128, 64 and 32 that divides its inputs"
    case .tooLittleMemory: "give more with --max-memory, or use fewer threads or shorter windows"
    case .badToken: "a list of tokens has whole numbers with white space between them"
    default: nil
    }
  }
}
