/// Sees values in the middle of a model, and may put others in their place: what is done after it is done
/// with what it leaves.
///
/// Called by one thread at a time, in the order of layers and of modules in them. Windows may come in several
/// blocks: each layer is called with the tokens of the first block, then those of the next, and so is what comes
/// before the layers and after them.
package protocol ForwardObserver: AnyObject {
  /// - Parameter values: `[place.tokens.count, place.features]`, row-major.
  func observe(_ values: inout MutableSpan<Float>, at place: ObservedPlace) throws

  /// Called when a layer is done with a block of windows.
  ///
  /// - Parameters:
  ///   - entering: the hidden states that the layer was given, `[tokens, features]`, row-major.
  ///   - leaving: what it made of them.
  func observeLayer(
    _ layer: Int, entering: Span<Float>, leaving: Span<Float>, features: Int)
}

extension ForwardObserver {
  package func observeLayer(
    _ layer: Int, entering: Span<Float>, leaving: Span<Float>, features: Int
  ) {}
}

/// What an observer is shown.
package struct ObservedPlace: Sendable {
  package enum Kind: Sendable, Equatable {
    /// What linear layers read; all of them read the same.
    case input(modules: [String])
    /// As they are cached: keys after their norm and their rotation. `[heads, width]` for each token.
    case keys
    case values
    /// What latent attention caches: the normalized latent vector, and the rotated key of all heads.
    case latent
    case rotaryKey
  }

  package enum Tokens: Sendable, Equatable {
    case range(Range<Int>)
    /// Those that a router sent to an expert, ascending.
    case list([Int])

    package var count: Int {
      switch self {
      case .range(let range): range.count
      case .list(let list): list.count
      }
    }

    /// The number in the batch of one of them.
    subscript(place: Int) -> Int {
      switch self {
      case .range(let range): range.lowerBound + place
      case .list(let list): list[place]
      }
    }

    /// Consecutive ones of them.
    subscript(places: Range<Int>) -> Tokens {
      switch self {
      case .range(let range):
        .range(range.lowerBound + places.lowerBound..<range.lowerBound + places.upperBound)
      case .list(let list): .list(Array(list[places]))
      }
    }
  }

  package let kind: Kind
  /// Nil outside of layers.
  package let layer: Int?
  /// Which of the batch's tokens.
  package let tokens: Tokens
  package let features: Int
}
