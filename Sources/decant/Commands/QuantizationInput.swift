import Convert
import Formats
import Forward

/// What a model is quantized to while it is run, as `eval` is told it.
struct QuantizationInput {
  enum Points {
    case one(QuantizationPoint)
    case qllmEval
  }

  let points: Points
  /// Of weights; nil for what fits.
  let groupSize: Int?
  /// How channels are scaled, and by which calibration.
  let smoothing: (choice: ChannelSmoothing, calibration: String)?

  static let options: [OptionDescription] = [
    OptionDescription(
      long: "w-bits", value: .init("N"),
      help: "Quantize weights of the blocks' linear layers to N bits: 2, 3, 4, 5, 6 or 8."),
    OptionDescription(
      long: "a-bits", value: .init("N"),
      help: "Quantize what these layers read to N bits, 2 to 8, each token by itself."),
    OptionDescription(
      long: "kv-bits", value: .init("N"),
      help: "Quantize cached keys and values to N bits, 2 to 8, in groups of 128 or a whole head."),
    OptionDescription(
      long: "group-size",
      value: .init("N", default: .described("128, or 64 or 32 where that divides the inputs")),
      help: "Weights that share a scale: 32, 64 or 128."),
    OptionDescription(
      long: "sweep", value: .init("GRID", .choices(["qllm"])),
      help: "Run all points of a grid: 'qllm' is that of Qllm-Eval, W8 to W4KV4."),
    OptionDescription(
      long: "smooth", value: .init("ALPHA"),
      help: """
        Scale channels before activations are quantized, as SmoothQuant does: an exponent from 0 to 1, or 'auto' \
        for the best on the calibration's tokens. Needs --calibration.
        """),
    OptionDescription(
      long: "calibration", value: .init("CAL", .path),
      help: "What 'decant calibrate' measured of this model, for --smooth."),
  ]

  /// Nil where nothing is quantized.
  ///
  /// - Throws: `UsageError` for widths and groups that there are not, and for options that exclude each other.
  init?(_ arguments: Arguments) throws {
    let weights = try arguments.int("w-bits", in: 2...8)
    let activations = try arguments.int("a-bits", in: QuantizationPoint.activationBits)
    let cache = try arguments.int("kv-bits", in: QuantizationPoint.cacheBits)
    let isSweep = arguments.isGiven("sweep")
    groupSize = try Self.groupSize(arguments, isUsed: isSweep || weights != nil)
    if let weights, !QuantizationPoint.weightBits.contains(weights) {
      throw UsageError(
        "weights cannot be quantized to \(weights) bits", hint: "use 2, 3, 4, 5, 6 or 8")
    }
    let point = QuantizationPoint(weights: weights, activations: activations, cache: cache)
    if isSweep, let point {
      throw UsageError(
        "'--sweep' has its own widths; \(point.name) is another point",
        hint: "leave out '--w-bits', '--a-bits' and '--kv-bits'")
    }
    smoothing = try Self.smoothing(arguments, isUsed: isSweep || activations != nil)
    guard isSweep || point != nil else { return nil }
    guard !arguments.isGiven("against") else {
      throw UsageError(
        "a model that is quantized while it runs is compared with itself",
        hint: "leave out '--against'")
    }
    points = point.map { .one($0) } ?? .qllmEval
  }

  private static func smoothing(
    _ arguments: Arguments, isUsed: Bool
  ) throws -> (choice: ChannelSmoothing, calibration: String)? {
    guard let choice = try arguments.smoothing() else {
      guard !arguments.isGiven("calibration") else {
        throw UsageError(
          "'--calibration' is for '--smooth', and nothing is smoothed", hint: "add '--smooth auto'")
      }
      return nil
    }
    guard isUsed else {
      throw UsageError(
        "'--smooth' is for activations, and none are quantized", hint: "add '--a-bits N'")
    }
    guard let path = arguments.value("calibration") else {
      throw UsageError(
        "'--smooth' needs the inputs of layers, and there is no '--calibration'",
        hint: "make one with 'decant calibrate PATH --text FILE -o CAL', of another text")
    }
    return (choice, path)
  }

  private static func groupSize(_ arguments: Arguments, isUsed: Bool) throws -> Int? {
    guard let size = try arguments.int("group-size") else { return nil }
    guard AffineLayout.allowedGroupSizes.contains(size) else {
      throw UsageError("there are no groups of \(size) weights", hint: "use 32, 64 or 128")
    }
    guard isUsed else {
      throw UsageError(
        "'--group-size' is of weights, and no weights are quantized", hint: "add '--w-bits N'")
    }
    return size
  }
}
