/// How the source's weight bytes divide up.
package struct Coverage: Sendable, Equatable {
  package var quantized = 0
  package var keptOnPurpose = 0
  package var keptUnfit = 0

  init(_ tensors: [TensorPlan]) {
    for plan in tensors where plan.isWeight {
      switch plan.standing {
      case .quantized: quantized += plan.tensor.byteCount
      case .keptOnPurpose: keptOnPurpose += plan.tensor.byteCount
      case .keptUnfit: keptUnfit += plan.tensor.byteCount
      case .dropped: break
      }
    }
  }

  private var total: Int { quantized + keptOnPurpose + keptUnfit }
  private func share(_ bytes: Int) -> Double { total == 0 ? 0 : Double(bytes) / Double(total) }

  /// Shares of the weight bytes, 0 to 1.
  package var quantizedShare: Double { share(quantized) }
  package var keptShare: Double { share(keptOnPurpose) }
  package var unfitShare: Double { share(keptUnfit) }
}
