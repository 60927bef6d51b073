import Convert
import Formats

enum ListCommand: Command {
  static let description = CommandDescription(
    name: "list",
    summary: "list models: those of the Hugging Face cache, or of folders",
    operands: [
      OperandDescription(
        name: "DIR",
        help: "A folder of models, in place of the cache: checkpoints in it, and one level deeper.",
        accepts: .directory, isRequired: false, isRepeatable: true)
    ],
    options: [CommonOption.json],
    examples: [
      .init("decant list", "The models that Hugging Face's tools have downloaded."),
      .init("decant list ~/models", "Checkpoints in a folder, packed ones with their bits."),
    ],
    discussion: [
      """
      Only headers are read. The dtype is that of the most bytes, U32 of packed weights. A model of which \
      parts are missing, or that cannot be read, is listed with the reason; that is no failure. Adapters \
      are not listed.
      """,
      """
      The cache is HF_HUB_CACHE, or 'hub' in HF_HOME, or ~/.cache/huggingface/hub. Its names are what every \
      command takes for PATH: ORG/NAME, and ORG/NAME@REVISION for a snapshot that is not that of main.
      """,
    ])

  static func run(_ arguments: Arguments, terminal: Terminal) throws -> ExitStatus {
    let cache = HubCache()
    var places: [(name: String, path: String)] = []
    for folder in arguments.operands {
      let snapshots = HubCache(folder: folder).snapshots()
      places +=
        try snapshots.isEmpty
        ? ModelFolder(path: folder).models().map { ($0, $0) }
        : snapshots.map { ($0.name, $0.path) }
    }
    if arguments.operands.isEmpty { places = cache.snapshots().map { ($0.name, $0.path) } }
    let folders = arguments.operands.isEmpty ? [cache.folder] : arguments.operands
    let report = ModelListReport(
      folders: folders,
      models: places.filter { !Adapter.isAdapter($0.path) }
        .sorted { ($0.name, $0.path) < ($1.name, $1.path) }
        .map { ListedModel(name: $0.name, path: $0.path) })
    try StandardOutput.write(
      arguments.flag("json") ? report.json.prettyText : report.text(terminal))
    return .done
  }
}
