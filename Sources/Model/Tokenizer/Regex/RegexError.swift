/// Why a pattern is not taken. Offsets count scalars of the pattern.
struct RegexError: Error, Equatable {
  let reason: String
  let offset: Int
}
