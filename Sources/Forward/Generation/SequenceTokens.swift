import Formats

/// The tokens that begin and end a sequence, as the files beside a model's weights name them.
package struct SequenceTokens: Sendable, Equatable {
  package let beginning: Int?
  package let ends: [Int]

  private static let fileName = "generation_config.json"
  private static let sizeLimit = 1 << 24

  /// What `generation_config.json` says counts; what it leaves out is taken from `config.json`.
  ///
  /// - Throws: `ForwardError.badSpecialToken`, `FileError`.
  package init(of checkpoint: Checkpoint) throws {
    var documents: [(path: String, json: JSONValue)] = []
    let path = checkpoint.home + "/" + Self.fileName
    if FileStatus.exists(path) { documents.append((path, try Self.read(path))) }
    if let json = checkpoint.configDocument?.json {
      documents.append((checkpoint.configPath ?? "config.json", json))
    }
    func ids(_ key: String) throws -> [Int] {
      for (path, json) in documents {
        guard let value = json[key], value != .null else { continue }
        let ids = (value.arrayValue ?? [value]).map(\.intValue)
        guard ids.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else {
          throw ForwardError.badSpecialToken(
            "'\(key)' is \(value.compactText), which is no token", path: path)
        }
        return ids.compactMap(\.self)
      }
      return []
    }
    beginning = try ids("bos_token_id").first
    ends = try ids("eos_token_id")
  }

  private static func read(_ path: String) throws -> JSONValue {
    let bytes = try InputFile(path: path).readAll(limit: sizeLimit)
    do {
      return try JSONValue(parsing: bytes)
    } catch let error as JSONError {
      throw ForwardError.badSpecialToken("\(error.reason) (byte \(error.offset))", path: path)
    }
  }
}
