// swift-tools-version: 6.2
import PackageDescription

/// Every target is held to the same rules: the unsafe parts of the language must be spelled out,
/// and a warning stops the build.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Kernels are compiled for speed in debug builds too: tests spend their time there.
let optimized: [SwiftSetting] = [
  .unsafeFlags(
    ["-O", "-whole-module-optimization", "-num-threads", "2", "-disable-batch-mode"],
    .when(configuration: .debug))
]

// The kernels once more, for processors that have more instructions than every one of their kind has:
// the folder is the same, by a link. Which is used is decided at run time (`ProcessorLevel`). The condition
// is about the machine that builds: what it builds for another one has the baseline alone, and Intel's
// cannot build for arm64.
#if arch(x86_64)
  let wideKernels: [Target] = [
    .target(
      name: "KernelsAVX2",
      swiftSettings: strict + optimized + [
        .unsafeFlags(["-Xcc", "-mavx2", "-Xcc", "-mbmi2", "-Xcc", "-mfma"]),
        .define("FUSED_MULTIPLY_ADD"),
      ])
  ]
#else
  let wideKernels: [Target] = []
#endif
let kernels: [Target.Dependency] = ["Kernels"] + wideKernels.map { .byName(name: $0.name) }

/// Optimized in debug builds too: loops over every weight, which tests call and nobody steps through.
let helpers = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
  name: "decant",
  platforms: [.macOS(.v26)],
  products: [
    .executable(name: "decant", targets: ["decant"])
  ],
  targets: wideKernels + [
    // Functions of numbers and spans, built for several instruction sets.
    .target(name: "Kernels", swiftSettings: strict + optimized),
    .target(name: "Formats", dependencies: kernels, swiftSettings: strict),
    .target(name: "Stats", swiftSettings: strict),
    .target(name: "Model", dependencies: ["Formats"], swiftSettings: strict),
    .target(
      name: "Convert", dependencies: ["Formats", "Stats", "Model"] + kernels,
      swiftSettings: strict),
    // Running a model. It reads weights through the reader in Convert, which Model must not know: so
    // descriptions are in Model, and this is a module of its own.
    .target(
      name: "Forward", dependencies: ["Formats", "Model", "Convert"] + kernels,
      swiftSettings: strict + optimized),
    .executableTarget(
      name: "decant", dependencies: ["Formats", "Stats", "Model", "Convert", "Forward"],
      swiftSettings: strict),
    .executableTarget(
      name: "Benchmarks", dependencies: ["Formats", "Stats", "Convert", "Forward"],
      path: "Benchmarks",
      swiftSettings: strict),
    // Depends on nothing above: what it computes can judge all of it.
    .target(
      name: "TestSupport", path: "Tests/TestSupport", resources: [.copy("Fixtures")],
      swiftSettings: helpers),
    // Models that tests of several modules are about: families in miniature, published numbers.
    .target(
      name: "TestModels", dependencies: ["Formats", "Model"], path: "Tests/TestModels",
      swiftSettings: strict),
    .testTarget(
      name: "FormatsTests", dependencies: ["Formats", "Stats", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(name: "StatsTests", dependencies: ["Stats"], swiftSettings: strict),
    .testTarget(
      name: "ModelTests", dependencies: ["Model", "Formats", "TestModels", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ConvertTests",
      dependencies: ["Convert", "Model", "Formats", "Stats", "TestModels", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "ForwardTests",
      dependencies: ["Forward", "Convert", "Model", "Formats", "Kernels", "TestSupport"],
      resources: [.copy("Fixtures")], swiftSettings: strict),
    .testTarget(
      name: "DecantTests",
      dependencies: ["decant", "Convert", "Model", "Formats", "Stats", "TestSupport"],
      swiftSettings: strict),
  ]
)
