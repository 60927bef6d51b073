/// A command on a number of threads, with all its runs. Runs of one round stand at one index: they
/// were made one right after the other, so that their ratios mean something on a busy machine.
struct Trial {
  let command: MeasuredCommand
  /// Nil for a command that takes no number of them.
  let threads: Int?
  let floor: Floor
  /// Whether the baseline has the command.
  let hasBaseline: Bool
  var floors: [ProgramRun] = []
  var runs: [ProgramRun] = []
  var baselines: [ProgramRun] = []

  init(_ command: MeasuredCommand, threads: Int?, floor: Floor, hasBaseline: Bool) {
    self.command = command
    self.threads = threads
    self.floor = floor
    self.hasBaseline = hasBaseline
  }

  /// Seconds on the clock as multiples of the floor's.
  var overFloor: Spread { Spread(zip(runs, floors).map { $0.wall / $1.wall }) }

  /// Seconds of processors as multiples of the floor's: what other programs take of the machine shows
  /// less in them.
  var cpuOverFloor: Spread { Spread(zip(runs, floors).map { $0.cpu / $1.cpu }) }

  /// Seconds of processors as multiples of the baseline's; nil without one.
  var cpuOverBaseline: Spread? {
    hasBaseline ? Spread(zip(runs, baselines).map { $0.cpu / $1.cpu }) : nil
  }

  var floorSeconds: Spread { Spread(floors.map(\.wall)) }
  var seconds: Spread { Spread(runs.map(\.wall)) }
  var peak: Int { runs.map(\.peak).max() ?? 0 }
}
