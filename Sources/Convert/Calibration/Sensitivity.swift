import Formats

/// What quantizing one tensor, or a layer's keys or values, and nothing else, does to a model's predictions: measured
/// at some widths, from which the loss at any other is told by its error.
package struct Sensitivity: Sendable, Equatable {
  /// Predictions that were compared.
  package let tokenCount: Int
  /// By the name that the tensor has in a conversion.
  package let tensors: [String: [Point]]
  /// By the name that a dump would have: `layers.N.key`, `layers.N.value`. Quantized as by `FakeQuantizer`.
  package let cache: [String: [MeasuredLoss.Point]]

  package struct Point: Sendable, Equatable {
    package let layout: AffineLayout
    /// Of `Candidate.relativeError` of the tensor in this layout.
    package let loss: MeasuredLoss.Point

    package init(layout: AffineLayout, relativeError: Double, divergence: Double) {
      self.layout = layout
      loss = .init(bits: layout.bits, relativeError: relativeError, divergence: divergence)
    }
  }

  package init(
    tokenCount: Int, tensors: [String: [Point]], cache: [String: [MeasuredLoss.Point]] = [:]
  ) {
    self.tokenCount = tokenCount
    self.tensors = tensors
    self.cache = cache
  }

  /// The name of a layer's keys or values in `cache`.
  package static func cacheName(_ kind: TensorStatistics.Kind, layer: Int) -> String {
    "layers.\(layer).\(kind.rawValue)"
  }

  /// Widths that are measured, in groups of `groupSize`, or of the largest smaller size that divides the
  /// inputs.
  package static let bits = [2, 3, 4]
  package static let groupSize = 64
  /// Of the cache.
  package static let cacheBits = [2, 4]
}

extension Sensitivity {
  var json: JSONValue {
    [
      "tokens": .integer(tokenCount),
      "tensors": .object(
        tensors.sorted { $0.key < $1.key }.map { name, points in
          .init(name, .array(points.map(\.json)))
        }),
      "cache": .object(
        cache.sorted { $0.key < $1.key }.map { name, points in
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
      },
      // Files of before do not have it.
      cache: try json["cache"].map { json throws(CalibrationError) in
        try reader.dictionary(json, "sensitivity.cache") {
          json, place throws(CalibrationError) in try reader.list(json, place, reader.loss)
        }
      } ?? [:])
  }
}

extension MeasuredLoss.Point {
  fileprivate var json: JSONValue {
    [
      "bits": .integer(bits), "relative_error": .double(relativeError), "kl": .double(divergence),
    ]
  }
}

extension Sensitivity.Point {
  fileprivate var json: JSONValue {
    var json = loss.json
    json["group_size"] = .integer(layout.groupSize)
    return json
  }
}

extension CalibrationReader {
  fileprivate func point(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> Sensitivity.Point {
    let loss = try loss(json, place)
    let groupSize = try integer(json["group_size"], "\(place).group_size")
    guard let layout = AffineLayout(bits: loss.bits, groupSize: groupSize) else {
      throw error("\(place): there is no layout of \(loss.bits) bits in groups of \(groupSize)")
    }
    return Sensitivity.Point(
      layout: layout, relativeError: loss.relativeError, divergence: loss.divergence)
  }

  fileprivate func loss(
    _ json: JSONValue, _ place: String
  ) throws(CalibrationError) -> MeasuredLoss.Point {
    let loss = MeasuredLoss.Point(
      bits: try integer(json["bits"], "\(place).bits"),
      relativeError: try number(json["relative_error"], "\(place).relative_error"),
      divergence: try number(json["kl"], "\(place).kl"))
    guard loss.relativeError >= 0, loss.divergence >= 0 else {
      throw error("\(place): neither relative_error nor kl may be negative")
    }
    return loss
  }
}
