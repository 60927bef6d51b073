import Formats
import Foundation

/// Why no plan can be made as asked, or why a plan cannot be used.
package enum AllocationError: DescribedError, Equatable {
  case tooSmall(wanted: String, smallest: String, largest: String)
  case tooExact(wanted: Double, least: Double, LossMeasure)
  /// A budget of this measure, where losses are of the other.
  case otherMeasure(LossMeasure)
  case nothingToPlan(path: String)
  case tieWithoutCommonLayout(tensors: [String])
  case notAPlan(file: String, reason: String)
  case newerPlan(file: String, found: Int, known: Int)
  case doesNotFit(plan: String, difference: String)
  case noUniformPlan(bits: Int, groupSize: Int)
  /// Bits of an element of the cache, metadata counted.
  case cacheTooSmall(wanted: Double, smallest: Double, largest: Double)
  case notMeasured(what: String)
  case widthNotMeasured(bits: Int, kind: String, known: [Int])
  case unusableStatistics(tensor: String, reason: String)

  package var message: String {
    switch self {
    case .tooSmall(let wanted, let smallest, let largest):
      "no plan fits \(wanted): the smallest possible is \(smallest), the largest \(largest)"
    case .tooExact(let wanted, let least, .relativeError):
      "no plan has a mean relative error of \(Self.text(wanted)): the least possible is "
        + Self.text(least)
    case .tooExact(let wanted, let least, .divergence):
      "no plan has a KL divergence of \(wanted) nats: the least possible is \(least)"
    case .otherMeasure(.relativeError):
      "with a calibration that holds sensitivities a plan counts KL divergence, not relative errors"
    case .otherMeasure(.divergence): "what errors do to the model's predictions was not measured"
    case .nothingToPlan(let path): "\(path) holds no tensor that would be quantized"
    case .tieWithoutCommonLayout(let tensors):
      "tied tensors have no width in common: " + tensors.prefix(4).joined(separator: ", ")
    case .notAPlan(let file, let reason): "\(file) is no plan: \(reason)"
    case .newerPlan(let file, let found, let known):
      "\(file): plan format version \(found); this decant reads up to \(known)"
    case .doesNotFit(let plan, let difference):
      "\(plan) does not fit the checkpoint: \(difference)"
    case .noUniformPlan(let bits, let groupSize):
      "\(bits) bits in groups of \(groupSize) are not among the widths allowed for all tensors"
    case .cacheTooSmall(let wanted, let smallest, let largest):
      "no widths of the cache average \(wanted) bits an element: the smallest possible average is "
        + "\(smallest), the largest \(largest)"
    case .notMeasured(let what): "no \(what) were measured"
    case .widthNotMeasured(let bits, let kind, let known):
      "\(kind) are not measured at \(bits) bits, only at "
        + known.map(String.init).joined(separator: ", ")
    case .unusableStatistics(let tensor, let reason): "\(tensor): \(reason)"
    }
  }

  package var hint: String? {
    switch self {
    case .tooSmall: "allow fewer bits with --allow-bits, or a larger budget"
    case .tooExact: "allow more bits with --allow-bits, or ask for less"
    case .otherMeasure(.relativeError): "give --max-kl in the place of --max-error or --min-sqnr"
    case .otherMeasure(.divergence):
      "give --calibration with a file of 'decant calibrate --sensitivity'"
    case .nothingToPlan: "'decant convert --dry-run' says why for every tensor"
    case .tieWithoutCommonLayout: "override all of them alike, or none"
    case .notAPlan: "make one with 'decant plan', and keep its members when editing"
    case .newerPlan: "get a newer decant"
    case .doesNotFit: "make a plan from this checkpoint"
    case .noUniformPlan: "allow them with --allow-bits and --allow-groups, or give a budget"
    case .cacheTooSmall: "allow fewer bits for the cache, or a larger budget"
    case .notMeasured: "give a dump that holds them"
    case .widthNotMeasured: "choose among these widths"
    case .unusableStatistics: "capture the dump again, or leave the tensor out"
    }
  }

  /// A relative error, and the same as an SQNR.
  private static func text(_ error: Double) -> String {
    String(format: "%.3g (%.1f dB)", error, -10 * log10(error))
  }
}
