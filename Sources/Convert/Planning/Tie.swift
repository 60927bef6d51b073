/// Tensors that a runtime fuses, and that are to share a layout.
package enum Tie: String, Sendable, CaseIterable {
  case qkv
  case gateUp = "gate_up"
}
