import Foundation

/// Every command of decant on one checkpoint, beside the floor, an older decant and other quantizers.
struct CommandsBenchmark {
  static let options = CheckpointRequest.options.union(MeasurementRequest.options).union([
    "baseline", "checkpoint", "threads", "peers",
  ])

  private let options: Options
  private let request: MeasurementRequest
  private let threads: [Int]

  init(_ options: Options) throws {
    self.options = options
    request = try MeasurementRequest(options, commands: MeasuredCommand.allCases)
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
      decant: request.decant, baseline: options["baseline"], workload: workload)
    var trials = try request.commands.flatMap { try runner.trials($0, threads: threads) }
    var peers = PeerTrials()
    for round in 0..<request.rounds {
      Note.write("round \(round + 1) of \(request.rounds)")
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
      return try Workload(checkpoint, packedBy: request.decant, in: scratch.path)
    }
    let wanted = try CheckpointRequest(options)
    // Peers have a copy in a format of their own.
    let peerByteCount = options["peers"] == nil ? 0 : wanted.byteCount
    try scratch.require(wanted.workingByteCount + peerByteCount)
    let path = scratch.path + "/plain"
    try CheckpointGenerator.runApart(wanted, to: path)
    return try Workload(path, packedBy: request.decant, in: scratch.path)
  }

  private func report(_ trials: [Trial], _ peers: PeerTrials, _ workload: Workload) {
    print(MachineDescription.text)
    let size = ByteCount(bytes: workload.byteCount).text
    print("\(size) of \(workload.dtype) weights, \(request.rounds) rounds, median (least–most)\n")
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
