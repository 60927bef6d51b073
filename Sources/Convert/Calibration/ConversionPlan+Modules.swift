import Formats

extension ConversionPlan {
  /// Modules whose weights a conversion quantizes unless it is told otherwise; the head, too, where it uses the
  /// embedding. A stack of experts is not among them under the names of its experts.
  ///
  /// - Throws: as `init`.
  package static func quantizedModules(of checkpoint: Checkpoint) throws -> Set<String> {
    var options = ConversionOptions()
    options.requantizes = true
    let plan = try ConversionPlan(checkpoint, options: options)
    var modules: Set<String> = plan.tiesWordEmbeddings == true ? [DumpedModel.headModule] : []
    for tensor in plan.tensors {
      guard case .quantize = tensor.action else { continue }
      modules.formUnion(tensor.tensor.parts.map { Manifest.Entry.modulePath(of: $0.name) })
    }
    return modules
  }
}
