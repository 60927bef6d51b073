import Convert
import Formats

/// The recommendation that a plan started from, as text for people.
struct PlanSettingsText {
  private let settings: PlanSettings

  init(_ settings: PlanSettings) { self.settings = settings }

  func text(_ terminal: Terminal) -> String {
    let title = terminal.style.bold("preset \(settings.preset.rawValue)")
    return ([title] + lines).flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }

  /// What is recommended, then the flags of each runtime.
  var lines: [String] {
    let advice = settings.recommendation
    var lines: [String] = []
    for (name, choice) in [
      ("weights", advice.weights), ("activations", advice.activations), ("keys", advice.keys),
      ("values", advice.values),
    ] {
      lines.append(
        "\(name): \(choice.bits.map { "\($0)" } ?? "16") bits. \(choice.reason) (\(choice.source))")
    }
    for note in advice.notes { lines.append("but: \(note)") }
    for flags in settings.flags {
      var words: [String] = []
      for (kind, flags) in [("cache", flags.cache), ("activations", flags.activations)] {
        if let arguments = flags.arguments, !arguments.isEmpty {
          words.append(arguments.joined(separator: " "))
        } else if flags.arguments == nil {
          words.append("no flag for the \(kind)")
        }
        if let remark = flags.remark { words.append("(\(remark))") }
      }
      if !words.isEmpty {
        lines.append("\(flags.runtime.rawValue): " + words.joined(separator: " "))
      }
    }
    return lines
  }
}

/// Whether a plan fits a machine, as text for people.
struct ModelFitText {
  private let fit: ModelFit

  init(_ fit: ModelFit) { self.fit = fit }

  func text(_ terminal: Terminal) -> String {
    let yellow = ["does not fit", "note:"]
    let text = lines.flatMap { line in
      var lines = wrap(printable(line), width: terminal.width)
      for word in yellow where lines[0].hasPrefix(word) {
        lines[0] = terminal.style.yellow(word) + lines[0].dropFirst(word.count)
      }
      return lines
    }.map { $0 + "\n" }.joined()
    return terminal.style.bold(title) + "\n" + text
  }

  var title: String {
    let sequences = fit.batch == 1 ? "" : " in \(fit.batch) sequences"
    return "memory for \(fit.context) tokens\(sequences)"
  }

  /// What is needed, and whether it is there.
  var lines: [String] {
    let estimate = fit.estimate
    func size(_ bytes: Int) -> String { ByteSize(bytes: bytes).text }
    func list(_ bits: [Int]) -> String { bits.map(String.init).joined(separator: " and ") }
    var lines = [
      "weights \(size(estimate.weightByteCount)), cache \(size(estimate.cacheByteCount))"
        + " (K \(list(fit.keyBits)) bits, V \(list(fit.valueBits)) bits), activations"
        + " \(size(estimate.activationByteCount)): \(size(estimate.totalByteCount)) in all",
      "each token adds \(size(fit.cacheBytesPerToken)) of cache;"
        + " in 16 bits it would be \(size(fit.cacheBytesPerTokenF16))",
    ]
    if let budget = fit.budget, let remaining = estimate.remainingByteCount {
      lines.append(
        remaining >= 0
          ? "fits \(size(budget)): \(size(remaining)) left"
          : "does not fit \(size(budget)): \(size(-remaining)) missing")
      switch estimate.longestFittingContext {
      case .tokens(let count): lines.append("longest context that fits: \(count) tokens")
      case .unlimited: lines.append("the context is not limited by memory")
      case nil: break
      }
    }
    if let context = estimate.cacheOutgrowsWeightsAt {
      lines.append("the cache outgrows the weights at \(context) tokens")
    }
    let traffic = fit.traffic
    if traffic.activeParameterCount < traffic.parameterCount {
      lines.append(
        "each token reads \(size(traffic.byteCountPerToken)) of the weights:"
          + " \(traffic.activeParameterCount) of \(traffic.parameterCount) parameters are active")
    }
    for disagreement in fit.disagreements {
      lines.append("note: \(disagreement)")
    }
    return lines
  }
}
