/// Placeholder until the first subcommand lands.
@main struct Decant { static func main() { print("decant") } }
