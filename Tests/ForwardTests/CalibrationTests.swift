import Convert
import Formats
import Forward
import Foundation
import Testing

/// What `decant calibrate` keeps, held against the inputs themselves.
@Suite struct CalibrationTests {
  private let folder: TemporaryFolder
  private let file: String

  init() throws {
    folder = try TemporaryFolder()
    file = folder.path("cal.safetensors")
  }

  private func calibrate(
    _ path: String, _ tokens: [Int], length: Int = 24, threads: Int = 2, to file: String? = nil
  ) throws -> TextCalibration.Summary {
    let checkpoint = try Checkpoint(path: path)
    let text = try folder.write("a text", to: "text.txt")
    return try TextCalibration(
      ForwardModel(checkpoint), tokens, WindowPlan(length: length),
      gramsOf: ConversionPlan.quantizedModules(of: checkpoint)
    ).run(to: file ?? self.file, of: InputFile(path: text), RunContext(threads: threads))
  }

  private func open(_ path: String, _ file: String? = nil) throws -> CalibrationFile {
    try CalibrationFile(
      path: file ?? self.file, for: Checkpoint(path: path), RunContext(threads: 2))
  }

  /// In `Double`, one product at a time. Experts see tokens of their own; projections share inputs.
  @Test(arguments: ["llama", "mixtral", "gpt2", "falcon-new-decoder"])
  func momentsAreThoseOfTheInputs(_ name: String) throws {
    let vector = try ReferenceVector(name)
    let windows = [Array(vector.tokens.prefix(24)), Array(vector.tokens.dropFirst(24).prefix(24))]
    let recorder = Recorder()
    _ = try logits(vector.model(), windows, observer: recorder)
    let summary = try calibrate(vector.path, windows[0] + windows[1])
    #expect(summary.tokenCount == 48)
    let found = try open(vector.path)
    #expect(found.hasGrams && found.record.text.tokenCount == 48)
    var compared = 0
    for (module, inputs) in recorder.values {
      guard let gram = try found.gram(ofInputsOf: module + ".weight") else { continue }
      compared += 1
      let order = gram.order
      let tokens = inputs.count / order
      #expect(gram.tokenCount == tokens)
      for row in 0..<order {
        for column in [0, row / 2, row] {
          let expected = (0..<tokens).reduce(0.0) {
            $0 + Double(inputs[$1 * order + row]) * Double(inputs[$1 * order + column])
          }
          let size = (gram[row, row] * gram[column, column]).squareRoot()
          let difference = abs(Double(gram[row, column]) - expected / Double(tokens))
          try #require(difference <= 1e-5 * Double(size) + 1e-12, "\(module) \(row) \(column)")
        }
      }
    }
    // Those of two layers at least.
    #expect(compared >= 8)
    for tensor in found.figures where tensor.kind == .activation {
      let weight = tensor.name.replacing(".input", with: ".weight")
      guard let gram = try found.gram(ofInputsOf: weight) else { continue }
      let squares = try #require(tensor.meanSquares)
      for (channel, square) in squares.enumerated() {
        #expect(abs(gram[channel, channel] - square) <= 1e-5 * square + 1e-12)
      }
    }
  }

  @Test func anyNumberOfThreadsWritesTheSameBytes() throws {
    let vector = try ReferenceVector("llama")
    _ = try calibrate(vector.path, vector.tokens, threads: 1)
    _ = try calibrate(vector.path, vector.tokens, threads: 3, to: folder.path("again"))
    #expect(try contents(of: file) == contents(of: folder.path("again")))
  }

  @Test func tooFewTokensForAnInverseAreTold() throws {
    let vector = try ReferenceVector("llama")
    let summary = try calibrate(vector.path, Array(vector.tokens.prefix(12)), length: 6)
    let short = try #require(summary.shortModules.first)
    #expect(short.tokenCount == 12 && short.inputCount > 12)
  }

  // MARK: - What is refused

  /// One weight more or less, and it is another model.
  @Test func anotherModelIsRefused() throws {
    var model = try ChangedModel("llama")
    _ = try model.open()
    let vector = try ReferenceVector("llama")
    _ = try calibrate(model.folder.path, vector.tokens)
    _ = try open(model.folder.path)
    model.replace("model.norm.weight") { tensor in
      var bytes = tensor.bytes
      bytes[1] ^= 1
      return TestTensor(tensor.name, tensor.type, tensor.shape, bytes: bytes)
    }
    _ = try model.open()
    let error = #expect(throws: CalibrationError.self) { _ = try open(model.folder.path) }
    guard case .otherModel(_, let difference)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(difference.contains("checksum of model.safetensors"))
    let other = #expect(throws: CalibrationError.self) {
      _ = try open(ReferenceVector("gpt2").path)
    }
    #expect(other?.message.contains("bytes") == true)
  }

  /// Any byte that is not a header's.
  @Test func damageIsSeenWhereItIsRead() throws {
    let vector = try ReferenceVector("llama")
    _ = try calibrate(vector.path, vector.tokens)
    let whole = try contents(of: file)
    let header = try SafetensorsFile(path: file).header
    for (index, tensor) in header.tensors.enumerated() {
      var bytes = whole
      bytes[header.dataOffset + tensor.dataRange.lowerBound + index % tensor.byteCount] ^= 0x10
      let damaged = folder.path("damaged")
      try Data(bytes).write(to: URL(filePath: damaged))
      let error = #expect(throws: CalibrationError.self) {
        let found = try open(vector.path, damaged)
        _ = try found.tokens()
        for weight in try Checkpoint(path: vector.path).tensors {
          _ = try found.gram(ofInputsOf: weight.name)
        }
      }
      guard case .damaged(_, tensor.name, _, _)? = error else {
        Issue.record("\(tensor.name): \(String(describing: error))")
        return
      }
    }
  }

  @Test func whatIsNoCalibrationIsNamed() throws {
    let vector = try ReferenceVector("llama")
    #expect(
      throws: CalibrationError.notACalibration(
        file: vector.path + "/model.safetensors",
        reason: "its metadata does not name 'decant_calibration' as its format")
    ) { _ = try open(vector.path, vector.path + "/model.safetensors") }
  }
}
