import Formats
import Foundation
import Stats
import Testing

@testable import Convert

/// What `stats` says a width would lose is what `convert` then loses.
@Suite struct ConversionAgreementTests {
  private static let sample = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "samples/small").path(percentEncoded: false)

  /// Of all widths at once.
  private static let measured = Result<[TensorStatistics], any Error> {
    var options = MeasureOptions()
    options.filter = try NamePattern("model.layers.0.self_attn.*")
    return try StatisticsRun(Checkpoint(path: sample), dumps: [], options: options).run(
      RunContext(threads: 2))
  }

  @Test(arguments: MeasureOptions.weightBits)
  func roundTripsAreThoseOfAConversion(_ bits: Int) throws {
    let checkpoint = try Checkpoint(path: Self.sample)
    let measured = try Self.measured.get()
    #expect(measured.count == 4)
    let folder = try TemporaryFolder()
    var conversion = ConversionOptions()
    conversion.bits = bits
    conversion.method = .minmax
    conversion.keep = try [
      NamePattern("re:^model\\.layers\\.[1-9]"), NamePattern("*.mlp.*"), NamePattern("*embed*"),
      NamePattern("lm_head"),
    ]
    let plan = try ConversionPlan(checkpoint, options: conversion)
    let result = try convert(Self.sample, to: folder.path + "/out", options: conversion)
    let errors = Dictionary(uniqueKeysWithValues: zip(plan.tensors.map(\.name), result.errors))
    for tensor in measured {
      let error = try #require(errors[tensor.name] ?? nil, "\(tensor.name)")
      #expect(try tensor.error(.group, bits: bits) == error)
    }
  }
}
