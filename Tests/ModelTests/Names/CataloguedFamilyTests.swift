import Formats
import Model
import Testing

/// What the tensors of real architectures are, and what becomes of them. A test is about all families:
/// a line of output for each would bury the others.
@Suite struct CataloguedFamilyTests {
  @Test func theCatalogueIsThere() {
    #expect(CataloguedFamily.all.count == 266)
    #expect(CataloguedFamily.all.allSatisfy { $0.tensors.count > 5 })
  }

  /// The first block, and one far behind.
  @Test(arguments: [0, 61]) func everyTensorIsWhatItIs(_ number: Int) {
    for family in CataloguedFamily.all {
      let tensors = family.tensors(number: number)
      let naming = TensorNaming(
        config: ModelConfig(document: family.config), tensors: tensors.map { ($0.name, $0.shape) })
      for tensor in tensors {
        let identity = naming.identify(name: tensor.name, dtype: tensor.dtype, shape: tensor.shape)
        #expect(identity.role.rawValue == tensor.role, "\(family.name): \(tensor.name)")
        #expect(identity.fate == tensor.fate, "\(family.name): \(tensor.name)")
      }
    }
  }

  /// Whatever the lines of the catalogue say.
  @Test func nothingIsPackedWithoutARole() {
    for family in CataloguedFamily.all {
      for tensor in family.tensors where tensor.role == "other" {
        #expect(
          !["matrix", "table", "stack"].contains { tensor.fate.hasPrefix($0) },
          "\(family.name): \(tensor.name)")
      }
    }
  }

  /// What runtimes look up, or decide by, or take the exponential of, by the words in its name.
  @Test func delicateWordsAreKept() {
    let words = [
      "position", "segment", "token_type", "router", "mlp.gate.", "moe.gate.", "A_log", "decay",
      "in_proj_a.", "in_proj_b.", "in_proj_ba.", "b_proj.weight", "dt_proj", "gate_preact",
      "audio", "vision", "image", "img", "modality",
    ]
    let exceptions = ["ogate_preact", "q_b_proj", "kv_b_proj", "wq_b", "g_b_proj", "bcdt_proj"]
    for family in CataloguedFamily.all {
      for tensor in family.tensors where tensor.shape.count > 1 {
        guard words.contains(where: tensor.name.contains),
          !exceptions.contains(where: tensor.name.contains)
        else { continue }
        #expect(["keep", "drop"].contains(tensor.fate), "\(family.name): \(tensor.name)")
      }
    }
  }
}

extension TensorIdentity {
  /// In the words of the catalogue.
  fileprivate var fate: String {
    let turned = order == .inputMajor ? "^T" : ""
    return switch treatment {
    case .quantize(.linear): "matrix" + turned
    case .quantize(.embedding): "table" + turned
    case .quantize(.expertStack): "stack" + turned
    case .keep: "keep"
    case .unfit: "unfit"
    case .drop: "drop"
    }
  }
}
