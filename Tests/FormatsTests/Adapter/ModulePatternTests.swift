import Testing

@testable import Formats

@Suite struct ModulePatternTests {
  private func matches(_ key: String, _ module: String) throws -> Bool {
    let pattern = AdapterConfig.Pattern(key: key, value: 1)
    return try ModulePattern(pattern, path: "adapter_config.json").matches(module)
  }

  /// Repetitions within repetitions, over a name as long as a file: as fast as reading it.
  @Test(.timeLimit(.minutes(1))) func aLongNameTakesNoLongTime() throws {
    let name = String(repeating: "ab.", count: 15_000)
    #expect(try matches("((a|.)*b?)*x", name + "x"))
    #expect(try !matches("((a|.)*b?)*x", name + "y"))
  }

  /// As Python's `re.match(r"(.*\.)?(KEY)$", name)` has it.
  @Test(arguments: [
    ("a*", "", true), ("a*", "b", false), ("(a*)*", "aaa", true), ("a+b?", "aab", true),
    ("a+b?", "b", false), ("(a|bc)+", "abca", true), ("(a|bc)+", "abcb", false),
    ("(|a)b", "b", true), ("^a", "x.a", false), ("^x.a", "x.a", true), ("a$", "x.a", true),
    ("a$b", "ab", false), ("(a|b|c)", "x.c", true), ("(a?b?)+c", "bac", true),
  ]) func agreesWithPython(_ key: String, _ name: String, _ expected: Bool) throws {
    #expect(try matches(key, name) == expected)
  }
}
