import Convert
import Formats
import Foundation
import Model

/// What is in a checkpoint: as JSON, and as text for people.
struct InspectionReport {
  private let inspection: Inspection
  /// Those that are listed, in their order.
  private let tensors: [Inspection.Tensor]
  /// The pattern that chose them; nil where all are listed.
  private let filter: String?
  /// By name, where they were read.
  private let values: [String: TensorValues]

  init(
    _ inspection: Inspection, tensors: [Inspection.Tensor], filter: String? = nil,
    values: [String: TensorValues] = [:]
  ) {
    self.inspection = inspection
    self.tensors = tensors
    self.filter = filter
    self.values = values
  }

  private var checkpoint: Checkpoint { inspection.checkpoint }

  var json: JSONValue {
    var json: JSONValue = [
      "path": .string(checkpoint.path),
      "files": .array(
        zip(checkpoint.fileNames, checkpoint.files).map { name, file in
          [
            "name": .string(name), "byte_count": .integer(file.input.byteCount),
            "tensor_count": .integer(file.header.tensors.count),
            "format": file.header.metadataValue("format").map { .string($0) } ?? .null,
          ]
        }),
      "parameters": .integer(inspection.parameterCount),
      "tensor_byte_count": .integer(inspection.byteCount),
      "dtypes": .object(
        dtypes.map { dtype, total in
          .init(
            dtype.rawValue,
            ["tensors": .integer(total.tensors), "byte_count": .integer(total.bytes)])
        }),
      "architecture": architectureJSON,
      "bits_per_weight": inspection.isPacked ? .double(inspection.bitsPerWeight) : .null,
      "by_role": .array(
        inspection.sharesByRole.map { role, share in
          Self.json(share, ["role": .string(role.rawValue)])
        }),
      "by_width": .array(
        inspection.sharesByWidth.map { width, share in Self.json(share, width.json) }),
    ]
    if let filter { json["filter"] = .string(filter) }
    json["tensors"] = .array(tensors.map(tensorJSON))
    return json
  }

  private static func json(_ share: InspectionShare, _ key: JSONValue) -> JSONValue {
    var json = key
    json["tensors"] = .integer(share.tensorCount)
    json["byte_count"] = .integer(share.byteCount)
    json["share"] = .double(share.share)
    json["bits_per_weight"] = .double(share.bitsPerWeight)
    return json
  }

  private var dtypes: [(DType, (tensors: Int, bytes: Int))] {
    var totals: [DType: (tensors: Int, bytes: Int)] = [:]
    for tensor in checkpoint.tensors {
      totals[tensor.info.dtype, default: (0, 0)].tensors += 1
      totals[tensor.info.dtype, default: (0, 0)].bytes += tensor.info.byteCount
    }
    return totals.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
  }

  private var architectureJSON: JSONValue {
    guard let config = checkpoint.config else { return .null }
    func integer(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
    return [
      "model_type": config.modelType.map { .string($0) } ?? .null,
      "architectures": .array(config.architectures.map { .string($0) }),
      "hidden_size": integer(config.hiddenSize),
      "intermediate_size": integer(config.intermediateSize),
      "layer_count": integer(config.layerCount), "head_count": integer(config.headCount),
      "key_value_head_count": integer(config.keyValueHeadCount),
      "head_dim": integer(config.headDimension),
      "vocabulary_size": integer(config.vocabularySize),
      "context_length": integer(config.contextLength),
      "expert_count": integer(config.expertCount),
      "tied_word_embeddings": config.tiesWordEmbeddings.map { .bool($0) } ?? .null,
    ]
  }

  private func tensorJSON(_ tensor: Inspection.Tensor) -> JSONValue {
    let (treatment, reason) = tensor.identity.treatment.words
    var json: JSONValue = [
      "name": .string(tensor.name), "file": .string(tensor.file),
      "dtype": .string(tensor.dtype.rawValue),
      "shape": .array(tensor.shape.map { .integer($0) }),
      "byte_count": .integer(tensor.byteCount), "role": .string(tensor.identity.role.rawValue),
      "layer": tensor.identity.layer.map { .integer($0) } ?? .null,
      "expert": tensor.identity.expert.map { .integer($0) } ?? .null,
      "treatment": .string(treatment), "reason": .string(reason),
    ]
    if let values = values[tensor.name] { json["values"] = values.json }
    guard inspection.isPacked else { return json }
    json["encoding"] = tensor.packing == nil ? "raw" : "affine"
    json["source_dtype"] = tensor.sourceDType.map { .string($0.rawValue) } ?? .null
    json["stored"] = .array((tensor.packing?.stored ?? [tensor.name]).map { .string($0) })
    if let packing = tensor.packing {
      json["bits"] = .integer(packing.layout.bits)
      json["group_size"] = .integer(packing.layout.groupSize)
      json["method"] = packing.method.map { .string($0) } ?? .null
      json["bits_per_weight"] = .double(tensor.bitsPerWeight)
      json["sqnr_db"] = .double(packing.error?.sqnrDecibels)
    }
    return json
  }

  func text(_ terminal: Terminal) -> String {
    var text = ""
    for (name, file) in zip(checkpoint.fileNames, checkpoint.files) {
      text +=
        "\(printable(name)): \(ByteSize(bytes: file.input.byteCount).text),"
        + " \(file.header.tensors.count) tensors\n"
    }
    text += "parameters: \(inspection.parameterCount)\n"
    text +=
      "dtypes: "
      + dtypes.map { "\($0.rawValue) \($1.tensors) tensors, \(ByteSize(bytes: $1.bytes).text)" }
      .joined(separator: "; ") + "\n"
    if let facts = architectureText { text += facts + "\n" }
    if inspection.isPacked, let bits = inspection.bitsPerWeight {
      text += String(format: "bits per weight: %.3f, scales and biases counted\n", bits)
    }
    text += "\n" + shares(terminal) + "\n"
    if let filter {
      let bytes = tensors.reduce(0) { $0 + $1.byteCount }
      let share = Double(bytes) / Double(max(1, inspection.byteCount))
      text +=
        "\(printable(filter)): \(tensors.count) of \(inspection.tensors.count) tensors,"
        + " \(ByteSize(bytes: bytes).text), \(percent(share)) of the bytes\n"
    }
    return text + table(terminal)
  }

  /// Who has the bytes: by role, then by width.
  private func shares(_ terminal: Terminal) -> String {
    func table(_ title: String, _ rows: [(name: String, share: InspectionShare)]) -> String {
      var table = TextTable([
        .init(title), .init("tensors", .right), .init("size", .right), .init("of bytes", .right),
        .init("bpw", .right),
      ])
      for (name, share) in rows {
        table.append([
          name, "\(share.tensorCount)", ByteSize(bytes: share.byteCount).text,
          percent(share.share), String(format: "%.2f", share.bitsPerWeight),
        ])
      }
      return table.text(style: terminal.style)
    }
    return table("role", inspection.sharesByRole.map { ($0.rawValue, $1) }) + "\n"
      + table("width", inspection.sharesByWidth.map { ($0.words, $1) })
  }

  private var architectureText: String? {
    guard let config = checkpoint.config else { return nil }
    let facts: [(String, Int?)] = [
      ("layers", config.layerCount), ("hidden", config.hiddenSize),
      ("intermediate", config.intermediateSize), ("heads", config.headCount),
      ("key/value heads", config.keyValueHeadCount), ("head size", config.headDimension),
      ("vocabulary", config.vocabularySize), ("context", config.contextLength),
      ("experts", config.expertCount),
    ]
    let known = facts.compactMap { name, value in value.map { "\(name) \($0)" } }
    return "architecture: "
      + ([printable(config.modelType ?? "unknown")] + known)
      .joined(separator: ", ")
  }

  private func table(_ terminal: Terminal) -> String {
    var columns: [TextTable.Column] = [
      .init("layer", .right), .init("tensor"), .init("role"), .init("shape"), .init("dtype"),
      .init("size", .right),
    ]
    if inspection.isPacked {
      columns += [
        .init("bits", .right), .init("group size", .right), .init("bpw", .right),
        .init("SQNR dB", .right),
      ]
    }
    var table = TextTable(columns)
    for tensor in tensors {
      var cells = [
        tensor.identity.layer.map { "\($0)" } ?? "", printable(tensor.name),
        tensor.identity.role.rawValue, shapeText(tensor.shape), tensor.dtype.rawValue,
        ByteSize(bytes: tensor.byteCount).text,
      ]
      if inspection.isPacked {
        let decibels = tensor.packing?.error?.sqnrDecibels
        cells += [
          tensor.packing.map { "\($0.layout.bits)" } ?? "",
          tensor.packing.map { "\($0.layout.groupSize)" } ?? "",
          String(format: "%.2f", tensor.bitsPerWeight),
          decibels.map { $0.isFinite ? String(format: "%.1f", $0) : "exact" } ?? "",
        ]
      }
      table.append(cells)
    }
    return table.text(style: terminal.style)
  }
}

extension Inspection.Width {
  var words: String {
    switch self {
    case .quantized(let layout): "\(layout.bits) bits, groups of \(layout.groupSize)"
    case .kept(let dtype): dtype.rawValue
    }
  }

  fileprivate var json: JSONValue {
    switch self {
    case .quantized(let layout):
      ["bits": .integer(layout.bits), "group_size": .integer(layout.groupSize), "dtype": .null]
    case .kept(let dtype):
      ["bits": .integer(dtype.bitCount), "group_size": .null, "dtype": .string(dtype.rawValue)]
    }
  }
}

extension Treatment {
  /// What happens to the tensor in a conversion, and why.
  fileprivate var words: (treatment: String, reason: String) {
    switch self {
    case .quantize(.linear): ("quantize", "linear layer")
    case .quantize(.embedding): ("quantize", "embedding")
    case .quantize(.expertStack): ("quantize", "stack of experts")
    case .keep(let reason), .unfit(let reason): ("keep", reason)
    case .drop(let reason): ("drop", reason)
    }
  }
}
