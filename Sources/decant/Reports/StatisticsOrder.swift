import Convert

/// What tensors are listed by; the most striking come first.
enum StatisticsOrder: String, CaseIterable {
  case kurtosis
  case absmax
  case std
  case crest
  case channelRatio = "channel-ratio"
  case sqnr4
  case name

  /// Larger is more striking; nil where the tensor has no such figure.
  fileprivate func weight(_ tensor: TensorStatistics) -> Double? {
    let values = tensor.distribution
    return switch self {
    case .kurtosis: values.moments.kurtosis
    case .absmax: values.absMax.map(Double.init)
    case .std: values.moments.standardDeviation
    case .crest: values.crestFactor
    case .channelRatio: tensor.channels?.ratio
    case .sqnr4: tensor.fourBitSQNR.map { -$0 }
    case .name: nil
    }
  }

  func sort(_ tensors: [TensorStatistics]) -> [TensorStatistics] {
    guard self != .name else { return tensors.sorted { $0.name < $1.name } }
    return tensors.enumerated().sorted { a, b in
      let first = weight(a.element) ?? -.infinity
      let second = weight(b.element) ?? -.infinity
      if first != second { return first > second }
      return a.offset < b.offset
    }
    .map(\.element)
  }
}
