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
    for first in stride(from: 0, to: count, by: 8) {
      total += Self.sum(Self.block(squares, first))
    }
    // One that is as large as the distance between two draws would be drawn for sure.
    let limit = min(Self.certainMultiple * total / Double(count), total / Double(draws))
    // Of eight groups each.
    var blocks: [Double] = []
    blocks.reserveCapacity(count / 8 + 1)
    var rest = 0.0
    for first in stride(from: 0, to: count, by: 8) {
      let block = Self.block(squares, first)
      let own = Self.sum(block.replacing(with: 0, where: block .> limit))
      if own != Self.sum(block) {
        for group in first..<min(first + 8, count) where squares[group] > limit {
          certain.append(group)
        }
      }
      blocks.append(own)
      rest += own
    }
    guard rest > 0 else { return }
    share = rest / Double(draws)
    drawn.reserveCapacity(draws)
    var generator = SplitMix64(seed: UInt64(place))
    var next = share * generator.uniform()
    var sum = 0.0
    for (index, own) in blocks.enumerated() {
      let end = sum + own
      defer { sum = end }
      // Few blocks have a draw.
      guard next < end else { continue }
      for group in 8 * index..<min(8 * index + 8, count) where squares[group] <= limit {
        sum += squares[group]
        while next < sum && drawn.count < draws {
          drawn.append(group)
          next = share * (Double(drawn.count) + generator.uniform())
        }
      }
    }
  }

  /// Eight squares; zeros behind the last.
  @inline(__always)
  private static func block(_ squares: Span<Double>, _ first: Int) -> SIMD8<Double> {
    guard first + 8 <= squares.count else {
      var block = SIMD8<Double>.zero
      for group in first..<squares.count { block[group - first] = squares[group] }
      return block
    }
    // Inside, by the check above; every pattern is a number.
    return unsafe squares.bytes.unsafeLoadUnaligned(
      fromUncheckedByteOffset: 8 &* first, as: SIMD8<Double>.self)
  }

  /// In pairs: one after the other, each addition would wait for the one before.
  @inline(__always)
  private static func sum(_ block: SIMD8<Double>) -> Double {
    let four = block.lowHalf + block.highHalf
    return (four[0] + four[1]) + (four[2] + four[3])
  }

  /// All that are measured: those that are certain, then those that are drawn.
  var groups: [Int] { certain + drawn }
}
