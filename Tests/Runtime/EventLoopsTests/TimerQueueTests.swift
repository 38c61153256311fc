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

    @Test("a timer that has fired or was cancelled cannot cancel another that is kept in its place")
    func stale() {
        var queue = TimerQueue()
        var fired: [Int] = []
        let first = queue.add(at: 1) { fired.append(1) }
        let second = queue.add(at: 2) { fired.append(2) }
        queue.cancel(second)
        queue.next(due: 1)?()
        for number in 3...4 { _ = queue.add(at: 5) { fired.append(number) } }
        queue.cancel(first)
        queue.cancel(second)
        #expect(queue.next(due: 4) == nil)
        #expect(queue.millisecondsToNext(from: 4) == 1)
        while let action = queue.next(due: 5) { action() }
        #expect(fired.sorted() == [1, 3, 4])
    }
}
