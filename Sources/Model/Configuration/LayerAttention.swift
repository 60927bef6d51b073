/// What a layer remembers of the tokens before.
package enum LayerAttention: Sendable, Hashable {
  /// Keys and values of all of them.
  case full
  /// Keys and values of the last `tokens` of them, itself included.
  case window(tokens: Int)
  /// A state of constant size that keys and values are added to: linear attention, RWKV.
  case linear
  /// A state of constant size, without keys: state-space layers and short convolutions.
  case stateSpace
  /// Nothing: no attention, that of an encoder, attention to another layer's keys or to an image's.
  case none
}
