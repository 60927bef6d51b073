import Foundation

/// Files that tests of several modules read; `Fixtures/README.md` says how each was made.
package enum SharedFixture {
  package static func path(_ name: String) -> String {
    Bundle.module.bundleURL.appending(path: "Fixtures/" + name).path(percentEncoded: false)
  }
}

/// The repository's own samples.
package let samplesFolder = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(path: "../../samples").standardizedFileURL.path(percentEncoded: false)
