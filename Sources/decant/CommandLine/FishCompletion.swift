/// A completion script for fish 3 and later.
struct FishCompletion {
  let program: ProgramDescription

  var script: String {
    let lines =
      program.sharedOptions.map { "complete -c \(program.name)" + attributes(of: $0) }
      + program.commands.map { command in
        "\(start(after: "\"\"")) -a \(command.name) -d \(quoted(command.summary))"
      }
      + program.commands.flatMap(lines)
    return """
      # fish completion for \(program.name) \(program.version)

      # Whether the command on the line is $argv[1]; "" stands for none yet.
      function __\(program.name)_is
          for word in (commandline -opc)[2..-1]
              if not string match -q -- '-*' $word
                  test "$word" = "$argv[1]"
                  return
              end
          end
          test -z "$argv[1]"
      end

      complete -c \(program.name) -f
      \(lines.joined(separator: "\n"))

      """
  }

  private func lines(for command: CommandDescription) -> [String] {
    let start = start(after: command.name)
    let operands = command.operands.compactMap { operand in
      operand.accepts == .path ? " -F" : words(operand.accepts).map { " -a \($0)" }
    }
    return (command.options.map(attributes) + operands).map { start + $0 }
  }

  /// - Parameter command: its name, or `""` for none yet.
  private func start(after command: String) -> String {
    "complete -c \(program.name) -n '__\(program.name)_is \(command)'"
  }

  private func attributes(of option: OptionDescription) -> String {
    var text = option.short.map { " -s \($0)" } ?? ""
    text += " -l \(option.long)"
    if let value = option.value {
      // -r: a value must follow; -x: and it is not just any file.
      text += value.accepts == .path ? " -r -F" : " -x"
      if let words = words(value.accepts) { text += " -a \(words)" }
    }
    return text + " -d \(quoted(option.brief))"
  }

  /// The words to offer, as fish's `-a` takes them; `nil` where there are none to name.
  private func words(_ accepts: ValueKind) -> String? {
    switch accepts {
    case .text, .path: nil
    case .directory: "'(__fish_complete_directories)'"
    case .choices(let choices): quoted(choices.joined(separator: " "))
    case .command: quoted(program.commands.map(\.name).joined(separator: " "))
    }
  }

  /// fish's single quotes know two escapes.
  private func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
