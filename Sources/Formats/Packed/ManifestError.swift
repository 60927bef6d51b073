/// Why a manifest cannot be used.
package enum ManifestError: DescribedError, Equatable {
  case notJSON(file: String, reason: String, offset: Int)
  /// The file says a version that this decant does not know.
  case newerVersion(file: String, found: Int, known: Int)
  case unknownLayout(file: String, tensor: String, name: String, known: [String])
  /// Something is missing or of the wrong kind; `place` is the path inside the manifest.
  case malformed(file: String, place: String, expected: String)

  package var message: String {
    switch self {
    case .notJSON(let file, let reason, let offset):
      "\(file): the manifest is not JSON: \(reason) (byte \(offset) of \(Manifest.manifestKey))"
    case .newerVersion(let file, let found, let known):
      "\(file): packed format version \(found); this decant reads up to \(known)"
    case .unknownLayout(let file, let tensor, let name, let known):
      "\(file): tensor '\(tensor)' has the layout '\(name)'; this decant knows "
        + known.joined(separator: ", ")
    case .malformed(let file, let place, let expected):
      "\(file): broken manifest: \(place) must be \(expected)"
    }
  }

  package var hint: String? {
    switch self {
    case .newerVersion, .unknownLayout: "get a newer decant"
    case .notJSON, .malformed: "the file is damaged or was edited; get another copy"
    }
  }
}
