import Foundation

// Files as the description of safetensors has them, written without decant's own writer: length of
// the header, header, data. Tensors keep the order that the test gives them.

/// A file of this header text and data, as one piece.
package func safetensors(_ header: String, data: [UInt8] = []) -> [UInt8] {
  safetensors(Array(header.utf8), data: data)
}

package func safetensors(_ header: [UInt8], data: [UInt8] = []) -> [UInt8] {
  littleEndian(UInt64(header.count)) + header + data
}

package func safetensors(
  _ tensors: [TestTensor], metadata: [(name: String, value: String)] = []
) throws -> [UInt8] {
  var file = try safetensorsHeader(tensors, metadata: metadata)
  for tensor in tensors {
    precondition(tensor.bytes.isEmpty || tensor.bytes.count == tensor.byteCount, tensor.name)
    file += tensor.bytes.isEmpty ? [UInt8](repeating: 0, count: tensor.byteCount) : tensor.bytes
  }
  return file
}

/// What comes before the data.
package func safetensorsHeader(
  _ tensors: [TestTensor], metadata: [(name: String, value: String)] = []
) throws -> [UInt8] {
  var members: [String] = []
  if !metadata.isEmpty {
    let entries = try metadata.map { try "\(json($0.name)):\(json($0.value))" }
    members.append("\"__metadata__\":{\(entries.joined(separator: ","))}")
  }
  var offset = 0
  for tensor in tensors {
    let end = offset + tensor.byteCount
    let shape = tensor.shape.map { String($0) }.joined(separator: ",")
    members.append(
      try "\(json(tensor.name)):{\"dtype\":\"\(tensor.type)\",\"shape\":[\(shape)],"
        + "\"data_offsets\":[\(offset),\(end)]}")
    offset = end
  }
  let text = "{" + members.joined(separator: ",") + "}"
  let padding = String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
  return safetensors(text + padding)
}

package func writeSafetensors(_ tensors: [TestTensor], to path: String) throws {
  try Data(safetensors(tensors, metadata: [("format", "pt")])).write(to: URL(filePath: path))
}

private func json(_ text: String) throws -> String {
  let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .withoutEscapingSlashes]
  return String(
    decoding: try JSONSerialization.data(withJSONObject: text, options: options), as: UTF8.self)
}
