import Formats

/// Holds what the comparison finds against the second decoder, on some rows of every packed tensor.
final class RowCheckPass: TensorPass {
  private let check: RowCheck
  private let compared: [TensorComparison?]
  private(set) var findings: [Finding?]

  final class Slot {
    let buffers = ComparisonPass.Slot()
    var finding: Finding?
  }

  init(_ check: RowCheck, _ compared: [TensorComparison?]) {
    self.check = check
    self.compared = compared
    findings = compared.map { _ in nil }
  }

  var tensorCount: Int { compared.count }

  /// A tensor at once.
  func tiles(of tensor: Int) -> [Int] { [tensor] }

  func makeSlot() -> Slot { Slot() }

  func work(_ tile: Int, of tensor: Int, in slot: Slot) throws {
    slot.finding = nil
    guard case .weights(let source, let packed, let packing, _) = compared[tensor] else { return }
    let inputs = source.shape.inputs
    slot.finding = try check.finding(tensor) { row in
      try ComparisonPass.error(
        row * inputs..<(row + 1) * inputs, source, packed, packing, in: slot.buffers)
    }
  }

  func fold(_ tile: Int, of tensor: Int, from slot: Slot) -> Int {
    findings[tensor] = slot.finding
    return 0
  }
}
