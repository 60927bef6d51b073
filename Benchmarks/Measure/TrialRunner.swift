import Formats
import Foundation

/// Runs commands and their floors on one workload, and keeps what they took.
struct TrialRunner {
  let decant: String
  let baseline: String?
  let workload: Workload
  private let ownPath: String
  private let errors: String

  init(decant: String, baseline: String?, workload: Workload) throws {
    self.decant = decant
    self.baseline = baseline
    self.workload = workload
    ownPath = try Programs.own
    errors = workload.outputs + "-errors"
  }

  /// Trials without runs, one for each number of threads; none, with a note, where the program does not
  /// know the command's options.
  ///
  /// One run beforehand says how much is written, and fills the page cache.
  func trials(_ command: MeasuredCommand, threads: [Int]) throws -> [Trial] {
    let most = threads.max()!
    guard try isKnown(command, to: decant, threads: most) else {
      Note.write("\(command.rawValue) is left out: \(decant) does not know its options")
      return []
    }
    var floor = Floor()
    floor.reads = command.reads(workload)
    floor.writtenByteCount = workload.writtenByteCount
    floor.output = workload.outputs + "/floor"
    let hasBaseline = try baseline.map { try isKnown(command, to: $0, threads: most) } ?? false
    if let baseline, !hasBaseline {
      Note.write("\(command.rawValue) has no baseline: \(baseline) does not know its options")
    }
    try workload.clear()
    let counts = command.isThreaded ? threads.map(Optional.some) : [nil]
    return counts.map { Trial(command, threads: $0, floor: floor, hasBaseline: hasBaseline) }
  }

  /// One run of everything in the trial. The order alternates, so that neither program is always the
  /// one whose predecessor has just written.
  func addRound(_ round: Int, to trial: inout Trial) throws {
    trial.floors.append(try run(ownPath, trial.floor.arguments, of: trial.command))
    let programs: [(path: String, isBaseline: Bool)] =
      [(decant, false)] + (trial.hasBaseline ? [(baseline!, true)] : [])
    for program in round % 2 == 0 ? programs : programs.reversed() {
      let arguments = arguments(trial.command, threads: trial.threads)
      let run = try run(program.path, arguments, of: trial.command)
      if program.isBaseline { trial.baselines.append(run) } else { trial.runs.append(run) }
    }
  }

  private func arguments(_ command: MeasuredCommand, threads: Int?) -> [String] {
    command.arguments(workload, output: workload.outputs + "/result", threads: threads ?? 1)
  }

  /// Leaves the output, where there is one.
  private func isKnown(
    _ command: MeasuredCommand, to program: String, threads: Int
  ) throws -> Bool {
    try workload.clear()
    let run = try ProgramRun(program, arguments(command, threads: threads), errors: errors)
    guard run.status != ExitStatus.usage else { return false }
    try check(run, program, command)
    return true
  }

  private func run(
    _ program: String, _ arguments: [String], of command: MeasuredCommand
  ) throws -> ProgramRun {
    try workload.clear()
    let run = try ProgramRun(program, arguments, errors: errors)
    try workload.clear()
    try check(run, program, command)
    return run
  }

  private func check(_ run: ProgramRun, _ program: String, _ command: MeasuredCommand) throws {
    guard run.status != 0 else { return }
    throw BenchmarkError(
      "\(program) fails at \(command.rawValue) with \(run.status):\n\(Workload.text(errors))")
  }

  private enum ExitStatus {
    /// The command line makes no sense.
    static let usage: Int32 = 64
  }
}
