import Formats

/// Tensors that differ in a number, on their way to become one.
struct StackedNames {
  /// One of them.
  struct Part {
    /// Of the whole.
    let name: String
    /// Of the parts, around the number.
    let prefix: String
    let suffix: String
    let index: Int
    let changes: [WeightChange]
  }

  private struct Stack {
    let part: Part
    /// Places in the source, by number.
    var places: [Int: Int] = [:]
    /// In the order in which they came.
    var order: [Int] = []
  }

  private var stacks: [Stack] = []
  private var byName: [String: Int] = [:]

  /// - Returns: whether it is the first of its stack.
  mutating func add(_ part: Part, _ tensor: ListedTensor, at place: Int) -> Bool {
    let known = byName[part.name]
    let index = known ?? stacks.count
    if known == nil {
      byName[part.name] = index
      stacks.append(Stack(part: part))
    }
    stacks[index].places[part.index] = place
    stacks[index].order.append(place)
    return known == nil
  }

  /// What becomes of each stack, in the order of their first parts. What has gaps, parts of several
  /// shapes or types, no floats, or weights that are no matrices, is no stack: its parts stay what they
  /// are.
  func items(_ tensors: [ListedTensor]) -> [[ArrangedItem]] {
    stacks.map { stack in
      let places = (0..<stack.places.count).compactMap { stack.places[$0] }
      let first = tensors[stack.order[0]]
      guard places.count == stack.order.count, first.dtype.isFloat,
        first.shape.count >= 2 || !stack.part.suffix.hasSuffix(".weight"),
        places.allSatisfy({
          tensors[$0].shape == first.shape && tensors[$0].dtype == first.dtype
            && tensors[$0].order == first.order
            && tensors[$0].isPacked == first.isPacked
        })
      else { return stack.order.map { .same($0) } }
      let origin = TensorOrigin(
        TensorNameList(prefix: stack.part.prefix, suffix: stack.part.suffix, count: places.count),
        shape: first.shape, order: first.order, changes: stack.part.changes)
      let shape = [UInt64(places.count)] + first.order.outputMajor(first.shape)
      return [
        .made(.init(name: stack.part.name, shape: shape, origin: origin), from: places)
      ]
    }
  }
}
