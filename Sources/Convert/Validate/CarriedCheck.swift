import Formats

/// Whether the files that came with the weights are there, and are what the manifests record.
struct CarriedCheck {
  let packed: PackedCheckpoint
  let cancellation: Cancellation

  func findings() throws -> [Finding] {
    guard let directory = packed.checkpoint.directory, !packed.carried.isEmpty else { return [] }
    let present: CarriedFiles?
    do {
      present = try CarriedFiles(beside: packed.checkpoint)
    } catch {
      return [Finding(error, file: directory)]
    }
    // Only what lies there is opened: a recorded name leads nowhere else.
    let names = Set(present?.names ?? [])
    return try packed.carried.compactMap { recorded in
      let path = directory + "/" + recorded.name
      guard names.contains(recorded.name) else { return Finding(.carriedMissing(path: path)) }
      do {
        return try difference(recorded, path).map { Finding($0) }
      } catch let error as FileError {
        return Finding(error, file: path)
      }
    }
  }

  private func difference(
    _ recorded: Manifest.RecordedFile, _ path: String
  ) throws -> PackedError? {
    let input = try InputFile(path: path)
    // Another size says enough: the file need not be read.
    let digest =
      input.byteCount == recorded.byteCount
      ? try input.digest(recorded.digest.rule, check: cancellation.check) : .blank
    return recorded.difference(
      of: .init(name: recorded.name, byteCount: input.byteCount, digest: digest), path: path)
  }
}
