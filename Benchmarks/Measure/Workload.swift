import Formats
import Foundation

/// What commands are run on: a checkpoint, and the same one packed.
struct Workload {
  let plain: Checkpoint
  let packed: Checkpoint
  /// Where runs write; removed with everything in it by `clear`.
  let outputs: String

  /// - Parameters:
  ///   - plain: a checkpoint.
  ///   - decant: packs it.
  ///   - folder: takes what is made.
  init(_ plain: String, packedBy decant: String, in folder: String) throws {
    let packed = folder + "/packed"
    let errors = folder + "/errors"
    let run = try ProgramRun(
      decant, ["convert", plain, "-o", packed, "--method", "minmax", "-q"], errors: errors)
    guard run.status == 0 else {
      throw BenchmarkError("\(decant) does not convert \(plain):\n\(Workload.text(errors))")
    }
    self.plain = try Checkpoint(path: plain)
    self.packed = try Checkpoint(path: packed)
    outputs = folder + "/outputs"
    try clear()
  }

  /// Bytes of the weight files of the checkpoint.
  var byteCount: Int { plain.files.reduce(0) { $0 + $1.input.byteCount } }

  /// The types of most of its bytes.
  var dtype: String {
    let sizes = Dictionary(
      plain.tensors.map { ($0.info.dtype.rawValue, $0.info.byteCount) }, uniquingKeysWith: +)
    return sizes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? "no"
  }

  /// Takes away what runs have written.
  func clear() throws {
    try? FileManager.default.removeItem(atPath: outputs)
    try FileManager.default.createDirectory(atPath: outputs, withIntermediateDirectories: true)
  }

  /// Bytes that lie in `outputs`.
  var writtenByteCount: Int {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: outputs)) ?? []
    return names.reduce(0) { sum, name in
      let attributes = try? FileManager.default.attributesOfItem(atPath: outputs + "/" + name)
      guard attributes?[.type] as? FileAttributeType == .typeRegular else { return sum }
      return sum + (attributes?[.size] as? Int ?? 0)
    }
  }

  /// What a program had to say, where it said it to a file.
  static func text(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }
}
