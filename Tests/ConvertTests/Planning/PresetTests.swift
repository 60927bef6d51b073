import Convert
import Testing

@Suite struct PresetTests {
  /// Weights, activations and cache, as the tables of Qllm-Eval have them.
  @Test(
    arguments: [
      (.general, 6_738_415_616, [4, 8, 4]), (.general, 70_000_000_000, [4, 8, 4]),
      (.reasoning, 6_738_415_616, [8, 8, 8]), (.reasoning, 70_000_000_000, [4, 8, 4]),
      // LLaMA-2-13B, which the data show to be small, has a little more than 13 billion.
      (.reasoning, 13_015_864_320, [8, 8, 8]), (.reasoning, 14_000_000_000, [4, 8, 4]),
      (.longContext, 6_738_415_616, [4, 8, 8]), (.longContext, 70_000_000_000, [4, 8, 8]),
      (.dialogue, 6_738_415_616, [8, 8, 4]), (.dialogue, 70_000_000_000, [8, 8, 4]),
      (.trust, 6_738_415_616, [8, nil, 8]), (.trust, 70_000_000_000, [4, nil, 4]),
      // OPT-13B has a little less.
      (.trust, 12_853_473_280, [4, nil, 4]), (.trust, 12_000_000_000, [8, nil, 8]),
    ] as [(Preset, Int, [Int?])])
  func widthsAreThoseOfThePaper(_ preset: Preset, _ parameters: Int, _ bits: [Int?]) {
    let recommendation = preset.recommendation(
      parameterCount: parameters, activeParameterCount: parameters)
    #expect(
      [
        recommendation.weights.bits, recommendation.activations.bits, recommendation.keys.bits,
      ] == bits)
    #expect(recommendation.values.bits == recommendation.keys.bits)
  }

  /// Mixtral 8x7B: 46.7 billion parameters, of which a token needs 12.9.
  @Test(arguments: [Preset.reasoning, .trust])
  func aMixtureIsJudgedByWhatATokenNeeds(_ preset: Preset) {
    let mixture = preset.recommendation(
      parameterCount: 46_702_792_704, activeParameterCount: 12_879_925_248)
    #expect(mixture.weights.bits == 8)
    #expect(mixture.notes.contains { $0.contains("mixture of experts") })
    let larger = preset.recommendation(
      parameterCount: 236_000_000_000, activeParameterCount: 21_000_000_000)
    #expect(larger.weights.bits == 4)
  }

  @Test(arguments: Preset.allCases)
  func everyChoiceHasAReasonAndASource(_ preset: Preset) {
    for parameters in [1_000_000_000, 100_000_000_000] {
      let recommendation = preset.recommendation(
        parameterCount: parameters, activeParameterCount: parameters)
      for choice in [
        recommendation.weights, recommendation.activations, recommendation.keys,
        recommendation.values,
      ] {
        #expect(choice.reason.last == ".")
        #expect(choice.source.contains("2402.18158"))
      }
      // No preset asks for a width that fails.
      #expect(WidthStanding.weights(bits: recommendation.weights.bits ?? 16) == .usable)
      #expect(WidthStanding.activations(bits: recommendation.activations.bits ?? 16) == .usable)
      #expect(WidthStanding.cache(bits: recommendation.keys.bits ?? 16) == .usable)
      #expect(!recommendation.notes.contains { $0.contains("mixture of experts") })
    }
  }

  @Test func dataThatContradictTheSummaryAreNoted() {
    func notes(_ preset: Preset) -> String {
      preset.recommendation(parameterCount: 7_000_000_000, activeParameterCount: 7_000_000_000)
        .notes.joined(separator: "\n")
    }
    #expect(notes(.reasoning).contains("42.84 to 37.38"))
    #expect(notes(.general).contains("ChatGLM3-6B (6.3 %)"))
    #expect(notes(.longContext).contains("nearly as good"))
    #expect(notes(.trust).contains("names no widths"))
  }

  @Test func namesAreThoseOfTheCommandLine() {
    #expect(
      Preset.allCases.map(\.rawValue)
        == ["general", "reasoning", "long-context", "dialogue", "trust"])
  }

  @Test func narrowWidthsFailOrLose() {
    #expect([2, 3, 4, 8].map(WidthStanding.weights(bits:)) == [.fails, .lossy, .usable, .usable])
    #expect([2, 3, 4, 8].map(WidthStanding.cache(bits:)) == [.fails, .lossy, .usable, .usable])
    #expect([4, 8].map(WidthStanding.activations(bits:)) == [.fails, .usable])
    #expect(WidthStanding.fails < .lossy)
  }
}
