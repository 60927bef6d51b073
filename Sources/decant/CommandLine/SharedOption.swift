/// The options that every command takes.
enum SharedOption {
  static let help = OptionDescription(
    long: "help", short: "h", help: "Show help with examples, and stop.")
  static let version = OptionDescription(
    long: "version", help: "Show the version of the program, and stop.")
  static let quiet = OptionDescription(
    long: "quiet", short: "q", help: "Show results and errors only: no progress, no notes.")
  static let noColor = OptionDescription(
    long: "no-color", help: "Use no colours. So does a NO_COLOR in the environment.")

  static let all = [help, quiet, noColor, version]
}
