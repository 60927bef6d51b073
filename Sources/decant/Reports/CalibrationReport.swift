import Formats
import Forward

/// What `calibrate` measured.
struct CalibrationReport {
  private let summary: TextCalibration.Summary
  private let path: String
  private let byteCount: Int

  init(_ summary: TextCalibration.Summary, path: String, byteCount: Int) {
    self.summary = summary
    self.path = path
    self.byteCount = byteCount
  }

  var text: String {
    var parts = ["inputs of \(countText(summary.inputCount, "layer"))"]
    if summary.gramCount > 0 {
      parts.append(countText(summary.gramCount, "Gram matrix", "Gram matrices"))
    }
    if summary.cacheCount > 0 {
      parts.append("keys and values of \(countText(summary.cacheCount / 2, "layer"))")
    }
    if let sensitivity = summary.sensitivity {
      parts.append("sensitivity of \(countText(sensitivity.tensors.count, "tensor"))")
    }
    return """
      wrote \(printable(path)): \(ByteSize(bytes: byteCount).text)
      \(groupedText(summary.tokenCount)) tokens; \(parts.joined(separator: ", "))

      """
  }

  var json: JSONValue {
    [
      "output": .string(path), "bytes": .integer(byteCount), "tokens": .integer(summary.tokenCount),
      "inputs": .integer(summary.inputCount), "cache": .integer(summary.cacheCount),
      "grams": .integer(summary.gramCount),
      "sensitivities": .integer(summary.sensitivity?.tensors.count ?? 0),
      "short_grams": .array(
        summary.shortModules.map {
          [
            "module": .string($0.name), "inputs": .integer($0.inputCount),
            "tokens": .integer($0.tokenCount),
          ]
        }),
    ]
  }
}

extension TextCalibration.Summary {
  /// Where there were too few tokens.
  var warnings: [String] {
    guard let worst = shortModules.max(by: { $0.shortage < $1.shortage }) else { return [] }
    return [
      """
      \(shortModules.count) of \(gramCount) Gram matrices have no inverse: \
      \(printable(worst.name)) has \(groupedText(worst.inputCount)) inputs and was given \
      \(groupedText(worst.tokenCount)) tokens. GPTQ then rests on its damping; give a longer text
      """
    ]
  }
}

extension TextCalibration.Summary.ShortModule {
  fileprivate var shortage: Double { Double(inputCount) / Double(max(1, tokenCount)) }
}
