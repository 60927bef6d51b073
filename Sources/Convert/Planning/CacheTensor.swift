import Model

/// A layer's keys or values as they were measured.
struct CacheTensor {
  let name: String
  let kind: TensorStatistics.Kind
  let layer: Int
  /// Elements of a token.
  let elementCount: Int
  /// By rising bits, groups within a token first.
  let quantized: [CacheOption]

  /// - Throws: `AllocationError.unusableStatistics` where layer or shape are missing.
  init(_ tensor: TensorFigures) throws(AllocationError) {
    guard let layer = tensor.layer else {
      throw .unusableStatistics(tensor: tensor.name, reason: "it belongs to no layer")
    }
    guard let count = tensor.shape.dropFirst().reduce(Optional(1), Checked.product), count > 0,
      tensor.shape.count > 1
    else {
      throw .unusableStatistics(
        tensor: tensor.name, reason: "shape \(tensor.shape) is not [tokens, heads, elements]")
    }
    name = tensor.name
    kind = tensor.kind
    self.layer = layer
    elementCount = count
    quantized = tensor.roundTrips.compactMap(CacheOption.init).enumerated()
      .sorted { a, b in
        func rank(_ option: CacheOption) -> Int { option.scheme?.name == .perTokenGroup ? 0 : 1 }
        return (a.element.bits, rank(a.element), a.offset)
          < (b.element.bits, rank(b.element), b.offset)
      }
      .map(\.element)
  }

  /// What may be chosen.
  ///
  /// - Throws: `AllocationError.unusableStatistics` where that is nothing.
  func options(
    _ allowedBits: Set<Int>, _ groups: CacheWidths.Groups
  ) throws(AllocationError) -> [CacheOption] {
    let perChannel = kind == .key && groups == .keysAlsoPerChannel
    let options =
      quantized.filter {
        allowedBits.contains($0.bits) && (perChannel || $0.scheme?.name == .perTokenGroup)
      } + (allowedBits.contains(CacheOption.untouched.bits) ? [.untouched] : [])
    guard !options.isEmpty else {
      throw .unusableStatistics(
        tensor: name, reason: "it was measured at none of the widths allowed")
    }
    return options
  }
}
