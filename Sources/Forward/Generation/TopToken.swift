/// The token with the largest logit, behind one token; of equal ones that with the lowest id.
final class TopToken: LogitReader {
  final class Candidate {
    var id = 0
    var logit = -Float.infinity
  }

  private let found = Candidate()

  var id: Int { found.id }

  func makePartial() -> Candidate { Candidate() }

  func read(_ tiles: [[Float]], vocabulary: Range<Int>, into partial: Candidate) {
    let logits = tiles[0]
    var best = 0
    for index in 1..<max(1, vocabulary.count) where logits[index] > logits[best] { best = index }
    (partial.id, partial.logit) = (vocabulary.lowerBound + best, logits[best])
  }

  func merge(_ partial: Candidate, vocabulary: Range<Int>) {
    guard partial.logit > found.logit else { return }
    (found.id, found.logit) = (partial.id, partial.logit)
  }
}
