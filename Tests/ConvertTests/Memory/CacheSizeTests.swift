import Convert
import Formats
import Model
import TestModels
import Testing

@Suite struct CacheSizeTests {
  /// Hand-computed: layers * heads * (bits of a key and a value with their metadata) / 8. For
  /// LLaMA-2-7B at 4 bits in groups of 128, 32 * 32 * 2 * (128 * 4 + 32) / 8.
  @Test(
    arguments: [
      (.llama7B, 524_288, (8, 128, 270_336)),
      (.llama7B, 524_288, (4, 128, 139_264)),
      (.llama7B, 524_288, (4, 64, 147_456)),
      (.llama70B, 327_680, (8, 128, 168_960)),
      (.llama70B, 327_680, (4, 128, 87_040)),
      (.llama70B, 327_680, (4, 64, 92_160)),
      (.falcon7B, 8192, (8, 64, 4352)),
      (.falcon7B, 8192, (4, 64, 2304)),
      // A head is smaller than the group: one group a head.
      (.falcon7B, 8192, (8, 128, 4352)),
      // The latent of 512 at 4 bits in groups of 128, 272 bytes, and the rotary key's 128 bytes.
      (.deepSeekV3, 70_272, (4, 128, 61 * (272 + 128))),
    ] as [(PublishedModel, Int, (Int, Int, Int))])
  func bytesPerTokenArePublishedOnes(
    _ model: PublishedModel, _ plain: Int, _ quantized: (bits: Int, group: Int, bytes: Int)
  ) throws {
    let geometry = try CacheGeometry(model.config)
    #expect(geometry.bytesPerToken(.f16) == plain)
    let format = try #require(CacheFormat(bits: quantized.bits, groupSize: quantized.group))
    #expect(geometry.bytesPerToken(format) == quantized.bytes)
    #expect(geometry.disagreements.isEmpty)
  }

  /// The first layer's keys at 4 bits in groups of 32, the second's values at 8: 80 and 144 bytes for
  /// a head of 128 where 16 bits take 256.
  @Test func layersMayHaveWidthsOfTheirOwn() throws {
    let geometry = try CacheGeometry(PublishedModel.llama7B.config)
    var format = CacheFormat.f16
    format.keyExceptions[0] = ElementWidth(bits: 4, groupSize: 32)
    format.valueExceptions[1] = ElementWidth(bits: 8, groupSize: 32)
    #expect(geometry.bytesPerToken(format) == 524_288 - 32 * (256 - 80) - 32 * (256 - 144))
  }

  /// 2-bit keys with 32 bits for 32 values, as KIVI in the long run: 3.0 bits a value, against
  /// values that stay in 16 bits.
  @Test func keysAndValuesHaveWidthsOfTheirOwn() throws {
    let geometry = try CacheGeometry(PublishedModel.llama7B.config)
    let format = CacheFormat(
      keys: try #require(ElementWidth(bits: 2, groupSize: 32)), values: .f16)
    #expect(geometry.bytesPerToken(format) == 32 * 32 * (48 + 256))
    #expect(geometry.bytesPerToken(CacheFormat(keys: .f8, values: .f8)) == 262_144)
  }

  /// 29 of Gemma 3 4B's 34 layers see 1,024 tokens: five see all.
  @Test func layersStopGrowingAtTheirWindow() throws {
    let geometry = try CacheGeometry(PublishedModel.gemma3.config)
    let layer = 4 * 2 * 256 * 2
    #expect(geometry.bytesPerToken(.f16) == 34 * layer)
    #expect(geometry.bytesPerToken(.f16, after: 1023) == 34 * layer)
    #expect(geometry.bytesPerToken(.f16, after: 1024) == 5 * layer)
    #expect(geometry.byteCount(context: 1024, .f16) == 34 * layer * 1024)
    #expect(
      geometry.byteCount(context: 5000, batch: 3, .f16)
        == 3 * layer * (29 * 1024 + 5 * 5000))
  }

  /// Whatever the windows, the cache of n tokens is what its tokens added one by one.
  @Test(arguments: [
    PublishedModel.gemma3, .deepSeekV3, .jamba,
  ])
  func growthAddsUp(_ model: PublishedModel) throws {
    let geometry = try CacheGeometry(model.config)
    let format = try #require(CacheFormat(bits: 6, groupSize: 64))
    var sum = 0
    for context in 0..<1500 {
      #expect(geometry.byteCount(context: context, format) == sum)
      sum += geometry.bytesPerToken(format, after: context)
    }
    #expect(sum > 0)
  }

  @Test func onlyAttentionLayersOfHybridsGrow() throws {
    let jamba = try CacheGeometry([
      "model_type": "jamba", "num_hidden_layers": 32, "num_attention_heads": 32,
      "num_key_value_heads": 8, "hidden_size": 4096, "attn_layer_period": 8,
      "attn_layer_offset": 4,
    ])
    #expect(jamba.bytesPerToken(.f16) == 4 * 8 * 2 * 128 * 2)
    #expect(jamba.layers.count { $0 == .constantState } == 28)
    let mamba = try CacheGeometry(["model_type": "mamba", "num_hidden_layers": 64])
    #expect(mamba.bytesPerToken(.f16) == 0)
  }

  /// The largest numbers that are believed: the bytes of a token are exact, those of many tokens
  /// fail rather than wrap.
  @Test func theLargestGeometryDoesNotOverflow() throws {
    let geometry = try CacheGeometry([
      "num_hidden_layers": 65536, "num_attention_heads": 65536, "head_dim": 65536,
    ])
    #expect(geometry.bytesPerToken(.f16) == 1 << 50)
    #expect(geometry.byteCount(context: 1 << 12, .f16) == 1 << 62)
    #expect(geometry.byteCount(context: 1 << 13, .f16) == nil)
    #expect(geometry.byteCount(context: 1 << 12, batch: 2, .f16) == nil)
    #expect(geometry.byteCount(context: -1, .f16) == nil)
  }

  @Test func widthsThatNobodyStoresAreNone() {
    #expect(ElementWidth(bits: 7, groupSize: 64) == nil)
    #expect(ElementWidth(bits: 4, groupSize: 0) == nil)
    #expect(ElementWidth(bits: 4, groupSize: 64, metadataBits: -1) == nil)
    #expect(ElementWidth(bits: 8, groupSize: 32, metadataBits: 16)?.byteCount(of: 32) == 34)
    #expect(ElementWidth(bits: 3, groupSize: 64)?.byteCount(of: 80) == (240 + 64) / 8)
    #expect(ElementWidth.f16.byteCount(of: .max) == nil)
    #expect(ElementWidth.f16.byteCount(of: -1) == nil)
    #expect(ElementWidth.f16.byteCount(of: 0) == 0)
  }
}
