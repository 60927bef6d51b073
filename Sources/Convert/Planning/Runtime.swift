/// A program that runs models, and how it is told to quantize what no file stores: the key/value
/// cache and the activations.
package enum Runtime: String, CaseIterable, Sendable {
  case mlxLM = "mlx-lm"
  case llamaCpp = "llama.cpp"
  case vLLM
}
