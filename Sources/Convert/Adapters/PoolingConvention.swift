/// How a QA-LoRA adapter saw the inputs of a group while it was trained.
///
/// The tensors of all three look the same. With groups of a inputs, of I in all, an update is
/// constant within a group: scaling · k · (B·A)[o, i / a]; the conventions differ in k.
/// Sources: QA-LoRA, arXiv 2309.14717, section 3.3 and Algorithm 1 (sum); yuhuixu1993/qa-lora,
/// `peft_utils.py` and `merge.py` (mean); huggingface/peft, `tuners/lora/variants.py` (peft).
package enum PoolingConvention: String, Sendable, CaseIterable {
  /// The average of the group, as the authors' programs take it.
  case mean
  /// The sum of the group, as the paper writes it.
  case sum
  /// PEFT's: the average times the number of groups.
  case peft

  /// k: by how much every weight of a group moves for one unit of scaling · B·A.
  ///
  /// - Parameters:
  ///   - inputs: of the layer.
  ///   - group: inputs that are pooled into one.
  package func mergeFactor(inputs: Int, group: Int) -> Double {
    switch self {
    case .mean: 1 / Double(group)
    case .sum: 1
    case .peft: Double(inputs / group) / Double(group)
    }
  }

  /// What the adapter's A is multiplied with: one number for each group of consecutive inputs. The
  /// forward pass as the trainers have it, to hold merged weights against.
  func pool(_ inputs: [Double], group: Int) -> [Double] {
    let groups = inputs.count / group
    return (0..<groups).map { index in
      let sum = inputs[index * group..<(index + 1) * group].reduce(0, +)
      switch self {
      case .mean: return sum / Double(group)
      case .sum: return sum
      case .peft: return sum / Double(group) * Double(groups)
      }
    }
  }
}
