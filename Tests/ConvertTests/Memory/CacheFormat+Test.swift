import Convert

extension CacheFormat {
  /// Keys and values of the same width, with a 16-bit scale and offset for each group.
  init?(bits: Int, groupSize: Int) {
    guard let width = ElementWidth(bits: bits, groupSize: groupSize) else { return nil }
    self.init(keys: width, values: width)
  }
}
