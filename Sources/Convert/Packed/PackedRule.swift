import Formats

/// What a packed checkpoint must keep besides the rules of its container, by short names that stay.
/// docs/FORMAT.md says what each means.
package enum PackedRule: String, Sendable, CaseIterable {
  case unreadable
  case checkpoint
  case headerChecksum = "header_checksum"
  case manifestMissing = "manifest_missing"
  case manifest
  case tensorMissing = "tensor_missing"
  case tensorShape = "tensor_shape"
  case tensorSize = "tensor_size"
  case tensorClaimedTwice = "tensor_claimed_twice"
  case tensorUnnamed = "tensor_unnamed"
  case groupSize = "group_size"
  case checksum
  case plan
  case origin
  case notFinite = "not_finite"
  case shardForeign = "shard_foreign"
  case shardMissing = "shard_missing"
  case shardName = "shard_name"
  case outputChecksum = "output_checksum"
  case documentMissing = "document_missing"
  case config
  case index
  case documentDigest = "document_digest"
  case carriedMissing = "carried_missing"
  case carriedSize = "carried_size"
  case carriedChecksum = "carried_checksum"
  case originals
  case adapters
  case source
  case recordedError = "recorded_error"
  case secondDecode = "second_decode"

  /// Every name that a finding may have.
  package static var allNames: [String] {
    SafetensorsError.Rule.allCases.map(\.rawValue) + allCases.map(\.rawValue)
  }
}
