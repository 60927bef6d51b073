import Foundation

/// Runs numbered jobs on several threads and hands their results on in order, one at a time.
///
/// A slot holds one job's buffers. There are a fixed number of slots, so memory is bounded: a
/// thread that runs ahead waits until the results before it are written. Whichever thread finishes
/// the job that is next in line hands on all that are ready, so no thread only writes.
///
/// Unchecked `Sendable`: what changes is guarded by `condition`, a slot belongs to one thread at a
/// time, and both closures are made for being called from any thread.
final class OrderedPipeline<Slot>: @unchecked Sendable {
  private let jobCount: Int
  private let work: (Int, Slot) throws -> Void
  private let handOn: (Int, Slot) throws -> Void
  private let condition = NSCondition()

  // Guarded by `condition`.
  private var free: [Slot]
  private var nextJob = 0
  private var nextInLine = 0
  private var ready: [Int: Slot] = [:]
  private var isHandingOn = false
  private var failure: (job: Int, error: any Error)?

  /// - Parameters:
  ///   - work: does job `i` in a slot; called from any thread, several at a time.
  ///   - handOn: takes the result of job `i`; called for 0, 1, 2 … one at a time.
  init(
    jobCount: Int, slots: [Slot], work: @escaping (Int, Slot) throws -> Void,
    handOn: @escaping (Int, Slot) throws -> Void
  ) {
    self.jobCount = jobCount
    self.free = slots
    self.work = work
    self.handOn = handOn
  }

  /// Runs all jobs on `threads` threads.
  ///
  /// Jobs are begun in order, and whatever was begun is finished: the error is the same however
  /// long each job takes.
  ///
  /// - Throws: of the errors that occurred, that of the earliest job.
  func run(threads: Int) throws {
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while let (job, slot) = claim() { perform(job, slot) }
    }
    if let failure { throw failure.error }
  }

  private func claim() -> (Int, Slot)? {
    condition.lock()
    defer { condition.unlock() }
    while free.isEmpty, failure == nil, nextJob < jobCount { condition.wait() }
    guard failure == nil, nextJob < jobCount, let slot = free.popLast() else { return nil }
    defer { nextJob += 1 }
    return (nextJob, slot)
  }

  private func perform(_ job: Int, _ slot: Slot) {
    do {
      try work(job, slot)
    } catch {
      condition.lock()
      fail(job, error)
      condition.unlock()
      return
    }
    condition.lock()
    defer { condition.unlock() }
    ready[job] = slot
    guard !isHandingOn else { return }
    isHandingOn = true
    // The jobs before one that failed are still handed on: one of them may fail as well, and which
    // error is the earliest must not depend on who was faster.
    while nextInLine < failure?.job ?? jobCount, let slot = ready.removeValue(forKey: nextInLine) {
      let job = nextInLine
      condition.unlock()
      let result = Result { try handOn(job, slot) }
      condition.lock()
      if case .failure(let error) = result { fail(job, error) }
      nextInLine += 1
      free.append(slot)
      condition.broadcast()
    }
    isHandingOn = false
  }

  /// Called with the lock held.
  private func fail(_ job: Int, _ error: any Error) {
    if failure.map({ job < $0.job }) ?? true { failure = (job, error) }
    condition.broadcast()
  }
}
