import Convert
import Formats
import Foundation

/// Widths of keys and values, as text for people.
struct CacheWidthsText {
  private let widths: CacheWidths

  init(_ widths: CacheWidths) { self.widths = widths }

  func text(_ terminal: Terminal) -> String {
    var table = TextTable([
      .init("layer", .right), .init("keys"), .init("dB", .right), .init("values"),
      .init("dB", .right),
    ])
    for layer in Set(widths.choices.map(\.layer)).sorted() {
      table.append(
        ["\(layer)"] + cells(.key, layer) + cells(.value, layer))
    }
    let title = String(
      format: "cache: %.2f bits for an element on average, scales counted", widths.averageBits)
    var text =
      terminal.style.bold(title) + ", "
      + (widths.divergence.map { "predicted KL divergence \(figure($0)) nats" }
        ?? "mean relative error \(figure(widths.relativeError))") + "\n"
      + table.text(style: terminal.style)
    for uniform in widths.uniform {
      text += String(
        format: "%d bits for all: %.2f bits on average, ", uniform.bits, uniform.averageBits)
      text +=
        (uniform.divergence.map { "KL \(figure($0))" } ?? "error \(figure(uniform.relativeError))")
        + "\n"
    }
    return text
  }

  private func cells(_ kind: TensorStatistics.Kind, _ layer: Int) -> [String] {
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
    var lines = [terminal.style.bold("activations")]
    for bits in Set(widths.choices.map(\.bits)).sorted() {
      lines.append("\(bits) bits: \(widths.choices.count { $0.bits == bits }) inputs")
    }
    // The plan file has the rest; here is only what asks for a decision.
    for choice in widths.choices where choice.bits == 16 || choice.smoothing != nil {
      lines.append("\(printable(choice.name)): \(printable(choice.reason))")
    }
    return lines.flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }
}
