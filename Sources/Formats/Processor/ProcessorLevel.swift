import Foundation

/// The instructions that kernels may use. Whatever is written to a packed file is the same at every level,
/// bit for bit; products of the forward pass are not.
package enum ProcessorLevel: String, Sendable, CaseIterable, Comparable {
  /// What every processor of the kind has: SSE2 of x86-64, NEON of arm64.
  case baseline
  /// AVX2, BMI2 and FMA of x86-64.
  case avx2

  package static func < (one: ProcessorLevel, other: ProcessorLevel) -> Bool {
    allCases.firstIndex(of: one)! < allCases.firstIndex(of: other)!
  }

  /// The level that is used: the highest that this processor has, or a lower one that the environment
  /// names in `DECANT_LEVEL`. A level that the processor has not would end the program: it counts as the
  /// highest.
  package static let current = chosen(
    ProcessInfo.processInfo.environment["DECANT_LEVEL"], highest: highest)

  package static func chosen(_ wanted: String?, highest: ProcessorLevel) -> ProcessorLevel {
    min(wanted.flatMap(ProcessorLevel.init) ?? highest, highest)
  }

  /// What the processor has and the operating system lets programs use.
  package static let highest: ProcessorLevel = {
    #if canImport(KernelsAVX2)
      let needed = ["avx2", "bmi2", "fma"]
      return needed.allSatisfy(features().contains) ? .avx2 : .baseline
    #else
      return .baseline
    #endif
  }()

  /// By the names that Linux has for them; none where they cannot be told.
  private static func features() -> Set<String> {
    #if os(Linux)
      // Of the first processor; the kernel leaves out what it does not support.
      guard let file = FileHandle(forReadingAtPath: "/proc/cpuinfo"),
        let bytes = try? file.read(upToCount: 1 << 14),
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first(where: {
          $0.hasPrefix("flags")
        })
      else { return [] }
      return Set(line.split(separator: " ").map(String.init))
    #elseif os(macOS)
      return Set(
        [
          "avx2": "hw.optional.avx2_0", "bmi2": "hw.optional.bmi2", "fma": "hw.optional.fma",
        ].compactMap { name, key in
          var value: Int32 = 0
          var size = MemoryLayout<Int32>.size
          let hasFeature = unsafe sysctlbyname(key, &value, &size, nil, 0) == 0 && value != 0
          return hasFeature ? name : nil
        })
    #else
      return []
    #endif
  }
}
