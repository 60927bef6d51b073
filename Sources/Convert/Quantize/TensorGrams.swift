/// Which Gram matrices a tensor is quantized for.
package struct TensorGrams: Sendable {
  /// Of each of its matrices the tensor of the source whose inputs are meant; nil where they were not
  /// measured.
  package let weights: [String?]
  /// As for `GPTQFactors`.
  let damping: Double

  /// Matrices that are quantized without.
  var missingCount: Int { weights.count { $0 == nil } }

  /// - Parameters:
  ///   - head: where the tensor is the output projection too, the name that this has in the source. What the
  ///     embedding is looked up for has no inputs, and all its errors count alike: the diagonal's mean is added
  ///     to it.
  /// - Returns: nil where the inputs of none of its matrices were measured.
  /// - Throws: `GramError.wrongOrder`.
  init?(
    of source: WeightSource, head: String?, in grams: any GramSource
  ) throws(GramError) {
    let shape = source.shape
    guard shape.count > 0, source.storage.hasSourceInputs else { return nil }
    var weights: [String?] = []
    for matrix in 0..<shape.matrices {
      let own =
        source.storage.sourceName(of: matrix * shape.outputs * shape.inputs) ?? source.name
      var name: String?
      for weight in [own, head].compactMap(\.self) {
        guard name == nil, let key = grams.key(ofInputsOf: weight) else { continue }
        guard key.order == shape.inputs else {
          throw .wrongOrder(
            file: grams.path, tensor: weight, order: key.order, inputs: shape.inputs)
        }
        name = weight
      }
      weights.append(name)
    }
    guard weights.contains(where: { $0 != nil }) else { return nil }
    self.weights = weights
    damping = head == nil ? GPTQFactors.damping : 1
  }
}
