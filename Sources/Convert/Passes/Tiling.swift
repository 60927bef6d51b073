/// How weights are cut into tiles. Tiles have a fixed size, so that sums over them do not depend on
/// the number of threads.
enum Tiling {
  /// Weights in a tile: a multiple of every group size.
  static let weightCount = 1 << 18
  /// Bytes in a tile of what is not decoded.
  static let byteCount = 1 << 20

  static func ranges(_ count: Int, step: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: step).map { $0..<min($0 + step, count) }
  }
}
