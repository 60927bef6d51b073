import Foundation
import Model

/// Largest resident size of this process so far in bytes, as the system counts it; nil where it does not say.
func peakMemory() -> Int? {
  #if os(Linux)
    // What `getrusage` tells begins with the process that started this one.
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({
        Int($0)
      })
    else { return nil }
    return Checked.product(kibibytes, 1024)
  #else
    var usage = rusage()
    // The call fills the structure that it is given.
    guard unsafe getrusage(RUSAGE_SELF, &usage) == 0 else { return nil }
    return usage.ru_maxrss
  #endif
}
