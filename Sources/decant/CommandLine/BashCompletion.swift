/// A completion script for bash 3.2, which macOS has, and later. It needs no other package.
///
/// The script walks the words before the cursor as the parser would, so that it knows whether an
/// option's value, an operand or an option comes next.
struct BashCompletion {
  let program: ProgramDescription

  var script: String {
    """
    # bash completion for \(program.name) \(program.version)

    # Sets `kind` to what option $2 of command $1 takes, or to nothing.
    _\(program.name)_value() {
      case "$1 $2" in
    \(valueCases)
        *) kind='' ;;
      esac
    }

    # Sets `kind` to what operand $2 of command $1 stands for, counting from 0.
    _\(program.name)_operand() {
      case "$1 $2" in
    \(operandCases)
        *) kind='' ;;
      esac
    }

    # Sets `kind` to the options of command $1.
    _\(program.name)_options() {
      case "$1" in
    \(optionCases)
      esac
    }

    # Completes $1 as `kind` says, and puts $2 before each reply.
    _\(program.name)_reply() {
      local IFS=$'\\n' replies='' reply
      case "$kind" in
        path) compopt -o filenames 2>/dev/null; replies=$(compgen -f -- "$1") ;;
        directory) compopt -o filenames 2>/dev/null; replies=$(compgen -d -- "$1") ;;
        'words '*) replies=$(IFS=' '; compgen -W "${kind#words }" -- "$1") ;;
      esac
      while read -r reply; do
        if [[ -n $reply ]]; then COMPREPLY+=("$2$reply"); fi
      done <<< "$replies"
    }

    _\(program.name)() {
      local current=${COMP_WORDS[COMP_CWORD]} command='' kind='' word
      local -i index operands=0 literal=0 expects=0
      COMPREPLY=()
      for ((index = 1; index < COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        # bash splits `--option=value` at the sign.
        if ((expects)) && [[ $word == '=' ]]; then continue; fi
        if ((expects)); then expects=0; continue; fi
        if ((!literal)) && [[ $word == -- ]]; then literal=1; continue; fi
        if ((!literal)) && [[ $word == -?* ]]; then
          _\(program.name)_value "$command" "$word"
          if [[ -n $kind ]]; then expects=1; fi
          continue
        fi
        if [[ -z $command ]]; then command=$word; else operands+=1; fi
      done

      if ((expects)); then
        if [[ $current == '=' ]]; then current=''; fi
        _\(program.name)_reply "$current" ''
      elif ((!literal)) && [[ $current == --*=* ]]; then
        _\(program.name)_value "$command" "${current%%=*}"
        _\(program.name)_reply "${current#*=}" "${current%%=*}="
      elif ((!literal)) && [[ $current == -* ]]; then
        _\(program.name)_options "$command"
        _\(program.name)_reply "$current" ''
      elif [[ -z $command ]]; then
        kind=\(singleQuoted(kind(.command)))
        _\(program.name)_reply "$current" ''
      else
        _\(program.name)_operand "$command" "$operands"
        _\(program.name)_reply "$current" ''
      fi
    }

    complete -F _\(program.name) \(program.name)

    """
  }

  private var commandNames: String { program.commands.map(\.name).joined(separator: " ") }

  private var valueCases: String {
    program.commands.flatMap { command in
      program.options(of: command).compactMap { option in
        option.value.map { value in
          let pattern = spellings(of: option).map { singleQuoted("\(command.name) \($0)") }
            .joined(separator: " | ")
          return "    \(pattern)) kind=\(singleQuoted(kind(value.accepts))) ;;"
        }
      }
    }.joined(separator: "\n")
  }

  private var operandCases: String {
    program.commands.flatMap { command in
      command.operands.enumerated().map { index, operand in
        let pattern =
          operand.isRepeatable
          ? singleQuoted("\(command.name) ") + "*" : singleQuoted("\(command.name) \(index)")
        return "    \(pattern)) kind=\(singleQuoted(kind(operand.accepts))) ;;"
      }
    }.joined(separator: "\n")
  }

  private var optionCases: String {
    let cases = program.commands.map { command in
      "    \(singleQuoted(command.name))) kind=\(spelled(program.options(of: command))) ;;"
    }
    return (cases + ["    *) kind=\(spelled(program.sharedOptions)) ;;"])
      .joined(separator: "\n")
  }

  private func spelled(_ options: [OptionDescription]) -> String {
    singleQuoted("words " + options.flatMap(spellings(of:)).joined(separator: " "))
  }

  private func spellings(of option: OptionDescription) -> [String] {
    [option.spelling] + (option.short.map { ["-\($0)"] } ?? [])
  }

  private func kind(_ accepts: ValueKind) -> String {
    switch accepts {
    case .text: "text"
    case .path: "path"
    case .directory: "directory"
    case .choices(let choices): "words " + choices.joined(separator: " ")
    case .command: "words " + commandNames
    }
  }
}
