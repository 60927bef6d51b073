import Formats
import Stats
import Testing

@testable import Convert

@Suite struct WeightMeasurementTests {
  private static let gpt2 = #"{"model_type": "gpt2"}"#

  /// 128 inputs go in groups, 40 do not: the matrix is then read as it lies.
  @Test(arguments: [128, 40])
  func theStorageOrderMakesNoDifference(_ inputs: Int) throws {
    let outputs = 96
    var values = randomValues(inputs * outputs, seed: 1)
    values[17 * inputs + 5] = 3
    let outputMajor = try MeasuredFolder([
      TestTensor("model.layers.0.mlp.up_proj.weight", .bf16, [outputs, inputs], values: values)
    ]).measure("model.layers.0.mlp.up_proj.weight", [], .withChannels)
    let inputMajor = try MeasuredFolder(
      [
        TestTensor(
          "h.0.mlp.c_fc.weight", .bf16, [inputs, outputs],
          values: transposed(values, rows: outputs, columns: inputs))
      ], config: Self.gpt2
    ).measure("h.0.mlp.c_fc.weight", [], .withChannels)
    #expect(outputMajor.channels?.count == inputs)
    #expect(outputMajor.channels?.outliers.map(\.index) == [5])
    #expect(outputMajor.outputChannels?.outliers.map(\.index) == [17])
    #expect(inputMajor.channels == outputMajor.channels)
    #expect(inputMajor.outputChannels == outputMajor.outputChannels)
    #expect(inputMajor.everyChannel?.absMax == outputMajor.everyChannel?.absMax)
    #expect(inputMajor.everyChannel?.outputAbsMax == outputMajor.everyChannel?.outputAbsMax)
    let isSame = inputMajor.distribution == outputMajor.distribution
    #expect(isSame)
    #expect(inputMajor.shape == [inputs, outputs])
    #expect(inputMajor.roundTrips.map(\.error) == outputMajor.roundTrips.map(\.error))
    #expect(outputMajor.roundTrips.count == (inputs == 128 ? 6 : 0))
  }

  /// Inputs are shared by the experts, outputs are each expert's own.
  @Test(arguments: [64, 40], [false, true])
  func stacksOfExperts(_ inputs: Int, _ isInputMajor: Bool) throws {
    let (experts, outputs) = (3, 24)
    let values = randomValues(experts * outputs * inputs, seed: 2)
    let stored =
      isInputMajor
      ? (0..<experts).flatMap { expert in
        transposed(
          Array(values[expert * outputs * inputs..<(expert + 1) * outputs * inputs]),
          rows: outputs, columns: inputs)
      } : values
    let name = "layers.0.mlp.experts.gate_up_proj"
    let shape = isInputMajor ? [experts, inputs, outputs] : [experts, outputs, inputs]
    let found = try MeasuredFolder(
      [TestTensor(name, .bf16, shape, values: stored)],
      config: #"{"model_type": "new", "hidden_size": \#(inputs)}"#
    ).measure(name, [], .withChannels)
    #expect(found.distribution.count == values.count)
    // Read as they lie, inputs and outputs of several matrices cannot be told apart.
    guard inputs == 64 || !isInputMajor else {
      #expect(found.channels == nil && found.outputChannels == nil && found.everyChannel == nil)
      return
    }
    let rows = experts * outputs
    #expect(
      found.everyChannel?.absMax
        == (0..<inputs).map { input in (0..<rows).map { abs(values[$0 * inputs + input]) }.max()! })
    #expect(
      found.everyChannel?.outputAbsMax
        == (0..<rows).map { row in (0..<inputs).map { abs(values[row * inputs + $0]) }.max()! })
  }

  /// 0x38 is 1 in E4M3, 0xC4 is -3; the scale is that of the block.
  @Test func eightBitFloatsAreMeasuredWithTheirScale() throws {
    var codes = [UInt8](repeating: 0x38, count: 256 * 256)
    codes[200 * 256 + 7] = 0xC4
    let folder = try MeasuredFolder([
      TestTensor("model.layers.0.mlp.gate_proj.weight", .f8E4M3, [256, 256], bytes: codes),
      TestTensor(
        "model.layers.0.mlp.gate_proj.weight_scale_inv", .f32, [2, 2], values: [1, 2, 3, 4]),
    ])
    let all = try folder.measure()
    #expect(all.map(\.name) == ["model.layers.0.mlp.gate_proj.weight"])
    let found = all[0]
    #expect(found.distribution.minimum == -9)
    #expect(found.distribution.maximum == 4)
    // A quarter each of 1, 2, 3 and 4, but one 3 that became -9.
    #expect(isClose(found.distribution.moments.mean, 2.5 - 12.0 / 65536))
    #expect(found.channels?.count == 256)
    #expect(found.outputChannels?.largest == 9)
  }

  @Test func doublesAreRoundedToFloats() throws {
    let numbers: [Double] = [0.1, -2.5, 1e-3, 0, -0.0, 7, .nan, 1]
    let bytes = numbers.flatMap { number in
      (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) }
    }
    let found = try MeasuredFolder([TestTensor("model.x.weight", .f64, [2, 4], bytes: bytes)])
      .measure("model.x.weight")
    #expect(found.dtype == .f64)
    #expect(found.distribution.count == 8)
    #expect(found.distribution.nanCount == 1)
    #expect(found.distribution.zeroCount == 2)
    #expect((found.distribution.minimum, found.distribution.maximum) == (-2.5, 7))
    let sum = Double(Float(0.1)) - 2.5 + Double(Float(1e-3)) + 8
    #expect(isClose(found.distribution.moments.mean, sum / 7))
  }

  /// Rows of 129 are cut by the tiles of 2^18 values; 129 inputs fit no group.
  @Test(arguments: [DType.bf16, .f32])
  func aTensorOfSeveralTilesIsOneTensor(_ dtype: DType) throws {
    let (rows, columns) = (2100, 129)
    var generator = SplitMix64(seed: 3)
    // Of magnitudes from 2^-7 to 2.
    let values = (0..<rows * columns).map { _ in
      let bits = UInt32(truncatingIfNeeded: generator.next())
      return Float(bitPattern: 0x3C00_0000 | bits & 0x83FF_0000)
    }
    let name = "model.layers.0.mlp.up_proj.weight"
    let found = try MeasuredFolder([
      TestTensor(name, dtype == .f32 ? .f32 : .bf16, [rows, columns], values: values)
    ]).measure(name, [], .withChannels)
    var byRow = [Float](repeating: 0, count: rows)
    var byColumn = [Float](repeating: 0, count: columns)
    var (sum, squares) = (0.0, 0.0)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = values[row * columns + column]
        byRow[row] = max(byRow[row], abs(value))
        byColumn[column] = max(byColumn[column], abs(value))
        sum += Double(value)
        squares += Double(value) * Double(value)
      }
    }
    let count = Double(values.count)
    #expect(found.distribution.count == values.count)
    #expect(found.everyChannel?.absMax == byColumn)
    #expect(found.everyChannel?.outputAbsMax == byRow)
    #expect(isClose(found.distribution.moments.mean, sum / count, relative: 1e-9))
    #expect(
      isClose(
        found.distribution.moments.rootMeanSquare, (squares / count).squareRoot(), relative: 1e-12))
    #expect(found.distribution.absMax == byRow.max())
  }

  /// Every matrix of a stack stored input-major is a tile of its own.
  @Test func resultsDoNotDependOnTheNumberOfThreads() throws {
    let folder = try MeasuredFolder(
      [
        TestTensor(random: "layers.0.mlp.experts.gate_up_proj", .f32, [12, 64, 24], seed: 4),
        TestTensor(random: "layers.0.self_attn.q_proj.weight", .bf16, [64, 64], seed: 5),
        TestTensor(random: "layers.1.self_attn.q_proj.weight", .f16, [64, 64], seed: 6),
        TestTensor(random: "norm.weight", .f32, [64], seed: 7),
      ], config: #"{"model_type": "new", "hidden_size": 64}"#)
    let first = try folder.measure(threads: 1)
    #expect(first.count == 4)
    for threads in [2, 7] {
      let other = try folder.measure(threads: threads)
      let isSame = zip(first, other).allSatisfy { $0.isIdentical(to: $1) }
      #expect(isSame && other.count == 4)
    }
  }

  /// As if zeros stood in their places, but for the counts.
  @Test func whatIsNoNumberIsLeftOut() throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    var values = randomValues(32 * 64, seed: 8)
    for index in [3, 700, 1500] { values[index] = 0 }
    let sound = try MeasuredFolder([TestTensor(name, .bf16, [32, 64], values: values)])
      .measure(name, [], .withChannels)
    (values[3], values[700], values[1500]) = (.nan, .infinity, -.infinity)
    let found = try MeasuredFolder([TestTensor(name, .bf16, [32, 64], values: values)])
      .measure(name, [], .withChannels)
    #expect(found.distribution.nanCount == 1)
    #expect(found.distribution.positiveInfinityCount == 1)
    #expect(found.distribution.negativeInfinityCount == 1)
    #expect(found.distribution.finiteCount == values.count - 3)
    let finite = values.filter(\.isFinite)
    #expect(found.distribution.minimum == finite.min())
    #expect(
      isClose(
        found.distribution.moments.mean,
        finite.reduce(0) { $0 + Double($1) } / Double(finite.count), relative: 1e-9))
    #expect(found.everyChannel?.absMax == sound.everyChannel?.absMax)
    #expect(found.roundTrips.map(\.error) == sound.roundTrips.map(\.error))
  }

  @Test(arguments: [(128, 64), (96, 32), (64, 64), (32, 32)])
  func groupsThatDoNotDivideGiveWayToSmaller(_ inputs: Int, _ expected: Int) throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    let found = try MeasuredFolder([TestTensor(random: name, .bf16, [64, inputs], seed: 9)])
      .measure(name)
    #expect(found.roundTrips.map(\.bits) == [2, 3, 4, 5, 6, 8])
    #expect(found.roundTrips.map(\.scheme) == Array(repeating: .group(size: expected), count: 6))
    let ratios = found.roundTrips.compactMap(\.error.sqnrDecibels)
    #expect(ratios == ratios.sorted() && ratios.count == 6)
  }
}
