// The tables of Qllm-Eval as data. Sections are named by their subject. Numbers in notes are from
// the result files in thu-nics/qllm-eval, relative to 16 bits.

private let paper = "Qllm-Eval (arXiv 2402.18158)"
private let basic = "\(paper), basic NLP tasks"
private let emergent = "\(paper), emergent abilities"
private let dialogueSource = "\(paper), dialogue (MT-Bench)"
private let longSource = "\(paper), long context (LongEval, Lost in the Middle)"
private let trustSource = "\(paper), trustworthiness (ETHICS, TruthfulQA, AdvGLUE)"

extension Preset.Recommendation {
  private typealias Choice = Preset.Choice

  static let general = Self(
    weights: Choice(
      bits: 4, reason: "4-bit weights cost most models less than 2 % on understanding and writing.",
      source: basic),
    activations: Choice(
      bits: 8, reason: "8-bit activations are safe beside 4-bit weights; 4-bit ones never are.",
      source: basic),
    cache: Choice(
      bits: 4, reason: "A 4-bit cache costs most models less than 2 % at short contexts.",
      source: basic),
    notes: [
      "for weights and cache together the paper recommends 8-bit weights with a 4-bit cache",
      "4-bit weights cost more than 2 % on LAMBADA for LLaMA2-7B (2.2 %), Mixtral (2.5 %), OPT up"
        + " to 30B (2.3 to 5.4 %), ChatGLM3-6B (6.3 %) and Bloom-560M (9.5 %)",
      "loss does not follow size alone: at 3-bit weights OPT reaches 26.6 on LAMBADA (1.3B), 3.1"
        + " (2.7B), 45.6 (6.7B), 20.3 (13B) and 8.1 (66B, from 73.4)",
    ])

  static let smallReasoning = Self(
    weights: Choice(
      bits: 8,
      reason: "Reasoning in several steps suffers first: up to 13B it needs 8-bit weights.",
      source: "\(emergent) (GSM8K, StrategyQA, calibrated MMLU)"),
    activations: Choice(
      bits: 8, reason: "8-bit activations are usable for reasoning, even beside 4-bit weights.",
      source: emergent),
    cache: Choice(
      bits: 8, reason: "Up to 13B reasoning needs an 8-bit cache too.", source: emergent),
    notes: [
      "the summary leaves out exactly 13B; LLaMA2-13B loses 12.7 % on GSM8K at 4-bit weights"
        + " (42.84 to 37.38), so 13B counts as small here",
      "mathematics suffers more than common sense",
    ])

  static let largeReasoning = Self(
    weights: Choice(
      bits: 4, reason: "Beyond 13B all emergent abilities keep within 2 % at 4-bit weights.",
      source: emergent),
    activations: Choice(
      bits: 8, reason: "Beyond 13B 8-bit activations are safe beside 4-bit weights.",
      source: emergent),
    cache: Choice(
      bits: 4, reason: "Beyond 13B all emergent abilities keep within 2 % with a 4-bit cache.",
      source: emergent),
    notes: [])

  static let longContext = Self(
    weights: Choice(
      bits: 4, reason: "Weights are no more delicate at long contexts than at short ones.",
      source: longSource),
    activations: Choice(
      bits: 8, reason: "8-bit activations lose no more at long contexts than at short ones.",
      source: longSource),
    cache: Choice(
      bits: 8, reason: "Beyond 4,096 tokens the cache is what suffers: keep it at 8 bits.",
      source: longSource),
    notes: [
      "for weights and cache together the paper recommends 8 bits each; in its data 4-bit weights"
        + " with an 8-bit cache are nearly as good"
    ])

  static let dialogue = Self(
    weights: Choice(
      bits: 8, reason: "8-bit weights keep the quality of chat over several turns.",
      source: dialogueSource),
    activations: Choice(
      bits: 8, reason: "8-bit activations are recommended beside 8-bit weights.",
      source: dialogueSource),
    cache: Choice(
      bits: 4, reason: "Dialogue tolerates a 4-bit cache.", source: dialogueSource),
    notes: [
      "4-bit weights are fine for most models",
      "3-bit weights or cache repeat sentences and stray symbols, 2-bit ones repeat tokens",
    ])

  private static let trustActivations = Choice(
    bits: nil, reason: "The paper recommends no width of activations for these tasks.",
    source: trustSource)

  private static let trustNotes = [
    "the summary names no widths for these tasks; these follow from its data",
    "among 7B models 3-bit weights begin to judge what 16 bits refused to, a 3-bit cache refuses"
      + " what 16 bits judged",
  ]

  static let smallTrust = Self(
    weights: Choice(
      bits: 8, reason: "Below 13B only 8-bit weights keep the model's judgements.",
      source: trustSource),
    activations: trustActivations,
    cache: Choice(
      bits: 8, reason: "Below 13B only an 8-bit cache keeps the model's judgements.",
      source: trustSource),
    notes: trustNotes)

  static let largeTrust = Self(
    weights: Choice(
      bits: 4, reason: "From 13B on 4-bit weights keep the model's judgements.",
      source: trustSource),
    activations: trustActivations,
    cache: Choice(
      bits: 4, reason: "From 13B on a 4-bit cache keeps the model's judgements.",
      source: trustSource),
    notes: trustNotes)
}
