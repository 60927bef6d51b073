/// The shells that completions can be written for.
enum Shell: String, CaseIterable, Sendable {
  case bash, zsh, fish

  /// A script that teaches this shell the program's commands, options and values.
  func completionScript(for program: ProgramDescription) -> String {
    switch self {
    case .bash: BashCompletion(program: program).script
    case .zsh: ZshCompletion(program: program).script
    case .fish: FishCompletion(program: program).script
    }
  }
}

/// `text` as one word that bash and zsh take literally.
func singleQuoted(_ text: String) -> String {
  "'" + text.replacing("'", with: "'\\''") + "'"
}

/// A command line to copy: words that a shell would read otherwise are quoted.
func shellLine(_ words: [String]) -> String {
  words.map { word in
    let isPlain = word.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_./=:,@%+".contains($0))
    }
    return isPlain && !word.isEmpty ? word : singleQuoted(word)
  }.joined(separator: " ")
}
