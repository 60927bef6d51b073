import Foundation
import TestSupport

typealias TemporaryDirectory = TemporaryFolder

extension TemporaryFolder {
  /// What lies in the folder itself, in order.
  var entries: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  func makeDirectory(_ name: String) throws { try makeFolder(name) }
}
