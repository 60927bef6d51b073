import Foundation
import Testing

@testable import Formats

/// Models by name, in a cache laid out as huggingface_hub does.
@Suite struct HubCacheTests {
  private let folder: TemporaryFolder
  private let cache: HubCache

  init() throws {
    folder = try TemporaryFolder()
    cache = HubCache(environment: ["HF_HOME": folder.path, "HOME": "/nowhere"])
    for (name, commits) in [
      ("models--Qwen--Qwen3-0.6B", ["c0ffee", "facade"]), ("models--gpt2", ["a1"]),
      ("models--acme--empty", []),
    ] {
      try folder.makeFolder("hub/\(name)/refs")
      for commit in commits { try folder.makeFolder("hub/\(name)/snapshots/\(commit)") }
    }
    try folder.write("facade\n", to: "hub/models--Qwen--Qwen3-0.6B/refs/main")
    try folder.makeFolder("hub/models--Qwen--Qwen3-0.6B/refs/pr")
    try folder.write("c0ffee", to: "hub/models--Qwen--Qwen3-0.6B/refs/pr/1")
  }

  private func snapshot(_ model: String, _ commit: String) -> String {
    folder.path("hub/models--\(model)/snapshots/\(commit)")
  }

  @Test func theFolderIsWhereTheToolsPutIt() {
    func place(_ environment: [String: String]) -> String {
      HubCache(environment: environment).folder
    }
    #expect(place(["HOME": "/a"]) == "/a/.cache/huggingface/hub")
    #expect(place(["HOME": "/a", "XDG_CACHE_HOME": "/c"]) == "/c/huggingface/hub")
    #expect(place(["HOME": "/a", "HF_HOME": "/h", "XDG_CACHE_HOME": "/c"]) == "/h/hub")
    #expect(place(["HF_HUB_CACHE": "/models", "HF_HOME": "/h"]) == "/models")
    #expect(place(["HF_HUB_CACHE": "", "HF_HOME": "/h"]) == "/h/hub")
  }

  @Test func aNameIsItsSnapshot() throws {
    let qwen = "Qwen--Qwen3-0.6B"
    #expect(try cache.path(of: "Qwen/Qwen3-0.6B") == snapshot(qwen, "facade"))
    #expect(try cache.path(of: "Qwen/Qwen3-0.6B@pr/1") == snapshot(qwen, "c0ffee"))
    #expect(try cache.path(of: "Qwen/Qwen3-0.6B@c0ffee") == snapshot(qwen, "c0ffee"))
    #expect(try cache.path(of: "gpt2") == snapshot("gpt2", "a1"))
    // The folder itself will do.
    #expect(try cache.path(of: folder.path("hub/models--\(qwen)")) == snapshot(qwen, "facade"))
  }

  @Test func everySnapshotIsListedByTheNameThatFindsIt() throws {
    // Neither is a model's folder: another kind of repository, and no name that the hub gives.
    try folder.makeFolder("hub/datasets--acme--text/snapshots/1")
    try folder.makeFolder("hub/models--a--b--c/snapshots/1")
    try folder.makeFolder("hub/models--Qwen--Qwen3-0.6B/snapshots/feed")
    let snapshots = cache.snapshots()
    #expect(
      snapshots.map(\.name) == [
        "Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B@feed", "Qwen/Qwen3-0.6B@pr/1", "acme/empty", "gpt2@a1",
      ])
    for found in snapshots where found.name != "acme/empty" {
      #expect(try cache.path(of: found.name) == found.path)
    }
    #expect(snapshots[3].path == folder.path("hub/models--acme--empty"))
    #expect(HubCache(folder: folder.path("missing")).snapshots() == [])
  }

  @Test func whatIsThereGoesFirst() throws {
    let path = folder.path("hub")
    #expect(try cache.path(of: path) == path)
    // Neither a path nor a name: whoever opens it says so.
    for name in [
      "missing", "a/b/c", "../model", "a//b", "-x/y", "org/..", "org/name@../../etc", "",
    ] {
      #expect(try cache.path(of: name) == name)
    }
  }

  @Test func whatIsNotThereIsNamed() throws {
    for (name, revision) in [
      ("Qwen/Qwen3-4B", nil), ("Qwen/Qwen3-0.6B", "v2"), ("acme/empty", nil),
    ] {
      let error = #expect(throws: SourceError.self) {
        try cache.path(of: name + (revision.map { "@" + $0 } ?? ""))
      }
      #expect(error == .notInCache(model: name, revision: revision, cache: folder.path("hub")))
      #expect(
        error?.hint
          == "'hf download \(name)\(revision.map { " --revision " + $0 } ?? "")' fetches a model of that name"
      )
    }
  }
}
