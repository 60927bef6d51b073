import Convert

extension LossMeasure {
  var noun: String {
    switch self {
    case .relativeError: "error"
    case .divergence: "divergence"
    }
  }

  var heading: String {
    switch self {
    case .relativeError: "Error"
    case .divergence: "KL divergence"
    }
  }

  var description: String {
    switch self {
    case .relativeError: "mean relative squared error"
    case .divergence: "KL divergence from the source in nats, as predicted"
    }
  }
}
