import Convert
import Model

extension BlockRun {
  func attend(
    _ input: Activations, _ attention: AttentionDescription
  ) throws -> Activations {
    let (queries, keys, values) = try project(input, attention.projection)
    if let norm = attention.queryNorm {
      try Norm(norm, in: pass.model).apply(to: queries, threads: pass.context.threads)
    }
    if let norm = attention.keyNorm {
      try Norm(norm, in: pass.model).apply(to: keys, threads: pass.context.threads)
    }
    if let rotary = attention.rotary {
      rotate(rotary) { table, window in
        table.rotate(queries, window: window, headWidth: attention.heads.width)
        table.rotate(keys, window: window, headWidth: attention.heads.width)
      }
    }
    try step.observed(keys, .keys)
    try step.observed(values, .values)
    let mixed = try attend(
      HeadAttention.Inputs(
        queries: queries, keys: keys, values: values, heads: attention.heads,
        scoring: attention.scoring, bias: attention.bias,
        sinks: try attention.scoring.sinks.map { try pass.model.numbers($0) } ?? []))
    return try step.apply(attention.output, to: step.observed(mixed, by: [attention.output]))
  }

  private func project(
    _ input: Activations, _ projection: AttentionDescription.Projection
  ) throws -> (queries: Activations, keys: Activations, values: Activations) {
    switch projection {
    case .separate(let query, let key, let value):
      let input = try step.observed(input, by: [query, key, value])
      return (
        try step.apply(query, to: input), try step.apply(key, to: input),
        try step.apply(value, to: input)
      )
    case .fused(let linear, let rows):
      let fused = try step.apply(linear, to: step.observed(input, by: [linear]))
      let parts = split(fused, rows, [.q, .k, .v])
      return (parts[0], parts[1], parts[2])
    }
  }

  func attend(
    _ input: Activations, _ attention: LatentAttentionDescription
  ) throws -> Activations {
    let heads = attention.heads
    let plain = attention.plainWidth
    let down = attention.keyValueDown
    let first = attention.queryLatent?.down ?? attention.query
    let read = try step.observed(input, by: [first, down])
    var queries = try step.apply(first, to: read)
    if let latent = attention.queryLatent {
      try Norm(latent.norm, in: pass.model).apply(to: queries, threads: pass.context.threads)
      queries = try step.apply(
        attention.query, to: step.observed(queries, by: [attention.query]))
    }
    let both = try step.apply(down, to: read)
    let latent = both.columns(0..<attention.latentWidth)
    try Norm(attention.latentNorm, in: pass.model).apply(to: latent, threads: pass.context.threads)
    let rotaryWidth = down.outputs - attention.latentWidth
    let rotaryKey = both.columns(attention.latentWidth..<down.outputs)
    rotate(attention.rotary) { table, window in
      table.rotate(queries, window: window, headWidth: heads.width, offset: plain)
      table.rotate(rotaryKey, window: window, headWidth: rotaryWidth)
    }
    try step.observed(latent, .latent)
    try step.observed(rotaryKey, .rotaryKey)
    let expanded = try step.apply(
      attention.keyValueUp, to: step.observed(latent, by: [attention.keyValueUp]))
    let keys = Activations(tokens: input.tokens, features: heads.count * heads.width)
    let values = Activations(tokens: input.tokens, features: heads.count * heads.valueWidth)
    for head in 0..<heads.count {
      let source = head * (plain + heads.valueWidth)
      copyColumns(
        expanded.values, features: expanded.features, from: source, count: plain,
        to: head * heads.width, of: keys.features, into: &keys.values)
      copyColumns(
        rotaryKey.values, features: rotaryWidth, from: 0, count: rotaryWidth,
        to: head * heads.width + plain, of: keys.features, into: &keys.values)
      copyColumns(
        expanded.values, features: expanded.features, from: source + plain,
        count: heads.valueWidth, to: head * heads.valueWidth, of: values.features,
        into: &values.values)
    }
    let mixed = try attend(
      HeadAttention.Inputs(
        queries: queries, keys: keys, values: values, heads: heads, scoring: attention.scoring,
        bias: nil, sinks: []))
    return try step.apply(attention.output, to: step.observed(mixed, by: [attention.output]))
  }

  /// Calls with each window and the table of its positions.
  private func rotate(
    _ rotary: RotaryDescription, _ turn: (RotaryTable, Range<Int>) -> Void
  ) {
    var tables: [Int: RotaryTable] = [:]
    for window in windows {
      let table =
        tables[window.count]
        ?? RotaryTable(rotary, positions: pass.past..<pass.past + window.count)
      tables[window.count] = table
      turn(table, window)
    }
  }

  /// Attention of all windows and heads, on all threads: `[tokens, heads * valueWidth]`.
  private func attend(_ given: HeadAttention.Inputs) throws -> Activations {
    let inputs = pass.cache?.extend(given, layer: layer) ?? given
    let heads = inputs.heads
    let output = Activations(
      tokens: inputs.queries.tokens, features: heads.count * heads.valueWidth)
    let jobs = windows.count * heads.keyValueCount
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * pass.context.threads).map { _ in HeadAttention() },
      next: { () -> Int? in
        guard next < jobs else { return nil }
        defer { next += 1 }
        return next
      },
      work: { job, slot in
        try pass.context.cancellation.check()
        slot.attend(
          inputs, window: windows[job / heads.keyValueCount], keyHead: job % heads.keyValueCount)
      },
      handOn: { job, slot in
        let window = windows[job / heads.keyValueCount]
        let group = heads.count / heads.keyValueCount
        for member in 0..<group {
          place(
            slot.output, from: member * window.count * heads.valueWidth, window,
            column: (job % heads.keyValueCount * group + member) * heads.valueWidth,
            width: heads.valueWidth, features: output.features, into: &output.values)
        }
      })
    try pipeline.run(threads: pass.context.threads)
    return output
  }
}

private func place(
  _ rows: [Float], from first: Int, _ window: Range<Int>, column: Int, width: Int, features: Int,
  into output: inout [Float]
) {
  for (position, token) in window.enumerated() {
    let (from, to) = (first + position * width, token * features + column)
    for index in 0..<width { output[to + index] = rows[from + index] }
  }
}
