import Foundation

/// The names under which an output is built, hidden beside its target:
/// `.NAME.decant-TAG.partial`, and the same with `.old` for what is being replaced.
struct TemporaryName {
  static let setAsideEnding = ".old"
  private static let ending = ".partial"
  /// Bytes of the target's name that are kept: names may have 255 in all.
  private static let nameLimit = 200

  private let target: String
  private let parent: String
  private let prefix: String

  init(target: String) {
    let url = URL(fileURLWithPath: target)
    self.target = target
    parent = url.deletingLastPathComponent().path
    prefix = ".\(Self.shortened(url.lastPathComponent)).decant-"
  }

  /// A long name loses its end, and gets a checksum of the whole instead.
  private static func shortened(_ name: String) -> String {
    guard name.utf8.count > nameLimit else { return name }
    var start = name.prefix(nameLimit)
    while start.utf8.count > nameLimit - 16 { start.removeLast() }
    var hash = XXH64()
    hash.update(Array(name.utf8), 0..<name.utf8.count)
    return start + hash.value.hexDigits
  }

  /// A path that nothing has, most likely.
  func fresh() -> String {
    let tag = String(UInt32.random(in: 0...UInt32.max), radix: 36)
    return path(prefix + tag + Self.ending)
  }

  /// Removes what processes that are no more have left behind for the same target. What such a
  /// process had set aside stays where nothing has taken its place.
  func removeLeftovers(notice: (OutputNotice) -> Void) {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for entry in entries.sorted() where isTemporary(entry) {
      let found = path(entry)
      if entry.hasSuffix(Self.setAsideEnding), !FileStatus.exists(target) {
        notice(.foundSetAside(path: found, target: target))
        continue
      }
      guard let lock = DirectoryLock(path: found), lock.isHeld,
        (try? FileManager.default.removeItem(atPath: found)) != nil
      else { continue }
      notice(.removedLeftover(path: found))
    }
  }

  private func isTemporary(_ entry: String) -> Bool {
    guard entry.hasPrefix(prefix) else { return false }
    var rest = entry.dropFirst(prefix.count)
    if rest.hasSuffix(Self.setAsideEnding) { rest = rest.dropLast(Self.setAsideEnding.count) }
    guard rest.hasSuffix(Self.ending) else { return false }
    let tag = rest.dropLast(Self.ending.count)
    return !tag.isEmpty && tag.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
  }

  private func path(_ name: String) -> String { parent == "/" ? "/" + name : parent + "/" + name }
}
