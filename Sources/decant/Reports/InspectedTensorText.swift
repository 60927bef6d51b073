import Convert
import Formats

/// One tensor of a checkpoint and, where they were read, its values, as text for people.
struct InspectedTensorText {
  let tensor: Inspection.Tensor
  let values: TensorValues?

  func text(_ terminal: Terminal) -> String {
    let place = tensor.identity.layer.map { ", layer \($0)" } ?? ""
    let expert = tensor.identity.expert.map { ", expert \($0)" } ?? ""
    var lines = [
      "\(tensor.identity.role.rawValue)\(place)\(expert), in \(printable(tensor.file))",
      "shape \(shapeText(tensor.shape)), \(layout)",
      "\(ByteSize(bytes: tensor.byteCount).exactText), "
        + "\(decimalText(tensor.bitsPerWeight, 2)) bits per weight",
    ]
    if let error = tensor.packing?.error {
      lines.append("SQNR \(decibels(error.sqnrDecibels)) dB, when it was quantized")
    }
    if let values { lines += figures(values) }
    return terminal.style.bold(printable(tensor.name)) + "\n"
      + lines.flatMap { wrap($0, width: terminal.width) }.map { $0 + "\n" }.joined()
  }

  private var layout: String {
    guard let packing = tensor.packing else { return tensor.dtype.rawValue }
    let before = tensor.sourceDType.map { ", before \($0.rawValue)" } ?? ""
    return "\(tensor.width.words)\(before); stored as "
      + packing.stored.map { printable($0) }.joined(separator: ", ")
  }

  private func figures(_ values: TensorValues) -> [String] {
    let finite =
      values.finiteCount < values.count ? " of the \(values.finiteCount) finite" : ""
    let first =
      values.first.count < values.count ? "first \(values.first.count)" : "all of them"
    return [
      "min \(figure(values.minimum.map(Double.init))), max "
        + "\(figure(values.maximum.map(Double.init))), mean \(figure(values.mean))\(finite)",
      "values \(values.count), zeros \(values.zeroCount), NaN \(values.nanCount), infinities "
        + "\(values.infinityCount)",
      "\(first): " + values.first.map { "\($0)" }.joined(separator: " "),
    ]
  }
}

extension TensorValues {
  /// Values that are no numbers are null: `nan` and `infinities` count them.
  var json: JSONValue {
    [
      "count": .integer(count), "zeros": .integer(zeroCount), "nan": .integer(nanCount),
      "infinities": .integer(infinityCount),
      "min": .double(minimum.map(Double.init)), "max": .double(maximum.map(Double.init)),
      "mean": .double(mean), "first": .array(first.map { .double(Double($0)) }),
    ]
  }
}
