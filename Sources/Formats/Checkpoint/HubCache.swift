import Foundation

/// The models that Hugging Face's tools have downloaded, found by their names.
///
/// Source: huggingface/huggingface_hub, `constants.py` and `file_download.py`: a model is in
/// `models--ORG--NAME`, where `refs/REVISION` holds a commit and `snapshots/COMMIT` its files.
package struct HubCache: Sendable {
  package let folder: String
  private static let prefix = "models--"
  /// More names of revisions than any model has.
  private static let referenceLimit = 10_000

  package init(folder: String) { self.folder = folder }

  /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in `huggingface` of the user's cache.
  package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    func named(_ name: String) -> String? {
      environment[name].flatMap { $0.isEmpty ? nil : NSString(string: $0).expandingTildeInPath }
    }
    let cache =
      named("XDG_CACHE_HOME") ?? SourceTriage.join(named("HOME") ?? NSHomeDirectory(), ".cache")
    folder =
      named("HF_HUB_CACHE") ?? named("HUGGINGFACE_HUB_CACHE")
      ?? SourceTriage.join(named("HF_HOME") ?? SourceTriage.join(cache, "huggingface"), "hub")
  }

  /// Where the checkpoint is that somebody named: by its path, by the folder of a model in the cache, or as
  /// `ORG/NAME`, `ORG/NAME@REVISION`, where nothing has that path. What is none of these is given back as it is.
  ///
  /// - Throws: `SourceError.notInCache`.
  package func path(of name: String) throws(SourceError) -> String {
    guard !FileStatus.exists(name) else {
      return Self.isModelFolder(name) ? Self.snapshot(in: name) ?? name : name
    }
    guard let model = Name(name) else { return name }
    let place = SourceTriage.join(folder, model.folder)
    guard FileStatus.isDirectory(place) else {
      // A word alone is more likely a file that is missing.
      guard model.isWithOrganization else { return name }
      throw .notInCache(model: model.text, revision: model.revision, cache: folder)
    }
    guard let revision = model.revision else {
      guard let snapshot = Self.snapshot(in: place) else {
        throw .notInCache(model: model.text, revision: nil, cache: folder)
      }
      return snapshot
    }
    for commit in [Self.commit(revision, in: place), revision].compactMap(\.self) {
      let snapshot = SourceTriage.join(place, "snapshots/" + commit)
      if !commit.contains("/"), FileStatus.isDirectory(snapshot) { return snapshot }
    }
    throw .notInCache(model: model.text, revision: revision, cache: folder)
  }

  /// A snapshot of a model that the cache has.
  package struct Snapshot: Sendable, Equatable {
    /// `ORG/NAME`, or `ORG/NAME@REVISION` where it is not that of `refs/main`.
    package let name: String
    /// Its folder; that of the model where there is no snapshot.
    package let path: String
  }

  /// All snapshots of all models, sorted by name; none where there is no cache.
  package func snapshots() -> [Snapshot] {
    Self.folders(in: folder).flatMap { entry -> [Snapshot] in
      guard entry.hasPrefix(Self.prefix) else { return [] }
      let place = SourceTriage.join(folder, entry)
      let words = entry.dropFirst(Self.prefix.count).split(separator: "--", maxSplits: 1)
      guard let model = Name(words.joined(separator: "/")), model.folder == entry else { return [] }
      let commits = Self.folders(in: SourceTriage.join(place, "snapshots"))
      guard !commits.isEmpty else { return [Snapshot(name: model.text, path: place)] }
      let references = Self.references(in: place)
      return commits.map { commit in
        let names = references.filter { $0.commit == commit }.map(\.name)
        let revision = names.contains("main") ? nil : names.first ?? commit
        return Snapshot(
          name: model.text + (revision.map { "@" + $0 } ?? ""),
          path: SourceTriage.join(place, "snapshots/" + commit))
      }
    }.sorted { $0.name < $1.name }
  }

  /// What `refs` says of revisions, sorted by name. Those of pull requests are a folder deeper.
  private static func references(in directory: String) -> [(name: String, commit: String)] {
    let refs = SourceTriage.join(directory, "refs")
    let paths = FileManager.default.enumerator(atPath: refs)?.lazy
      .compactMap { $0 as? String }.prefix(referenceLimit)
    return (paths.map(Array.init) ?? []).sorted().compactMap { name in
      FileStatus.isRegular(SourceTriage.join(refs, name))
        ? commit(name, in: directory).map { (name, $0) } : nil
    }
  }

  private static func folders(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
      .filter { FileStatus.isDirectory(SourceTriage.join(directory, $0)) }
  }

  /// Whether it has what the folder of a model in the cache has.
  static func isModelFolder(_ directory: String) -> Bool {
    func has(_ name: String) -> Bool { FileStatus.isDirectory(SourceTriage.join(directory, name)) }
    return has("snapshots") && (has("blobs") || has("refs"))
  }

  /// The snapshot that `refs/main` names, else the first there is.
  static func snapshot(in directory: String) -> String? {
    let folder = SourceTriage.join(directory, "snapshots")
    let names = folders(in: folder)
    let main = commit("main", in: directory)
    return (names.first { $0 == main } ?? names.first).map { SourceTriage.join(folder, $0) }
  }

  private static func commit(_ revision: String, in directory: String) -> String? {
    (try? InputFile(path: SourceTriage.join(directory, "refs/" + revision)).readAll(limit: 256))
      .map {
        String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
      }
  }

  /// A model's name on the hub. Source: huggingface_hub, `utils/_validators.py`.
  private struct Name {
    let text: String
    let revision: String?

    /// Nil for what can be none.
    init?(_ name: String) {
      let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      let words = parts[0].split(separator: "/", omittingEmptySubsequences: false)
      guard (1...2).contains(words.count), words.allSatisfy(Self.isWord) else { return nil }
      text = String(parts[0])
      revision = parts.count == 2 ? String(parts[1]) : nil
      guard let revision else { return }
      // Branches may have slashes; none leads out of the folder.
      let steps = revision.split(separator: "/", omittingEmptySubsequences: false)
      guard steps.allSatisfy(Self.isWord) else { return nil }
    }

    private static func isWord(_ word: Substring) -> Bool {
      guard let first = word.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-"),
        !word.contains("--"), !word.contains("..")
      else { return false }
      return word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
          UInt8(ascii: "_"):
          true
        default: false
        }
      }
    }

    var isWithOrganization: Bool { text.contains("/") }

    var folder: String { HubCache.prefix + text.replacing("/", with: "--") }
  }
}
