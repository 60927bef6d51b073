/// How a quantized tensor is used, which decides how it is grouped and named.
package enum QuantizedKind: Sendable, Equatable {
  /// A matrix, `[out, in]` unless stored transposed.
  case linear
  /// A table, `[entries, width]`.
  case embedding
  /// All experts of a block, `[experts, out, in]` unless stored transposed; each is quantized
  /// along its inputs as a linear layer of its own.
  case expertStack
}
