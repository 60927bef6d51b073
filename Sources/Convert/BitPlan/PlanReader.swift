import Formats

/// Takes a plan apart, and names what is wrong.
struct PlanReader: JSONRecordReader {
  let file: String

  func error(_ reason: String) -> AllocationError { .notAPlan(file: file, reason: reason) }
}
