/// Experts of one form. They are described one at a time: a configuration may claim any number.
package struct ExpertsDescription: Sendable, Equatable {
  package enum Storage: Sendable, Equatable {
    /// Each has three modules: `prefix` + number + `.` + name.
    case separate(prefix: String, gate: String, up: String, down: String)
    /// Tensors of all of them under `prefix`: gate and up `[E, hidden, 2 width]`, interleaved, and down
    /// `[E, width, hidden]`, with biases.
    case stacked(prefix: String, gateUp: String, down: String)
  }

  package let storage: Storage
  package let count: Int
  package let hiddenSize: Int
  package let width: Int
  package let gating: GatedFeedForward.Gating

  package func expert(_ index: Int) -> GatedFeedForward {
    switch storage {
    case .separate(let prefix, let gate, let up, let down):
      let module = "\(prefix)\(index)."
      return GatedFeedForward(
        projection: .separate(
          gate: LinearDescription(module: module + gate, inputs: hiddenSize, outputs: width),
          up: LinearDescription(module: module + up, inputs: hiddenSize, outputs: width)),
        down: LinearDescription(module: module + down, inputs: width, outputs: hiddenSize),
        gating: gating)
    case .stacked(let prefix, let gateUp, let down):
      func linear(_ name: String, _ inputs: Int, _ outputs: Int) -> LinearDescription {
        LinearDescription(
          module: "\(prefix)\(index).\(name)", weight: prefix + name,
          bias: prefix + name + "_bias", inputs: inputs, outputs: outputs, order: .inputMajor,
          place: .init(index: index, count: count))
      }
      // Sizes are limited: the rows are those of the pattern.
      let rows = FusedRows([.init(.gate, 1), .init(.up, 1)], repeats: width, rowCount: 2 * width)!
      return GatedFeedForward(
        projection: .fused(linear(gateUp, hiddenSize, 2 * width), rows),
        down: linear(down, width, hiddenSize), gating: gating)
    }
  }
}
