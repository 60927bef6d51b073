/// What decant writes about itself into every file: enough to decode each tensor in that file
/// alone, to check every byte, and to tell where it came from. docs/FORMAT.md specifies it.
package struct Manifest: Sendable, Equatable {
  /// What is written. Raised when a reader of the old number would misread the new files.
  package static let formatVersion = 2

  /// Names of the entries in a file's `__metadata__`.
  package static let manifestKey = "decant.manifest"
  package static let headerChecksumKey = "decant.header_xxh64"

  /// What it was read as; older versions are read, and written as the current one.
  package var version = formatVersion
  package var decantVersion: String
  /// Tensors of this file, in name order; what they were called in the source, where that is another
  /// name, their origin says.
  package var tensors: [Entry]
  /// The files that the weights were read from.
  package var sources: [RecordedFile]
  /// The options of the conversion, as a JSON object.
  package var options: JSONValue
  /// The plan that chose the widths of this file's tensors, as a JSON object; nil where one width
  /// was asked for.
  package var plan: JSONValue?
  /// Nil where none was merged.
  package var adapters: Adapters?
  /// Those of which the file's tensors have a part.
  package var folds: [Fold] = []
  /// The files that were carried over beside the weights, by their paths in the directory.
  package var carried: [RecordedFile] = []
  /// Nil in files of a decant that did not record it.
  package var output: Output?

  package init(
    decantVersion: String, tensors: [Entry], sources: [RecordedFile], options: JSONValue,
    plan: JSONValue? = nil, adapters: Adapters? = nil
  ) {
    self.plan = plan
    self.decantVersion = decantVersion
    self.tensors = tensors
    self.sources = sources
    self.options = options
    self.adapters = adapters
  }

  /// A file that was read, carried over, or made beside the weights.
  package struct RecordedFile: Sendable, Equatable {
    package let name: String
    package let byteCount: Int
    /// Of a source made of those of its header and its tensors, but in version 1; else of all bytes.
    package var digest: Digest

    package init(name: String, byteCount: Int, digest: Digest) {
      self.name = name
      self.byteCount = byteCount
      self.digest = digest
    }
  }

  /// How the weights of a tensor are stored.
  package enum Layout: Sendable, Equatable {
    /// The tensor's elements as they are.
    case plain
    case affine(AffineLayout)
    /// Of a GGUF file.
    case blocks(GGMLType)

    /// Those of manifests that are read.
    static let names = ["affine", "plain"]
  }

  package struct Entry: Sendable, Equatable {
    package let name: String
    package let layout: Layout
    /// How scales and biases were chosen; nil where there are none.
    package var method: String?
    package let sourceDType: DType
    /// Of the weights that came from the source: its own shape, unless an origin says what that was.
    package let sourceShape: [UInt64]
    /// How the source stored what is packed, which is output-major; a plain tensor lies as it did.
    package let order: MatrixOrder
    /// What of which tensors of the source it is; nil for all of the one of its name.
    package let origin: TensorOrigin?
    /// Stored tensors with their digests: `weight`, `scales`, `biases`, or the one plain tensor.
    package var stored: [StoredTensor]
    /// Measured with the stored values; nil for a plain tensor, which loses nothing.
    package var error: MeasuredError?
    /// NaN and infinities of the source that were stored as 0; nil where nothing was decoded, and in
    /// version 1 where none may be.
    package var zeroedCount: Int?

    package init(
      name: String, layout: Layout, method: String? = nil, sourceDType: DType,
      sourceShape: [UInt64], order: MatrixOrder, origin: TensorOrigin? = nil,
      stored: [StoredTensor], error: MeasuredError?, zeroedCount: Int? = nil
    ) {
      self.name = name
      self.layout = layout
      self.method = method
      self.sourceDType = sourceDType
      self.sourceShape = sourceShape
      self.order = order
      self.origin = origin
      self.stored = stored
      self.error = error
      self.zeroedCount = zeroedCount
    }
  }

  package struct StoredTensor: Sendable, Equatable {
    package let name: String
    package var digest: Digest

    package init(name: String, digest: Digest) {
      self.name = name
      self.digest = digest
    }
  }

  /// Sums over all weights of a tensor: of the squares of the source, of the squared errors; and
  /// the largest absolute error.
  package struct MeasuredError: Sendable, Equatable {
    package var squaredNorm: Double
    package var squaredError: Double
    package var largestError: Double

    package init(squaredNorm: Double, squaredError: Double, largestError: Double) {
      self.squaredNorm = squaredNorm
      self.squaredError = squaredError
      self.largestError = largestError
    }
  }
}

extension Manifest.Entry {
  /// The three names of a packed tensor: `P.weight`, `P.scales`, `P.biases` for a module path P.
  /// A name without `.weight` (an expert stack) is a path itself.
  package static func packedNames(of name: String) -> (
    weight: String, scales: String, biases: String
  ) {
    let path = modulePath(of: name)
    return (path + ".weight", path + ".scales", path + ".biases")
  }

  /// The module that owns the tensor: the name without a final `.weight`.
  package static func modulePath(of name: String) -> String {
    name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
  }
}
