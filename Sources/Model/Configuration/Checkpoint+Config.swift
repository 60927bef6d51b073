import Formats

extension Checkpoint {
  /// What its `config.json` says; nil where there is none. Cheap to ask for: it is read once.
  package var config: ModelConfig? { configDocument?.reading(ModelConfig.init(document:)) }
}
