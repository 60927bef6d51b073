import Formats

/// How the scales of channels are chosen.
package enum ChannelSmoothing: Sendable, Equatable {
  /// `s_j = max|X_j|^alpha / max|W_j|^(1 - alpha)` (SmoothQuant, arXiv 2211.10438, Eq. 4), W being all weights
  /// that read the channel.
  case alpha(Double)
  /// The exponent of the mean squares of the inputs under which quantized layers' outputs lose least (AWQ, arXiv
  /// 2306.00978, Eq. 4 and 5). No scaling is one that is tried.
  case automatic

  /// As a manifest has it.
  var json: JSONValue {
    switch self {
    case .alpha(let alpha): .double(alpha)
    case .automatic: "auto"
    }
  }
}
