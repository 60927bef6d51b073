/// How a key/value cache stores its two halves.
package struct CacheFormat: Sendable, Hashable {
  /// Keys, and the latent of multi-head latent attention.
  package var keys: ElementWidth
  package var values: ElementWidth
  /// Layers whose keys or values have a width of their own.
  package var keyExceptions: [Int: ElementWidth] = [:]
  package var valueExceptions: [Int: ElementWidth] = [:]

  package static let f16 = CacheFormat(keys: .f16, values: .f16)

  package init(keys: ElementWidth, values: ElementWidth) {
    self.keys = keys
    self.values = values
  }

  package func keys(ofLayer layer: Int) -> ElementWidth { keyExceptions[layer] ?? keys }
  package func values(ofLayer layer: Int) -> ElementWidth { valueExceptions[layer] ?? values }
}
