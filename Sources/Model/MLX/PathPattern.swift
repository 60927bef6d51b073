/// The end of a module's path, as rules name it: `experts.*.up_proj`.
struct PathPattern: Sendable, ExpressibleByStringInterpolation {
  private let components: [Substring]

  init(stringLiteral text: String) { components = text.split(separator: ".") }

  /// What stands before `*`.
  var start: String { components.prefix { $0 != "*" }.joined(separator: ".") }

  /// What follows `*`.
  var end: ArraySlice<Substring> {
    components[(components.lastIndex(of: "*").map { $0 + 1 } ?? 0)...]
  }

  /// A name, cut once for all patterns that it is held against.
  struct Name {
    let text: String
    fileprivate let path: ArraySlice<Substring>
    fileprivate let leaf: Substring?

    init(_ text: String) {
      self.text = text
      var path = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        .map { Substring($0) }[...]
      leaf = path.last.flatMap { ["weight", "bias"].contains($0) ? $0 : nil }
      if leaf != nil { path.removeLast() }
      self.path = path
    }
  }

  /// Where a name has this path.
  struct Match {
    /// The components before it.
    let before: ArraySlice<Substring>
    /// The number that `*` stands for; nil for a pattern without it.
    let index: Int?
    /// What follows the path: `weight`, `bias`, or nil.
    let leaf: Substring?

    /// A name with another path in the place of this one.
    ///
    /// - Parameter leaf: for a name that has none.
    func name(_ path: String, index: Int? = nil, leaf other: Substring? = nil) -> String {
      let components = path.split(separator: ".").map { component in
        index.map { component == "*" ? "\($0)"[...] : component } ?? component
      }
      return (before + components + [leaf ?? other].compactMap(\.self)).joined(separator: ".")
    }
  }

  /// Nil for a name of another path, and for what is no weight or bias of a module.
  func match(_ name: Name) -> Match? {
    let path = name.path
    guard path.count >= components.count, components.last == "*" || path.last == components.last
    else { return nil }
    var index: Int?
    for (found, expected) in zip(path.suffix(components.count), components) {
      if expected == "*" {
        // Leading zeros would be lost.
        guard let number = TensorName.index(found), "\(number)" == found else { return nil }
        index = number
      } else if found != expected {
        return nil
      }
    }
    return Match(before: path.dropLast(components.count), index: index, leaf: name.leaf)
  }
}
