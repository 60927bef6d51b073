import Testing

@testable import decant

@Suite struct ByteSizeTests {
  @Test(arguments: [
    ("1B", 1), ("1000B", 1000), ("5GB", 5_000_000_000), ("5gb", 5_000_000_000),
    ("5 GB", 5_000_000_000), ("1KB", 1000), ("2MB", 2_000_000), ("3TB", 3_000_000_000_000),
    ("600K", 600_000), ("600k", 600_000), ("3.5G", 3_500_000_000), ("2M", 2_000_000),
    ("1T", 1_000_000_000_000),
    ("1KiB", 1024), ("512MiB", 536_870_912), ("512mib", 536_870_912), ("2GiB", 2_147_483_648),
    ("1TiB", 1_099_511_627_776), ("1.5GB", 1_500_000_000), ("0.5KiB", 512), ("1.50KB", 1500),
    ("007B", 7), ("2.000B", 2), ("9223372036854775807B", Int.max),
    ("1.000000000000000000000000KB", 1000),
  ])
  func isRead(_ text: String, bytes: Int) throws {
    #expect(try ByteSize(parsing: text) == ByteSize(bytes: bytes))
  }

  @Test(arguments: [
    ("", "not a size"), ("GB", "not a size"), (".5GB", "not a size"), ("1.", "not a size"),
    ("1..5GB", "not a size"), ("1.2.3", "not a size"), ("+5GB", "not a size"),
    ("0x10", "unknown unit 'x10'"), ("five", "not a size"), ("٥GB", "not a size"),
    ("-5GB", "less than 0"), ("0B", "no bytes at all"), ("0.0GB", "no bytes at all"),
    ("5Gi", "unknown unit 'Gi'"), ("5GBB", "unknown unit 'GBB'"),
    ("1,5GB", "unknown unit ',5GB'"), ("1e9", "unknown unit 'e9'"), ("1.5B", "not whole bytes"),
    ("1.0001KB", "not whole bytes"), ("0.0000000000000000001TB", "not whole bytes"),
    ("9223372036854775808B", "too large"), ("10000000TB", "too large"),
    ("99999999999999999999999999GB", "too large"),
  ])
  func isRefused(_ text: String, reason: String) {
    let error = #expect(throws: InvalidValue.self) { try ByteSize(parsing: text) }
    #expect(error?.reason == reason)
    #expect(
      error?.hint?.hasPrefix("write a size like '5GB', '1.5G' or '512MiB'; units are B, ") == true)
  }

  @Test(arguments: ["24", "0", "1.5", "1000000"])
  func isRefusedWithoutAUnit(_ text: String) {
    let error = #expect(throws: InvalidValue.self) { try ByteSize(parsing: text) }
    #expect(error?.reason == "it has no unit")
    #expect(error?.hint?.hasPrefix("write '\(text)GB', or another unit: B, KB, MB, ") == true)
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (1234, "1.23 KB"), (9994, "9.99 KB"),
    (9996, "10.0 KB"), (12_345, "12.3 KB"), (99_949, "99.9 KB"), (99_960, "100 KB"),
    (999_499, "999 KB"), (999_500, "1.00 MB"), (1_234_567_890, "1.23 GB"),
    (999_500_000_000, "1.00 TB"), (Int.max, "9.22 EB"),
  ])
  func isShownWithThreeDigits(_ bytes: Int, text: String) {
    #expect(ByteSize(bytes: bytes).text == text)
  }

  @Test(arguments: [
    (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1,000 bytes"),
    (1_234_567, "1,234,567 bytes"),
  ])
  func isShownExactly(_ bytes: Int, text: String) {
    #expect(ByteSize(bytes: bytes).exactText == text)
  }
}

@Suite struct CountTests {
  @Test(arguments: [
    ("2", 2), ("4096", 4096), ("32k", 32_768), ("32K", 32_768), ("128 k", 131_072),
    ("1M", 1_048_576),
    ("1.5k", 1536), ("0.5M", 524_288),
  ])
  func isRead(_ text: String, number: Int) throws {
    #expect(try count(parsing: text, in: 2...1 << 24) == number)
  }

  @Test(arguments: [
    ("", "not a whole number"), ("k", "not a whole number"), ("1.5", "not a whole number"),
    ("-4", "less than 0"), ("1", "out of range"), ("0k", "out of range"), ("32M", "out of range"),
    ("1e3", "unknown unit 'e3'"), ("32kB", "unknown unit 'kB'"), ("1.1k", "not a whole number"),
    ("9223372036854775807k", "too large"),
  ])
  func isRefused(_ text: String, reason: String) {
    let error = #expect(throws: InvalidValue.self) { try count(parsing: text, in: 2...1 << 24) }
    #expect(error?.reason == reason)
    #expect(
      error?.hint == "give a whole number, from 2 to 16777216, as in '4096' or '32k' (k is 1,024)")
  }
}

@Suite struct DecibelTests {
  @Test(arguments: [("25", 25.0), ("25dB", 25), ("0.5db", 0.5), ("1e2dB", 100)])
  func areRead(_ text: String, decibels number: Double) throws {
    #expect(try decibels(parsing: text) == number)
  }

  @Test(arguments: ["", "dB", "-3", "0", "0dB", "25 dBm", "25dBdB", "1e-3x"])
  func areRefusedInDecibels(_ text: String) {
    let error = #expect(throws: InvalidValue.self) { try decibels(parsing: text) }
    #expect(error?.hint == "give an SQNR above 0 dB, as in '25' or '25dB'; 6 dB are about one bit")
  }
}

@Suite struct PercentageTests {
  @Test(arguments: [
    ("95%", 95.0), ("95", 95), ("0", 0), ("0%", 0), ("100", 100), ("99.5", 99.5), ("0.5%", 0.5),
    ("1", 1),
  ])
  func isRead(_ text: String, percent: Double) throws {
    #expect(try percentage(parsing: text) == percent)
  }

  @Test(arguments: [
    ("", "not a percentage"), ("%", "not a percentage"), ("95%%", "not a percentage"),
    ("-5", "not a percentage"), ("nan", "not a percentage"), ("inf", "not a percentage"),
    ("1e1", "not a percentage"), ("0x10", "not a percentage"), (".5", "not a percentage"),
    ("5.", "not a percentage"), ("1.2.3", "not a percentage"), ("100.1", "more than 100%"),
    ("0.95", "it could be a percentage or a fraction"),
  ])
  func isRefused(_ text: String, reason: String) {
    let error = #expect(throws: InvalidValue.self) { try percentage(parsing: text) }
    #expect(error?.reason == reason)
  }
}
