import Formats

/// Why an output may not be written where the person asked.
package enum OutputError: DescribedError, Equatable {
  case isSource(output: String, source: String)
  case holdsOtherFiles(directory: String, names: [String])
  case wrongKind(path: String, wantsDirectory: Bool)
  /// A name that looks like that of a file of a kind that is not written.
  case unknownEnding(path: String, ending: String)

  package var message: String {
    switch self {
    case .isSource(let output, let source): "the output \(output) and the source \(source) overlap"
    case .holdsOtherFiles(let directory, let names):
      "\(directory) holds files that the new output would not replace: "
        + names.prefix(4).joined(separator: ", ")
    case .wrongKind(let path, let wantsDirectory):
      "\(path) is \(wantsDirectory ? "a file" : "a directory"); the output is "
        + (wantsDirectory ? "a directory" : "a file")
    case .unknownEnding(let path, let ending):
      "\(path) would be a directory, but ends in .\(ending) as files do"
    }
  }

  package var hint: String? {
    switch self {
    case .isSource: "choose an output outside the source; the source is never written to"
    case .holdsOtherFiles: "choose another directory, or move those files away"
    case .wrongKind: "a name that ends in .safetensors makes one file, any other a directory"
    case .unknownEnding:
      "end the name in .safetensors for one file, or leave the ending out for a directory; other"
        + " formats are not written"
    }
  }
}
