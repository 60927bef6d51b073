import Foundation

/// Where programs are.
enum Programs {
  /// This one.
  static var own: String {
    get throws {
      guard let path = Bundle.main.executablePath else {
        throw BenchmarkError("the system does not say where this program is")
      }
      return path
    }
  }

  /// The decant to measure: the one that was named, or the one that was built with this program.
  static func decant(_ named: String?) throws -> String {
    if let named { return named }
    let path = URL(fileURLWithPath: try own).deletingLastPathComponent().path + "/decant"
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw BenchmarkError("there is no decant beside this program; name one with --decant")
    }
    return path
  }
}
