import Convert
import Formats
import Foundation

/// A list of models: as JSON, and as text for people.
struct ModelListReport {
  /// Where they were looked for.
  let folders: [String]
  let models: [ListedModel]

  var json: JSONValue {
    [
      "folders": .array(folders.map { .string($0) }),
      "models": .array(
        models.map { model in
          [
            "name": .string(model.name), "path": .string(model.path),
            "state": .string(model.state.rawValue),
            "reason": model.reason.map { .string($0) } ?? .null,
            "byte_count": model.byteCount.map { .integer($0) } ?? .null,
            "parameters": model.parameterCount.map { .integer($0) } ?? .null,
            "dtype": model.dtype.map { .string($0.rawValue) } ?? .null,
            "model_type": model.modelType.map { .string($0) } ?? .null,
            "bits": .array(model.bits.map { .integer($0) }),
            "bits_per_weight": .double(model.bitsPerWeight),
          ]
        }),
    ]
  }

  /// A line for each model; under them the reasons of those that are not complete.
  func text(_ terminal: Terminal) -> String {
    guard !models.isEmpty else {
      return "no models in \(printable(folders.joined(separator: ", ")))\n"
    }
    var table = TextTable([
      .init("name"), .init("size", .right), .init("dtype"), .init("architecture"),
      .init("bits", .right), .init("bpw", .right), .init("state"),
    ])
    for model in models {
      table.append([
        printable(model.name), model.byteCount.map { ByteSize(bytes: $0).text } ?? "",
        model.dtype?.rawValue ?? "", printable(model.modelType ?? ""), bits(model),
        model.bitsPerWeight.map { String(format: "%.2f", $0) } ?? "",
        model.state == .complete ? "" : terminal.style.yellow(model.state.rawValue),
      ])
    }
    let reasons = models.compactMap { model in
      model.reason.map { "\(printable(model.name)): \(model.state.rawValue): \(printable($0))\n" }
    }
    return table.text(style: terminal.style) + (reasons.isEmpty ? "" : "\n" + reasons.joined())
  }

  private func bits(_ model: ListedModel) -> String {
    guard let least = model.bits.first, let most = model.bits.last else { return "" }
    return least == most ? "\(least)" : "\(least)-\(most)"
  }
}
