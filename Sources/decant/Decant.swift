import Foundation

@main
struct Decant {
  static func main() {
    ignoreBrokenPipes()
    exit(Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
  }
}
