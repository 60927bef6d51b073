import Convert
import Formats
import Model

/// Linear layers of one place in the model, applied to some of a batch's tokens.
struct LinearStep {
  private let pass: ForwardPass
  private let layer: Int?
  private let tokens: ObservedPlace.Tokens

  init(_ pass: ForwardPass, layer: Int?, tokens: Range<Int>) {
    self.init(pass, layer: layer, tokens: .range(tokens))
  }

  init(_ pass: ForwardPass, layer: Int?, tokens: ObservedPlace.Tokens) {
    self.pass = pass
    self.layer = layer
    self.tokens = tokens
  }

  /// `W x + b` of all tokens. Weights are read in tiles of whole rows, on all threads.
  ///
  /// - Throws: `ForwardError.nonFinite`; what reading throws.
  func apply(_ linear: LinearDescription, to inputs: Activations) throws -> Activations {
    let model = pass.model
    let source = try model.source(linear.weight, order: linear.order)
    let output = Activations(tokens: inputs.tokens, features: linear.outputs)
    guard inputs.tokens > 0 else { return output }
    let k = linear.inputs
    let firstRow = (linear.place?.index ?? 0) * linear.outputs
    let bias = try linear.bias.map {
      try model.numbers($0, firstRow..<firstRow + linear.outputs)
    }
    let step = pass.options.tileRows(inputs: k, tokens: inputs.tokens)
    var next = 0
    let pipeline = OrderedPipeline(
      slots: pass.buffers.slots(threads: pass.context.threads),
      next: { () -> Range<Int>? in
        guard next < linear.outputs else { return nil }
        let end = min(
          next + step, source.matrixEnd(after: firstRow + next) - firstRow, linear.outputs)
        defer { next = end }
        return next..<end
      },
      work: { rows, slot in
        try pass.context.cancellation.check()
        let range = (firstRow + rows.lowerBound) * k..<(firstRow + rows.upperBound) * k
        try source.read(range, into: slot.tile)
        slot.output.grow(to: inputs.tokens * rows.count, filler: 0)
        let weights = slot.tile.weights
        Numbers.product(
          inputs.values, tokens: inputs.tokens, weights: weights.span, rows: rows.count, k: k,
          panels: &slot.panels, into: &slot.output)
      },
      handOn: { rows, slot in
        scatter(
          slot.output, rows: rows, tokens: inputs.tokens, bias, features: linear.outputs,
          into: &output.values)
      })
    try pipeline.run(threads: pass.context.threads)
    try checkFinite(output, module: model.stored(linear.module))
    return output
  }

  /// What linear layers read, as the observer leaves it; where there is none, the same object.
  func observed(_ inputs: Activations, by linears: [LinearDescription]) throws -> Activations {
    guard pass.observer != nil else { return inputs }
    let modules = linears.map { pass.model.stored($0.module) }
    return try observed(inputs.copy, .input(modules: modules))
  }

  /// Values that only the caller has, as the observer leaves them.
  @discardableResult
  func observed(_ values: Activations, _ kind: ObservedPlace.Kind) throws -> Activations {
    guard let observer = pass.observer else { return values }
    let place = ObservedPlace(
      kind: kind, layer: layer, tokens: tokens, features: values.features)
    try show(&values.values, to: observer, at: place)
    return values
  }

  private func show(
    _ values: inout [Float], to observer: any ForwardObserver, at place: ObservedPlace
  ) throws {
    var span = values.mutableSpan
    try observer.observe(&span, at: place)
  }

  /// - Throws: `ForwardError.nonFinite`.
  func checkFinite(_ values: Activations, module: String) throws {
    guard let place = values.firstNonFinite else { return }
    let value = values.values[place]
    throw ForwardError.nonFinite(
      module: module, layer: layer, value: value.isNaN ? "NaN" : "\(value)",
      token: tokens[place / values.features])
  }
}

extension WeightSource {
  /// The row at which the matrix of a row ends: some weights are only read within one.
  func matrixEnd(after row: Int) -> Int {
    let rows = max(1, shape.outputs)
    return (row / rows + 1) * rows
  }
}

/// Puts results `[tokens, rows]` to their columns, and adds the bias.
private func scatter(
  _ results: [Float], rows: Range<Int>, tokens: Int, _ bias: [Float]?, features: Int,
  into output: inout [Float]
) {
  for token in 0..<tokens {
    let (from, to) = (token * rows.count, token * features + rows.lowerBound)
    for index in 0..<rows.count { output[to + index] = results[from + index] }
    guard let bias else { continue }
    for index in 0..<rows.count { output[to + index] += bias[rows.lowerBound + index] }
  }
}
