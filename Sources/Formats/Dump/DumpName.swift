/// What the name of a dump's tensor says: whose values these are, and which chunk of them.
///
/// The convention is decant's own; docs/DUMPS.md describes it.
package struct DumpName: Sendable, Hashable {
  /// Whose values they are.
  package enum Subject: Sendable, Hashable {
    /// Inputs of the linear layer with that module path: `MODULE.input`.
    case input(module: String)
    /// The key or value cache of a layer: `layers.N.key`, `layers.N.value`.
    case key(layer: Int)
    case value(layer: Int)
    /// What multi-head latent attention caches in their place: `layers.N.latent`, `layers.N.rope_key`.
    case latent(layer: Int)
    case rotaryKey(layer: Int)
  }

  package let subject: Subject
  /// Tokens of several chunks follow each other by this number; 0 without one.
  package let chunk: Int

  /// Fails for a name outside the convention.
  package init?(_ name: String) {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count >= 2, !parts.contains("") else { return nil }
    var chunk = 0
    if let number = Self.index(parts[parts.count - 1]) {
      chunk = number
      parts.removeLast()
    }
    guard let last = parts.popLast(), !parts.isEmpty else { return nil }
    switch last {
    case "input": subject = .input(module: parts.joined(separator: "."))
    case "key", "value", "latent", "rope_key":
      guard parts.count >= 2, parts[parts.count - 2] == "layers",
        let layer = Self.index(parts[parts.count - 1])
      else { return nil }
      subject =
        switch last {
        case "key": .key(layer: layer)
        case "value": .value(layer: layer)
        case "latent": .latent(layer: layer)
        default: .rotaryKey(layer: layer)
        }
    default: return nil
    }
    self.chunk = chunk
  }

  private static func index(_ text: Substring) -> Int? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(text), number < 1 << 31
    else { return nil }
    return number
  }
}
