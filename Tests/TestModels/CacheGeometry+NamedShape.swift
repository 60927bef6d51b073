import Formats
import Model

/// A weight by name, as `CacheGeometry` is told of it.
package typealias NamedShape = (name: String, shape: [Int])

extension CacheGeometry {
  /// The geometry that `config` alone gives, or with the tensors of some names and shapes.
  package init(_ config: JSONValue, _ tensors: [NamedShape] = []) throws(CacheGeometryError) {
    let config = ModelConfig(document: config)
    let naming = TensorNaming(config: config, tensors: tensors)
    try self.init(
      config: config,
      tensors: tensors.map { tensor in
        (naming.identify(name: tensor.name, dtype: .bf16, shape: tensor.shape), tensor.shape)
      })
  }
}
