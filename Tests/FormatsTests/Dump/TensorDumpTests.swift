import Formats
import Testing

@Suite struct TensorDumpTests {
  private struct Entry {
    let name: String
    var dtype = DType.f32
    let shape: [Int]
  }

  /// Writes a file of these tensors, each all zeros.
  @discardableResult
  private func write(
    _ entries: [Entry], to name: String, in directory: TemporaryDirectory
  ) throws -> String {
    try directory.write(
      safetensors(entries.map { TestTensor($0.name, $0.dtype.rawValue, $0.shape) }), to: name)
  }

  private func dump(_ entries: Entry..., in directory: TemporaryDirectory) throws -> TensorDump {
    try TensorDump(paths: [write(entries, to: "dump.safetensors", in: directory)])
  }

  @Test func chunksFollowTheirNumbersOverSeveralFiles() throws {
    let directory = try TemporaryDirectory()
    let paths = try [
      write(
        [
          Entry(name: "a.input.10", shape: [3, 4]), Entry(name: "a.input.2", shape: [2, 4]),
        ], to: "one.safetensors", in: directory),
      write(
        [Entry(name: "a.input.9", shape: [7, 4]), Entry(name: "a.input.2", shape: [5, 4])],
        to: "two.safetensors", in: directory),
    ]
    let dump = try TensorDump(paths: paths)
    #expect(dump.problems == [])
    try #require(dump.tensors.count == 1)
    let tensor = dump.tensors[0]
    // Equal numbers follow the files.
    #expect(tensor.parts.map(\.chunk) == [2, 2, 9, 10])
    #expect(tensor.parts.map(\.file) == [0, 1, 1, 0])
    #expect(tensor.parts.map(\.tokenCount) == [2, 5, 7, 3])
    #expect(tensor.name == "a.input")
    #expect(tensor.shape == [17, 4])
    #expect(tensor.byteCount == 17 * 4 * 4)
    let origin = dump.origin(of: tensor)
    #expect(origin.file == paths[0])
    #expect(origin.tensor == "a.input.2")
    #expect(origin.shape == [2, 4])
  }

  @Test func inputsComeFirstAndTheCacheByLayer() throws {
    let directory = try TemporaryDirectory()
    let paths = try [
      write([Entry(name: "layers.1.value", shape: [1, 2, 2])], to: "1.safetensors", in: directory),
      write([Entry(name: "z.input", shape: [1, 2])], to: "2.safetensors", in: directory),
      write([Entry(name: "layers.10.key", shape: [1, 2, 2])], to: "3.safetensors", in: directory),
      write([Entry(name: "layers.1.key", shape: [1, 2, 2])], to: "4.safetensors", in: directory),
      write([Entry(name: "layers.2.value", shape: [1, 2, 2])], to: "5.safetensors", in: directory),
      write([Entry(name: "a.input", shape: [1, 2])], to: "6.safetensors", in: directory),
    ]
    #expect(
      try TensorDump(paths: paths).tensors.map(\.name)
        == [
          "z.input", "a.input", "layers.1.key", "layers.1.value", "layers.2.value", "layers.10.key",
        ]
    )
  }

  @Test func inputsMayHaveDimensionsOfABatch() throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(
      Entry(name: "a.input.0", dtype: .bf16, shape: [2, 3, 5, 8]),
      Entry(name: "a.input.1", dtype: .bf16, shape: [4, 8]), in: directory)
    #expect(dump.problems == [])
    #expect(dump.tensors.map(\.shape) == [[34, 8]])
    #expect(dump.tensors.map(\.tokenShape) == [[8]])
  }

  @Test(arguments: [DType.f16, .bf16, .f32, .f64])
  func plainFloatsAreTaken(_ dtype: DType) throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(
      Entry(name: "layers.0.key", dtype: dtype, shape: [3, 2, 80]), in: directory)
    #expect(dump.problems == [])
    #expect(dump.tensors.map(\.dtype) == [dtype])
    #expect(dump.tensors.map(\.width) == [160])
  }

  @Test func otherTypesAndNamesAreProblems() throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(
      Entry(name: "a.input", dtype: .i64, shape: [2, 2]),
      Entry(name: "b.input", dtype: .f8E4M3, shape: [2, 2]),
      Entry(name: "c.weight", shape: [2, 2]), Entry(name: "d.input", shape: [2, 2]), in: directory)
    let file = directory.path("dump.safetensors")
    #expect(dump.tensors.map(\.name) == ["d.input"])
    #expect(dump.problems.count == 3)
    #expect(dump.problems.contains(.wrongType(file: file, tensor: "a.input", dtype: .i64)))
    #expect(dump.problems.contains(.wrongType(file: file, tensor: "b.input", dtype: .f8E4M3)))
    #expect(dump.problems.contains(.unknownName(file: file, tensor: "c.weight")))
  }

  @Test(arguments: [
    ("a.input", [4]), ("a.input", [0, 4]), ("a.input", [4, 0]), ("a.input", []),
    ("a.input", [1, (1 << 18) + 1]), ("layers.0.key", [2, 4]), ("layers.0.key", [1, 2, 2, 4]),
    ("layers.0.value", [2, 0, 4]), ("layers.0.key", [1, 2, (1 << 17) + 1]),
  ])
  func otherShapesAreProblems(_ name: String, _ shape: [Int]) throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(Entry(name: name, dtype: .f16, shape: shape), in: directory)
    #expect(dump.tensors.isEmpty)
    guard case .wrongShape(_, let tensor, let found, _) = dump.problems.first else {
      Issue.record("\(dump.problems)")
      return
    }
    #expect(tensor == name)
    #expect(found == shape.map { UInt64($0) })
  }

  /// The widest token that is taken, and a shape that claims far more than there is memory.
  @Test func theLimitOfAWidthIsItself() throws {
    let directory = try TemporaryDirectory()
    let widest = try dump(
      Entry(name: "layers.0.key", dtype: .f16, shape: [1, 2, 1 << 17]), in: directory)
    #expect(widest.problems == [])
    let claimed = """
      {"layers.0.key":{"dtype":"F16","shape":[0,9223372036854775807,2],"data_offsets":[0,0]}}
      """
    let path = try directory.write(safetensors(claimed), to: "claimed.safetensors")
    #expect(try TensorDump(paths: [path]).problems.count == 1)
  }

  @Test func chunksMustAgree() throws {
    let directory = try TemporaryDirectory()
    let paths = try [
      write([Entry(name: "layers.0.key", shape: [2, 2, 8])], to: "1.safetensors", in: directory),
      write([Entry(name: "layers.0.key.1", shape: [2, 4, 4])], to: "2.safetensors", in: directory),
      write(
        [Entry(name: "layers.0.key.2", dtype: .f16, shape: [2, 2, 8])], to: "3.safetensors",
        in: directory),
    ]
    let dump = try TensorDump(paths: paths)
    #expect(dump.tensors.map(\.shape) == [[2, 2, 8]])
    #expect(
      dump.problems == [
        .chunkMismatch(file: paths[1], tensor: "layers.0.key.1", shape: [2, 4, 4], first: [2, 8]),
        .chunkTypes(file: paths[2], tensor: "layers.0.key.2", dtype: .f16, first: .f32),
      ])
    #expect(dump.problems.allSatisfy { $0.hint?.contains("--keep-going") ?? false })
  }

  @Test func oneChunkHasOneNameInAFile() throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(
      Entry(name: "layers.1.key", shape: [2, 2, 8]),
      Entry(name: "layers.1.key.00", shape: [3, 2, 8]), in: directory)
    #expect(dump.tensors.count == 1)
    try #require(dump.problems.count == 1)
    guard case .sameChunk(_, let tensor, let other) = dump.problems[0] else {
      Issue.record("\(dump.problems)")
      return
    }
    #expect(Set([tensor, other]) == ["layers.1.key", "layers.1.key.00"])
  }

  @Test func whatACheckRefusesBecomesAProblem() throws {
    let directory = try TemporaryDirectory()
    let dump = try dump(
      Entry(name: "a.input", shape: [1, 2]), Entry(name: "b.input", shape: [1, 2]), in: directory)
    let problem = DumpError.nothing(files: ["x"])
    let kept = dump.keeping { tensor throws(DumpError) in
      if tensor.name == "a.input" { throw problem }
    }
    #expect(kept.tensors.map(\.name) == ["b.input"])
    #expect(kept.problems == [problem])
    #expect(dump.selecting { $0.name == "a.input" }.tensors.map(\.name) == ["a.input"])
  }

  @Test func aFileThatIsNoneIsAnError() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("version https://git-lfs", to: "x.safetensors")
    #expect(throws: (any Error).self) { try TensorDump(paths: [path]) }
    #expect(throws: (any Error).self) { try TensorDump(paths: [directory.path("none")]) }
  }
}
