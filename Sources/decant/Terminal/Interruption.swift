import Convert
import Dispatch
import Foundation

/// Turns Ctrl-C and a polite kill into a cancellation, so that temporary files are removed on the
/// way out. A second one of the same kind ends the program at once.
final class Interruption {
  let cancellation = Cancellation()
  private let sources: [any DispatchSourceSignal]

  init() {
    sources = [SIGINT, SIGTERM].map { [cancellation] number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        cancellation.cancel()
        signal(number, SIG_DFL)
      }
      source.resume()
      return source
    }
  }

  deinit { for source in sources { source.cancel() } }
}

/// Largest resident size of this process so far in bytes, as the system counts it.
func peakMemory() -> Int? {
  var usage = rusage()
  #if os(Linux)
    let whole = __rusage_who_t(RUSAGE_SELF.rawValue)
  #else
    let whole = RUSAGE_SELF
  #endif
  // The call fills the structure that it is given.
  guard unsafe getrusage(whole, &usage) == 0 else { return nil }
  #if os(Linux)
    return usage.ru_maxrss * 1024
  #else
    return usage.ru_maxrss
  #endif
}
