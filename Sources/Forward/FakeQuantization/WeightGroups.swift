import Convert
import Formats
import Model

/// The weights of a model that fake quantization is about, and the size of their groups.
///
/// They are those of the linear layers of the blocks that a conversion would quantize: neither embedding nor head,
/// as in Qllm-Eval, and no routers.
package struct WeightGroups: Sendable {
  /// By the name the file has for a weight.
  let sizes: [String: Int]
  /// The layers that read these weights, by the names the file has for them. Where weights are kept their inputs
  /// are too, as in Qllm-Eval.
  let modules: Set<String>
  /// Weights that no group size divides, and that stay as they are, in order.
  package let kept: [String]

  /// - Parameter size: of all groups; nil for 128, as in Qllm-Eval, or the largest of 64 and 32 where that does
  ///   not divide the inputs.
  /// - Throws: `ForwardError.groupDoesNotDivide`.
  init(_ model: ForwardModel, size: Int?) throws(ForwardError) {
    let names = Array(model.weights.names)
    let naming = TensorNaming(
      config: model.checkpoint.config,
      tensors: names.map { ($0, model.weights.shape(of: $0) ?? []) })
    var (sizes, modules, kept): ([String: Int], Set<String>, [String]) = ([:], [], [])
    for linear in model.description.layers.flatMap(\.linears) {
      let name = model.stored(linear.weight)
      guard let dtype = model.weights.dtype(of: name),
        case .quantize = naming.identify(
          name: name, dtype: dtype, shape: linear.weightShape, order: linear.order
        ).treatment
      else { continue }
      if let fitting = try Self.size(for: linear.inputs, asked: size, name) {
        sizes[name] = fitting
        modules.insert(model.stored(linear.module))
      } else if !kept.contains(name) {
        kept.append(name)
      }
    }
    self.sizes = sizes
    self.modules = modules
    self.kept = kept
  }

  private static func size(
    for inputs: Int, asked: Int?, _ name: String
  ) throws(ForwardError) -> Int? {
    guard let asked else {
      return AffineLayout.allowedGroupSizes.sorted(by: >).first { inputs % $0 == 0 }
    }
    guard inputs % asked == 0 else {
      throw .groupDoesNotDivide(asked, tensor: name, inputs: inputs)
    }
    return asked
  }

  /// How many weights have groups of which size; the largest first.
  package var counts: [(size: Int, weights: Int)] {
    Dictionary(grouping: sizes.values) { $0 }
      .map { (size: $0.key, weights: $0.value.count) }.sorted { $0.size > $1.size }
  }

  /// - Parameter bits: one of `QuantizationPoint.weightBits`.
  func layouts(bits: Int) -> [String: AffineLayout] {
    sizes.compactMapValues { AffineLayout(bits: bits, groupSize: $0) }
  }
}
