/// What encoding a text needs to write to, kept from piece to piece.
struct EncodingState {
  var ids: [Int32] = []
  var cache = PieceCache()
  var machine = RegexMachine()
  var merging = MergeQueue()
  /// Most bytes that the steps before the model may make of the text.
  private let byteLimit: Int

  /// Decompositions and tables make up to about twenty bytes of one; names of bytes, six.
  private static let growth = 64
  private static let leastLimit = 1 << 20

  init(byteCount: Int) {
    byteLimit = Self.leastLimit + Self.growth * byteCount
    machine.begin(byteCount: byteCount)
  }

  /// - Throws: `TokenizerError.textGrows`.
  func check(byteCount: Int) throws(TokenizerError) {
    guard byteCount <= byteLimit else { throw .textGrows(byteCount: byteCount, limit: byteLimit) }
  }
}
