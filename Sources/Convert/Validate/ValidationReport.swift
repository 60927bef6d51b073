import Formats
import Stats

/// What a validation found.
package struct ValidationReport: Sendable {
  /// All that is wrong, in the order of files and tensors; empty where all holds.
  package var findings: [Finding] = []
  /// Whether decant wrote what was checked; of anything else there are no checksums to hold it against.
  package var isRecorded = true
  /// How far each weight matrix is from its source, in the same order; nil where there was no
  /// source to compare with, or where adapters lie between.
  package var distances: [MatrixDistance]?
}
