import Convert

extension TensorStatistics.Kind {
  /// As headings call it.
  var title: String {
    switch self {
    case .weight: "Weights"
    case .activation: "Activations"
    case .key: "Keys"
    case .value: "Values"
    case .latent: "Latent vectors"
    case .rotaryKey: "Rotary keys"
    }
  }

  /// As figures of the literature call it.
  var letter: String {
    switch self {
    case .weight: "W"
    case .activation: "A"
    case .key: "K"
    case .value: "V"
    case .latent: "C"
    case .rotaryKey: "R"
    }
  }
}

extension TensorStatistics.Kind {
  /// Class of its colour.
  var style: String { letter.lowercased() }
}
