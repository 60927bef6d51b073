import Formats
import Stats

/// Groups of a tile that stand for all of them when it is asked what quantizing loses.
///
/// A group loses about as much more as the square of its range is larger. So it is drawn with a
/// probability proportional to that: at distances along the sum of the squares that are equal, but for a
/// random part. The loss of a drawn group over its own square then says as much about the total as any
/// other's (Cochran, Sampling Techniques, 1977, section 9A). The widest groups are all taken, so that no
/// outlier is missed.
struct GroupSample: Equatable {
  /// Groups that count for themselves alone, in order.
  private(set) var certain: [Int] = []
  /// Groups that stand for others, in order; one may be drawn more than once.
  private(set) var drawn: [Int] = []
  /// Squared range of all that are not certain, over how many are drawn.
  private(set) var share = 0.0

  /// A group is certain where its squared range is so many times the mean: fewer than one in so many are.
  private static let certainMultiple = 16.0

  /// - Parameters:
  ///   - squares: of the tile's groups, as `QuantizationKernels.squaredRanges` gives them.
  ///   - fraction: the share of all groups that is drawn.
  ///   - place: tells this tile from others.
  init(squares: Span<Double>, fraction: Double, place: Int) {
    let count = squares.count
    let draws = max(1, Int(Double(count) * fraction))
    var total = 0.0
    for group in 0..<count { total += squares[group] }
    // One that is as large as the distance between two draws would be drawn for sure.
    let limit = min(Self.certainMultiple * total / Double(count), total / Double(draws))
    var rest = 0.0
    for group in 0..<count {
      if squares[group] > limit { certain.append(group) } else { rest += squares[group] }
    }
    guard rest > 0 else { return }
    share = rest / Double(draws)
    drawn.reserveCapacity(draws)
    var generator = SplitMix64(seed: UInt64(place))
    var next = share * generator.uniform()
    var sum = 0.0
    for group in 0..<count where squares[group] <= limit {
      sum += squares[group]
      while next < sum && drawn.count < draws {
        drawn.append(group)
        next = share * (Double(drawn.count) + generator.uniform())
      }
    }
  }

  /// All that are measured: those that are certain, then those that are drawn.
  var groups: [Int] { certain + drawn }
}
