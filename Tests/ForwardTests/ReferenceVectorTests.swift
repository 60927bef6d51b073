import Convert
import Formats
import Forward
import Testing

/// What transformers computes, of every family: logits, losses, keys and values, and what linear layers read.
@Suite struct ReferenceVectorTests {
  @Test func allVectorsAreThere() {
    #expect(ReferenceVector.names.count == 38 && ReferenceVector.formulas.count == 11)
  }

  @Test(arguments: ReferenceVector.names)
  func equalsTransformers(name: String) throws {
    try compare(ReferenceVector(name))
  }

  @Test(arguments: ReferenceVector.formulas)
  func equalsFormulas(name: String) throws {
    try compare(ReferenceVector(name, in: "formulas"))
  }

  private func compare(_ vector: ReferenceVector) throws {
    let model = try vector.model()
    let tokens = vector.tokens
    #expect(largestDifference(try logits(model, [tokens]), vector.logits) < 1e-4)

    let recorder = Recorder()
    let loss = try Evaluation(WindowPlan(length: tokens.count), RunContext(threads: 2))
      .loss(of: model, on: tokens, observer: recorder)
    #expect(abs(loss.nll.mean - (try vector.meanLoss)) < 1e-6)
    #expect(loss.count == tokens.count - 1)

    for tensor in vector.reference.names where tensor.hasPrefix("layers.") {
      let cached = try #require(recorder.values[tensor], "\(tensor)")
      #expect(largestDifference(cached, vector.reference.floats(tensor)) < 5e-5, "\(tensor)")
    }
    for (module, tensor) in vector.inputs {
      let read = try #require(recorder.values[module], "\(module)")
      #expect(largestDifference(read, vector.reference.floats(tensor)) < 5e-5, "\(module)")
    }
  }

  /// A model that was trained, of 256 tokens.
  @Test func equalsTransformersOnTheSample() throws {
    let reference = try TensorFile(samplesFolder + "/reference-logits.safetensors")
    let model = try ForwardModel(Checkpoint(path: samplesFolder + "/small"))
    let tokens = reference.integers("input_ids")
    let difference = largestDifference(try logits(model, [tokens]), reference.floats("logits"))
    #expect(difference < 1e-4)
    let loss = try Evaluation(WindowPlan(length: 256), RunContext(threads: 2))
      .loss(of: model, on: tokens)
    let losses = reference.values("nll")
    #expect(abs(loss.nll.mean - losses.reduce(0, +) / Double(losses.count)) < 1e-5)
  }
}
