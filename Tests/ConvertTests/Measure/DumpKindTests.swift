import Formats
import Testing

@testable import Convert

@Suite struct DumpKindTests {
  private let folder: TemporaryFolder
  private let activations: String
  private let cache: String
  private let both: String

  init() throws {
    folder = try TemporaryFolder()
    let input = TestTensor(f32: "model.layers.0.mlp.up_proj.input", [1, 2], [1, 2])
    let key = TestTensor(f32: "layers.0.key", [1, 1, 2], [1, 2])
    activations = folder.path("activations.safetensors")
    cache = folder.path("cache.safetensors")
    both = folder.path("both.safetensors")
    try writeSafetensors([input], to: activations)
    try writeSafetensors([key], to: cache)
    try writeSafetensors([input, key], to: both)
  }

  @Test func aDumpOfTheOtherKindIsRefused() throws {
    #expect(throws: DumpError.otherKind(file: cache, wanted: .activations)) {
      try Calibration.checkKinds(activations: [activations, cache], cache: [])
    }
    #expect(throws: DumpError.otherKind(file: activations, wanted: .cache)) {
      try Calibration.checkKinds(activations: [], cache: [both, activations])
    }
  }

  @Test func aDumpOfBothKindsIsRightForEither() throws {
    try Calibration.checkKinds(activations: [activations, both], cache: [cache, both])
  }
}
