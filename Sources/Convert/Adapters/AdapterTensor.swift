import Formats

/// One tensor of one adapter.
struct AdapterTensor: Sendable {
  let adapter: Adapter
  let tensor: TensorInfo
}
