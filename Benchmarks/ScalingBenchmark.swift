import Foundation

/// The same commands on larger and larger checkpoints: whether time grows as the size does, and memory
/// does not.
struct ScalingBenchmark {
  static let options = MeasurementRequest.options.union(["dtype", "seed", "sizes"])

  private static let commands: [MeasuredCommand] = [
    .convertMinmax, .stats, .unpack, .validate, .validateAgainst,
  ]

  private let options: Options
  private let request: MeasurementRequest
  private let sizes: [Int]

  init(_ options: Options) throws {
    self.options = options
    request = try MeasurementRequest(options, commands: Self.commands)
    sizes = try (options.list("sizes") ?? ["100MB", "1GB"]).map {
      try ByteCount(parsing: $0).bytes
    }
  }

  func run() throws {
    let threads = ProcessInfo.processInfo.activeProcessorCount
    var table = MarkdownTable(
      ["command", "size", "s for 1 GB", "÷ first size's", "time ÷ floor", "peak, MB"],
      numeric: 1...5)
    var results: [MeasuredCommand: [(byteCount: Int, trial: Trial)]] = [:]
    for size in sizes {
      Note.write("measuring \(ByteCount(bytes: size).text)")
      let (byteCount, trials) = try measure(size, threads: threads)
      for trial in trials { results[trial.command, default: []].append((byteCount, trial)) }
    }
    for command in request.commands {
      let rows = results[command] ?? []
      let costs = rows.map { $0.trial.seconds.median / Double($0.byteCount) * 1e9 }
      for (row, cost) in zip(rows, costs) {
        table.add([
          command.rawValue, ByteCount(bytes: row.byteCount).text, Spread.text(cost),
          Spread.text(cost / costs[0]), row.trial.overFloor.text,
          "\(row.trial.peak / 1_000_000)",
        ])
      }
    }
    print(MachineDescription.text)
    let dtype = options["dtype"] ?? "BF16"
    print("\(dtype) weights, all threads, \(request.rounds) rounds, median (least–most)\n")
    print(table.text)
  }

  private func measure(_ size: Int, threads: Int) throws -> (byteCount: Int, trials: [Trial]) {
    let scratch = try Scratch(in: options["scratch"])
    var wanted = try CheckpointRequest(options)
    wanted.byteCount = size
    try scratch.require(wanted.workingByteCount)
    try CheckpointGenerator.runApart(wanted, to: scratch.path + "/plain")
    let workload = try Workload(scratch.path + "/plain", packedBy: request.decant, in: scratch.path)
    let runner = try TrialRunner(decant: request.decant, baseline: nil, workload: workload)
    var trials = try request.commands.flatMap { try runner.trials($0, threads: [threads]) }
    for round in 0..<request.rounds {
      for index in trials.indices { try runner.addRound(round, to: &trials[index]) }
    }
    return (workload.byteCount, trials)
  }
}
