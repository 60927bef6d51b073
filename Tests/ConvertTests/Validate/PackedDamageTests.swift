import Formats
import Foundation
import Testing

@testable import Convert

/// Every rule of `validate`, broken in a packed checkpoint that is sound but for it.
@Suite struct PackedDamageTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func whatIsSpoiledWasSound() throws {
    let pack = try SmallPack()
    #expect(try validate(pack.one, against: pack.source) == [])
    #expect(try validate(pack.two, against: pack.source) == [])
    let merged = try pack.merged(pack.two, to: "merged")
    #expect(try validate(merged) == [])
    try pack.edit(pack.oneFile) { $0.addPlan() }
    #expect(try validate(pack.one) == [])
  }

  @Test(arguments: PackedDamage.all)
  func isFoundAndNothingElseIs(_ damage: PackedDamage) throws {
    let found = try damage.findings(SmallPack())
    #expect(
      found.map { PackedDamage.Expected(rule: $0.rule, tensor: $0.tensor) } == damage.expected,
      "\(found.map(\.message))")
  }

  @Test func everyRuleIsBroken() {
    let broken = Set(PackedDamage.all.flatMap { $0.expected.map(\.rule) })
    #expect(broken == Set(PackedRule.allNames))
    #expect(Set(PackedRule.allNames).count == PackedRule.allNames.count)
  }

  @Test func everyRuleIsDescribed() throws {
    let text = try String(
      contentsOf: Self.root.appending(path: "docs/FORMAT.md"), encoding: .utf8)
    let section = try #require(text.components(separatedBy: "\n## Validation\n").dropFirst().first)
      .components(separatedBy: "\n## ")[0]
    let named = section.components(separatedBy: "\n").filter { $0.hasPrefix("| `") }.map {
      String($0.dropFirst(3).prefix { $0 != "`" })
    }
    #expect(named.sorted() == PackedRule.allNames.sorted())
  }

  @Test func everyRuleIsInTheSchema() throws {
    let schema = try JSONValue(
      parsing: [UInt8](Data(contentsOf: Self.root.appending(path: "schemas/validate.schema.json"))))
    let finding = schema["properties"]?["findings"]?["items"]?["properties"]
    let names = finding?["rule"]?["enum"]?.arrayValue?.compactMap(\.stringValue)
    #expect(names?.sorted() == PackedRule.allNames.sorted())
  }
}
