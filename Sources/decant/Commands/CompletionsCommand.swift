enum CompletionsCommand: Command {
  static let description = CommandDescription(
    name: "completions",
    summary: "print a script that completes command lines in your shell",
    operands: [
      OperandDescription(
        name: "SHELL", help: "The shell to write the script for.",
        accepts: .choices(Shell.allCases.map(\.rawValue)))
    ],
    examples: [
      .init(
        "decant completions bash > ~/.local/share/bash-completion/completions/decant",
        "Install for bash; without the bash-completion package, source the script in ~/.bashrc."),
      .init(
        "decant completions zsh > ~/.zfunc/_decant",
        "Install for zsh; ~/.zshrc needs 'fpath+=(~/.zfunc)' before 'compinit'."),
      .init(
        "decant completions fish > ~/.config/fish/completions/decant.fish", "Install for fish."),
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    guard let shell = arguments.operands.first.flatMap(Shell.init(rawValue:)) else {
      preconditionFailure("the parser lets only the choices through")
    }
    try StandardOutput.write(shell.completionScript(for: Program.description))
    return .done
  }
}
