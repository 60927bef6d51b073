import Convert
import Formats
import Foundation

/// What is in an adapter: as JSON, and as text for people.
struct AdapterReport {
  private let inspection: AdapterInspection

  init(_ inspection: AdapterInspection) { self.inspection = inspection }

  private var adapter: Adapter { inspection.adapter }

  var json: JSONValue {
    [
      "path": .string(adapter.path), "adapter": .bool(true),
      "base_model": adapter.config.baseModel.map { .string($0) } ?? .null,
      "parameters": .integer(adapter.parameterCount),
      "byte_count": .integer(adapter.file.input.byteCount),
      "pooling": inspection.pooling.map { .string($0.rawValue) } ?? .null,
      "rslora": .bool(adapter.config.usesRSLoRA),
      "modules": .array(
        inspection.modules.map { module in
          [
            "name": .string(module.name), "kind": .string(module.kind.rawValue),
            "rank": module.rank.map { .integer($0) } ?? .null,
            "alpha": .double(module.alpha), "scaling": .double(module.scaling),
            "group_size": module.groupSize.map { .integer($0) } ?? .null,
            "parameters": .integer(module.parameterCount),
          ]
        }),
    ]
  }

  func text(_ terminal: Terminal) -> String {
    var lines = [
      "adapter: \(kinds), \(inspection.modules.count) modules,"
        + " \(adapter.parameterCount) parameters,"
        + " \(ByteSize(bytes: adapter.file.input.byteCount).text)"
    ]
    if let base = adapter.config.baseModel { lines.append("trained on: \(printable(base))") }
    if let convention { lines.append(convention) }
    var table = TextTable([
      .init("module"), .init("kind"), .init("rank", .right), .init("alpha", .right),
      .init("scaling", .right), .init("group size", .right), .init("parameters", .right),
    ])
    for module in inspection.modules {
      table.append([
        printable(module.name), module.kind.rawValue, module.rank.map { "\($0)" } ?? "",
        module.alpha.map(number) ?? "", module.scaling.map(number) ?? "",
        module.groupSize.map { "\($0)" } ?? "", "\(module.parameterCount)",
      ])
    }
    return lines.joined(separator: "\n") + "\n\n" + table.text(style: terminal.style)
  }

  private var kinds: String {
    var names: [String] = []
    for module in inspection.modules {
      let name =
        switch module.kind {
        case .lora: adapter.config.usesRSLoRA ? "rsLoRA" : "LoRA"
        case .dora: "DoRA"
        case .qalora: "QA-LoRA"
        case .peqa: "PEQA"
        case .replaced: "whole tensors"
        }
      if !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: " and ")
  }

  /// How inputs were pooled, and how sure that is.
  private var convention: String? {
    if inspection.isPooled {
      return inspection.pooling == nil
        ? "pooling: not recorded; a merge needs --pooling mean, sum or peft" : "pooling: peft"
    }
    return inspection.modules.contains { $0.kind == .lora && $0.groupSize == nil }
      ? "pooling: only the base tells whether inputs are pooled" : nil
  }

  private func number(_ value: Double) -> String { String(format: "%g", value) }
}
