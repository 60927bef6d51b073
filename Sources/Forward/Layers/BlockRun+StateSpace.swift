import Convert
import Foundation
import Model

extension BlockRun {
  func mamba(_ input: Activations, _ mamba: MambaDescription) throws -> Activations {
    let channels = mamba.channels
    let both = try step.apply(mamba.input, to: step.observed(input, by: [mamba.input]))
    let mixed = try convolve(both.columns(0..<channels), mamba.convolution)
    let parameters = try step.apply(
      mamba.parameters, to: step.observed(mixed, by: [mamba.parameters]))
    let (rank, state) = (mamba.stepRank, mamba.stateSize)
    let steps = try step.apply(
      mamba.step, to: step.observed(parameters.columns(0..<rank), by: [mamba.step]))
    for index in steps.values.indices { steps.values[index] = softplus(steps.values[index]) }
    let output = try scan(
      StateSpaceScan.Inputs(
        inputs: mixed.values, steps: steps.values,
        b: parameters.columns(rank..<rank + state).values,
        c: parameters.columns(rank + state..<rank + 2 * state).values,
        decays: try pass.model.numbers(mamba.logDecay).map { -exp($0) },
        skips: try pass.model.numbers(mamba.skip), headWidth: 1, headCount: channels,
        headsPerGroup: channels, stateSize: state, decaysByState: true))
    gate(&output.values, both.columns(channels..<2 * channels).values)
    return try step.apply(mamba.output, to: step.observed(output, by: [mamba.output]))
  }

  func mamba2(_ input: Activations, _ mamba: Mamba2Description) throws -> Activations {
    let channels = mamba.channels
    let mixedWidth = mamba.convolution.channels
    let all = try step.apply(mamba.input, to: step.observed(input, by: [mamba.input]))
    let mixed = try convolve(
      all.columns(channels..<channels + mixedWidth), mamba.convolution)
    let steps = all.columns(channels + mixedWidth..<all.features)
    let biases = try pass.model.numbers(mamba.stepBias)
    for index in steps.values.indices {
      let value = softplus(steps.values[index] + biases[index % mamba.headCount])
      steps.values[index] = min(max(value, mamba.leastStep), mamba.largestStep)
    }
    let width = mamba.groupCount * mamba.stateSize
    let output = try scan(
      StateSpaceScan.Inputs(
        inputs: mixed.columns(0..<channels).values, steps: steps.values,
        b: mixed.columns(channels..<channels + width).values,
        c: mixed.columns(channels + width..<channels + 2 * width).values,
        decays: try pass.model.numbers(mamba.logDecay).map { -exp($0) },
        skips: try pass.model.numbers(mamba.skip), headWidth: mamba.headWidth,
        headCount: mamba.headCount, headsPerGroup: mamba.headCount / mamba.groupCount,
        stateSize: mamba.stateSize, decaysByState: false))
    gate(&output.values, all.columns(0..<channels).values)
    try Norm(mamba.norm, in: pass.model).apply(to: output, threads: pass.context.threads)
    return try step.apply(mamba.output, to: step.observed(output, by: [mamba.output]))
  }

  private func convolve(
    _ input: Activations, _ convolution: ConvolutionDescription
  ) throws -> Activations {
    let weights = try pass.model.numbers(convolution.weight)
    let biases = try convolution.bias.map { try pass.model.numbers($0) } ?? []
    let output = Activations(tokens: input.tokens, features: input.features)
    for window in windows {
      StateSpaceScan.convolve(
        input.values, window: window, channels: convolution.channels, taps: convolution.taps,
        weights: weights, biases: biases, into: &output.values)
    }
    return output
  }

  /// Scans windows on all threads.
  private func scan(_ inputs: StateSpaceScan.Inputs) throws -> Activations {
    let channels = inputs.headCount * inputs.headWidth
    let output = Activations(tokens: tokens.count, features: channels)
    var next = 0
    let pipeline = OrderedPipeline(
      slots: (0..<2 * pass.context.threads).map { _ in ScanSlot() },
      next: { () -> Range<Int>? in
        guard next < windows.count else { return nil }
        defer { next += 1 }
        return windows[next]
      },
      work: { window, slot in
        try pass.context.cancellation.check()
        slot.output = StateSpaceScan.scan(inputs, window: window)
      },
      handOn: { window, slot in
        output.replaceRows(
          from: window.lowerBound,
          with: Activations(tokens: window.count, features: channels, values: slot.output))
      })
    try pipeline.run(threads: pass.context.threads)
    return output
  }

  /// Multiplies with SiLU of the gates.
  private func gate(_ values: inout [Float], _ gates: [Float]) {
    for index in values.indices { values[index] *= silu(gates[index]) }
  }
}

private final class ScanSlot {
  var output: [Float] = []
}
