import Formats
import Model
import Stats

/// Measures what quantizing the weights of a tile at several widths loses. One instance serves one thread.
struct LossMeasurement {
  private let quantized = QuantizedGroups()
  private var squares: [Double] = []
  /// Weights of groups that lie apart, one after the other.
  private var gathered: [UInt8] = []

  /// Measures all groups of a tile, of `count` weights.
  ///
  /// - Parameters:
  ///   - quantizers: of one group size.
  ///   - importance: as for `GroupQuantizer`.
  /// - Returns: what each of the quantizers loses.
  func ofAll(
    _ tile: WeightTile, count: Int, _ quantizers: [WeightQuantizer], importance: [ImportanceRun]
  ) -> [SampledLoss] {
    quantizers.map { quantizer in
      var loss = SampledLoss(quantizer)
      loss.known = quantized.quantize(
        tile, groupCount: count / quantizer.layout.groupSize, quantizer, importance: importance)
      return loss
    }
  }

  /// The same of a sample of the groups.
  ///
  /// - Parameters:
  ///   - range: the tile's weights in their tensor.
  ///   - fraction: the share of all groups that is drawn.
  mutating func ofSample(
    _ tile: WeightTile, _ range: Range<Int>, fraction: Double, _ quantizers: [WeightQuantizer],
    importance: [ImportanceRun]
  ) -> [SampledLoss] {
    guard let size = quantizers.first?.layout.groupSize else { return [] }
    let groupCount = range.count / size
    let (sample, type) = tile.withElements(0..<range.count) { bytes, type in
      QuantizationKernels.squaredRanges(
        bytes, type, groupCount: groupCount, groupSize: size, into: &squares)
      let sample = GroupSample(
        squares: squares.span.extracting(first: groupCount), fraction: fraction,
        place: range.lowerBound / size)
      gather(sample.groups, of: bytes, byteCount: size * type.byteCount)
      return (sample, type)
    }
    let groups = sample.groups
    let runs = Self.gathered(importance, sample, groupSize: size)
    return quantizers.map { quantizer in
      var loss = SampledLoss(quantizer)
      // Every byte of an array of bytes is a value.
      let errors = unsafe quantized.errors(
        gathered.span.bytes, as: type, groupCount: groups.count, quantizer, importance: runs)
      for (index, error) in errors.enumerated() {
        if index < sample.certain.count {
          loss.known.merge(error)
        } else {
          loss.add(drawn: error, square: squares[groups[index]], share: sample.share)
        }
      }
      return loss
    }
  }

  private mutating func gather(_ groups: [Int], of bytes: RawSpan, byteCount: Int) {
    gathered.grow(to: groups.count * byteCount, filler: 0)
    var output = gathered.mutableSpan
    for (place, group) in groups.enumerated() {
      let source = bytes.extracting(group * byteCount..<(group + 1) * byteCount)
      let start = place * byteCount
      for byte in 0..<byteCount {
        output[start + byte] = unsafe source.unsafeLoad(fromByteOffset: byte, as: UInt8.self)
      }
    }
  }

  /// The runs of a tile's groups, as they follow each other in a sample.
  private static func gathered(
    _ runs: [ImportanceRun], _ sample: GroupSample, groupSize: Int
  ) -> [ImportanceRun] {
    var result: [ImportanceRun] = []
    var first = 0
    for groups in [sample.certain, sample.drawn] {
      for run in runs {
        let own = groups.indices.filter { run.groups.contains(groups[$0]) }
        guard let start = own.first else { continue }
        var cursor = ImportanceCursor([run], groupSize: groupSize)
        var values: [Float] = []
        for index in own {
          guard let counts = cursor.importance(ofGroup: groups[index]) else { continue }
          values += counts.values[counts.start..<counts.start + groupSize]
        }
        result.append(
          ImportanceRun(
            groups: first + start..<first + start + own.count, values: values, firstInput: 0))
      }
      first += groups.count
    }
    return result
  }
}

extension SampledLoss {
  init(_ quantizer: WeightQuantizer) {
    self.init(scheme: .group(size: quantizer.layout.groupSize), bits: quantizer.layout.bits)
  }
}
