import Formats
import Foundation
import Model

/// What a GGUF file says of a model beside its tensors.
package struct GGUFContent: Sendable {
  let model: GGUFModel
  private let name: String?
  private let tokenizer: GGUFTokenizer?

  /// Largest file that is read of a tokenizer, in bytes.
  private static let largestFile = 1 << 26

  /// - Throws: `TokenizerError`, `FileError` where the tokenizer cannot be read; `GGUFModelError.tokenizer`
  ///   where llama.cpp has no such tokenizer.
  init(_ model: GGUFModel, of checkpoint: Checkpoint) throws {
    self.model = model
    name = checkpoint.config?.document["_name_or_path"]?.stringValue?
      .split(separator: "/").last.map(String.init)
    guard let path = try Tokenizer.find(in: checkpoint.home) else {
      tokenizer = nil
      return
    }
    func document(_ name: String) throws -> JSONValue? {
      let path = checkpoint.home + "/" + name
      return FileStatus.exists(path) ? try Self.json(path) : nil
    }
    let template = checkpoint.home + "/chat_template.jinja"
    tokenizer = try GGUFTokenizer(
      Self.json(path), settings: document("tokenizer_config.json") ?? [:],
      config: checkpoint.configDocument?.json ?? [:],
      template: FileStatus.exists(template)
        ? .string(
          String(
            decoding: InputFile(path: template).readAll(limit: Self.largestFile), as: UTF8.self))
        : document("chat_template.json")?["chat_template"], rows: model.vocabularySize)
  }

  private static func json(_ path: String) throws -> JSONValue {
    do {
      return try JSONValue(parsing: try InputFile(path: path).readAll(limit: largestFile))
    } catch let error as JSONError {
      throw TokenizerError.badJSON(path: path, reason: error.reason, offset: error.offset)
    }
  }

  /// What is no failure and should be known: sentences for people.
  var warnings: [String] {
    model.warnings
      + (tokenizer == nil ? ["there is no tokenizer beside the model: it runs on ids alone"] : [])
  }

  /// - Parameters:
  ///   - tensors: in the order of the file.
  ///   - types: what was asked for; nil for those of the source.
  /// - Throws: `GGUFError.Violation`.
  func layout(
    _ tensors: [TensorPlan], _ types: GGUFTypes?
  ) throws(GGUFError.Violation) -> WeightFileLayout {
    var requests: [GGUFLayout.Request] = []
    var sizes: [GGMLType: Int] = [:]
    for tensor in tensors {
      guard let type = tensor.ggmlType else {
        preconditionFailure("a plan for GGUF stores what ggml has")
      }
      let shape = tensor.tensor.dimensions
      requests.append(.init(name: tensor.name, type: type, shape: shape))
      if shape.count > 1 { sizes[type, default: 0] += shape.reduce(1, *) }
    }
    for tensor in model.derived {
      requests.append(.init(name: tensor.name, type: .f32, shape: [tensor.values.count]))
    }
    // Of equal ones, that with the smallest number.
    let common = sizes.max { ($0.value, -$0.key.rawValue) < ($1.value, -$1.key.rawValue) }?.key
    return .gguf(
      try GGUFLayout(requests), keys: keys(fileType: types?.fileType ?? (common ?? .f32).fileType))
  }

  private func keys(fileType: UInt32) -> [(key: String, value: GGUFValue)] {
    var keys: [(key: String, value: GGUFValue)] = [
      ("general.architecture", .string(model.architecture)), ("general.type", .string("model")),
    ]
    if let name { keys.append(("general.name", .string(name))) }
    keys.append(("general.file_type", .uint32(fileType)))
    keys.append(("general.quantization_version", .uint32(2)))
    keys += model.keys
    return keys + (tokenizer ?? .none).keys
  }
}

extension GGMLType {
  /// llama.cpp's number for files of which most weights have this type (`enum llama_ftype`).
  fileprivate var fileType: UInt32 {
    switch self {
    case .f16: 1
    case .bf16: 32
    default: 0
    }
  }
}
