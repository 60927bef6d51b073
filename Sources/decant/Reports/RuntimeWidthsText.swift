import Convert
import Formats
import Foundation

/// Widths of keys and values, as text for people.
struct CacheWidthsText {
  private let widths: CacheWidths

  init(_ widths: CacheWidths) { self.widths = widths }

  var layers: [Int] { Set(widths.choices.map(\.layer)).sorted() }

  func text(_ terminal: Terminal) -> String {
    var table = TextTable([
      .init("layer", .right), .init("keys"), .init("SQNR dB", .right), .init("values"),
      .init("SQNR dB", .right),
    ])
    for layer in layers {
      table.append(
        ["\(layer)"] + cells(.key, layer) + cells(.value, layer))
    }
    return terminal.style.bold("cache: \(average)") + ", \(loss)\n"
      + table.text(style: terminal.style) + uniform.map { $0 + "\n" }.joined()
  }

  var average: String {
    "\(decimalText(widths.averageBits, 2)) bits for an element on average, scales counted"
  }

  var loss: String {
    widths.divergence.map { "predicted KL divergence \(figure($0)) nats" }
      ?? "mean relative error \(figure(widths.relativeError))"
  }

  /// One width for all, for comparison.
  var uniform: [String] {
    widths.uniform.map { uniform in
      "\(uniform.bits) bits for all: \(decimalText(uniform.averageBits, 2)) bits on average, "
        + (uniform.divergence.map { "KL divergence \(figure($0))" }
          ?? "relative error \(figure(uniform.relativeError))")
    }
  }

  /// Width and SQNR in dB.
  func cells(_ kind: TensorStatistics.Kind, _ layer: Int) -> [String] {
    guard let choice = widths.choices.first(where: { $0.kind == kind && $0.layer == layer })
    else { return ["", ""] }
    let scale = choice.scheme.map { ", a scale for \($0.words)" } ?? ""
    return ["\(choice.bits) bits\(scale)", choice.scheme == nil ? "" : decibels(choice.sqnr)]
  }
}

/// Widths of activations, as text for people.
struct ActivationWidthsText {
  private let widths: ActivationWidths

  init(_ widths: ActivationWidths) { self.widths = widths }

  func text(_ terminal: Terminal) -> String {
    let text = lines.flatMap { wrap(printable($0), width: terminal.width) }
    return terminal.style.bold("activations") + "\n" + text.map { $0 + "\n" }.joined()
  }

  /// How many inputs have each width, and those that ask for a decision.
  var lines: [String] {
    var lines: [String] = []
    for bits in Set(widths.choices.map(\.bits)).sorted() {
      lines.append("\(bits) bits: \(widths.choices.count { $0.bits == bits }) inputs")
    }
    // The plan file has the rest; here is only what asks for a decision.
    for choice in widths.choices where choice.bits == 16 || choice.smoothing != nil {
      lines.append("\(choice.name): \(choice.reason)")
    }
    return lines
  }
}
