import Foundation

/// When and on what something was measured.
enum MachineDescription {
  /// As in `2026-01-31, AMD EPYC 9R14, 2 threads, Linux`.
  static var text: String {
    let date = Date.now.formatted(.iso8601.year().month().day())
    let count = ProcessInfo.processInfo.activeProcessorCount
    return "\(date), \(processor), \(count) threads, \(system)"
  }

  #if canImport(Darwin)
    private static let system = "macOS"

    private static var processor: String {
      var size = 0
      // The system says how long the text is, then fills in as much.
      unsafe sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
      var bytes = [UInt8](repeating: 0, count: size)
      unsafe sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  #else
    private static let system = "Linux"

    private static var processor: String {
      let lines = Workload.text("/proc/cpuinfo").split(separator: "\n")
      let line = lines.first { $0.hasPrefix("model name") }
      return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
        ?? "unknown processor"
    }
  #endif
}
