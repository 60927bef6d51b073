/// What is wrong with a checkpoint as a whole, found before anything is written, with what to do.
package enum SourceError: DescribedError, Equatable {
  case noWeights(directory: String)
  case gitLFSPointer(path: String, byteCount: String?)
  case webPage(path: String)
  case unfinishedDownload(path: String)
  case pickle(path: String)
  case gguf(path: String)
  /// A file beside the weights, as `config.json`.
  case notWeights(path: String, directory: String)
  /// A directory whose only weights are pickles.
  case onlyPickles(directory: String, name: String)
  /// The folder of a model in the Hugging Face cache; `snapshot` is the one to name, where there is.
  case cacheFolder(directory: String, snapshot: String?)
  /// No path, and no model that the cache has.
  case notInCache(model: String, revision: String?, cache: String)
  case missingShards(index: String, names: [String])
  case unlistedShards(index: String, names: [String])
  case tensorElsewhere(index: String, tensor: String, listed: String, found: String)
  case tensorMissing(index: String, tensor: String, listed: String)
  case tensorUnlisted(index: String, tensor: String, found: String)
  case tensorTwice(tensor: String, first: String, second: String)
  case severalSets(directory: String, names: [String])
  case leavesDirectory(path: String, name: String)
  case badIndex(path: String, reason: String)
  case badConfig(path: String, reason: String)
  case scaleMissing(tensor: String, file: String)
  /// `isInputMajor`: whether the rows of the weight are its inputs.
  case scaleMismatch(
    tensor: String, scale: String, shape: [UInt64], scaleShape: [UInt64], isInputMajor: Bool)

  package var message: String {
    switch self {
    case .noWeights(let directory): "no safetensors weights in \(directory)"
    case .gitLFSPointer(let path, let count):
      "\(path) is a git-lfs pointer, not the file itself"
        + (count.map { " (which has \($0) bytes)" } ?? "")
    case .webPage(let path): "\(path) is a web page, not a safetensors file"
    case .unfinishedDownload(let path): "an unfinished download lies beside the weights: \(path)"
    case .pickle(let path): "\(path) is a PyTorch pickle or archive, not a safetensors file"
    case .gguf(let path): "\(path) is a GGUF file, not a safetensors file"
    case .notWeights(let path, _): "\(path) is JSON and holds no weights"
    case .onlyPickles(let directory, let name):
      "no safetensors weights in \(directory): \(name) is a PyTorch file"
    case .cacheFolder(let directory, _):
      "\(directory) is a folder of the Hugging Face cache; the checkpoint lies deeper in it"
    case .notInCache(let model, let revision, let cache):
      "no such file: \(model)\(revision.map { "@" + $0 } ?? ""); nor does the Hugging Face cache have a model of that"
        + " name (\(cache))"
    case .missingShards(let index, let names):
      "\(index) names \(Self.list(names)), which the directory lacks"
    case .unlistedShards(let index, let names):
      "\(Self.list(names)) beside \(index), which does not name \(names.count == 1 ? "it" : "them")"
    case .tensorElsewhere(let index, let tensor, let listed, let found):
      "\(index) places tensor '\(tensor)' in \(listed); it is in \(found)"
    case .tensorMissing(let index, let tensor, let listed):
      "\(index) places tensor '\(tensor)' in \(listed), which does not hold it"
    case .tensorUnlisted(let index, let tensor, let found):
      "\(found) holds tensor '\(tensor)', which \(index) does not name"
    case .tensorTwice(let tensor, let first, let second):
      "tensor '\(tensor)' is in both \(first) and \(second)"
    case .severalSets(let directory, let names):
      "\(directory) holds more than one set of weights: \(Self.list(names))"
    case .leavesDirectory(let path, let name): "\(path): '\(name)' leads out of the directory"
    case .badIndex(let path, let reason), .badConfig(let path, let reason): "\(path): \(reason)"
    case .scaleMissing(let tensor, let file):
      "\(file): tensor '\(tensor)' holds 8-bit floats and has no scale beside it"
    case .scaleMismatch(let tensor, let scale, let shape, let scaleShape, let isInputMajor):
      "scale '\(scale)' of shape \(scaleShape) does not fit tensor '\(tensor)' of shape \(shape)"
        + (isInputMajor ? ", inputs before outputs: it must be one for each output or block" : "")
    }
  }

  package var hint: String? {
    switch self {
    case .noWeights: "name a .safetensors file, or a directory with model.safetensors or shards"
    case .gitLFSPointer: "run 'git lfs pull' in the repository, or download the file itself"
    case .webPage: "the download fetched an error or login page; download the file again"
    case .unfinishedDownload: "finish the download, or remove the partial file"
    case .gguf: "name the safetensors checkpoint that it was made from"
    case .notWeights(_, let directory): "name the directory: \(directory)"
    case .cacheFolder(_, let snapshot?): "name \(snapshot)"
    case .cacheFolder: "download the model again: no snapshot of it is there"
    case .notInCache(let model, let revision, _):
      "'hf download \(model)\(revision.map { " --revision " + $0 } ?? "")' fetches a model of that name"
    case .pickle, .onlyPickles: "convert it to safetensors first, with the framework that wrote it"
    case .missingShards: "download the missing files"
    case .unlistedShards: "remove what does not belong, or get the index that fits"
    case .tensorElsewhere, .tensorMissing, .tensorUnlisted, .badIndex:
      "index and shards are of different versions; download both again"
    case .tensorTwice, .severalSets:
      "keep one set in the directory, or name the file to read"
    case .leavesDirectory: "copy the file into the directory"
    case .badConfig: "mend or replace config.json"
    case .scaleMissing: "get the complete checkpoint: such weights mean nothing without their scale"
    case .scaleMismatch: "weights and scales are of different checkpoints; download both again"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(4).joined(separator: ", ")
    return names.count > 4 ? shown + " and \(names.count - 4) more" : shown
  }
}
