import Formats
import Testing

@Suite struct DumpNameTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let text: String
    let subject: DumpName.Subject
    var chunk = 0
    var testDescription: String { text }
  }

  @Test(arguments: [
    Case(
      text: "model.layers.0.mlp.down_proj.input",
      subject: .input(module: "model.layers.0.mlp.down_proj")),
    Case(text: "lm_head.input", subject: .input(module: "lm_head")),
    Case(text: "lm_head.input.3", subject: .input(module: "lm_head"), chunk: 3),
    Case(text: "lm_head.input.0", subject: .input(module: "lm_head")),
    Case(text: "lm_head.input.007", subject: .input(module: "lm_head"), chunk: 7),
    Case(text: "x.input.2147483647", subject: .input(module: "x"), chunk: 2_147_483_647),
    Case(text: "h.7.input", subject: .input(module: "h.7")),
    Case(text: "input.input", subject: .input(module: "input")),
    Case(text: "layers.0.key", subject: .key(layer: 0)),
    Case(text: "layers.31.value", subject: .value(layer: 31)),
    Case(text: "layers.3.latent", subject: .latent(layer: 3)),
    Case(text: "model.layers.3.rope_key.1", subject: .rotaryKey(layer: 3), chunk: 1),
    Case(text: "layers.31.value.12", subject: .value(layer: 31), chunk: 12),
    Case(text: "model.layers.4.key", subject: .key(layer: 4)),
    // The linear layer may itself be called a key.
    Case(text: "layers.4.key.input", subject: .input(module: "layers.4.key")),
  ])
  func namesOfTheConvention(_ known: Case) throws {
    let name = try #require(DumpName(known.text))
    #expect(name.subject == known.subject)
    #expect(name.chunk == known.chunk)
  }

  @Test(arguments: [
    "", ".", "input", ".input", "input.", "x..input", "x.input.", "x.Input", "x.output", "x",
    "input.3", "3.input.x", "x.input.-1", "x.input.+1", "x.input.1e3", "x.input.2147483648",
    "x.input.99999999999999999999999999", "x.input.1.2", "x.input.٣", "x.input. 1",
    "key", "layers.key", "layers.0", "0.key", "layers.x.key", "layers.-1.key", "layers.+1.key",
    "layers.2147483648.value", "layers..key", "layer.0.key", "layers.0.keys", "layers.0.attn.key",
    "layers.0.key.value", "x.weight", "__metadata__", "\u{0}", "é.é",
  ])
  func otherNamesAreNone(_ text: String) {
    #expect(DumpName(text) == nil)
  }

  @Test(arguments: [
    "a.b.input", "layers.5.key", "layers.5.value", "layers.5.latent",
    "layers.5.rope_key",
  ])
  func aSubjectIsSpelledAsItIsRead(_ text: String) {
    #expect(DumpName(text)?.subject.name == text)
    #expect(DumpName(text + ".9")?.subject.name == text)
  }
}
