/// A regular expression as it was written. Sets are numbered, see `RegexParser.sets`.
indirect enum RegexNode {
  case set(Int)
  case sequence([RegexNode])
  case choice([RegexNode])
  /// `maximum` is nil where there is none.
  case repeated(RegexNode, minimum: Int, maximum: Int?, Greed)
  /// Matches what is ahead without stepping over it.
  case ahead(RegexNode, isNegated: Bool)
  /// Matches what ends here: one of several, each as many scalars long as is said.
  case behind([(node: RegexNode, length: Int)], isNegated: Bool)
  /// Once it has matched, nothing of it is tried again.
  case atomic(RegexNode)
  case lineStart
  case lineEnd
  case textStart
  case textEnd

  enum Greed { case greedy, lazy, possessive }
}
