/// Byte strings by their beginnings, each with a number.
struct ByteTrie: Sendable {
  /// A node in the upper bits and a byte in the lower eight, to a node.
  private var edges: PairTable
  /// The number of the string that ends at each node, or -1.
  private var values: [Int32] = [-1]
  /// The nodes of the first bytes, or -1: most searches end here.
  private var first = [Int32](repeating: -1, count: 256)

  static let root: Int32 = 0

  /// - Parameter capacity: about how many bytes will be inserted.
  init(capacity: Int = 0) { edges = PairTable(capacity: capacity) }

  /// Gives `string` a number, in the place of one that it had.
  mutating func insert(_ string: some Sequence<UInt8>, _ value: Int32) {
    precondition(value >= 0)
    var node = Self.root
    for byte in string {
      if let next = child(of: node, byte) {
        node = next
        continue
      }
      let next = Int32(values.count)
      values.append(-1)
      if node == Self.root {
        first[Int(byte)] = next
      } else {
        edges.set(UInt64(node) << 8 | UInt64(byte), UInt64(next))
      }
      node = next
    }
    values[Int(node)] = value
  }

  @inline(__always)
  func child(of node: Int32, _ byte: UInt8) -> Int32? {
    if node == Self.root {
      let next = first[Int(byte)]
      return next < 0 ? nil : next
    }
    return edges[UInt64(node) << 8 | UInt64(byte)].map { Int32(truncatingIfNeeded: $0) }
  }

  /// The number of the string that ends at `node`.
  @inline(__always)
  func value(_ node: Int32) -> Int32? {
    let value = values[Int(node)]
    return value < 0 ? nil : value
  }

  /// The node at the end of `string`, nil where nothing begins with it.
  func node(_ string: [UInt8]) -> Int32? {
    var node = Self.root
    for byte in string {
      guard let next = child(of: node, byte) else { return nil }
      node = next
    }
    return node
  }

  /// The longest string that `text` has at `offset`: where it ends, and its number.
  func longestMatch(
    in text: Span<UInt8>, at offset: Int, from start: Int32 = root
  ) -> (end: Int, value: Int32)? {
    var (node, end) = (start, offset)
    var found: (end: Int, value: Int32)?
    while end < text.count, let next = child(of: node, text[end]) {
      node = next
      end += 1
      if let value = value(node) { found = (end, value) }
    }
    return found
  }
}
