import Formats
import Foundation
import TestSupport
import Testing

/// A checkpoint of `families.txt`, with what is expected of each of its tensors.
struct CataloguedFamily: Sendable {
  struct Tensor: Sendable {
    let name: String
    let dtype: DType
    let shape: [Int]
    let role: String
    /// As the file has it, as in `matrix` or `stack^T`.
    let fate: String
  }

  let name: String
  let config: JSONValue
  fileprivate(set) var tensors: [Tensor] = []

  /// - Parameter number: stands for every number of a list in the names.
  func tensors(number: Int) -> [Tensor] {
    tensors.map { tensor in
      Tensor(
        name: tensor.name.replacing("*", with: "\(number)"), dtype: tensor.dtype,
        shape: tensor.shape, role: tensor.role, fate: tensor.fate)
    }
  }

  static let all: [CataloguedFamily] = {
    var families: [CataloguedFamily] = []
    var role = ""
    var fate = ""
    let text =
      (try? String(contentsOfFile: SharedFixture.path("families.txt"), encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let words = line.split(separator: " ").map(String.init)
      if words[0] == "family" {
        var config: JSONValue = ["model_type": .string(words[2])]
        config["hidden_size"] = Int(words[3]).map { .integer($0) }
        families.append(CataloguedFamily(name: words[1], config: config))
      } else if line.hasPrefix("  ") {
        let tensor = Tensor(
          name: words[0], dtype: DType(rawValue: words[1]) ?? .c64,
          shape: words[2].split(separator: "x").compactMap { Int($0) }, role: role, fate: fate)
        for index in words[3].split(separator: ",").compactMap({ Int($0) }) {
          families[index].tensors.append(tensor)
        }
      } else {
        (role, fate) = (words[0], words[1])
      }
    }
    return families
  }()
}
