/// Quantizes rows of weights to blocks of a GGUF type, with the least squared error that a search finds.
///
/// The error is `sum(importance * (weight - decoded)²)`. Scales are searched for in the grid that they are
/// stored in, F16 numbers times small integers where blocks have sub-blocks, and every weight takes the nearest
/// code for the scales as they are stored. A block depends on nothing but its own weights and what their inputs
/// count: the same weights give the same bytes at every level, in any tiling, on any number of threads.
///
/// Another quantizer may start from these blocks: `BlockLayout.decode` gives the parameters of each sub-block,
/// `BlockLayout.packCodes` stores the codes that it chooses for them.
///
/// The search is decant's own. That codes and least-squares scales take turns, from several starts, is how ggml's
/// quantizers work (`ggml-quants.c`), which end at larger errors: `.ci/peers/check_blocks.py`.
package struct BlockQuantizer: Sendable {
  package let layout: BlockLayout
  private let level: ProcessorLevel

  /// As manifests record it: a search that finds other blocks has another name.
  package static let recordedName = "search-blocks"

  /// Nil for types that are read but not written.
  package init?(_ type: GGMLType, level: ProcessorLevel = .current) {
    guard let layout = BlockLayout(type), layout.codeValues == nil else { return nil }
    self.layout = layout
    self.level = level
  }

  /// What a thread needs on the way; one may be used for any number of tiles.
  package struct Scratch: Sendable {
    var codes: [UInt8] = []
    var scales: [Float] = []
    var minima: [Float] = []
    var scaleCodes: [Int8] = []
    var minimumCodes: [Int8] = []

    package init() {}
  }

  /// Quantizes whole blocks that lie one after the other in the rows of a matrix.
  ///
  /// Scales have the range of F16: blocks whose weights are beyond what the largest one reaches decode to less.
  ///
  /// - Parameters:
  ///   - weights: `blockCount * groupSize`, row after row, all finite; may begin and end within a row.
  ///   - importance: what squared errors count by input, finite and not negative: one for each weight of a
  ///     row. Empty where all count alike. In a block whose inputs count nothing, all count alike.
  ///   - firstInput: input of the first weight, a multiple of `groupSize`.
  ///   - bytes: receives `blockCount` blocks from its start; must have room.
  package func quantize(
    _ weights: [Float], blockCount: Int, importance: [Float] = [], firstInput: Int = 0,
    scratch: inout Scratch, into bytes: inout [UInt8]
  ) {
    let type = layout.type
    precondition(bytes.count / type.blockByteCount >= blockCount)
    precondition(firstInput % type.blockLength == 0)
    let subBlocks = blockCount * layout.subBlocksPerBlock
    scratch.codes.grow(to: blockCount * type.blockLength, filler: 0)
    scratch.scales.grow(to: 2 * blockCount, filler: 0)
    scratch.minima.grow(to: blockCount, filler: 0)
    scratch.scaleCodes.grow(to: subBlocks, filler: 0)
    scratch.minimumCodes.grow(to: subBlocks, filler: 0)
    if layout.subBlocksPerBlock > 1 {
      BlockKernels.quantizeSuperBlocks(
        weights.span, blockCount: blockCount, importance: importance.span, firstInput: firstInput,
        layout, level: level, codes: &scratch.codes, scaleCodes: &scratch.scaleCodes,
        minimumCodes: &scratch.minimumCodes, factors: &scratch.scales)
    } else {
      BlockKernels.quantizeBlocks(
        weights.span, blockCount: blockCount, importance: importance.span, firstInput: firstInput,
        layout, level: level, codes: &scratch.codes, scales: &scratch.scales,
        minima: &scratch.minima)
    }
    layout.packCodes(scratch.codes, blockCount: blockCount, into: &bytes)
    for block in 0..<blockCount { storeParameters(of: block, scratch, into: &bytes) }
  }

  private func storeParameters(
    of block: Int, _ scratch: Scratch, into bytes: inout [UInt8]
  ) {
    let start = block * layout.type.blockByteCount
    let place = start + layout.scaleOffset
    func store(_ value: Float, _ place: Int) {
      let pattern = HalfPrecision.floatToF16(value)
      bytes[place] = UInt8(truncatingIfNeeded: pattern)
      bytes[place + 1] = UInt8(truncatingIfNeeded: pattern >> 8)
    }
    let count = layout.subBlocksPerBlock
    guard count > 1 else {
      store(scratch.scales[block], place)
      // The format adds what the search takes off; zero has no sign.
      if layout.isAffine { store(0 - scratch.minima[block], place + 2) }
      return
    }
    store(scratch.scales[2 * block], place)
    if layout.isAffine { store(scratch.scales[2 * block + 1], place + 2) }
    for index in 0..<count {
      layout.storeCodes(
        scale: Int(scratch.scaleCodes[block * count + index]),
        minimum: Int(scratch.minimumCodes[block * count + index]), of: index, at: start,
        into: &bytes)
    }
  }
}

extension GGMLType {
  /// The type that a tensor gets whose rows are no whole blocks of this one, as llama.cpp chooses it; nil where
  /// blocks are the shortest there are. F16 takes what fits none.
  ///
  /// Source: ggml-org/llama.cpp, `src/llama-quant.cpp`.
  package var shorterBlocks: GGMLType? {
    switch self {
    case .q2_K, .q3_K: .q4_0
    case .q4_K: .q5_0
    case .q5_K: .q5_1
    case .q6_K: .q8_0
    case .iq4_XS: .iq4_NL
    default: nil
    }
  }

  /// The type that rows of so many inputs are stored in where this one is wanted: itself where they are whole
  /// blocks of it.
  package func fitting(inputs: Int) -> GGMLType {
    guard inputs % blockLength != 0 else { return self }
    return shorterBlocks?.fitting(inputs: inputs) ?? .f16
  }
}
