import Formats

/// Which way a checkpoint stores the matrices whose names leave that open.
///
/// Two pairs of namesakes exist. GPT-2 stores `c_attn`, `c_fc` and `c_proj` as `Conv1D`, `[in, out]`;
/// GPT-BigCode, GPT-Neo and converted GPT-2 files store linear layers under these names. Llama 4 and
/// gpt-oss store the stacks `experts.gate_up_proj` and `experts.down_proj` as `[experts, in, out]`;
/// others as `[experts, out, in]`. Both `attn.c_proj` and gpt-oss's `down_proj` are square, so a
/// tensor alone does not tell: its neighbours do, and failing them the family.
///
/// Two more names are always input-major. Aria multiplies by its stacks `experts.fc1` and `fc2` from
/// the left. DBRX stores the experts of a block below each other, `w1` and `v1` output by output, and
/// `w2` input by input: one matrix of which the inputs are those of all experts.
struct StorageOrder: Sendable {
  /// Whether GPT-2's names are `Conv1D` here; nil where nothing says so.
  private var isConv1D: Bool?
  /// Whether stacked experts are input-major; nil where nothing says so.
  private var hasInputMajorStacks: Bool?
  private let hiddenSize: Int?

  init(config: ModelConfig?, tensors: some Sequence<(name: String, shape: [Int])>) {
    hiddenSize = config?.hiddenSize
    var gateUp: [Int]?
    var down: [Int]?
    for (name, shape) in tensors {
      if isConv1D == nil, name.hasSuffix("c_attn.weight"), shape.count == 2 {
        isConv1D = Self.isConv1D(qkv: shape)
      } else if gateUp == nil, name.hasSuffix("experts.gate_up_proj"), shape.count == 3 {
        gateUp = shape
      } else if down == nil, name.hasSuffix("experts.down_proj"), shape.count == 3 {
        down = shape
      }
    }
    if let gateUp, let down {
      hasInputMajorStacks = Self.areInputMajor(gateUp: gateUp, down: down)
    }
    if let family = config?.family {
      isConv1D = isConv1D ?? Self.conv1DFamilies.contains(family)
      if Self.inputMajorFamilies.contains(family) {
        hasInputMajorStacks = hasInputMajorStacks ?? true
      }
    }
  }

  private static let conv1DFamilies: Set<String> = ["gpt2", "openai-gpt"]
  private static let inputMajorFamilies: Set<String> = [
    "gpt_oss", "llama4", "llama4_text", "qwen3_vl_moe", "qwen3_vl_moe_text",
  ]

  func isInputMajor(_ name: TensorName, role: TensorRole, shape: [Int]) -> Bool {
    switch (name.leaf, shape.count) {
    case (.weight, 2) where ["c_attn", "c_fc", "c_proj"].contains(name.module):
      isConv1D ?? Self.isConv1D(role: role, shape: shape)
    case (.parameter, 3) where role.isExpert:
      hasInputMajorStacks ?? isInputMajor(role: role, shape: shape)
    case (.weight, 3): [["experts", "fc1"], ["experts", "fc2"]].contains(name.path.suffix(2))
    case (.parameter, 2): name.path.suffix(3) == ["experts", "mlp", "w2"]
    default:
      false
    }
  }

  /// What the shape of `c_attn` says: its outputs are three times its inputs, unless keys are shared.
  private static func isConv1D(qkv shape: [Int]) -> Bool? {
    func isTriple(_ a: Int, of b: Int) -> Bool { a > 0 && a % 3 == 0 && a / 3 == b }
    if isTriple(shape[1], of: shape[0]) { return true }
    if isTriple(shape[0], of: shape[1]) { return false }
    return nil
  }

  /// What a matrix says by itself, taking the inner width of an MLP to exceed the outer one.
  private static func isConv1D(role: TensorRole, shape: [Int]) -> Bool {
    switch role {
    case .attnQKV: isConv1D(qkv: shape) ?? false
    case .mlpUp: shape[1] > shape[0]
    case .mlpDown: shape[0] > shape[1]
    default: false
    }
  }

  /// What the two stacks of a block say together, with hidden width H and inner width I:
  /// `[E, H, 2I]` and `[E, I, H]`, or `[E, 2I, H]` and `[E, H, I]`.
  private static func areInputMajor(gateUp: [Int], down: [Int]) -> Bool? {
    func isDouble(_ a: Int, of b: Int) -> Bool { a > 0 && a % 2 == 0 && a / 2 == b }
    if gateUp[1] == down[2], isDouble(gateUp[2], of: down[1]) { return true }
    if gateUp[2] == down[1], isDouble(gateUp[1], of: down[2]) { return false }
    return nil
  }

  /// What a stack says by itself, where the hidden width is known and only one dimension has it.
  private func isInputMajor(role: TensorRole, shape: [Int]) -> Bool {
    guard let hiddenSize, shape[1] != shape[2] else { return false }
    return shape[role == .expertDown ? 2 : 1] == hiddenSize
  }
}
