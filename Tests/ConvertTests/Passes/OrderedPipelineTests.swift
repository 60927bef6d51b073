import Foundation
import Testing

@testable import Convert

@Suite struct OrderedPipelineTests {
  private struct Failure: Error, Equatable {
    let job: Int
  }

  private final class Slot: Sendable {}

  /// Two jobs, each of which fails: the first when its result is handed on, the second while it
  /// works. Whichever is done first, the first job's error is the one.
  @Test(arguments: [0, 1]) func theEarliestJobsErrorIsThrown(_ slow: Int) {
    let isOtherDone = DispatchSemaphore(value: 0)
    var jobs = (0..<2).makeIterator()
    let pipeline = OrderedPipeline(
      slots: [Slot(), Slot()], next: { jobs.next() },
      work: { job, _ in
        if job == slow {
          // Long enough for the other to have failed before.
          isOtherDone.wait()
          Thread.sleep(forTimeInterval: 0.1)
        } else {
          isOtherDone.signal()
        }
        if job == 1 { throw Failure(job: 1) }
      },
      handOn: { job, _ in throw Failure(job: job) })
    #expect(throws: Failure(job: 0)) { try pipeline.run(threads: 2) }
  }
}
