import Convert
import Formats
import Forward
import Foundation
import Model
import Stats

/// What a conversion did, or would do: as JSON, and as text for people.
struct ConversionReport {
  private let conversion: Conversion
  private let path: String
  private var errors: [QuantizationError?]
  /// NaN and infinities of each tensor that were made zero.
  private var zeroedCounts: [Int]
  private var rounding: BiasRounding?
  private var seconds: Double?
  /// Where codes were learned.
  var learned: LearnedConversion.Outcome?
  /// On the part of the text that nothing else saw.
  var evaluation: EvaluationReport?

  init(_ conversion: Conversion, path: String) {
    self.conversion = conversion
    self.path = path
    errors = conversion.plan.tensors.map { _ in nil }
    zeroedCounts = conversion.plan.tensors.map { _ in 0 }
  }

  /// Adds what was measured.
  mutating func finish(_ result: Converter.Result, seconds: Double) {
    errors = result.errors
    zeroedCounts = result.zeroedCounts
    rounding = result.rounding.count > 0 ? result.rounding : nil
    self.seconds = seconds
  }

  private var plan: ConversionPlan { conversion.plan }

  var sourceByteCount: Int { plan.tensors.reduce(0) { $0 + $1.tensor.byteCount } }

  private var bitsPerWeight: Double {
    let kept = plan.tensors.filter { $0.standing != .dropped }
    let weights = kept.reduce(0) { $0 + $1.tensor.elementCount }
    return weights == 0 ? 0 : 8 * Double(conversion.output.dataByteCount) / Double(weights)
  }

  var json: JSONValue {
    get throws {
      let coverage = plan.coverage
      var json: JSONValue = [
        "path": .string(path), "output": .string(conversion.destination.target.path),
        "dry_run": .bool(seconds == nil),
        "output_bytes": .integer(conversion.byteCount()),
        "source_bytes": .integer(sourceByteCount), "bits_per_weight": .double(bitsPerWeight),
        "coverage": [
          "quantized": .double(coverage.quantizedShare), "kept": .double(coverage.keptShare),
          "unfit": .double(coverage.unfitShare),
        ],
        "files": .array(
          conversion.output.files.map {
            ["name": .string($0.name), "byte_count": .integer($0.byteCount)]
          }),
        "skipped_files": .array(conversion.skippedFiles.map { .string($0) }),
        "warnings": .array(plan.warnings.map { .string($0) }),
        "seconds": .double(seconds),
        "peak_memory_bytes": seconds == nil ? .null : peakMemory().map { .integer($0) } ?? .null,
        "predicted_kl": .double(predictedDivergence),
        "learned_layers": learned.map { .array($0.layers.map(\.json)) } ?? .null,
        "evaluation": evaluation?.json ?? .null,
        "tensors": .array(plan.tensors.indices.map(tensorJSON)),
      ]
      if plan.options.smoothing != nil { json["folds"] = .integer(plan.options.folds.count) }
      if let adapters = plan.adapters {
        json["adapters"] = .array(adapters.merged.map(\.reportJSON))
        json["rounding"] = rounding?.reportJSON
      }
      return json
    }
  }

  /// What the plan expects, if its measure is that.
  private var predictedDivergence: Double? {
    plan.options.plan.flatMap { $0.measure == .divergence ? $0.totals.loss : nil }
  }

  private func tensorJSON(_ index: Int) -> JSONValue {
    let tensor = plan.tensors[index]
    var bits: JSONValue = .null
    var groupSize: JSONValue = .null
    var scaleType: JSONValue = .null
    if case .quantize(let layout, let type) = tensor.action {
      bits = .integer(layout.bits)
      groupSize = .integer(layout.groupSize)
      scaleType = .string(type.rawValue)
    }
    return [
      "name": .string(tensor.name), "role": .string(tensor.identity.role.rawValue),
      "action": .string(tensor.action.word), "standing": .string(tensor.standing.rawValue),
      "bits": bits, "group_size": groupSize, "scale_dtype": scaleType,
      "type": plan.gguf == nil ? .null : tensor.ggmlType.map { .string($0.name) } ?? .null,
      "method": method(of: tensor).map { .string($0.rawValue) } ?? .null,
      "searched_matrices": .integer(tensor.searchedMatrixCount),
      "sqnr_db": .double(errors[index]?.sqnrDecibels),
      "stored_bytes": .integer(tensor.storedByteCount), "reason": .string(tensor.reason),
      "zeroed": seconds == nil || plan.options.nonFinite == .error
        ? .null : .integer(zeroedCounts[index]),
    ]
  }

  private func method(of tensor: TensorPlan) -> QuantizationMethod? {
    if case .blocks = tensor.action { return .search }
    guard case .quantize = tensor.action else { return nil }
    if learned?.learned.contains(tensor.name) == true { return .learn }
    return tensor.method(askedFor: plan.options.method)
  }

  func text(_ terminal: Terminal) throws -> String {
    var text = ""
    if seconds == nil { text += table(terminal) + "\n" }
    text += try summary(terminal)
    return text
  }

  /// Every tensor with what happens to it and why.
  private func table(_ terminal: Terminal) -> String {
    var table = TextTable([
      .init("tensor"), .init("shape"), .init("dtype"), .init("becomes"), .init("bytes", .right),
      .init("why"),
    ])
    for tensor in plan.tensors {
      table.append([
        printable(tensor.name), shapeText(tensor.tensor.shape),
        tensor.tensor.dtype.rawValue, tensor.action.summary, "\(tensor.storedByteCount)",
        printable(tensor.reason),
      ])
    }
    return table.text(style: terminal.style)
  }

  private func summary(_ terminal: Terminal) throws -> String {
    let coverage = plan.coverage
    let size = conversion.byteCount()
    var lines = [
      "\(seconds == nil ? "would write" : "wrote") \(printable(conversion.destination.target.path)):"
        + " \(ByteSize(bytes: size).text) (\(size) bytes), from"
        + " \(ByteSize(bytes: sourceByteCount).text) of tensors",
      String(format: "bits per weight: %.3f, scales and biases counted", bitsPerWeight),
    ]
    if plan.gguf == nil || plan.options.ggufTypes?.areBlocks == true {
      lines.append(
        "coverage: \(percent(coverage.quantizedShare)) of the weight bytes quantized,"
          + " \(percent(coverage.keptShare)) kept on purpose,"
          + " \(percent(coverage.unfitShare)) kept because something did not fit")
    }
    if plan.options.smoothing != nil {
      lines.append("channels were scaled behind \(plan.options.folds.count) modules")
    }
    for adapter in plan.adapters?.merged ?? [] { lines.append(adapter.summary) }
    if let rounding { lines.append(rounding.summary) }
    lines += searchedLines
    lines += zeroedLines
    for (reason, tensors) in exceptionsByReason() {
      lines.append("  \(printable(reason)): \(tensors)")
    }
    if !conversion.skippedFiles.isEmpty {
      lines.append(
        "not carried over: " + conversion.skippedFiles.map(printable).joined(separator: ", "))
    }
    if let predictedDivergence {
      lines.append(
        "predicted KL divergence with 'search': \(figure(predictedDivergence)) nats, the sum of single tensors'"
      )
    }
    if let learned { lines.append(learned.text) }
    if let evaluation, let divergence = evaluation.divergence {
      lines.append(
        "measured on \(groupedText(evaluation.loss.count)) tokens held back: KL divergence"
          + " \(figure(divergence.divergence.mean)) ± \(figure(divergence.divergence.standardError)) nats,"
          + String(
            format: " perplexity %.4g (source %.4g)", evaluation.loss.perplexity.mean,
            divergence.base.perplexity.mean))
    }
    if let seconds {
      let worst = worstTensors()
      if !worst.isEmpty { lines.append("lowest SQNR: " + worst.joined(separator: ", ")) }
      let rate = Double(sourceByteCount) / max(seconds, 1e-9) / 1e6
      lines.append(
        String(format: "%.1f s, %.0f MB/s", seconds, rate)
          + (peakMemory().map { ", peak memory \(ByteSize(bytes: $0).text)" } ?? ""))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// What is not quantized, or not as it was to be: the reasons in the order of their first tensor, with
  /// counts.
  private func exceptionsByReason() -> [(String, String)] {
    var order: [String] = []
    var counts: [String: (count: Int, bytes: Int)] = [:]
    for tensor in plan.tensors {
      guard let key = exception(tensor) else { continue }
      if counts[key] == nil { order.append(key) }
      counts[key, default: (0, 0)].count += 1
      counts[key, default: (0, 0)].bytes += tensor.tensor.byteCount
    }
    return order.map { key in
      let (count, bytes) = counts[key]!
      return (key, "\(count) \(count == 1 ? "tensor" : "tensors"), \(ByteSize(bytes: bytes).text)")
    }
  }

  private func exception(_ tensor: TensorPlan) -> String? {
    if case .blocks(let layout, let wanted) = tensor.action {
      return layout.type == wanted
        ? nil
        : "\(layout.type.name), \(tensor.inputCount) inputs are no whole blocks of \(wanted.name)"
    }
    guard tensor.standing != .quantized else { return nil }
    return (tensor.standing == .dropped ? "dropped, " : "kept, ") + tensor.reason
  }

  /// What was quantized without knowing its inputs, where they were to be known.
  private var searchedLines: [String] {
    guard plan.options.method.needsGrams else { return [] }
    let whole = plan.tensors.filter { method(of: $0) == .search }
    let parts = plan.tensors.filter { $0.searchedMatrixCount > 0 }
    guard !whole.isEmpty || !parts.isEmpty else { return [] }
    let names =
      whole.map { "  " + printable($0.name) }
      + parts.map {
        "  \(printable($0.name)): \($0.searchedMatrixCount) of \($0.grams?.weights.count ?? 0) matrices"
      }
    let rest = names.count - 20
    return ["searched, for the calibration has no inputs of theirs:"] + names.prefix(20)
      + (rest > 0 ? ["  and \(rest) more tensors"] : [])
  }

  /// What was made zero, tensor by tensor.
  private var zeroedLines: [String] {
    let total = zeroedCounts.reduce(0, +)
    guard total > 0 else { return [] }
    let tensors = plan.tensors.indices.filter { zeroedCounts[$0] > 0 }
    let shown = tensors.prefix(20).map {
      "  \(printable(plan.tensors[$0].name)): \(zeroedCounts[$0])"
    }
    let rest = tensors.count - shown.count
    return ["made zero: \(total) NaN and infinities"] + shown
      + (rest > 0 ? ["  and \(rest) more tensors"] : [])
  }

  private func worstTensors() -> [String] {
    let measured = plan.tensors.indices.compactMap { index in
      errors[index]?.sqnrDecibels.map { (plan.tensors[index].name, $0) }
    }
    return measured.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map { name, decibels in
      "\(printable(name)) " + String(format: "%.1f dB", decibels)
    }
  }

  private func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}

extension LearnedConversion.Outcome {
  fileprivate var text: String {
    let better = layers.count { $0.after < $0.before }
    let shares = layers.compactMap { $0.before > 0 ? $0.after / $0.before : nil }.sorted()
    let range =
      shares.isEmpty
      ? ""
      : ": squared errors of their outputs fall to"
        + String(format: " %.0f to %.0f %%", 100 * shares[0], 100 * shares[shares.count - 1])
    return "learned codes of \(countText(learned.count, "tensor")), in \(better) of"
      + " \(countText(layers.count, "layer"))\(range)"
  }
}

extension LearnedRounding.Layer {
  fileprivate var json: JSONValue {
    ["mse_before": .double(before), "mse_after": .double(after)]
  }
}

extension TensorPlan.Action {
  /// One word, as JSON gives it.
  fileprivate var word: String {
    switch self {
    case .quantize, .blocks: "quantize"
    case .copy: "copy"
    case .decode: "decode"
    case .drop: "drop"
    }
  }

  fileprivate var summary: String {
    switch self {
    case .quantize(let layout, let type):
      "\(layout.bits) bits, groups of \(layout.groupSize), \(type.rawValue) scales"
    case .copy: "kept"
    case .blocks(let layout, _): layout.type.name
    case .decode(let type): "kept as \(type.rawValue)"
    case .drop: "dropped"
    }
  }
}

/// `[4096, 11008]`, or `scalar`.
func shapeText(_ shape: [UInt64]) -> String {
  shape.isEmpty ? "scalar" : "[" + shape.map { String($0) }.joined(separator: ", ") + "]"
}
