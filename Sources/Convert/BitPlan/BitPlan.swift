import Formats
import Foundation

/// A width for every tensor that is quantized, with what was known when it was chosen.
package struct BitPlan: Sendable, Equatable {
  /// What becomes of one tensor.
  package struct Choice: Sendable, Equatable {
    package let name: String
    package let shape: [UInt64]
    package let role: String
    package let layer: Int?
    /// Nil where a person decided to keep the tensor as it is.
    package var layout: AffineLayout?
    package let byteCount: Int
    package let relativeError: Double
    package let samplingError: Double
    package let weight: Double
    /// KL divergence in nats with this tensor alone quantized so; nil where none was measured.
    package let divergence: Double?
    /// In words, for people.
    package let reason: String
    package let alternatives: [Alternative]
  }

  /// A layout that was not chosen.
  package struct Alternative: Sendable, Equatable {
    package let layout: AffineLayout
    package let byteCount: Int
    package let relativeError: Double
    package let divergence: Double?
  }

  package struct Totals: Sendable, Equatable {
    /// Of the whole output, kept tensors, scales and biases counted.
    package let bitsPerWeight: Double
    /// Bytes of all tensors of the output.
    package let tensorByteCount: Int
    /// By the plan's measure.
    package let loss: Double
    /// How far the loss may be from the least possible, as a share of it.
    package let optimalityGap: Double
  }

  /// One width for all, for comparison.
  package struct Uniform: Sendable, Equatable {
    package let layout: AffineLayout
    package let tensorByteCount: Int
    package let bitsPerWeight: Double
    package let loss: Double
  }

  /// The least loss for a size.
  package struct CurvePoint: Sendable, Equatable {
    package let bitsPerWeight: Double
    package let tensorByteCount: Int
    package let loss: Double
  }

  /// A file that the plan was made from.
  package struct Input: Sendable, Equatable {
    package let name: String
    package let byteCount: Int
    /// XXH64 of the header for weights (reading all of them would take as long as converting
    /// them), of the whole file for dumps.
    package let checksum: UInt64
  }

  package static let formatVersion = 1

  package let decantVersion: String
  package let method: QuantizationMethod
  package let scaleType: ScaleType?
  /// What was asked for, as a JSON object.
  package let request: JSONValue
  package let sources: [Input]
  package let dumps: [Input]
  /// In the order of the checkpoint.
  package var choices: [Choice]
  /// What the losses are.
  package let measure: LossMeasure
  package let totals: Totals
  package internal(set) var uniform: [Uniform]
  package internal(set) var curve: [CurvePoint]
  /// What else was decided, and goes into the manifest with the rest: `preset`, `kv_cache`,
  /// `activations`, each a JSON object.
  package var settings: [JSONValue.Member] = []

  static let settingNames: Set<String> = ["preset", "kv_cache", "activations"]

  /// The layout that most weights have; the rest are its exceptions in `config.json`.
  package var commonLayout: AffineLayout? {
    // Not integers: shapes of a plan that was read may be anything.
    var weights: [AffineLayout: Double] = [:]
    for choice in choices {
      guard let layout = choice.layout else { continue }
      weights[layout, default: 0] += choice.shape.reduce(1) { $0 * Double($1) }
    }
    return weights.max { a, b in
      (a.value, b.key.bits, b.key.groupSize) < (b.value, a.key.bits, a.key.groupSize)
    }?.key
  }
}

extension BitPlan.Input {
  /// The files of weights, by their headers.
  package static func headers(of checkpoint: Checkpoint) -> [BitPlan.Input] {
    zip(checkpoint.fileNames, checkpoint.files).map { name, file in
      var hash = XXH64()
      hash.update(file.headerBytes)
      return BitPlan.Input(name: name, byteCount: file.input.byteCount, checksum: hash.value)
    }
  }

  /// A whole file, read for its checksum.
  ///
  /// - Throws: `FileError`.
  package init(path: String) throws {
    let file = try InputFile(path: path)
    self.init(
      name: URL(fileURLWithPath: path).lastPathComponent, byteCount: file.byteCount,
      checksum: try file.digest(.whole).value)
  }
}
