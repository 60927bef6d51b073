import Convert
import Testing

@Suite struct RuntimeFlagsTests {
  private static func cache(
    _ runtime: Runtime, _ keyBits: Int?, _ valueBits: Int?, group: Int = 64, windows: Bool = false
  ) -> RuntimeFlags {
    .cache(
      runtime, keyBits: keyBits, valueBits: valueBits, groupSize: group, hasWindows: windows)
  }

  @Test(
    arguments: [
      (.mlxLM, 8, 8, "--kv-bits 8 --kv-group-size 64"),
      (.mlxLM, 3, 3, "--kv-bits 3 --kv-group-size 64"),
      (.llamaCpp, 8, 4, "--cache-type-k q8_0 --cache-type-v q4_0 --flash-attn on"),
      (.llamaCpp, 5, nil, "--cache-type-k q5_0 --cache-type-v f16"),
      (.llamaCpp, nil, 8, "--cache-type-k f16 --cache-type-v q8_0 --flash-attn on"),
      (.vLLM, 8, 8, "--kv-cache-dtype fp8"),
    ] as [(Runtime, Int?, Int?, String)])
  func theCacheHasFlags(_ runtime: Runtime, _ keys: Int?, _ values: Int?, _ flags: String) {
    #expect(Self.cache(runtime, keys, values).arguments?.joined(separator: " ") == flags)
  }

  @Test(
    arguments: [
      (.mlxLM, 8, 4, "one width"), (.mlxLM, nil, 8, "one width"), (.mlxLM, 8, nil, "one width"),
      (.mlxLM, 5, 5, "2, 3, 4, 6 or 8"), (.llamaCpp, 6, 8, "4, 5 or 8"),
      (.llamaCpp, 8, 2, "4, 5 or 8"), (.vLLM, 4, 4, "8-bit floats"),
      (.vLLM, 8, nil, "8-bit floats"),
    ] as [(Runtime, Int?, Int?, String)])
  func whatARuntimeLacksIsSaid(_ runtime: Runtime, _ keys: Int?, _ values: Int?, _ why: String) {
    let flags = Self.cache(runtime, keys, values)
    #expect(flags.arguments == nil)
    #expect(flags.remark?.contains(why) == true)
  }

  @Test func mlxHasItsGroupsAndNoWindows() {
    #expect(Self.cache(.mlxLM, 8, 8, group: 256).remark?.contains("32, 64 or 128") == true)
    #expect(Self.cache(.mlxLM, 8, 8, group: 256).arguments == nil)
    #expect(Self.cache(.mlxLM, 8, 8, windows: true).arguments == nil)
    #expect(Self.cache(.mlxLM, 8, 8, group: 32).arguments?.last == "32")
    #expect(Self.cache(.llamaCpp, 8, 8, windows: true).arguments != nil)
  }

  @Test(arguments: Runtime.allCases)
  func sixteenBitsNeedNoFlag(_ runtime: Runtime) {
    #expect(Self.cache(runtime, nil, nil).arguments == [])
    #expect(RuntimeFlags.activations(runtime, bits: nil).arguments == [])
  }

  @Test func activationsHaveFewFlags() {
    #expect(RuntimeFlags.activations(.vLLM, bits: 8).arguments == ["--quantization", "fp8"])
    #expect(RuntimeFlags.activations(.llamaCpp, bits: 8).arguments == [])
    for (runtime, bits) in [(Runtime.mlxLM, 8), (.llamaCpp, 4), (.vLLM, 4)] {
      #expect(RuntimeFlags.activations(runtime, bits: bits).arguments == nil)
      #expect(RuntimeFlags.activations(runtime, bits: bits).remark != nil)
    }
  }
}
