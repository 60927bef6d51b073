/// The runs of other quantizers beside those of decant's conversions.
struct PeerTrials {
  /// A conversion and a peer on as many threads.
  private struct Pair: Hashable {
    let command: MeasuredCommand
    let threads: Int
    let peer: String
  }

  private var order: [Pair] = []
  private var ratios: [Pair: [(wall: Double, cpu: Double)]] = [:]
  private(set) var skipped: [String] = []

  /// Takes a round: what the peers took after the last runs of these trials.
  mutating func add(_ report: PeerReport, threads: Int, beside trials: [Trial]) {
    for reason in report.skipped where !skipped.contains(reason) { skipped.append(reason) }
    for trial in trials where trial.command.isConversion && trial.threads == threads {
      for peer in report.runs {
        let pair = Pair(command: trial.command, threads: threads, peer: peer.name)
        if ratios[pair] == nil { order.append(pair) }
        let run = trial.runs.last!
        ratios[pair, default: []].append((run.wall / peer.wall, run.cpu / peer.cpu))
      }
    }
  }

  var table: MarkdownTable {
    var table = MarkdownTable(
      ["command", "threads", "peer", "time ÷ peer's", "CPU ÷ peer's"], numeric: 3...4)
    for pair in order {
      let ratios = ratios[pair]!
      table.add([
        pair.command.rawValue, "\(pair.threads)", pair.peer, Spread(ratios.map(\.wall)).text,
        Spread(ratios.map(\.cpu)).text,
      ])
    }
    return table
  }
}
