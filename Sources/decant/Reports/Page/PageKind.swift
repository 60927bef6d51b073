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

  /// The scheme that tables and heat maps show at 4 bits.
  var usualScheme: QuantizationScheme.Name {
    switch self {
    case .weight: .group
    case .activation: .perToken
    case .key, .value, .latent, .rotaryKey: .perTokenGroup
    }
  }
}

extension TensorStatistics.Kind {
  /// Class of its colour.
  var style: String { letter.lowercased() }
}
