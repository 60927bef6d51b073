import Formats

/// Why a calibration file cannot be used.
package enum CalibrationError: DescribedError, Equatable {
  case notACalibration(file: String, reason: String)
  case newer(file: String, found: Int, known: Int)
  case damaged(file: String, tensor: String, expected: Digest, found: Digest)
  case otherModel(file: String, difference: String)
  case unfit(file: String, tensor: String, reason: String)

  package var message: String {
    switch self {
    case .notACalibration(let file, let reason): "\(file) is no calibration file: \(reason)"
    case .newer(let file, let found, let known):
      "\(file): calibration format version \(found); this decant reads up to \(known)"
    case .damaged(let file, let tensor, let expected, let found):
      "\(file): the checksum of \(tensor) is \(found.hexDigits), \(expected.hexDigits) is recorded"
    case .otherModel(let file, let difference):
      "\(file) was made with another model: \(difference)"
    case .unfit(let file, let tensor, let reason): "\(file): \(tensor): \(reason)"
    }
  }

  package var hint: String? {
    switch self {
    case .notACalibration: "'decant calibrate' makes one"
    case .newer: "get a newer decant"
    case .damaged: "copy it again, or make it again with 'decant calibrate'"
    case .otherModel, .unfit: "make one of this model with 'decant calibrate'"
    }
  }
}
