/// The commands and all their options as one Markdown document, for those who read on the web.
struct MarkdownReference {
  let program: ProgramDescription

  var text: String {
    """
    # Commands of \(program.name)

    Written by `\(program.name) help --markdown`, which has it from where the parser and the help have it.

    | command | does |
    |---|---|
    \(rows(program.commands.map { ("[`\($0.name)`](#\($0.name))", escaped($0.summary)) }))

    \(program.discussion.map(escaped).joined(separator: "\n\n"))

    ## Options of every command

    \(options(program.sharedOptions))

    """ + program.commands.map { "\n" + section($0) }.joined()
  }

  /// What the document has of one command.
  func section(_ command: CommandDescription) -> String {
    let usage = HelpText.usage(of: command, in: program)
    var parts = [
      "## \(command.name)",
      "`\(usage)`",
      escaped(command.summary.prefix(1).uppercased() + command.summary.dropFirst()) + ".",
    ]
    if !command.operands.isEmpty {
      parts.append(table("operand", command.operands.map { ("`\($0.name)`", escaped($0.meaning)) }))
    }
    if !command.options.isEmpty { parts.append(options(command.options)) }
    parts += command.discussion.map(escaped)
    if !command.examples.isEmpty {
      let lines = command.examples.map { "# \($0.meaning)\n\($0.command)" }
      parts.append("```sh\n" + lines.joined(separator: "\n") + "\n```")
    }
    return parts.joined(separator: "\n\n") + "\n"
  }

  private func options(_ options: [OptionDescription]) -> String {
    table(
      "option",
      options.map { option in
        let value = option.value.map { " \($0.name)" } ?? ""
        let spellings = option.spellings.dropLast() + [option.spelling + value]
        // Inside of a table a bar is one between columns even in code.
        let term = spellings.map { "`\($0.replacing("|", with: "\\|"))`" }
        return (term.joined(separator: ", "), escaped(option.meaning))
      })
  }

  private func table(_ title: String, _ cells: [(String, String)]) -> String {
    "| \(title) | meaning |\n|---|---|\n" + rows(cells)
  }

  private func rows(_ cells: [(String, String)]) -> String {
    cells.map { "| \($0) | \($1) |" }.joined(separator: "\n")
  }

  /// `text` as Markdown shows it letter by letter.
  private func escaped(_ text: String) -> String {
    String(text.flatMap { "\\*_<|`[".contains($0) ? ["\\", $0] : [$0] })
  }
}
