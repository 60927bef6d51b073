/// The candidates that somebody who typed `word` may have meant, best first; none where nothing is
/// close. More than one means that they are equally close, and never more than three.
///
/// Case does not count. A word that begins candidates means those, however much it leaves out.
func suggestions(for word: String, among candidates: [String]) -> [String] {
  let typed = Array(word.lowercased())
  guard !typed.isEmpty else { return [] }
  if typed.count > 1 {
    let completed = candidates.filter { $0.lowercased().starts(with: typed) }
    if !completed.isEmpty { return completed.count <= 3 ? completed : [] }
  }
  var best: [String] = []
  // A third of what was typed may be wrong; a single letter says nothing but its case.
  var bestDistance = typed.count == 1 ? 0 : max(1, typed.count / 3)
  for candidate in candidates {
    let distance = editDistance(typed, Array(candidate.lowercased()))
    if distance < bestDistance { best = [] }
    if distance <= bestDistance {
      bestDistance = distance
      best.append(candidate)
    }
  }
  return best.count <= 3 ? best : []
}

/// A hint that names `suggestions`, each written by `spelled`; `nil` where there are none.
func didYouMean(_ suggestions: [String], spelled: (String) -> String = { $0 }) -> String? {
  guard !suggestions.isEmpty else { return nil }
  return "did you mean \(alternatives(suggestions.map { "'\(spelled($0))'" }))?"
}

/// `a`, `a or b`, `a, b or c`.
func alternatives(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}

/// The fewest insertions, deletions, substitutions and swaps of neighbours that turn one word into
/// the other, no place being edited twice: the optimal string alignment distance.
func editDistance(_ source: [Character], _ target: [Character]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...target.count)
  for i in source.indices {
    var current = [i + 1]
    for j in target.indices {
      let substitution = previous[j] + (source[i] == target[j] ? 0 : 1)
      var distance = min(substitution, previous[j + 1] + 1, current[j] + 1)
      if i > 0, j > 0, source[i] == target[j - 1], source[i - 1] == target[j] {
        distance = min(distance, beforePrevious[j - 1] + 1)
      }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[target.count]
}
