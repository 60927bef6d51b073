/// One line of the naming table: tensors whose module path ends like this have that role.
struct NamingRule: Sendable {
  /// The last components of a path, in order; `*` stands for any index.
  let pattern: [Substring]
  /// Whether the pattern must be the whole path.
  let isAnchored: Bool
  let role: TensorRole

  /// - Parameter pattern: as in `"experts.*.w1"`; with a leading `^` it must be the whole path.
  init(_ pattern: String, _ role: TensorRole) {
    isAnchored = pattern.hasPrefix("^")
    self.pattern = pattern.dropFirst(isAnchored ? 1 : 0).split(separator: ".")
    self.role = role
  }

  func matches(_ path: [Substring]) -> Bool {
    guard isAnchored ? path.count == pattern.count : path.count >= pattern.count else {
      return false
    }
    return zip(path.reversed(), pattern.reversed()).allSatisfy { component, expected in
      expected == "*" ? TensorName.index(component) != nil : component == expected
    }
  }
}

/// Rules, arranged so that a name meets only those that end like it. Of the rules that match, the
/// longest decides: `mixer.out_proj` before `out_proj`.
struct NamingTable: Sendable {
  private var rulesByLastComponent: [Substring: [NamingRule]] = [:]

  init(_ rules: [NamingRule]) {
    for rule in rules {
      rulesByLastComponent[rule.pattern.last ?? "", default: []].append(rule)
    }
    for key in rulesByLastComponent.keys {
      rulesByLastComponent[key]?.sort { $0.pattern.count > $1.pattern.count }
    }
  }

  func role(of path: [Substring]) -> TensorRole? {
    guard let last = path.last else { return nil }
    let rules = rulesByLastComponent
    // A rule for this very index goes before those for any.
    let named = rules[last]?.first { $0.matches(path) }
    if named != nil || TensorName.index(last) == nil { return named?.role }
    return rules["*"]?.first { $0.matches(path) }?.role
  }
}
