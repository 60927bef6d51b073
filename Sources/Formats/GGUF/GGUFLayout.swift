/// A GGUF file of version 3 before its first byte is written: which tensors it holds, and where their data
/// lies.
///
/// The data of each tensor begins at a multiple of 32 bytes, right after that of the one before it, as the
/// reference library demands. Source: ggml-org/llama.cpp, `ggml/src/gguf.cpp`.
package struct GGUFLayout: Sendable {
  /// A tensor to be written: its place is decided here.
  package struct Request: Sendable {
    package let name: String
    package let type: GGMLType
    /// Outermost dimension first, as a safetensors file has it; the file has them the other way round.
    package let shape: [Int]

    package init(name: String, type: GGMLType, shape: [Int]) {
      self.name = name
      self.type = type
      self.shape = shape
    }
  }

  /// In the order of the requests; their data ranges count from the start of the data.
  package let tensors: [GGUFTensorInfo]
  /// A multiple of the alignment: what follows the last tensor are zeros.
  package let dataByteCount: Int

  /// - Throws: `GGUFError.Violation` for names that are too long or there twice, for dimensions that are too
  ///   many, for rows that are not whole blocks, and for sizes beyond 2^63 - 1.
  package init(_ requests: [Request]) throws(GGUFError.Violation) {
    var names = Set<[UInt8]>()
    var offset = 0
    var tensors: [GGUFTensorInfo] = []
    for request in requests {
      let (name, type) = (request.name, request.type)
      let dimensions = Array(request.shape.reversed())
      guard name.utf8.count <= GGUFHeader.nameLimit else {
        throw .nameTooLong(byteCount: UInt64(name.utf8.count), position: 0)
      }
      guard names.insert(Array(name.utf8)).inserted else {
        throw .repeatedTensor(name, position: 0)
      }
      guard dimensions.count <= GGUFHeader.dimensionLimit else {
        throw .tooManyDimensions(tensor: name, count: UInt32(clamping: dimensions.count))
      }
      guard dimensions.allSatisfy({ $0 >= 0 }) else {
        throw .negativeDimension(tensor: name, dimensions: dimensions)
      }
      guard (dimensions.first ?? 1).isMultiple(of: type.blockLength) else {
        throw .partialBlock(tensor: name, dimension: dimensions.first ?? 1, type: type)
      }
      guard let size = GGUFTensorInfo.byteCount(dimensions: dimensions, type: type),
        size < Int.max - offset - GGUFHeader.defaultAlignment
      else { throw .sizeOverflow(tensor: name, dimensions: dimensions, type: type) }
      tensors.append(
        GGUFTensorInfo(
          name: name, dimensions: dimensions, type: type, dataRange: offset..<offset + size))
      offset = GGUFHeader.roundedUp(offset + size, to: GGUFHeader.defaultAlignment)
    }
    self.tensors = tensors
    dataByteCount = offset
  }

  /// Everything before the data, padding included, with these keys in the order given.
  package func header(metadata: [(key: String, value: GGUFValue)]) -> [UInt8] {
    var bytes = GGUFHeader.magic
    bytes.append(littleEndian: UInt32(3))
    bytes.append(littleEndian: Int64(tensors.count))
    bytes.append(littleEndian: Int64(metadata.count))
    for (key, value) in metadata {
      bytes.append(gguf: key)
      bytes.append(littleEndian: value.type.rawValue)
      bytes.append(gguf: value)
    }
    for tensor in tensors {
      bytes.append(gguf: tensor.name)
      bytes.append(littleEndian: UInt32(tensor.dimensions.count))
      for dimension in tensor.dimensions { bytes.append(littleEndian: Int64(dimension)) }
      bytes.append(littleEndian: tensor.type.rawValue)
      bytes.append(littleEndian: UInt64(tensor.dataRange.lowerBound))
    }
    let padded = GGUFHeader.roundedUp(bytes.count, to: GGUFHeader.defaultAlignment)
    return bytes + [UInt8](repeating: 0, count: padded - bytes.count)
  }
}

extension [UInt8] {
  fileprivate mutating func append(littleEndian value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// The length, then the bytes.
  fileprivate mutating func append(gguf text: String) {
    append(littleEndian: UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }

  /// Without its type.
  fileprivate mutating func append(gguf value: GGUFValue) {
    switch value {
    case .uint8(let number): append(number)
    case .int8(let number): append(littleEndian: number)
    case .uint16(let number): append(littleEndian: number)
    case .int16(let number): append(littleEndian: number)
    case .uint32(let number): append(littleEndian: number)
    case .int32(let number): append(littleEndian: number)
    case .float32(let number): append(littleEndian: number.bitPattern)
    case .bool(let flag): append(flag ? 1 : 0)
    case .string(let text): append(gguf: text)
    case .array(let array): append(gguf: array)
    case .uint64(let number): append(littleEndian: number)
    case .int64(let number): append(littleEndian: number)
    case .float64(let number): append(littleEndian: number.bitPattern)
    }
  }

  private mutating func append(gguf array: GGUFArray) {
    switch array {
    case .uint8(let numbers): append(numbers, of: .uint8)
    case .int8(let numbers): append(numbers, of: .int8)
    case .uint16(let numbers): append(numbers, of: .uint16)
    case .int16(let numbers): append(numbers, of: .int16)
    case .uint32(let numbers): append(numbers, of: .uint32)
    case .int32(let numbers): append(numbers, of: .int32)
    case .float32(let numbers): append(numbers.map(\.bitPattern), of: .float32)
    case .bool(let flags): append(flags.map { $0 ? UInt8(1) : 0 }, of: .bool)
    case .string(let texts):
      appendStart(of: .string, count: texts.count)
      for text in texts { append(gguf: text) }
    case .uint64(let numbers): append(numbers, of: .uint64)
    case .int64(let numbers): append(numbers, of: .int64)
    case .float64(let numbers): append(numbers.map(\.bitPattern), of: .float64)
    }
  }

  private mutating func append(_ numbers: [some FixedWidthInteger], of type: GGUFValueType) {
    appendStart(of: type, count: numbers.count)
    for number in numbers { append(littleEndian: number) }
  }

  /// The type and the number of an array's elements.
  private mutating func appendStart(of type: GGUFValueType, count: Int) {
    append(littleEndian: type.rawValue)
    append(littleEndian: UInt64(count))
  }
}
