import Foundation

/// What a person should know of an output that is not a failure of it.
package enum OutputNotice: Sendable, Equatable {
  /// A run into the same target was killed, and what it had written so far is gone now.
  case removedLeftover(path: String)
  /// A run was killed while it replaced the target; this is the target as it was.
  case foundSetAside(path: String, target: String)
  /// The output is complete, but may be lost if the power fails now.
  case notSynced(target: String, error: FileError)

  package var message: String {
    switch self {
    case .removedLeftover(let path): "removed \(path), which a run that was killed left behind"
    case .foundSetAside(let path, let target):
      "\(path) is what \(target) was before a run was killed that replaced it; rename or remove it"
    case .notSynced(let target, let error):
      "\(target) is complete, but the system did not confirm that its name is on the disk: "
        + error.message
    }
  }
}
