import Foundation

@main
struct Decant {
  static func main() {
    ignoreBrokenPipes()
    holdStandardStreams()
    exit(Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }
}
