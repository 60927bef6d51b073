/// Where the weights of a tensor come from, where that is not one tensor of the same name and shape:
/// what a runtime calls otherwise, stacks, splits, or turns.
///
/// Each of the tensors of the source is seen as matrices of `matrixRows` stored rows. Of each matrix
/// some outputs and inputs are taken; what the tensors give is stacked, in their order.
package struct TensorOrigin: Sendable, Equatable {
  /// Their names.
  package let names: TensorNameList
  /// Of each of them, as it is stored.
  package let shape: [UInt64]
  /// Whether a stored row holds the weights of one output, or of one input.
  package let order: MatrixOrder
  /// Stored rows of a matrix; nil where the shape says it.
  package let matrixRows: Int?
  /// The matrices that are taken of each tensor; nil for all.
  package let matrices: Range<Int>?
  /// The outputs that are taken of each matrix; nil for all.
  package let outputs: Steps?
  /// The inputs that are taken of each matrix; nil for all.
  package let inputs: Range<Int>?
  /// The order in which outputs are taken of each matrix, in the place of `outputs`; nil for their own.
  package let rows: RowOrder?
  /// What is done to the weights, in this order.
  package var changes: [WeightChange]

  package init(
    _ names: TensorNameList, shape: [UInt64], order: MatrixOrder = .outputMajor,
    matrixRows: Int? = nil, matrices: Range<Int>? = nil, outputs: Steps? = nil,
    inputs: Range<Int>? = nil, rows: RowOrder? = nil, changes: [WeightChange] = []
  ) {
    self.names = names
    self.shape = shape
    self.order = order
    self.matrixRows = matrixRows
    self.matrices = matrices
    self.outputs = outputs
    self.inputs = inputs
    self.rows = rows
    self.changes = changes
  }

  /// Numbers at equal distances.
  package struct Steps: Sendable, Equatable {
    package let first: Int
    package let count: Int
    package let step: Int

    package init(first: Int, count: Int, step: Int = 1) {
      self.first = first
      self.count = count
      self.step = step
    }

    package func overlaps(_ other: Steps) -> Bool {
      guard count > 0, other.count > 0, first <= other.last, other.first <= last else {
        return false
      }
      return step != other.step || (first - other.first) % step == 0
    }

    package var last: Int { first + (count - 1) * step }
  }

  /// Whether it is all of one tensor, unchanged but for its name, and the order of a matrix.
  package var isWhole: Bool {
    matrixRows == nil && matrices == nil && outputs == nil && inputs == nil && rows == nil
      && changes.isEmpty && !names.isNumbered
  }

  /// Whether nothing is taken out and nothing turned: the elements lie one after the other as in the
  /// tensors of the source.
  package var keepsElements: Bool {
    order == .outputMajor && matrices == nil && outputs == nil && inputs == nil && rows == nil
  }

  /// One of the tensors of the source, as matrices; nil where its shape does not allow that, or what
  /// is taken lies outside of it.
  package var stored: StoredMatrices? { StoredMatrices(self) }

  /// The matrices of a tensor of the source, and what is taken of them. Every product of these numbers
  /// fits.
  package struct StoredMatrices: Sendable, Equatable {
    /// Of one tensor.
    package let matrixCount: Int
    package let rows: Int
    package let columns: Int
    package let order: MatrixOrder
    package let matrices: Range<Int>
    package let outputs: Steps
    package let inputs: Range<Int>
    /// In the place of `outputs`, which then are all.
    package let rowOrder: RowOrder?

    fileprivate init?(_ origin: TensorOrigin) {
      let shape = origin.shape.map { Int(clamping: $0) }
      guard case .bytes = TensorSize(shape: origin.shape, dtype: .f64), !shape.contains(0) else {
        return nil
      }
      columns = shape.last ?? 1
      let allRows = shape.dropLast().reduce(1, *)
      rows = origin.matrixRows ?? (shape.count >= 2 ? shape[shape.count - 2] : 1)
      guard rows > 0, allRows % rows == 0 else { return nil }
      matrixCount = allRows / rows
      order = origin.order
      let (allOutputs, allInputs) = order == .outputMajor ? (rows, columns) : (columns, rows)
      matrices = origin.matrices ?? 0..<matrixCount
      outputs = origin.outputs ?? Steps(first: 0, count: allOutputs)
      inputs = origin.inputs ?? 0..<allInputs
      rowOrder = origin.rows
      guard
        rowOrder.map({ origin.outputs == nil && RowOrder($0.runs, of: allOutputs) != nil }) ?? true,
        !matrices.isEmpty, matrices.lowerBound >= 0, matrices.upperBound <= matrixCount,
        !inputs.isEmpty, inputs.lowerBound >= 0, inputs.upperBound <= allInputs,
        // Rows are read whole.
        order == .inputMajor || inputs.count == allInputs,
        outputs.count > 0, outputs.first >= 0, outputs.first < allOutputs, outputs.step > 0,
        outputs.step <= allOutputs,
        outputs.count - 1 <= (allOutputs - 1 - outputs.first) / outputs.step
      else { return nil }
    }

    /// All of the tensor.
    package var whole: MatrixShape { whole(in: order) }

    /// All of it, where a stored row is seen as that order has it.
    package func whole(in order: MatrixOrder) -> MatrixShape {
      order == .outputMajor
        ? MatrixShape(matrices: matrixCount, outputs: rows, inputs: columns)
        : MatrixShape(matrices: matrixCount, outputs: columns, inputs: rows)
    }

    /// Of what is taken.
    package var taken: MatrixShape {
      MatrixShape(
        matrices: matrices.count, outputs: rowOrder?.count ?? outputs.count, inputs: inputs.count)
    }

    private init(
      matrixCount: Int, rows: Int, columns: Int, order: MatrixOrder, matrices: Range<Int>,
      outputs: Steps, inputs: Range<Int>
    ) {
      self.matrixCount = matrixCount
      self.rows = rows
      self.columns = columns
      self.order = order
      self.matrices = matrices
      self.outputs = outputs
      self.inputs = inputs
      rowOrder = nil
    }

    /// The same of which all outputs of all matrices are taken.
    package var withAllOutputs: StoredMatrices {
      StoredMatrices(
        matrixCount: matrixCount, rows: rows, columns: columns, order: order,
        matrices: 0..<matrixCount,
        outputs: Steps(first: 0, count: whole.outputs), inputs: inputs)
    }

    /// Where a weight stands in the tensor, given its place in what is taken.
    package func index(matrix: Int, output: Int, input: Int) -> Int {
      let output = rowOrder?.row(at: output) ?? outputs.first + output * outputs.step
      let input = inputs.lowerBound + input
      let (row, column) = order == .outputMajor ? (output, input) : (input, output)
      return ((matrices.lowerBound + matrix) * rows + row) * columns + column
    }
  }

  /// Whether `shape` is that of the matrices that all tensors give together.
  func shape(ofMatrices shape: [UInt64]) -> Bool {
    guard let taken = stored?.taken else { return false }
    return MatrixShape(stored: shape.map { Int(clamping: $0) }, .outputMajor)
      == MatrixShape(
        matrices: taken.matrices * names.count, outputs: taken.outputs, inputs: taken.inputs)
  }

  /// Weights of all tensors together; nil where what is taken lies outside of them.
  package var elementCount: Int? {
    guard let taken = stored?.taken else { return nil }
    let (count, overflow) = taken.count.multipliedReportingOverflow(by: names.count)
    return overflow ? nil : count
  }
}

/// What is done to weights between a source and what is stored of them.
package enum WeightChange: Sendable, Equatable {
  case multiply(Double)
  /// Rows of these numbers, one run after the other, are multiplied.
  case multiplyRows([RowFactor])
  case add(Double)
  /// Every row is divided by its length, to which this is added.
  case normalizeRows(epsilon: Double)
  /// `-exp(w)`.
  case negativeExponential

  package struct RowFactor: Sendable, Equatable {
    package let count: Int
    package let factor: Double

    package init(count: Int, factor: Double) {
      self.count = count
      self.factor = factor
    }
  }

  /// What takes it back; nil where nothing does.
  package var inverse: WeightChange? {
    switch self {
    case .multiply(let factor): .multiply(1 / factor)
    case .multiplyRows(let rows):
      .multiplyRows(rows.map { RowFactor(count: $0.count, factor: 1 / $0.factor) })
    case .add(let value): .add(-value)
    case .normalizeRows, .negativeExponential: nil
    }
  }
}
