import Formats

/// A command of decant as it is measured: what it is given, and what of that it reads.
enum MeasuredCommand: String, CaseIterable {
  case convertMinmax = "convert-minmax"
  case convertSearch = "convert-search"
  case stats
  case statsExact = "stats-exact"
  case unpack
  case validate
  case validateAgainst = "validate-against"
  case plan
  case inspect

  /// What `plan` measures of a tensor unless told otherwise.
  private static let planSample = 1 << 18

  init(parsing name: String) throws {
    guard let command = MeasuredCommand(rawValue: name) else {
      let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw BenchmarkError("no command '\(name)' is measured; there are \(names)")
    }
    self = command
  }

  /// Whether it is one of those that other quantizers are compared with.
  var isConversion: Bool { self == .convertMinmax || self == .convertSearch }

  /// Whether it takes a number of threads.
  var isThreaded: Bool { self != .inspect }

  /// - Parameter output: a path in an empty folder; used by what writes.
  func arguments(_ workload: Workload, output: String, threads: Int) -> [String] {
    let plain = workload.plain.path
    let packed = workload.packed.path
    let words =
      switch self {
      case .convertMinmax: ["convert", plain, "-o", output, "--method", "minmax"]
      case .convertSearch: ["convert", plain, "-o", output, "--method", "search"]
      case .stats: ["stats", plain]
      case .statsExact: ["stats", plain, "--exact"]
      case .unpack: ["unpack", packed, "-o", output]
      case .validate: ["validate", packed]
      case .validateAgainst: ["validate", packed, "--against", plain]
      case .plan: ["plan", plain, "--target-bpw", "4.5"]
      case .inspect: ["inspect", plain]
      }
    return words + (isThreaded ? ["-j", "\(threads)"] : []) + ["-q"]
  }

  /// The bytes that it has to read, as reads from the starts of the files.
  func reads(_ workload: Workload) -> [(path: String, byteCount: Int)] {
    let plain = workload.plain.files
    let packed = workload.packed.files
    return switch self {
    case .convertMinmax, .convertSearch, .stats, .statsExact: plain.map(whole)
    case .unpack, .validate: packed.map(whole)
    case .validateAgainst: (plain + packed).map(whole)
    case .plan: plain.map { ($0.path, sampledByteCount($0)) }
    case .inspect: plain.map { ($0.path, $0.header.dataOffset) }
    }
  }

  private func whole(_ file: SafetensorsFile) -> (path: String, byteCount: Int) {
    (file.path, file.input.byteCount)
  }

  private func sampledByteCount(_ file: SafetensorsFile) -> Int {
    file.header.tensors.reduce(file.header.dataOffset) { sum, tensor in
      sum + min(tensor.elementCount, Self.planSample) * tensor.dtype.bitCount / 8
    }
  }
}
