import Formats
import Foundation

/// Measures decant, and makes the checkpoints to measure it on. docs/PERFORMANCE.md says how to read
/// what it prints.
@main
struct Benchmarks {
  private static let usage = """
    Usage: Benchmarks [commands] [options]        every command against floor, baseline and peers
           Benchmarks scaling [options]           the same work on larger and larger checkpoints
           Benchmarks loops                       the hot loops, as multiples of a copy
           Benchmarks products --peers PYTHON     products of matrices beside OpenBLAS's
           Benchmarks generate FOLDER [options]   a checkpoint of a given size
           Benchmarks headers FOLDER              headers of a large model without data
           Benchmarks blocks TYPE WEIGHTS OUT     F32 numbers as blocks of a GGUF type

    Checkpoints:
      --size SIZE          as in 250MB or 1GB (default 1GB)
      --dtype TYPE         F16, BF16, F32 or FP8 (default BF16)
      --shards N           weight files (default 1)
      --seed N             other numbers of the same kind (default 1)

    commands, scaling:
      --decant BINARY      what to measure (default: decant beside this program)
      --rounds N           repetitions; the tables show median and range (default 5)
      --commands LIST      some of \(MeasuredCommand.allCases.map(\.rawValue).joined(separator: ", "))
      --scratch FOLDER     where to put checkpoints and outputs (default: the system's)

    commands:
      --baseline BINARY    another decant, for the column beside
      --checkpoint FOLDER  measure on this one instead of a generated one
      --threads LIST       as in 1,2,all (default 1,all)
      --peers PYTHON       a Python that has mlx, llama-cpp-python or both

    scaling:
      --sizes LIST         (default 100MB,1GB)

    blocks:
      --inputs N           weights of a row (default: those of a block)
      --importance FILE    F32 numbers: what squared errors count by input
    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch let error as any DescribedError {
      fail(error.message)
    } catch {
      fail("\(error)")
    }
  }

  private static func fail(_ message: String) -> Never {
    Note.write("Benchmarks: " + message)
    exit(1)
  }

  private static func run(_ arguments: [String]) throws {
    let isNamed = arguments.first.map { !$0.hasPrefix("-") } ?? false
    let rest = isNamed ? Array(arguments.dropFirst()) : arguments
    if rest.contains("--help") || rest.contains("-h") { return print(usage) }
    switch isNamed ? arguments[0] : "commands" {
    case "commands":
      try CommandsBenchmark(Options(rest, known: CommandsBenchmark.options)).run()
    case "scaling":
      try ScalingBenchmark(Options(rest, known: ScalingBenchmark.options)).run()
    case "loops":
      _ = try Options(rest, known: [])
      Loops.run()
    case "products":
      try Products(Options(rest, known: Products.options)).run()
    case "generate":
      let options = try Options(rest, known: CheckpointRequest.options, operandCount: 1)
      print(try CheckpointGenerator(CheckpointRequest(options)).write(to: options.operands[0]))
    case "headers":
      let options = try Options(rest, known: [], operandCount: 1)
      try SparseCheckpoint.write(into: options.operands[0])
    case "blocks":
      try BlockFile(Options(rest, known: BlockFile.options, operandCount: 3)).run()
    case Floor.mode:
      try Floor(arguments: rest).run()
    case "help":
      print(usage)
    case let name:
      throw BenchmarkError("no benchmark is called '\(name)'; --help lists them")
    }
  }
}
