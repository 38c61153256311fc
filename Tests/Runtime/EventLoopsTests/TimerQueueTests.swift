import Testing

@testable import EventLoops

@Suite("Timers")
struct TimerQueueTests {
    @Test("G07: limits that are set and cancelled a hundred thousand times leave nothing behind, and none is forgotten")
    func cancelled() {
        var queue = TimerQueue()
        var fired: [Int] = []
        for number in 0..<100_000 {
            let keeps = number.isMultiple(of: 1000)
            let token = queue.add(at: UInt64(1_000_000 - number)) { if keeps { fired.append(number) } }
            if !keeps { queue.cancel(token) }
        }
        #expect(queue.heldCount < 2000)
        while let action = queue.next(due: 1_000_000) { action() }
        // The last that was set is the first due.
        let due = stride(from: 99_000, through: 0, by: -1000)
        #expect(fired == Array(due))
        #expect(queue.millisecondsToNext(from: 0) == -1)
    }
}
