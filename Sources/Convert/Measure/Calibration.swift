import Formats
import Foundation
import Stats

/// What was captured while a model ran: dumps of activations and cache, and importance matrices.
package struct Calibration {
  package let importance: [ImportanceStatistics]
  /// What was left out, and why.
  package let problems: [DumpError]
  /// The files that were named, once each.
  package let inputs: [InputFile]
  private let dump: DumpMeasurement?
  private let model: DumpedModel

  /// - Parameter paths: dumps and importance matrices in any order.
  /// - Throws: `DumpError` where something does not fit and the options do not say to go on;
  ///   `SourceError`, `FileError`, `SafetensorsError`, and what a broken importance matrix gives.
  package init(_ paths: [String], of checkpoint: Checkpoint, options: MeasureOptions) throws {
    // A file that holds both inputs and cache may be named for either, and is read once.
    var seen = Set<String>()
    let paths = paths.filter { path in
      seen.insert(URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false))
        .inserted
    }
    inputs = try paths.map { try InputFile(path: $0) }
    let model = try DumpedModel(checkpoint)
    self.model = model
    let matrices = try paths.filter { try ImportanceStatistics.isMatrix(path: $0) }
    let captures = paths.filter { !matrices.contains($0) }
    dump =
      captures.isEmpty
      ? nil : try DumpMeasurement(TensorDump(paths: captures), of: model, options: options)
    var problems = dump?.dump.problems ?? []
    let all = try matrices.flatMap { path in
      try ImportanceStatistics.read(path, of: model) { problem in
        guard options.keepsGoing else { throw problem }
        problems.append(problem)
      }
    }
    guard matrices.isEmpty || !all.isEmpty else { throw DumpError.nothing(files: matrices) }
    importance = all.filter { entry in
      options.filter.map { filter in
        filter.matches(entry.name) || entry.weights.contains { filter.matches($0) }
      } ?? true
    }
    self.problems = problems
  }

  /// Refuses a file that holds nothing of the kind that it was named for, but something of the other;
  /// one that holds both is right for either.
  ///
  /// - Parameters:
  ///   - activations: named as dumps of inputs or as importance matrices.
  ///   - cache: named as dumps of keys and values.
  /// - Throws: `DumpError.otherKind`; `SourceError`, `FileError`, `SafetensorsError`.
  package static func checkKinds(activations: [String], cache: [String]) throws {
    for (paths, wanted) in [(activations, DumpError.Kind.activations), (cache, .cache)] {
      for path in paths {
        let found = try kinds(of: path)
        if !found.isEmpty, !found.contains(wanted) {
          throw DumpError.otherKind(file: path, wanted: wanted)
        }
      }
    }
  }

  private static func kinds(of path: String) throws -> Set<DumpError.Kind> {
    if try ImportanceStatistics.isMatrix(path: path) { return [.activations] }
    return Set(
      try SourceTriage.open(path).header.tensors.compactMap { tensor in
        switch DumpName(tensor.name)?.subject {
        case .input: .activations
        case .key, .value, .latent, .rotaryKey: .cache
        case nil: nil
        }
      })
  }

  package var isEmpty: Bool { dump?.dump.tensors.isEmpty ?? true && importance.isEmpty }

  /// Bytes that will be read.
  package var byteCount: Int { dump?.byteCount ?? 0 }

  /// - Throws: as `DumpMeasurement.run`; `FileError.changed` where somebody wrote to a file meanwhile.
  package func run(_ context: RunContext) throws -> [TensorStatistics] {
    var tensors: [TensorStatistics] = []
    try dump?.run(context) {
      MapSelection.append($0, to: &tensors)
    }
    for input in inputs { try input.checkUnchanged() }
    return tensors
  }

  /// E[x²] of every input channel, by name of the weight, as far as it is known: from a dump of its
  /// inputs, or from one of a layer that has the same inputs, or from an importance matrix.
  ///
  /// - Parameter measured: what `run` gave, with every channel kept.
  package func meanSquares(_ measured: [TensorFigures]) -> [String: [Float]] {
    var result: [String: [Float]] = [:]
    // The experts of a stack are one tensor: the mean of theirs.
    var counts: [String: Float] = [:]
    func add(_ squares: [Float], of weight: String) {
      let count = counts[weight, default: 0]
      let sums = count > 0 ? result[weight] ?? [] : squares.map { _ in 0 }
      result[weight] = zip(sums, squares).map { ($0 * count + $1) / (count + 1) }
      counts[weight] = count + 1
    }
    for entry in importance {
      for weight in entry.weights { add(entry.meanSquares, of: weight) }
    }
    counts = [:]
    var shared: [DumpedModel.Place: [Float]] = [:]
    for tensor in measured where tensor.kind == .activation {
      guard let squares = tensor.meanSquares, let weight = model.weight(ofInput: tensor.name)
      else { continue }
      if weight.stackIndex == nil {
        result[weight.name] = squares
      } else {
        add(squares, of: weight.name)
      }
      if let place = weight.sharedInput { shared[place] = squares }
    }
    for weight in model.allWeights where result[weight.name] == nil {
      guard let place = weight.sharedInput, let squares = shared[place] else { continue }
      result[weight.name] = squares
    }
    return result
  }
}
