import Convert
import Formats

/// A model's channels scaled before inputs of its linear layers are quantized: what a few channels hold too much of
/// goes from the inputs into the weights. Source: SmoothQuant, arXiv 2211.10438, Eq. 4.
package struct ActivationSmoothing {
  /// An exponent, and the same function with channels scaled by it.
  struct Candidate {
    /// Nil where nothing is scaled.
    let alpha: Double?
    let model: ForwardModel
  }

  /// The models that are tried; one where the exponent was given.
  let candidates: [Candidate]
  /// What the calibration saw, on which candidates are tried: as much as tells them apart.
  let tokens: [Int]
  let windows: WindowPlan

  /// Tokens over which exponents are tried, at most.
  private static let tokenLimit = 4096

  /// - Parameters:
  ///   - smoothing: which exponent; with `.automatic` each point has that of which predictions on the calibration's
  ///     tokens are nearest to the unquantized model's.
  ///   - calibration: what `model` computed over a text.
  /// - Throws: `FoldError`; `LearningError.noTokens` where they are needed and the calibration does not hold them;
  ///   what reading weights throws; `CancellationError`.
  package init(
    _ smoothing: ChannelSmoothing, _ model: ForwardModel, _ calibration: CalibrationFile,
    _ context: RunContext
  ) throws {
    let plan = try ConversionPlan(model.checkpoint, options: ConversionOptions())
    func candidate(_ alpha: Double) throws -> Candidate {
      let folds = try FoldSearch(.alpha(alpha), plan, calibration).run(context)
      let folding = try Folding(folds, of: model.checkpoint)
      return Candidate(alpha: alpha, model: model.with(model.weights.folded(folding)))
    }
    windows = WindowPlan(length: calibration.record.text.windowLength)
    switch smoothing {
    case .alpha(let alpha):
      candidates = [try candidate(alpha)]
      tokens = []
    case .automatic:
      guard let all = try calibration.tokens() else {
        throw LearningError.noTokens(path: calibration.path)
      }
      candidates =
        [Candidate(alpha: nil, model: model)]
        + (try Smoothing.tenths.map { try candidate(Double($0) / 10) })
      tokens = Array(
        all.prefix(max(windows.length, Self.tokenLimit / windows.length * windows.length)))
    }
  }
}
