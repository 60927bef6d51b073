import Formats

/// What quantizing one tensor, and nothing else, does to a model's predictions: measured at some widths, from
/// which the loss at any other is told by its error.
package struct Sensitivity: Sendable, Equatable {
  /// Predictions that were compared.
  package let tokenCount: Int
  /// By the name that the tensor has in a conversion.
  package let tensors: [String: [Point]]

  package struct Point: Sendable, Equatable {
    package let layout: AffineLayout
    /// `Candidate.relativeError` of the tensor in this layout.
    package let relativeError: Double
    /// Mean of KL(model || model with this tensor quantized), in nats for each prediction.
    package let divergence: Double

    package init(layout: AffineLayout, relativeError: Double, divergence: Double) {
      self.layout = layout
      self.relativeError = relativeError
      self.divergence = divergence
    }
  }

  package init(tokenCount: Int, tensors: [String: [Point]]) {
    self.tokenCount = tokenCount
    self.tensors = tensors
  }

  /// Widths that are measured, in groups of `groupSize`, or of the largest smaller size that divides the
  /// inputs.
  package static let bits = [2, 3, 4]
  package static let groupSize = 64
}

extension Sensitivity {
  var json: JSONValue {
    [
      "tokens": .integer(tokenCount),
      "tensors": .object(
        tensors.sorted { $0.key < $1.key }.map { name, points in
          .init(name, .array(points.map(\.json)))
        }),
    ]
  }

  /// Nil where there is none.
  init?(_ json: JSONValue?, _ reader: CalibrationReader) throws(CalibrationError) {
    guard let json, json != .null else { return nil }
    self.init(
      tokenCount: try reader.integer(json["tokens"], "sensitivity.tokens"),
      tensors: try reader.dictionary(json["tensors"], "sensitivity.tensors") {
        json, place throws(CalibrationError) in try reader.list(json, place, reader.point)
      })
  }
}

extension Sensitivity.Point {
  fileprivate var json: JSONValue {
    [
      "bits": .integer(layout.bits), "group_size": .integer(layout.groupSize),
      "relative_error": .double(relativeError), "kl": .double(divergence),
    ]
  }
}

extension CalibrationReader {
  fileprivate func point(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> Sensitivity.Point {
    let bits = try integer(json["bits"], "\(place).bits")
    let groupSize = try integer(json["group_size"], "\(place).group_size")
    guard let layout = AffineLayout(bits: bits, groupSize: groupSize) else {
      throw error("\(place): there is no layout of \(bits) bits in groups of \(groupSize)")
    }
    let point = Sensitivity.Point(
      layout: layout, relativeError: try number(json["relative_error"], "\(place).relative_error"),
      divergence: try number(json["kl"], "\(place).kl"))
    guard point.relativeError >= 0, point.divergence >= 0 else {
      throw error("\(place): neither relative_error nor kl may be negative")
    }
    return point
  }
}
