/// The few values of largest magnitude, with their places.
package struct LargestValues: Sendable, Equatable {
  package struct Entry: Sendable, Equatable {
    package let value: Float
    package let row: Int
    package let column: Int
  }

  /// By falling magnitude, then by place; at most `limit`.
  package private(set) var entries: [Entry] = []
  package static let limit = 16

  package init() {}

  /// Sees one finite value.
  package mutating func add(_ value: Float, row: Int, column: Int) {
    if entries.count == Self.limit, value.magnitude < entries[Self.limit - 1].value.magnitude {
      return
    }
    insert(Entry(value: value, row: row, column: column))
  }

  package mutating func merge(_ other: LargestValues) {
    for entry in other.entries { insert(entry) }
  }

  private mutating func insert(_ entry: Entry) {
    let place = entries.firstIndex { Self.precedes(entry, $0) } ?? entries.count
    entries.insert(entry, at: place)
    if entries.count > Self.limit { entries.removeLast() }
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool {
    if a.value.magnitude != b.value.magnitude { return a.value.magnitude > b.value.magnitude }
    return (a.row, a.column) < (b.row, b.column)
  }
}
