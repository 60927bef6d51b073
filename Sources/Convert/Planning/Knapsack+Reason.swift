import Foundation

extension Knapsack {
  /// Why an option was chosen, in words: its share in the loss, and what the next larger and the
  /// next smaller option would have cost and brought.
  ///
  /// - Parameters:
  ///   - owner: index of the class.
  ///   - loss: of the whole solution.
  ///   - name: what to call an option.
  ///   - costText: a cost with its unit.
  func reason(
    class owner: Int, chosen: Int, loss: Double, name: (Int) -> String,
    cost costText: (Int) -> String
  ) -> String {
    let options = classes[owner]
    guard options.count > 1 else { return "the only width allowed" }
    let now = options[chosen]
    var words = [
      loss > 0 ? "\(Self.percent(now.loss / loss)) of the total error" : "nothing is lost"
    ]
    let better = options.indices.filter {
      options[$0].loss < now.loss && options[$0].cost > now.cost
    }
    .min { (options[$0].cost, options[$0].loss, $0) < (options[$1].cost, options[$1].loss, $1) }
    if let better {
      words.append(
        "\(name(better)) would cost \(costText(options[better].cost - now.cost)) more and remove "
          + Self.percent((now.loss - options[better].loss) / loss))
    }
    let worse = options.indices.filter { options[$0].cost < now.cost }
      .min { (options[$0].loss, $0) < (options[$1].loss, $1) }
    if let worse {
      let added = (options[worse].loss - now.loss) / loss
      words.append(
        "\(name(worse)) would save \(costText(now.cost - options[worse].cost)) and "
          + (loss > 0 ? "add \(Self.percent(added))" : "lose something"))
    }
    return words.joined(separator: "; ")
  }

  private static func percent(_ share: Double) -> String {
    String(format: "%.2f %%", share * 100)
  }
}
