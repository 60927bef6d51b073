/// In which order GPTQ goes through the input channels of a matrix. Groups stay where they are.
enum ColumnOrder: CaseIterable {
  case natural
  /// By falling mean square of the inputs (act-order): what counts most is rounded while there are the most
  /// others to make up for it.
  case fallingEnergy

  /// - Parameter diagonal: mean squares by input channel.
  func channels(_ diagonal: [Double]) -> [Int] {
    switch self {
    case .natural: Array(diagonal.indices)
    case .fallingEnergy:
      diagonal.indices.sorted { (diagonal[$1], $0) < (diagonal[$0], $1) }
    }
  }
}
