import Foundation

/// What other quantizers took for the same checkpoint, as `.ci/peers/quantize_speed.py` tells it.
struct PeerReport: Decodable {
  struct Run: Decodable {
    /// The library, and what it was told to make.
    let name: String
    let wall: Double
    let cpu: Double
  }

  let runs: [Run]
  /// Why others did not run.
  let skipped: [String]

  private static let script = ".ci/peers/quantize_speed.py"

  /// - Parameters:
  ///   - python: runs the script; has the libraries, or some of them.
  ///   - scratch: keeps what the script makes for the next round.
  init(of workload: Workload, threads: Int, python: String, scratch: String) throws {
    guard FileManager.default.fileExists(atPath: Self.script) else {
      throw BenchmarkError("\(Self.script) is not here; run this in the folder of the package")
    }
    let output = scratch + "/peers.json"
    let errors = scratch + "/peers-errors"
    let run = try ProgramRun(
      python, [Self.script, workload.plain.path, scratch + "/peers", "--threads", "\(threads)"],
      output: output, errors: errors)
    guard run.status == 0, let text = Workload.text(output).split(separator: "\n").last else {
      throw BenchmarkError("\(Self.script) fails:\n\(Workload.text(errors))")
    }
    self = try JSONDecoder().decode(PeerReport.self, from: Data(text.utf8))
  }
}
