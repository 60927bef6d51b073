/// A unigram language model: of all ways to cut a piece, the one whose scores have the largest sum.
///
/// Source: Kudo, "Subword Regularization", 2018; huggingface/tokenizers, `models/unigram`.
struct UnigramModel: Sendable {
  let vocabulary: Vocabulary
  /// Pieces by their beginnings; the numbers are their ids.
  private let trie: ByteTrie
  /// Log-probabilities by id.
  private let scores: [Double]
  private let unknownScore: Double
  private let unknown: Int32?
  private let byteNames: [Int32]?

  /// The score of a character that is no piece lies this much below the lowest.
  private static let unknownPenalty = 10.0

  /// - Parameters:
  ///   - vocabulary: ids count from 0 in the order of the file; not empty.
  ///   - byteNames: the ids of `<0x00>` to `<0xFF>` where what is unknown is written as its bytes; -1
  ///     where there is none.
  init(_ vocabulary: Vocabulary, scores: [Double], unknown: Int32?, byteNames: [Int32]?) {
    precondition(!scores.isEmpty && scores.count == vocabulary.indices.count)
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    self.byteNames = byteNames
    unknownScore = scores.reduce(scores[0], min) - Self.unknownPenalty
    var trie = ByteTrie(capacity: 4 * scores.count)
    for entry in vocabulary.indices where !vocabulary[entry].isEmpty {
      trie.insert(vocabulary[entry], vocabulary.id(at: entry))
    }
    self.trie = trie
  }

  /// The best way to a place in a piece.
  private struct Node {
    var score = 0.0
    /// Where its last part begins, -1 where no way leads here.
    var start: Int32 = -1
    /// The id of that part; -1 for a character that is no piece.
    var id: Int32 = -1
  }

  /// Appends the ids of a piece.
  func append(_ piece: Span<UInt8>, _ state: inout EncodingState) throws(TokenizerError) {
    var nodes = [Node](repeating: Node(), count: piece.count + 1)
    nodes[0].start = 0
    var start = 0
    while start < piece.count {
      let next = piece.scalarEnd(at: start)
      let score = nodes[start].score
      var (node, end) = (ByteTrie.root, start)
      var isCovered = false
      while end < piece.count, let child = trie.child(of: node, piece[end]) {
        node = child
        end += 1
        guard let id = trie.value(node) else { continue }
        isCovered = isCovered || end == next
        Self.offer(score + scores[Int(id)], id, from: start, to: &nodes[end])
      }
      if !isCovered { Self.offer(score + unknownScore, -1, from: start, to: &nodes[next]) }
      start = next
    }
    try appendBest(piece, nodes, &state.ids)
  }

  /// Of equals, the one that begins first stays.
  @inline(__always)
  private static func offer(_ score: Double, _ id: Int32, from start: Int, to node: inout Node) {
    if node.start < 0 || score > node.score {
      node = Node(score: score, start: Int32(start), id: id)
    }
  }

  private func appendBest(
    _ piece: Span<UInt8>, _ nodes: [Node], _ ids: inout [Int32]
  ) throws(TokenizerError) {
    // Back from the end; neighbours that are unknown become one.
    var parts: [(range: Range<Int>, id: Int32)] = []
    var end = piece.count
    while end > 0 {
      let start = Int(nodes[end].start)
      let id = nodes[end].id == unknown ? -1 : nodes[end].id
      if id < 0, let last = parts.last, last.id < 0 {
        parts[parts.count - 1].range = start..<last.range.upperBound
      } else {
        parts.append((start..<end, id))
      }
      end = start
    }
    for part in parts.reversed() {
      if part.id >= 0 {
        ids.append(part.id)
      } else {
        try appendUnknown(piece.extracting(part.range), &ids)
      }
    }
  }

  private func appendUnknown(_ text: Span<UInt8>, _ ids: inout [Int32]) throws(TokenizerError) {
    if let id = vocabulary.id(of: text) {
      ids.append(id)
      return
    }
    if let byteNames {
      let names = text.indices.map { byteNames[Int(text[$0])] }
      if names.allSatisfy({ $0 >= 0 }) {
        ids += names
        return
      }
    }
    guard let unknown else { throw .noUnknownToken("the model has no unk_id") }
    ids.append(unknown)
  }
}
