/// Sums of products of a few tokens with the rows of a panel, held in registers while the inputs pass.
///
/// Levels differ in how many numbers fit, and in whether they can add a product before it is rounded: results of
/// fused products belong to a level, those of everything else do not.
struct ProductBlock {
  /// Rows of weights side by side in a panel.
  static var rows: Int { 16 }
  #if FUSED_MULTIPLY_ADD
    static var tokens: Int { 6 }
    private var sums3 = (Lanes.zero, Lanes.zero)
    private var sums4 = (Lanes.zero, Lanes.zero)
    private var sums5 = (Lanes.zero, Lanes.zero)
  #else
    static var tokens: Int { 3 }
  #endif
  private var sums0 = (Lanes.zero, Lanes.zero)
  private var sums1 = (Lanes.zero, Lanes.zero)
  private var sums2 = (Lanes.zero, Lanes.zero)

  /// Sums over `depth` inputs. The caller has checked all places.
  ///
  /// - Parameters:
  ///   - inputs: of a token, from its place in `tokens` on.
  ///   - panel: where `rows` weights of every input begin in `panels`.
  ///   - fused: a constant: whether products are added before they are rounded, where the level can.
  @inline(__always)
  init(
    _ inputs: Span<Float>, tokens places: SIMD8<Int>, _ panels: Span<Float>, panel: Int, depth: Int,
    fused: Bool
  ) {
    var place = panel
    for input in 0..<depth {
      let (low, high) = (panels.eight(place), panels.eight(place &+ 8))
      Self.add(inputs, places[0] &+ input, low, high, fused, to: &sums0)
      Self.add(inputs, places[1] &+ input, low, high, fused, to: &sums1)
      Self.add(inputs, places[2] &+ input, low, high, fused, to: &sums2)
      #if FUSED_MULTIPLY_ADD
        Self.add(inputs, places[3] &+ input, low, high, fused, to: &sums3)
        Self.add(inputs, places[4] &+ input, low, high, fused, to: &sums4)
        Self.add(inputs, places[5] &+ input, low, high, fused, to: &sums5)
      #endif
      place &+= Self.rows
    }
  }

  @inline(__always)
  private static func add(
    _ inputs: Span<Float>, _ place: Int, _ low: Lanes, _ high: Lanes, _ fused: Bool,
    to sums: inout (Lanes, Lanes)
  ) {
    let value = unsafe Lanes(repeating: inputs[unchecked: place])
    #if FUSED_MULTIPLY_ADD
      if fused {
        sums = (sums.0.addingProduct(value, low), sums.1.addingProduct(value, high))
        return
      }
    #endif
    sums = (sums.0 + value * low, sums.1 + value * high)
  }

  /// Calls `body` with the sums of each token: those of the panel's first eight rows and its last.
  @inline(__always)
  func forEachToken(_ body: (Int, Lanes, Lanes) -> Void) {
    body(0, sums0.0, sums0.1)
    body(1, sums1.0, sums1.1)
    body(2, sums2.0, sums2.1)
    #if FUSED_MULTIPLY_ADD
      body(3, sums3.0, sums3.1)
      body(4, sums4.0, sums4.1)
      body(5, sums5.0, sums5.1)
    #endif
  }
}
