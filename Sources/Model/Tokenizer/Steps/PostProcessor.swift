import Formats

/// What is put around the ids of a text: special tokens before and behind it.
struct PostProcessor: Sendable {
  private(set) var before: [Int32] = []
  private(set) var behind: [Int32] = []

  init() {}

  init(_ reader: ComponentReader) throws(TokenizerError) { try add(reader) }

  /// Each one of a sequence sees what those before it have added as part of the text.
  private mutating func add(_ reader: ComponentReader) throws(TokenizerError) {
    let type = try reader.type()
    switch type {
    case "Sequence":
      for child in try reader.children("processors") { try add(child) }
    // Only about the places of tokens in the text.
    case "ByteLevel": break
    case "BertProcessing", "RobertaProcessing":
      before = [try Self.namedId(reader, "cls")] + before
      behind.append(try Self.namedId(reader, "sep"))
    case "TemplateProcessing": try addTemplate(reader)
    default: throw reader.unsupported("the type '\(type)'")
    }
  }

  /// `["[CLS]", 101]`.
  private static func namedId(
    _ reader: ComponentReader, _ member: String
  ) throws(TokenizerError) -> Int32 {
    let pair = try reader.list(member)
    guard pair.count == 2 else { throw reader.malformed("'\(member)' is no token and its id") }
    return try reader.id(pair[1])
  }

  private mutating func addTemplate(_ reader: ComponentReader) throws(TokenizerError) {
    let tokens = try reader.child("special_tokens")
    var parts: [[Int32]] = [[]]
    for part in try reader.children("single") {
      if part.value("Sequence") != nil {
        let name = try part.child("Sequence").string("id")
        guard name == "A", parts.count == 1 else {
          throw reader.unsupported("a template with more than the text itself, once,")
        }
        parts.append([])
      } else {
        let name = try part.child("SpecialToken").string("id")
        parts[parts.count - 1] += try Self.ids(of: name, in: tokens)
      }
    }
    guard parts.count == 2 else { throw reader.unsupported("a template without the text") }
    before = parts[0] + before
    behind += parts[1]
  }

  private static func ids(
    of name: String, in tokens: ComponentReader
  ) throws(TokenizerError) -> [Int32] {
    guard
      let member = tokens.json.members?.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
    else { throw tokens.malformed("no '\(name)', which the template names") }
    let token = try ComponentReader(
      member.value, path: tokens.path, name: "\(tokens.name).\(name)")
    var ids: [Int32] = []
    for id in try token.list("ids") { ids.append(try token.id(id)) }
    return ids
  }
}
