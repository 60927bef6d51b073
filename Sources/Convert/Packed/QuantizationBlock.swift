import Formats
import Model

/// The block of `config.json` that tells MLX runtimes how modules are packed: one layout for all,
/// and entries of the modules that differ, looked up by their paths.
struct QuantizationBlock {
  static let name = "quantization"
  /// The same block once more, for runtimes that look here.
  static let secondName = "quantization_config"

  /// The members for the whole; nil where the configuration has no such block.
  let whole: JSONValue?
  /// The entries of modules, in the block's order.
  let modules: [JSONValue.Member]
  private let byPath: [String: JSONValue]

  init(_ config: ModelConfig?) {
    whole = config?.document[Self.name]
    modules = (whole?.members ?? []).filter { $0.value.members != nil }
    byPath = Dictionary(
      modules.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// What holds for a module: its own entry, else the whole.
  func entry(of path: String) -> JSONValue? { byPath[path] ?? whole }
}
