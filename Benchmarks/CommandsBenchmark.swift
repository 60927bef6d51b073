import Foundation

/// Every command of decant on one checkpoint, beside the floor, an older decant and other quantizers.
struct CommandsBenchmark {
  static let options = CheckpointRequest.options.union([
    "decant", "baseline", "checkpoint", "rounds", "threads", "commands", "peers", "scratch",
  ])

  private let options: Options
  private let decant: String
  private let rounds: Int
  private let threads: [Int]
  private let commands: [MeasuredCommand]

  init(_ options: Options) throws {
    self.options = options
    decant = try Programs.decant(options["decant"])
    rounds = try options.count("rounds", default: 5)
    commands = try options.list("commands")?.map(MeasuredCommand.init) ?? MeasuredCommand.allCases
    let all = ProcessInfo.processInfo.activeProcessorCount
    var threads: [Int] = []
    for text in options.list("threads") ?? ["1", "all"] {
      guard let count = text == "all" ? all : Int(text), count > 0 else {
        throw BenchmarkError("--threads is a list like 1,2,all, not '\(text)'")
      }
      if !threads.contains(count) { threads.append(count) }
    }
    self.threads = threads
  }

  func run() throws {
    let scratch = try Scratch(in: options["scratch"])
    let workload = try makeWorkload(scratch)
    let runner = try TrialRunner(
      decant: decant, baseline: options["baseline"], workload: workload)
    var trials = try commands.flatMap { try runner.trials($0, threads: threads) }
    var peers = PeerTrials()
    for round in 0..<rounds {
      Note.write("round \(round + 1) of \(rounds)")
      for count in threads {
        for index in trials.indices where (trials[index].threads ?? threads[0]) == count {
          try runner.addRound(round, to: &trials[index])
        }
        guard let python = options["peers"] else { continue }
        let report = try PeerReport(
          of: workload, threads: count, python: python, scratch: scratch.path)
        peers.add(report, threads: count, beside: trials)
      }
    }
    report(trials, peers, workload)
  }

  private func makeWorkload(_ scratch: borrowing Scratch) throws -> Workload {
    if let checkpoint = options["checkpoint"] {
      return try Workload(checkpoint, packedBy: decant, in: scratch.path)
    }
    let request = try CheckpointRequest(options)
    // Peers have a copy in a format of their own.
    let peerByteCount = options["peers"] == nil ? 0 : request.byteCount
    try scratch.require(request.workingByteCount + peerByteCount)
    let path = scratch.path + "/plain"
    try CheckpointGenerator.runApart(request, to: path)
    return try Workload(path, packedBy: decant, in: scratch.path)
  }

  private func report(_ trials: [Trial], _ peers: PeerTrials, _ workload: Workload) {
    print(MachineDescription.text)
    let size = ByteCount(bytes: workload.byteCount).text
    print("\(size) of \(workload.dtype) weights, \(rounds) rounds, median (least–most)\n")
    var table = MarkdownTable(
      [
        "command", "threads", "floor, s", "time ÷ floor", "CPU ÷ floor's", "CPU ÷ baseline's",
        "peak, MB",
      ], numeric: 2...6)
    for trial in trials {
      table.add([
        trial.command.rawValue, trial.threads.map(String.init) ?? "–",
        Spread.text(trial.floorSeconds.median), trial.overFloor.text, trial.cpuOverFloor.text,
        trial.cpuOverBaseline?.text ?? "–", "\(trial.peak / 1_000_000)",
      ])
    }
    print(table.text)
    for reason in peers.skipped { Note.write("left out: " + reason) }
    if !peers.table.isEmpty { print(peers.table.text) }
  }
}
