import Convert
import Model

extension TapedLayer {
  func attend(
    _ input: Variable, _ attention: AttentionDescription, _ tape: Tape?
  ) throws -> Variable {
    let projected: [Variable]
    switch attention.projection {
    case .separate(let query, let key, let value):
      projected = try [query, key, value].map {
        try linear($0).apply(to: input, products, tape)
      }
    case .fused(let fused, let rows):
      projected = split(
        try linear(fused).apply(to: input, products, tape), rows, [.q, .k, .v], tape)
    }
    var queries = normalized(projected[0], attention.queryNorm, tape)
    var keys = normalized(projected[1], attention.keyNorm, tape)
    if let rotary = attention.rotary {
      let table = RotaryTable(rotary, positions: 0..<input.tokens)
      queries = rotated(queries, table, attention.heads.width, tape)
      keys = rotated(keys, table, attention.heads.width, tape)
    }
    let mixed = try mixed(queries, keys, projected[2], attention, tape)
    return try linear(attention.output).apply(to: mixed, products, tape)
  }

  private func rotated(
    _ input: Variable, _ table: RotaryTable, _ width: Int, _ tape: Tape?
  ) -> Variable {
    let copy = input.values.copy
    table.rotate(copy, window: 0..<copy.tokens, headWidth: width)
    let result = Variable(copy)
    tape?.record {
      let back = Activations(
        tokens: result.tokens, features: result.features, values: result.gradient)
      table.rotate(back, window: 0..<back.tokens, headWidth: width, isInverse: true)
      input.addGradient(back.values)
    }
    return result
  }

  /// `softmax(scores) V` of all heads.
  private func mixed(
    _ queries: Variable, _ keys: Variable, _ values: Variable, _ attention: AttentionDescription,
    _ tape: Tape?
  ) throws -> Variable {
    let heads = attention.heads
    let inputs = HeadAttention.Inputs(
      queries: queries.values, keys: keys.values, values: values.values, heads: heads,
      scoring: attention.scoring, bias: nil, sinks: [])
    let tokens = queries.tokens
    let output = Activations(tokens: tokens, features: heads.count * heads.valueWidth)
    let group = heads.count / heads.keyValueCount
    try forEachHead(heads.keyValueCount) {
      HeadAttention(fused: false)
    } work: {
      $1.attend(inputs, window: 0..<tokens, keyHead: $0)
    } handOn: { head, slot in
      for member in 0..<group {
        place(
          slot.output, from: member * tokens * heads.valueWidth,
          column: (head * group + member) * heads.valueWidth, width: heads.valueWidth, output)
      }
    }
    let result = Variable(output)
    tape?.record {
      var parts = [queries, keys, values].map { [Float](repeating: 0, count: $0.gradient.count) }
      try forEachHead(heads.keyValueCount) {
        HeadGradient()
      } work: {
        $1.goBack(inputs, result.gradient, keyHead: $0)
      } handOn: { head, slot in
        slot.add(to: &parts, heads, keyHead: head, tokens: tokens)
      }
      for (variable, part) in zip([queries, keys, values], parts) { variable.addGradient(part) }
    }
    return result
  }

  /// In the order of the heads that share keys, on all threads.
  private func forEachHead<Slot>(
    _ count: Int, slot: () -> Slot, work: @escaping (Int, Slot) -> Void,
    handOn: @escaping (Int, Slot) -> Void
  ) throws {
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * products.threads).map { _ in slot() },
      next: { () -> Int? in
        guard next < count else { return nil }
        defer { next += 1 }
        return next
      },
      work: { head, slot in
        try products.cancellation.check()
        work(head, slot)
      }, handOn: { head, slot in handOn(head, slot) })
    try pipeline.run(threads: products.threads)
  }
}

private func place(
  _ rows: [Float], from first: Int, column: Int, width: Int, _ output: Activations
) {
  let features = output.features
  copyRows(
    rows, from: first, column: column, width: width, features: features, into: &output.values)
}

private func copyRows(
  _ rows: [Float], from first: Int, column: Int, width: Int, features: Int,
  into output: inout [Float]
) {
  for token in 0..<output.count / features {
    let (from, to) = (first + token * width, token * features + column)
    for index in 0..<width { output[to + index] = rows[from + index] }
  }
}
