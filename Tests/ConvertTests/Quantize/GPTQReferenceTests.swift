import Formats
import Foundation
import TestSupport
import Testing

@testable import Convert

/// GPTQ's codes beside those that NumPy computes from the same weights, parameters and Gram matrices;
/// `Fixtures/README.md` says how.
@Suite struct GPTQReferenceTests {
  private static let rows = GPTQKernels.stripRows

  /// Numbers of a tensor `[rows, columns]` side by side, as kernels take them.
  private static func strip(_ tensor: NaiveFile.Tensor) -> [Float] {
    let (values, columns) = (tensor.values, tensor.shape[1])
    var strip = [Float](repeating: 0, count: columns * rows)
    for (index, value) in values.enumerated() {
      strip[index % columns * rows + index / columns] = Float(value)
    }
    return strip
  }

  @Test(arguments: ProcessorLevel.allCases.filter { $0 <= .highest })
  func codesAreThoseOfAlgorithm1(_ level: ProcessorLevel) throws {
    let path = try #require(Bundle.module.resourcePath) + "/Fixtures/gptq/reference.safetensors"
    let tensors = try NaiveFile(path: path).tensors
    var compared = 0
    for (name, expected) in tensors where expected.type == "U8" {
      // As in order64.bits3.group32.f16.act.
      let parts = name.split(separator: ".").map(String.init)
      let inputs = expected.shape[1]
      let gram = try #require(tensors["\(parts[0]).gram"]).values.map { Float($0) }
      let factors = try GPTQFactors(
        GramMatrix(order: inputs, tokenCount: inputs, values: gram), of: "w", in: "grams",
        order: parts[4] == "act" ? .fallingEnergy : .natural)
      let bits = try #require(Int(parts[1].dropFirst("bits".count)))
      let groupSize = try #require(Int(parts[2].dropFirst("group".count)))
      let quantizer = WeightQuantizer(
        layout: try #require(AffineLayout(bits: bits, groupSize: groupSize)),
        scaleType: try #require(ScaleType(rawValue: parts[3].uppercased())), method: .gptq)
      let parameters = parts[..<4].joined(separator: ".")
      var history = [Float](repeating: 0, count: inputs * Self.rows)
      var codes = history
      var residuals = history
      var errors = [Double](repeating: 0, count: Self.rows)
      GPTQKernels.quantize(
        Self.strip(try #require(tensors["\(parts[0]).weights"])), factors,
        scales: Self.strip(try #require(tensors["\(parameters).scales"])),
        biases: Self.strip(try #require(tensors["\(parameters).biases"])), quantizer, level: level,
        history: &history, codes: &codes, residuals: &residuals, errors: &errors)
      for row in 0..<expected.shape[0] {
        let found = (0..<inputs).map { UInt8(codes[$0 * Self.rows + row]) }
        #expect(
          found == Array(expected.bytes[row * inputs..<(row + 1) * inputs]), "\(name), row \(row)")
      }
      compared += 1
    }
    #expect(compared == 20)
  }
}
