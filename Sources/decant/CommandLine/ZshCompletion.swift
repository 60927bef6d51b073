/// A completion script for zsh: a file `_decant` on the `fpath`, or sourced after `compinit`.
struct ZshCompletion {
  let program: ProgramDescription

  var script: String {
    """
    #compdef \(program.name)
    # zsh completion for \(program.name) \(program.version)

    _\(program.name)_commands() {
      local -a commands
      commands=(
    \(commandList)
      )
      _describe -t commands command commands
    }

    _\(program.name)() {
      local context state state_descr line
      local -a shared
      typeset -A opt_args
      shared=(
        \(program.sharedOptions.flatMap(specifications).joined(separator: "\n    "))
      )
      _arguments -s -S -C $shared \\
        '1:command:_\(program.name)_commands' \\
        '*::argument:->arguments' && return

      case $state in
        arguments)
          case $line[1] in
    \(program.commands.map(commandCase).joined(separator: "\n"))
          esac
          ;;
      esac
    }

    # As a file on the fpath this is the function's body; sourced, it only defines.
    if [[ $funcstack[1] == _\(program.name) ]]; then
      _\(program.name) "$@"
    else
      compdef _\(program.name) \(program.name)
    fi

    """
  }

  private var commandList: String {
    program.commands.map { command in
      let name = command.name.replacing(":", with: "\\:")
      return "    " + singleQuoted("\(name):\(command.summary)")
    }.joined(separator: "\n")
  }

  private func commandCase(_ command: CommandDescription) -> String {
    let own =
      command.options.flatMap(specifications)
      + command.operands.enumerated().map { index, operand in
        let position = operand.isRepeatable ? "*" : String(index + 1)
        return singleQuoted("\(position):\(operand.name):\(action(operand.accepts))")
      }
    return """
              \(command.name))
                _arguments -s -S $shared\(own.map { " \\\n            \($0)" }.joined())
                ;;
      """
  }

  /// One for each spelling. Giving the option by one excludes the other, and itself.
  private func specifications(of option: OptionDescription) -> [String] {
    let exclusion = option.isRepeatable ? "*" : "(\(option.spellings.joined(separator: " ")))"
    var ending = "[\(escaped(option.brief))]"
    if let value = option.value {
      ending += ":\(value.name.replacing(":", with: "\\:")):\(action(value.accepts))"
    }
    return option.spellings.map { spelling in
      // `+`: the value may be attached or follow. `=`: the same after a sign.
      let mark = option.isFlag ? "" : spelling.hasPrefix("--") ? "=" : "+"
      return singleQuoted(exclusion + spelling + mark + ending)
    }
  }

  private func escaped(_ help: String) -> String {
    help.replacing("\\", with: "\\\\").replacing("[", with: "\\[").replacing("]", with: "\\]")
  }

  private func action(_ accepts: ValueKind) -> String {
    switch accepts {
    // One space: nothing to offer, and say what is expected.
    case .text: " "
    case .path: "_files"
    case .directory: "_files -/"
    case .choices(let choices): "(\(choices.joined(separator: " ")))"
    case .command: "_\(program.name)_commands"
    }
  }
}
