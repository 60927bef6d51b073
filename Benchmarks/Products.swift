import Formats
import Forward
import Foundation

/// Times products of F32 matrices beside those of OpenBLAS, which NumPy brings along, at the same level of
/// instructions: shapes of layers that read 512 tokens.
struct Products {
  static let options: Set<String> = ["peers", "rounds"]

  private struct Shape {
    let (tokens, rows, k): (Int, Int, Int)
    var text: String { "\(tokens) × \(k) by \(k) × \(rows)" }
    var argument: String { "\(tokens),\(rows),\(k)" }
  }

  /// Rows are a tile's, as a pass reads weights.
  private static let shapes = [
    Shape(tokens: 512, rows: 256, k: 1024), Shape(tokens: 512, rows: 64, k: 4096),
    Shape(tokens: 2048, rows: 64, k: 4096), Shape(tokens: 512, rows: 1024, k: 256),
  ]
  /// What OpenBLAS calls the processors of a level, and of this one.
  private static let cores: [(name: String, level: ProcessorLevel, core: String?)] = [
    ("baseline", .baseline, "Nehalem"), ("avx2", .avx2, "Haswell"),
    ("highest, and its best for this processor", .highest, nil),
  ]
  private static let script = ".ci/peers/product_speed.py"

  private let python: String
  private let rounds: Int

  init(_ options: Options) throws {
    guard let python = options["peers"] else {
      throw BenchmarkError("products needs --peers PYTHON, one that has NumPy")
    }
    self.python = python
    rounds = try options.count("rounds", default: 5)
  }

  func run() throws {
    var table = MarkdownTable(["product", "level", "time ÷ OpenBLAS's"], numeric: 2...2)
    for shape in Self.shapes {
      for (name, level, core) in Self.cores where level <= .highest {
        let ratios = try (0..<rounds).map { _ in
          try seconds(shape, level) / openBLAS(shape, core: core)
        }
        table.add([shape.text, name, Spread(ratios).text])
      }
    }
    print("one thread, \(rounds) rounds, median (least–most)\n")
    print(table.text)
  }

  /// The least of several.
  private func seconds(_ shape: Shape, _ level: ProcessorLevel) -> Double {
    let noise = WeightNoise(seed: 1)
    let inputs = noise.weights(shape.tokens * shape.k)
    let weights = noise.weights(shape.rows * shape.k)
    var output = [Float](repeating: 0, count: shape.tokens * shape.rows)
    var panels: [Float] = []
    return (0..<7).map { _ in
      var span = output.mutableSpan
      return ContinuousClock().measure {
        Numbers.product(
          inputs.span, tokens: shape.tokens, weights: weights.span, rows: shape.rows, k: shape.k,
          panels: &panels, into: &span, level: level)
      } / .seconds(1)
    }.min()!
  }

  private func openBLAS(_ shape: Shape, core: String?) throws -> Double {
    guard FileManager.default.fileExists(atPath: Self.script) else {
      throw BenchmarkError("\(Self.script) is not here; run this in the folder of the package")
    }
    let scratch = try Scratch(in: nil)
    let (output, errors) = (scratch.path + "/seconds", scratch.path + "/errors")
    let run = try ProgramRun(
      python, [Self.script, shape.argument] + (core.map { ["--core", $0] } ?? []), output: output,
      errors: errors)
    let text = Workload.text(output).trimmingCharacters(in: .whitespacesAndNewlines)
    guard run.status == 0, let seconds = Double(text) else {
      throw BenchmarkError("\(Self.script) fails:\n\(Workload.text(errors))")
    }
    return seconds
  }
}
