import Convert
import Formats
import Model
import Stats
import Testing

@testable import Forward

/// Gradients of layers, held against differences of what the layers give.
@Suite struct LayerGradientTests {
  private static let products = PlainProducts(threads: 2, cancellation: Cancellation())
  private static let refused = [
    "bloom", "falcon-alibi", "deepseek-v3", "mamba", "mamba2", "mixtral", "qwen2-moe", "qwen3-moe",
    "gpt-oss",
  ]
  private static let names = ReferenceVector.names.filter { !refused.contains($0) }

  /// A sum of what a layer gives, each number with a sign of its own.
  private struct SignedSum {
    let layer: TapedLayer
    let signs: [Float]

    func value(at input: Activations) throws -> Double {
      let output = try layer.run(Variable(input), nil).values.values
      return zip(output, signs).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
  }

  /// What goes into a layer, and what the forward pass makes of it.
  private func states(
    _ model: ForwardModel, _ tokens: [Int], _ layer: Int
  ) throws -> (input: Activations, output: Activations) {
    let pass = try ForwardPass(model, TokenBatch([tokens]), RunContext(threads: 2))
    let hidden = try pass.embedded(limit: .max)
    try pass.run(0..<layer, over: hidden)
    let input = try hidden.rows(0..<tokens.count)
    try pass.run(layer..<layer + 1, over: hidden)
    return (input, try hidden.rows(0..<tokens.count))
  }

  @Test(arguments: names)
  func areThoseOfDifferences(_ name: String) throws {
    let vector = try ReferenceVector(name)
    let model = try vector.model()
    let tokens = Array(vector.tokens.prefix(12))
    let description = model.description.layers[1]
    let layer = try TapedLayer(description, in: model, Self.products)
    let (input, expected) = try states(model, tokens, 1)

    let tape = Tape()
    let variable = Variable(input)
    for linear in layer.linears { linear.isLearned = true }
    let output = try layer.run(variable, tape)
    let size = expected.values.map(abs).max() ?? 0
    for (found, value) in zip(output.values.values, expected.values) {
      #expect(abs(found - value) <= 1e-4 * size)
    }

    var generator = SplitMix64(seed: 7)
    let signs = output.values.values.map { _ in generator.next() & 1 == 0 ? Float(1) : -1 }
    output.addGradient(signs)
    try tape.goBack()
    let sum = SignedSum(layer: layer, signs: signs)
    // Along the signs of the gradient every number of it counts.
    let step = 2e-3 * rootMeanSquare(input.values)
    let moved = [step, -step].map { step in
      Activations(
        tokens: input.tokens, features: input.features,
        values: zip(input.values, variable.gradient).map { $0 + ($1 < 0 ? -step : step) })
    }
    let slope = (try sum.value(at: moved[0]) - sum.value(at: moved[1])) / Double(2 * step)
    let found = variable.gradient.reduce(0.0) { $0 + Double(abs($1)) }
    #expect(abs(slope - found) <= 0.02 * found, "the input: \(found), by differences \(slope)")

    for linear in layer.linears {
      let weights = linear.weights
      let step = 2e-3 * rootMeanSquare(weights)
      var sums: [Double] = []
      for step in [step, -step] {
        linear.weights = zip(weights, linear.gradient).map { $0 + ($1 < 0 ? -step : step) }
        sums.append(try sum.value(at: input))
      }
      linear.weights = weights
      let slope = (sums[0] - sums[1]) / Double(2 * step)
      let found = linear.gradient.reduce(0.0) { $0 + Double(abs($1)) }
      #expect(
        abs(slope - found) <= 0.02 * found + 1e-3,
        "\(linear.description.module): \(found), by differences \(slope)")
    }
  }

  private func rootMeanSquare(_ values: [Float]) -> Float {
    (values.reduce(0) { $0 + $1 * $1 } / Float(max(1, values.count))).squareRoot()
  }

  @Test(arguments: refused)
  func whatHasNoWayBackIsRefusedByName(_ name: String) throws {
    let model = try ReferenceVector(name).model()
    #expect(throws: LearningError.self) {
      for layer in model.description.layers {
        try TapedLayer.check(layer, of: model.description.modelType)
      }
    }
  }
}
