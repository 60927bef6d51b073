import Formats

/// Why adapters cannot be merged into this base, or not as asked.
package enum MergeError: DescribedError, Equatable {
  case badRequest(String)
  /// The adapter pools its inputs and nothing says how.
  case ambiguousPooling(adapter: String, module: String, inputs: Int, group: Int)
  case poolingContradicts(adapter: String, chosen: PoolingConvention)
  case nothingPooled(chosen: PoolingConvention)
  case groupSizeContradicts(adapter: String, module: String, found: Int, configured: Int)
  case moduleMissing(adapter: String, module: String, tensor: String)
  case wrongShape(adapter: String, tensor: String, shape: [UInt64], base: String, expected: String)
  case transposed(adapter: String, tensor: String, shape: [UInt64], base: String)
  case storageOrder(adapter: String, module: String, saysInputMajor: Bool)
  case groupMismatch(adapter: String, module: String, pooled: Int, packed: Int)
  case needsFloatBase(adapter: String, module: String, what: String)
  case cannotCombine(tensor: String, what: String)
  case notFloat(tensor: String, dtype: DType)
  case overflow(tensor: String, index: Int, type: ScaleType)
  case alreadyMerged(path: String, adapters: [String])
  /// An adapter was trained on inputs that the model no longer has.
  case folded(path: String)
  case nothingMerged(path: String)
  case originalsMissing(path: String)
  /// What errors counted when it was quantized came from files that are not at hand.
  case needsActivations(path: String, files: [String])
  /// Its scales come from a search that is no longer known.
  case earlierSearch(path: String)
  /// One shard of several, named alone.
  case oneShard(path: String, shardCount: Int)
  case probeFailed(module: String, difference: Double, bound: Double)

  package var message: String {
    switch self {
    case .badRequest(let text): "'\(text)' is not DIR or DIR=WEIGHT"
    case .ambiguousPooling(let adapter, let module, let inputs, let group):
      "\(adapter): module '\(module)' pools \(group) of its \(inputs) inputs into one, and nothing"
        + " says how: the merge multiplies by "
        + PoolingConvention.allCases.map {
          "\($0.mergeFactor(inputs: inputs, group: group)) (\($0.rawValue))"
        }.joined(separator: ", ")
    case .poolingContradicts(let adapter, let chosen):
      "\(adapter): its configuration says 'use_qalora', which means --pooling peft,"
        + " not \(chosen.rawValue)"
    case .nothingPooled(let chosen):
      "--pooling \(chosen.rawValue) was given, and no adapter pools its inputs"
    case .groupSizeContradicts(let adapter, let module, let found, let configured):
      "\(adapter): module '\(module)' pools \(found) inputs into one;"
        + " qalora_group_size says \(configured)"
    case .moduleMissing(let adapter, let module, let tensor):
      "\(adapter): module '\(module)' is not in the base: there is no tensor '\(tensor)'"
    case .wrongShape(let adapter, let tensor, let shape, let base, let expected):
      "\(adapter): tensor '\(tensor)' of shape \(shape) does not fit '\(base)';"
        + " it must be \(expected)"
    case .transposed(let adapter, let tensor, let shape, let base):
      "\(adapter): tensor '\(tensor)' of shape \(shape) is transposed against '\(base)'"
    case .storageOrder(let adapter, let module, let saysInputMajor):
      "\(adapter): fan_in_fan_out is \(saysInputMajor), but the base stores '\(module)'"
        + (saysInputMajor ? " as [out, in]" : " as [in, out]")
    case .groupMismatch(let adapter, let module, let pooled, let packed):
      "\(adapter): module '\(module)' pools \(pooled) inputs into one, and the base packs groups of"
        + " \(packed): an update is constant in a packed group only where \(pooled) is a multiple"
        + " of \(packed)"
    case .needsFloatBase(let adapter, let module, let what):
      "\(adapter): module '\(module)' has \(what), which changes weights within a group:"
        + " it cannot be merged into packed weights"
    case .cannotCombine(let tensor, let what): "'\(tensor)': \(what)"
    case .notFloat(let tensor, let dtype):
      "'\(tensor)' is stored as \(dtype.rawValue), into which nothing can be merged"
    case .overflow(let tensor, let index, let type):
      "'\(tensor)': the merged value at index \(index) exceeds the range of \(type.rawValue)"
    case .alreadyMerged(let path, let adapters):
      "\(path) has adapters merged into it already: " + adapters.joined(separator: ", ")
    case .folded(let path):
      "channels of \(path) were scaled when it was quantized, so that adapters of its source do not"
        + " fit it"
    case .nothingMerged(let path): "\(path) records no merged adapter"
    case .originalsMissing(let path):
      "\(path) does not keep the values from before the merge"
    case .needsActivations(let path, let files):
      "\(path) was quantized for the inputs that \(files.joined(separator: ", ")) held;"
        + " it cannot be packed again without them"
    case .earlierSearch(let path):
      "\(path) was quantized by the search of an earlier decant; its bytes cannot be made again"
    case .oneShard(let path, let count): "\(path) is one of the \(count) files of a checkpoint"
    case .probeFailed(let module, let difference, let bound):
      "module '\(module)': merged outputs are \(difference) away from base + adapter;"
        + " rounding explains \(bound)"
    }
  }

  package var hint: String? {
    switch self {
    case .badRequest: "as in --adapter my-adapter or --adapter my-adapter=0.7"
    case .ambiguousPooling:
      "ask who trained it, then give --pooling: mean for the QA-LoRA authors' programs, sum for the"
        + " paper's formula, peft for PEFT"
    case .poolingContradicts: "leave --pooling out"
    case .nothingPooled: "leave --pooling out; shapes say that these are ordinary LoRA adapters"
    case .moduleMissing:
      "the adapter was trained on another model, or one that ties or names weights otherwise"
    case .groupMismatch(_, _, let pooled, _):
      (AffineLayout.allowedGroupSizes.contains(pooled)
        ? "convert the source with --group-size \(pooled)"
        : "convert the source with a group size that divides \(pooled)")
        + ", or merge it before quantization:"
        + " decant convert SOURCE --adapter DIR --adapter-group-mismatch requantize"
    case .needsFloatBase: "merge it before quantization: decant convert SOURCE --adapter DIR"
    case .overflow: "store the biases as F32: --bias-dtype f32"
    case .alreadyMerged:
      "undo that merge first, or give all adapters at once, each with its --adapter"
    case .folded:
      "convert the source without --smooth, or merge before that and calibrate what comes out"
    case .originalsMissing:
      "keep the packed checkpoint it was merged from, or pack the source again"
    case .needsActivations: "leave --against out to check everything else"
    case .earlierSearch:
      "take the adapters out with 'merge --undo' and hold what comes out against the source"
    case .oneShard: "name the directory that holds all of them"
    case .probeFailed: "this is a fault of decant's; the output was not written"
    case .groupSizeContradicts, .wrongShape, .transposed, .storageOrder:
      "the adapter and the base do not belong together"
    case .cannotCombine, .notFloat, .nothingMerged: nil
    }
  }
}
