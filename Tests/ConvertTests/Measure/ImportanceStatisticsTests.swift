import Formats
import Stats
import Testing

@testable import Convert

@Suite struct ImportanceStatisticsTests {
  private func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
  }

  /// llama.cpp's older form: every entry's name, calls, and sums of mean squares.
  private func matrix(_ entries: [(name: String, calls: Int32, values: [Float])]) -> [UInt8] {
    little(Int32(entries.count))
      + entries.flatMap { entry in
        little(Int32(entry.name.utf8.count)) + Array(entry.name.utf8) + little(entry.calls)
          + little(Int32(entry.values.count))
          + entry.values.flatMap { little(Int32(bitPattern: $0.bitPattern)) }
      }
  }

  private let layer: [TestTensor] = [
    TestTensor(random: "model.layers.0.mlp.up_proj.weight", .bf16, [8, 4], seed: 1),
    TestTensor(random: "model.layers.0.self_attn.q_proj.weight", .bf16, [8, 4], seed: 1),
  ]

  @Test func entriesFindTheirWeights() throws {
    let folder = try MeasuredFolder(layer)
    let path = try folder.write(
      "imatrix.dat",
      matrix([
        ("blk.0.ffn_up.weight", 2, [2, 4, 6, 8]), ("blk.0.attn_q.weight", 1, [0, 0, 0, 5]),
      ]))
    let run = try folder.run([path])
    try #require(run.importance.count == 2)
    let first = run.importance[0]
    #expect(first.name == "blk.0.ffn_up.weight")
    #expect(first.role == .mlpUp)
    #expect(first.layer == 0)
    #expect(first.weights == ["model.layers.0.mlp.up_proj.weight"])
    #expect(first.meanSquares == [1, 2, 3, 4])
    #expect(first.energy.sum == 10)
    #expect(first.energy.mean == 2.5)
    #expect(run.importance[1].energy.entropy == 0)
    // The weights are measured all the same; no tensor comes of the matrix.
    #expect(try folder.measure([path]).map(\.kind) == [.weight, .weight])
  }

  @Test func entriesOfAnotherModelAreRefused() throws {
    let folder = try MeasuredFolder(layer)
    let path = try folder.write(
      "imatrix.dat",
      matrix([
        ("blk.0.ffn_up.weight", 1, [1, 2, 3]), ("blk.7.attn_q.weight", 1, [1, 1, 1, 1]),
        ("blk.0.attn_q.weight", 1, [1, 1, 1, 1]),
      ]))
    let wrong = DumpError.widthMismatch(
      file: path, tensor: "blk.0.ffn_up.weight", shape: [1, 3],
      weight: "model.layers.0.mlp.up_proj.weight", expected: 4)
    #expect(throws: wrong) { try folder.run([path]) }
    let run = try folder.run([path], .keepingGoing)
    #expect(run.importance.map(\.name) == ["blk.0.attn_q.weight"])
    #expect(
      run.problems == [
        wrong,
        .unknownModule(
          file: path, tensor: "blk.7.attn_q.weight", module: "blk.7.attn_q.weight"),
      ])
  }

  /// The older form puts the channels of all experts after each other.
  @Test func expertsThatSawNothingHaveNoFigures() throws {
    let names = (0..<3).map { "model.layers.0.mlp.experts.\($0).up_proj.weight" }
    let folder = try MeasuredFolder(
      names.map { TestTensor(random: $0, .bf16, [8, 4], seed: 2) },
      config: #"{"model_type": "qwen3_moe"}"#)
    let path = try folder.write(
      "imatrix.dat",
      matrix([("blk.0.ffn_up_exps.weight", 1, [1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2])]))
    let found = try folder.run([path]).importance
    #expect(found.map(\.expert) == [0, 2])
    #expect(found.map(\.weights) == [[names[0]], [names[2]]])
    #expect(found.map(\.energy.sum) == [4, 8])
  }

  @Test func aMatrixGivenTwiceIsReadOnce() throws {
    let folder = try MeasuredFolder(layer)
    let path = try folder.write("x.imatrix", matrix([("blk.0.attn_q.weight", 1, [1, 1, 1, 1])]))
    #expect(try folder.run([path, path]).importance.count == 1)
  }
}
