import Convert
import Stats

/// The axes on which one channel is furthest above the rest, drawn as profiles.
struct ChannelProfiles {
  private struct Profile {
    var names: [String]
    let kind: TensorStatistics.Kind
    let axis: String
    let profile: MagnitudeProfile

    /// Channels above a median of 0 stand before all.
    var rank: Double { profile.ratio ?? .infinity }
  }

  /// Profiles shown for each kind.
  private static let limit = 3
  /// Outlier channels named for each profile.
  private static let named = 6

  let tensors: [TensorStatistics]

  var markup: Markup {
    let shown = TensorStatistics.Kind.allCases.flatMap { Array(profiles($0).prefix(Self.limit)) }
    guard !shown.isEmpty else { return "<p>No tensor has channels to compare.</p>" }
    return """
      <div class="cards">\(shown.map(card).joined())</div>
      <p class="note">A bar is the AbsMax of a run of channels (of one, where there are no more than \
      \(MagnitudeProfile.stepLimit)); the dashed line is the median channel.</p>
      """
  }

  /// Those of a kind, by falling ratio. What several tensors share, as queries, keys and values
  /// share their input, counts once.
  private func profiles(_ kind: TensorStatistics.Kind) -> [Profile] {
    var all: [Profile] = []
    // Where twins are looked for: many experts in many layers would take long.
    var placesByLayer: [Int?: [Int]] = [:]
    for tensor in tensors where tensor.kind == kind {
      let axes = [
        (kind == .weight ? "input channels" : "channels", tensor.channels),
        ("output channels", tensor.outputChannels),
      ]
      for (axis, profile) in axes {
        guard let profile, profile.count > 1, profile.largest > 0 else { continue }
        if kind == .activation,
          let twin = placesByLayer[tensor.layer]?.first(where: { all[$0].profile == profile })
        {
          all[twin].names.append(tensor.name)
        } else {
          placesByLayer[tensor.layer, default: []].append(all.count)
          all.append(
            Profile(
              names: [tensor.name], kind: kind, axis: axis, profile: profile))
        }
      }
    }
    return all.enumerated().sorted { ($1.element.rank, $0.offset) < ($0.element.rank, $1.offset) }
      .map(\.element)
  }

  private func card(_ entry: Profile) -> Markup {
    let profile = entry.profile
    let others = entry.names.count - 1
    let shared: Markup = others == 0 ? "" : "<br/>and \(countText(others, "other")) with this input"
    let ratio: Markup =
      profile.ratio.map { "<b>\(figureText($0))×</b> the median channel" }
      ?? "<b>most channels are zero</b>"
    return """
      <figure class="card"><figcaption><span class="key \(entry.kind.style)">\(entry.kind.letter)</span> \
      <code>\(entry.names[0])</code>\(shared)<br/>\(ratio), over \
      \(groupedText(profile.count)) \(entry.axis)</figcaption>
      \(drawing(entry))<p class="named">\(outlierText(profile))</p></figure>

      """
  }

  private func drawing(_ entry: Profile) -> Markup {
    let profile = entry.profile
    let (width, height) = (240.0, 64.0)
    let step = width / Double(profile.steps.count)
    let scale = (height - 2) / Double(profile.largest)
    var path = ""
    for (index, magnitude) in profile.steps.enumerated() {
      let top = height - Double(magnitude) * scale
      path +=
        "M\(coordinateText(Double(index) * step)) \(coordinateText(height))V\(coordinateText(top))"
        + "h\(coordinateText(max(0.8, step - 0.8)))V\(coordinateText(height))z"
    }
    let median = height - profile.median * scale
    return """
      <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="AbsMax along the \(entry.axis): \
      largest \(figureText(Double(profile.largest))), median \(figureText(profile.median))">\
      <path class="bars \(entry.kind.style)" d="\(path)"/>\
      <line class="median" x1="0" x2="\(width)" y1="\(median)" y2="\(median)"/></svg>
      """
  }

  private func outlierText(_ profile: MagnitudeProfile) -> Markup {
    guard profile.outlierCount > 0 else { return "No outlier channel." }
    let named = profile.outliers.prefix(Self.named).map { outlier -> Markup in
      """
      <span><b>\(groupedText(outlier.index))</b> \(figureText(Double(outlier.absMax))) \
      (\(figureText(outlier.ratio))×)</span>
      """
    }
    let rest = profile.outlierCount - min(Self.named, profile.outliers.count)
    return """
      Outlier \(profile.outlierCount == 1 ? "channel" : "channels"): \(named.joined(separator: ", "))\
      \(rest > 0 ? " and \(groupedText(rest)) more" : "")
      """
  }
}
