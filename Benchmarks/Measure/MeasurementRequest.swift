/// What is measured, and how often.
struct MeasurementRequest {
  static let options: Set = ["decant", "rounds", "commands", "scratch"]

  let decant: String
  let rounds: Int
  let commands: [MeasuredCommand]

  /// - Parameter commands: those that are measured where none are named.
  init(_ options: Options, commands: [MeasuredCommand]) throws {
    decant = try Programs.decant(options["decant"])
    rounds = try options.count("rounds", default: 5)
    self.commands = try options.list("commands")?.map(MeasuredCommand.init) ?? commands
  }
}
