import Foundation

/// Runs jobs on several threads and hands their results on in order, one at a time.
///
/// A slot holds one job's buffers. There are a fixed number of slots, so memory is bounded: a
/// thread that runs ahead waits until the results before it are written. Whichever thread finishes
/// the job that is next in line hands on all that are ready, so no thread only writes.
///
/// Unchecked `Sendable`: what changes is guarded by `condition`, a slot belongs to one thread at a
/// time, and the closures are made for being called from any thread.
package final class OrderedPipeline<Job, Slot>: @unchecked Sendable {
  private let next: () -> Job?
  private let work: (Job, Slot) throws -> Void
  private let handOn: (Job, Slot) throws -> Void
  private let condition = NSCondition()

  // Guarded by `condition`.
  private var free: [Slot]
  private var begun = 0
  private var nextInLine = 0
  private var isExhausted = false
  private var ready: [Int: (Job, Slot)] = [:]
  private var isHandingOn = false
  private var failure: (job: Int, error: any Error)?

  /// - Parameters:
  ///   - next: gives the jobs, then nil; called by one thread at a time.
  ///   - work: does a job in a slot; called from any thread, several at a time.
  ///   - handOn: takes the result of a job; called in the order of the jobs, one at a time.
  package init(
    slots: [Slot], next: @escaping () -> Job?, work: @escaping (Job, Slot) throws -> Void,
    handOn: @escaping (Job, Slot) throws -> Void
  ) {
    self.free = slots
    self.next = next
    self.work = work
    self.handOn = handOn
  }

  /// Runs all jobs on `threads` threads.
  ///
  /// Jobs are begun in order, and whatever was begun is finished: the error is the same however
  /// long each job takes.
  ///
  /// - Throws: of the errors that occurred, that of the earliest job.
  package func run(threads: Int) throws {
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while let (number, job, slot) = claim() { perform(number, job, slot) }
    }
    if let failure { throw failure.error }
  }

  private func claim() -> (Int, Job, Slot)? {
    condition.lock()
    defer { condition.unlock() }
    while free.isEmpty, failure == nil, !isExhausted { condition.wait() }
    guard failure == nil, !isExhausted else { return nil }
    guard let job = next() else {
      isExhausted = true
      condition.broadcast()
      return nil
    }
    defer { begun += 1 }
    return (begun, job, free.removeLast())
  }

  private func perform(_ number: Int, _ job: Job, _ slot: Slot) {
    do {
      try work(job, slot)
    } catch {
      condition.lock()
      fail(number, error)
      condition.unlock()
      return
    }
    condition.lock()
    defer { condition.unlock() }
    ready[number] = (job, slot)
    guard !isHandingOn else { return }
    isHandingOn = true
    // The jobs before one that failed are still handed on: one of them may fail as well, and which
    // error is the earliest must not depend on who was faster.
    while nextInLine < failure?.job ?? .max, let (job, slot) = ready.removeValue(forKey: nextInLine)
    {
      let number = nextInLine
      condition.unlock()
      let result = Result { try handOn(job, slot) }
      condition.lock()
      if case .failure(let error) = result { fail(number, error) }
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
