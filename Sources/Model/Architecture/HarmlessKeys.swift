import Formats

/// Keys of configurations that do not change what a model computes, of any family.
enum HarmlessKeys {
  static let all: Set<String> = [
    // What the file is, and how it was made.
    "model_type", "architectures", "auto_map", "_name_or_path", "name_or_path", "_commit_hash",
    "transformers_version", "torch_dtype", "dtype", "_attn_implementation_autoset",
    "attn_implementation", "tokenizer_class", "finetuning_task", "task_specific_params",
    "problem_type", "id2label", "label2id", "num_labels", "unsloth_version", "unsloth_fixed",
    // How the weights are stored: their reader knows.
    "quantization", "quantization_config", "compression_config",
    // Tokens and generation.
    "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id",
    "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens",
    "begin_suppress_tokens", "prefix", "use_cache", "cache_implementation", "max_length",
    "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
    "diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
    "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids",
    "num_return_sequences", "output_scores", "return_dict_in_generate",
    "remove_invalid_values", "exponential_decay_length_penalty", "model_max_length",
    "max_sequence_length", "seq_length",
    // Training.
    "initializer_range", "init_std", "initializer_factor", "dropout", "attention_dropout",
    "hidden_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob", "activation_dropout",
    "embd_pdrop", "attn_pdrop", "resid_pdrop", "embedding_dropout", "residual_dropout",
    "classifier_dropout", "layerdrop", "aux_loss_alpha", "seq_aux", "router_aux_loss_coef",
    "router_jitter_noise", "output_router_logits", "gradient_checkpointing", "tf_legacy_loss",
    "use_bfloat16",
    // How the work is done, or what is given back of it.
    "pretraining_tp", "slow_but_exact", "ep_size", "torchscript", "chunk_size_feed_forward",
    "return_dict", "output_attentions", "output_hidden_states", "attention_softmax_in_fp32",
    "scale_attention_softmax_in_fp32", "masked_softmax_fusion", "bias_dropout_fusion",
    "skip_bias_add", "skip_bias_add_qkv", "reorder_and_upcast_attn", "fp32_residual_connection",
    "is_decoder", "pre_seq_len", "prefix_projection", "summary_activation",
    "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
  ]

  /// Keys that change nothing where they have one of these values, of families that do not know them. Null
  /// never changes anything; any other value of an unknown key may.
  static let neutral: [String: [JSONValue]] = [
    "attention_bias": [false], "mlp_bias": [false], "lm_head_bias": [false],
    "use_qkv_bias": [false], "use_sliding_window": [false], "qk_layernorm": [false],
    "use_qk_norm": [false], "use_bidirectional_attention": [false], "alibi": [false],
    "add_cross_attention": [false], "is_encoder_decoder": [false], "tie_encoder_decoder": [false],
    "pruned_heads": [.object([])], "full_attn_mod": [1], "interpolate_factor": [1],
    "quantization_bit": [0], "rotary_scaling_factor": [1, .number("1.0")],
    "partial_rotary_factor": [1, .number("1.0")],
  ]
}
