import Formats

/// Why the shape of a model's cache cannot be told.
package enum CacheGeometryError: DescribedError, Equatable {
  case noLayers
  case unbelievable(fact: String, value: Int)
  case unknownHeads(layer: Int)
  case encoderAndDecoder

  package var message: String {
    switch self {
    case .noLayers: "neither config.json nor the names of the tensors tell the number of layers"
    case .unbelievable(let fact, let value):
      "\(fact) is \(value); at most \(CacheGeometry.largestCount) is believed"
    case .unknownHeads(let layer):
      "neither config.json nor the tensors tell the key/value heads of layer \(layer)"
    case .encoderAndDecoder: "the caches of models with an encoder and a decoder are not known"
    }
  }

  package var hint: String? {
    switch self {
    case .noLayers, .unknownHeads:
      "put num_hidden_layers, num_attention_heads, num_key_value_heads and head_dim into config.json"
    case .unbelievable: "look for a damaged config.json"
    case .encoderAndDecoder: nil
    }
  }
}
