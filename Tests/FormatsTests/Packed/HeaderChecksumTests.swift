import Formats
import Testing

@Suite struct HeaderChecksumTests {
  /// Length field and text of a header that carries its own checksum.
  private static func sealed() -> [UInt8] {
    let layout = SafetensorsLayout([
      .init(name: "w", dtype: .u32, shape: [2, 3]), .init(name: "b", dtype: .bf16, shape: [2]),
    ])
    var header = layout.header(metadata: [
      (Manifest.headerChecksumKey, HeaderChecksum.placeholder), ("format", "mlx"),
    ])
    HeaderChecksum.seal(&header)
    return header
  }

  @Test func aSealedHeaderIsIntact() {
    #expect(HeaderChecksum.isIntact(Self.sealed()) == true)
  }

  @Test func theChecksumIsThatOfTheHeaderWithZerosInItsPlace() throws {
    let header = Self.sealed()
    let parsed = try SafetensorsHeader(
      text: Array(header.dropFirst(8)), fileSize: header.count + 28)
    let digits = try #require(parsed.metadataValue(Manifest.headerChecksumKey))
    let place = try #require(header.firstRange(of: Array(digits.utf8)))
    var blank = header
    blank.replaceSubrange(place, with: repeatElement(UInt8(ascii: "0"), count: 16))
    #expect(XXH64.digest(blank).hexDigits == digits)
  }

  @Test func aHeaderWithoutAChecksumHasNoVerdict() {
    #expect(HeaderChecksum.isIntact(Array("{}".utf8)) == nil)
    #expect(HeaderChecksum.isIntact([]) == nil)
  }

  /// Padding and length field included.
  @Test func everyFlippedBitIsNoticed() {
    let header = Self.sealed()
    for bit in 0..<header.count * 8 {
      var damaged = header
      damaged[bit / 8] ^= 1 << (bit % 8)
      #expect(HeaderChecksum.isIntact(damaged) != true, "bit \(bit % 8) of byte \(bit / 8)")
    }
  }

  @Test func aMissingByteIsNoticed() {
    let header = Self.sealed()
    for index in header.indices {
      var damaged = header
      damaged.remove(at: index)
      // Of equal neighbours any may be the one that is gone.
      #expect(HeaderChecksum.isIntact(damaged) != true, "byte \(index)")
    }
  }
}
