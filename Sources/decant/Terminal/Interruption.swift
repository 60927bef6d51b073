import Convert
import Dispatch
import Foundation
import Synchronization

/// Turns Ctrl-C, a polite kill and a lost terminal into a cancellation, so that temporary files are
/// removed on the way out. A second one of the same kind ends the program at once.
final class Interruption {
  let cancellation = Cancellation()
  private let sources: [any DispatchSourceSignal]
  private static let first = Atomic<Int32>(0)

  /// The signal that stopped the work, if one did.
  static var received: Int32? {
    let number = first.load(ordering: .acquiring)
    return number == 0 ? nil : number
  }

  init() {
    sources = [SIGINT, SIGTERM, SIGHUP, SIGQUIT].compactMap { [cancellation] number in
      let previous = signal(number, SIG_IGN)
      // Under nohup the work outlives the terminal.
      if number == SIGHUP, Self.isIgnored(previous) { return nil }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        _ = Self.first.compareExchange(
          expected: 0, desired: number, ordering: .acquiringAndReleasing)
        cancellation.cancel()
        signal(number, SIG_DFL)
      }
      source.resume()
      return source
    }
  }

  private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
    // Handlers have no equality; as addresses, `SIG_IGN` is one that no function has.
    unsafe unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  deinit { for source in sources { source.cancel() } }
}
