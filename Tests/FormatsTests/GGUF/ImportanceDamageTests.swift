import Formats
import Stats
import Testing

@Suite struct ImportanceDamageTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test(arguments: ofTheGGUFForm + ofTheOlderForm)
  func isRefused(_ damage: ImportanceDamage) throws {
    let path = try directory.write(damage.file, to: "file")
    let error = #expect(throws: ImportanceMatrixError.self) { try ImportanceMatrix(path: path) }
    #expect(error?.violation == damage.expected)
    #expect(error?.message.hasPrefix(path + ": ") == true)
  }

  /// A value that is not a number equals nothing, so the message is compared.
  @Test func aValueThatIsNotANumberIsRefused() throws {
    var file = ImportanceDamage.legacy
    file.replaceSubrange(46..<50, with: little(Float.nan.bitPattern))
    let path = try directory.write(file, to: "file")
    let error = #expect(throws: ImportanceMatrixError.self) { try ImportanceMatrix(path: path) }
    #expect(
      error?.explanation
        == "entry 'y', matrix 0, channel 2: nan over 1.0 cannot be a mean of squares")
  }

  @Test func theUndamagedFilesAreRead() throws {
    let new = try directory.write(ImportanceDamage.sound.bytes, to: "new")
    #expect(
      try ImportanceMatrix(path: new).entries.map(\.meanSquares) == [[1, 2], [1, 2, 1.5, 2]])
    let old = try directory.write(ImportanceDamage.legacy, to: "old")
    #expect(
      try ImportanceMatrix(path: old).entries.map(\.meanSquares) == [[0.5, 1], [1, 2, 3]])
  }

  /// An older file may end after its entries, and nowhere else.
  @Test func everyShorterOlderFileIsRefused() throws {
    for count in 0..<ImportanceDamage.legacy.count where count != 50 {
      let path = try directory.write(Array(ImportanceDamage.legacy.prefix(count)), to: "part")
      #expect(throws: ImportanceMatrixError.self, "\(count) bytes") {
        try ImportanceMatrix(path: path)
      }
    }
  }

  /// Whatever the damage, a file is read or refused with a reason, and what is read is sound.
  @Test(arguments: ["imatrix.gguf", "imatrix_legacy.dat"])
  func aDamagedFileIsNoTrap(_ name: String) throws {
    let original = try contents(of: Fixture.path("gguf/" + name))
    var random = SplitMix64(seed: 26)
    var refusals = 0
    for _ in 0..<1500 {
      var bytes = original
      bytes.damage(0..<bytes.count, using: &random)
      if Int.random(in: 0..<4, using: &random) == 0 {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      let path = try directory.write(bytes, to: "damaged")
      do {
        let matrix = try ImportanceMatrix(path: path)
        for entry in matrix.entries {
          #expect(entry.meanSquares.count == entry.matrixCount * entry.channelCount)
          let isSound = entry.meanSquares.allSatisfy { $0 >= 0 && $0.isFinite }
          #expect(isSound)
        }
      } catch is any DescribedError {
        refusals += 1
      }
    }
    #expect((300..<1500).contains(refusals), "\(refusals)")
  }
}
