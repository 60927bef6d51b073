import Foundation
import Testing

@testable import decant

@Suite struct BashCompletionTests {
  /// What the script completes: the words before the cursor, and the replies in order.
  @Test(arguments: [
    ([""], ["pour", "mix", "about"]),
    (["p"], ["pour"]),
    (["-q", "mi"], ["mix"]),
    (["--ver"], ["--version"]),
    (["pour", "--ki"], ["--kind"]),
    (
      ["pour", "cup", "-"],
      [
        "--output", "-o", "--kind", "--jobs", "-j", "--add", "-a", "--force", "-f", "--max-size",
        "--full", "--help", "-h", "--quiet", "-q", "--no-color", "--version",
      ]
    ),
    (["pour", "--kind", ""], ["tea", "coffee"]),
    (["pour", "--kind", "c"], ["coffee"]),
    // As bash splits at the sign, and as it does not.
    (["pour", "--kind", "="], ["tea", "coffee"]),
    (["pour", "--kind", "=", "t"], ["tea"]),
    (["pour", "--kind=t"], ["--kind=tea"]),
    (["pour", "--add", "milk", "--kind", "t"], ["tea"]),
    (["pour", "--add", ""], []),
    (["pour", "a "], ["a cup", "a table"]),
    (["pour", "-o", ""], ["a table"]),
    (["pour", "--output", "a"], ["a table"]),
    (["pour", "--", "-"], ["-cup"]),
    (["pour", "-o", "x", "a c"], ["a cup"]),
    (["pour", "one", "a"], []),
    (["mix", "out", "one", "a "], ["a cup", "a table"]),
    (["about", "po"], ["pour"]),
  ])
  func completes(_ words: [String], replies: [String]) throws {
    let script = """
      cd "$1"; shift
      source ./completion
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
      _brew
      if ((${#COMPREPLY[@]})); then printf '%s\\n' "${COMPREPLY[@]}"; fi
      """
    let folder = try Folder()
    try folder.write("completion", Shell.bash.completionScript(for: sampleProgram))
    try folder.write("-cup", "")
    try folder.write("a cup", "")
    try folder.makeFolder("a table")
    let result = try runTool(
      "bash", ["-u", "-c", script, "bash", folder.path, "brew"] + words)
    #expect(result.error == "")
    #expect(result.output.split(separator: "\n").map(String.init).sorted() == replies.sorted())
  }

  @Test func completesTheProgramsOwnOptions() throws {
    let script = """
      eval "$1"; COMP_WORDS=(decant convert --gr); COMP_CWORD=2; _decant; echo "${COMPREPLY[*]}"
      """
    let result = try runTool(
      "bash", ["-c", script, "bash", Shell.bash.completionScript(for: Program.description)])
    #expect(result.output == "--group-size\n")
  }
}

@Suite struct ZshCompletionTests {
  @Test func namesEachSpellingWithWhatItTakes() {
    let script = Shell.zsh.completionScript(for: sampleProgram)
    for line in [
      "#compdef brew\n",
      "    'pour:fill a cup'\n",
      "'(-o --output)-o+[Where to]:OUT:_files -/'",
      "'(-o --output)--output=[Where to]:OUT:_files -/'",
      "'(--kind)--kind=[What to pour]:KIND:(tea coffee)'",
      "'*-a+[Something on top]:THING: '",
      "'(-f --force)-f[Pour over]'",
      "'1:CUP:_files'",
      "'*:CUP:_files'",
      "'1:COMMAND:_brew_commands'",
    ] {
      #expect(script.contains(line), "\(line)")
    }
  }

  @Test(.enabled(if: isInstalled("zsh")), arguments: [sampleProgram, Program.description])
  func isValid(_ program: ProgramDescription) throws {
    let folder = try Folder()
    try folder.write("completion", Shell.zsh.completionScript(for: program))
    let result = try runTool("zsh", ["-n", folder.path + "/completion"])
    #expect(result.status == 0)
    #expect(result.error == "")
  }
}

@Suite struct FishCompletionTests {
  @Test func namesEachOptionWithWhatItTakes() {
    let script = Shell.fish.completionScript(for: sampleProgram)
    for line in [
      "complete -c brew -s h -l help -d 'Show help with examples, and stop'\n",
      "complete -c brew -n '__brew_is \"\"' -a pour -d 'fill a cup'\n",
      "complete -c brew -n '__brew_is pour' -l kind -x -a 'tea coffee' -d 'What to pour'\n",
      "complete -c brew -n '__brew_is pour' -F\n",
      "complete -c brew -n '__brew_is about' -a 'pour mix about'\n",
    ] {
      #expect(script.contains(line), "\(line)")
    }
  }

  @Test(
    .enabled(if: isInstalled("fish")),
    arguments: [
      ("", ["about", "mix", "pour"]),
      ("-q po", ["pour"]),
      ("pour --ki", ["--kind"]),
      ("pour --kind ", ["coffee", "tea"]),
      ("pour --kind=t", ["--kind=tea"]),
      ("pour --add ", []),
      ("about mi", ["mix"]),
      ("pour about --f", ["--force", "--full"]),
    ])
  func completes(_ line: String, replies: [String]) throws {
    let result = try runTool(
      "fish",
      [
        "--no-config", "-c",
        "\(Shell.fish.completionScript(for: sampleProgram)); complete -C $argv",
        "--", "brew \(line)",
      ])
    #expect(result.error == "")
    // fish appends the description after a tab.
    let words = result.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    #expect(words.sorted() == replies)
  }
}
