import Foundation
import Synchronization
import Testing

@testable import Convert

@Suite struct TensorPassTests {
  /// Tensors with so many tiles each; a tile is worth its number. Tiles take longer the earlier they
  /// are, so that threads finish them in another order.
  private final class Pass: TensorPass {
    final class Slot { var value = 0 }

    let tileCounts: [Int]
    var events: [String] = []
    var failing: (tensor: Int, tile: Int)?

    init(_ tileCounts: [Int]) { self.tileCounts = tileCounts }

    var tensorCount: Int { tileCounts.count }
    func tiles(of tensor: Int) -> [Int] { Array(0..<tileCounts[tensor]) }
    func makeSlot() -> Slot { Slot() }

    func work(_ tile: Int, of tensor: Int, in slot: Slot) throws {
      Thread.sleep(forTimeInterval: tile % 2 == 0 ? 0.002 : 0)
      if let failing, failing == (tensor, tile) { throw Failure() }
      slot.value = 10 * tensor + tile
    }

    func fold(_ tile: Int, of tensor: Int, from slot: Slot) -> Int {
      events.append("\(slot.value)")
      return tile
    }

    func finish(_ tensor: Int) { events.append("end \(tensor)") }
  }

  private struct Failure: Error {}

  @Test(arguments: [1, 2, 7]) func tilesAreFoldedInOrderAndEveryTensorIsFinished(
    _ threads: Int
  ) throws {
    let pass = Pass([0, 3, 0, 0, 2, 1, 0])
    let total = Mutex(0)
    try pass.run(
      RunContext(threads: threads, progress: { bytes in total.withLock { $0 += bytes } }))
    #expect(
      pass.events == [
        "end 0", "10", "11", "12", "end 1", "end 2", "end 3", "40", "41", "end 4", "50", "end 5",
        "end 6",
      ])
    // Every tile counts its number.
    let sum = total.withLock { $0 }
    #expect(sum == 4)
  }

  @Test func nothingIsNothingToDo() throws {
    let pass = Pass([])
    try pass.run(RunContext(threads: 2))
    #expect(pass.events == [])
  }

  @Test(arguments: [1, 3]) func aTensorThatFailedIsNotFinished(_ threads: Int) {
    let pass = Pass([2, 3, 1])
    pass.failing = (1, 1)
    #expect(throws: Failure.self) { try pass.run(RunContext(threads: threads)) }
    #expect(pass.events == ["0", "1", "end 0", "10"])
  }

  @Test func aRunThatIsCancelledFinishesNothing() {
    let pass = Pass([2])
    let cancellation = Cancellation()
    cancellation.cancel()
    #expect(throws: CancellationError.self) {
      try pass.run(RunContext(threads: 2, cancellation: cancellation))
    }
    #expect(pass.events == [])
  }
}
