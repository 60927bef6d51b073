import Convert
import Foundation

/// Which width would suit a model's weights, by what was measured: as few bits as keep them well enough, and
/// more for the tensors that lose much more than the others.
struct WidthAdvice {
  struct Exception {
    let tensor: TensorStatistics
    /// SQNR in dB at the width for the others.
    let sqnr: Double
    /// At which it keeps as much as all do on average at their width.
    let bits: Int
  }

  /// SQNR that weights should keep, in dB: a relative error of 1 %. 4 bits in groups of 64 lose a little less of
  /// normally distributed weights.
  static let leastSQNR = 20.0

  let bits: Int
  let groupSize: Int
  /// The mean relative error at this width, by the number of weights, in dB.
  let sqnr: Double
  /// The worst first.
  let exceptions: [Exception]
  /// Of the matrices that were measured, scales and biases in 16 bits counted.
  let bitsPerWeight: Double

  /// Nil where no width loses anything of the weights, or they were not measured.
  init?(_ measured: MeasuredModel) {
    let weights = measured.tensors.filter {
      $0.kind == .weight && $0.shape.count > 1 && $0.role != .router
        && $0.roundTrips.sqnr(.group, bits: 4) != nil
    }
    func error(_ bits: Int) -> Double? {
      var (sum, count) = (0.0, 0.0)
      for tensor in weights {
        guard let sqnr = tensor.roundTrips.sqnr(.group, bits: bits) else { continue }
        sum += Double(tensor.distribution.count) * pow(10, -sqnr / 10)
        count += Double(tensor.distribution.count)
      }
      return sum > 0 ? sum / count : nil
    }
    let known = MeasureOptions.weightBits.compactMap { bits in error(bits).map { (bits, $0) } }
    guard
      let (bits, error) = known.first(where: { -10 * log10($0.1) >= Self.leastSQNR }) ?? known.last
    else { return nil }
    func sqnr(_ error: Double) -> Double { -10 * log10(error) }
    let limit = sqnr(error * StatisticsSummary.lossRatio)
    exceptions = weights.compactMap { tensor -> Exception? in
      guard let own = tensor.roundTrips.sqnr(.group, bits: bits), own < limit else { return nil }
      let enough = MeasureOptions.weightBits.first {
        $0 > bits && tensor.roundTrips.sqnr(.group, bits: $0) ?? 0 >= sqnr(error)
      }
      return Exception(tensor: tensor, sqnr: own, bits: enough ?? 8)
    }.sorted { $0.sqnr < $1.sqnr }
    self.bits = bits
    self.sqnr = sqnr(error)
    groupSize = measured.options.groupSize
    let widths = Dictionary(
      exceptions.map { ($0.tensor.name, $0.bits) }, uniquingKeysWith: { first, _ in first })
    let counts = weights.map { (Double($0.distribution.count), widths[$0.name] ?? bits) }
    let all = counts.reduce(0) { $0 + $1.0 }
    bitsPerWeight =
      counts.reduce(0) { $0 + $1.0 * Double($1.1) } / all + 32 / Double(measured.options.groupSize)
  }

  /// What follows, in words.
  ///
  /// - Parameters:
  ///   - path: of the model.
  ///   - inputs: options that tell `plan` what the model computes.
  func findings(path: String, inputs: [String]) -> [Finding] {
    let size = decimalText(bitsPerWeight, 2)
    let named = exceptions.prefix(5).map { exception -> FindingWords in
      "\(code: exception.tensor.name): \(exception.bits) bits (\(bits) keep \(decibelText(exception.sqnr)) dB)"
    }
    let rest = exceptions.count - named.count
    let others: [FindingWords] = rest > 0 ? ["and \(groupedText(rest)) more"] : []
    let reason: FindingWords = """
      the weights then keep \(decibelText(sqnr)) dB on average\
      \(sqnr < Self.leastSQNR ? ", less than the \(tickText(Self.leastSQNR)) dB that suit most models" : "")
      """
    let width: FindingWords =
      exceptions.isEmpty
      ? "\(strong: "\(bits) bits in groups of \(groupSize)") for all: \(reason)."
      : """
      \(strong: "\(bits) bits in groups of \(groupSize)") for all but \
      \(countText(exceptions.count, "tensor")): \(reason).
      """
    return [
      Finding(.advice, width, items: named + others),
      Finding(
        .advice,
        """
        That is about \(size) bits per weight. This finds the widths that lose least at that size:
        """,
        command: shellLine(
          ["decant", "plan", path, "--target-bpw", size] + inputs + ["-o", "plan.json"])),
    ]
  }
}
