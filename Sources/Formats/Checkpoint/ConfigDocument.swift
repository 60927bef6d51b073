import Synchronization

/// The `config.json` of a checkpoint, and what was last made of it. What the document says of a
/// model is not known here; who knows works it out once, however often it is asked for.
package final class ConfigDocument: Sendable {
  package let json: JSONValue
  private let reading = Mutex<(any Sendable)?>(nil)

  package init(_ json: JSONValue) { self.json = json }

  /// What `read` makes of the document; it is not called again where this is what it made before.
  package func reading<Reading: Sendable>(_ read: (JSONValue) -> Reading) -> Reading {
    reading.withLock { last in
      if let last, let known = last as? Reading { return known }
      let new = read(json)
      last = new
      return new
    }
  }
}
