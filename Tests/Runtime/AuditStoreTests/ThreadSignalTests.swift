import LinuxBindings
import Synchronization
import Testing

@Suite struct ThreadSignalTests {
    @Test("a signal that comes before anybody waits is kept, and taken once", .timeLimit(.minutes(1)))
    func kept() {
        let signal = ThreadSignal()
        signal.signal()
        signal.signal()
        signal.wait()
        let isSignalled = signal.wait(milliseconds: 1)
        #expect(!isSignalled)
    }

    @Test("a wait that nobody ends lasts as long as it may")
    func timesOut() {
        let signal = ThreadSignal()
        let before = monotonicNanoseconds()
        let isSignalled = signal.wait(milliseconds: 30)
        #expect(!isSignalled)
        #expect(monotonicNanoseconds() - before >= 30_000_000)
    }

    @Test("of two threads that wake each other in turn, none misses a signal", .timeLimit(.minutes(2)))
    func turns() throws {
        let table = Table()
        let rounds = 20_000
        try startThread(named: "answers") {
            for _ in 0..<rounds {
                table.question.wait()
                table.count.wrappingAdd(1, ordering: .relaxed)
                table.answer.signal()
            }
        }
        for round in 0..<rounds {
            table.question.signal()
            if round.isMultiple(of: 2) { table.answer.wait() } else { while !table.answer.wait(milliseconds: 1000) {} }
        }
        let count = table.count.load(ordering: .relaxed)
        #expect(count == rounds)
    }

    private final class Table: Sendable {
        let question = ThreadSignal()
        let answer = ThreadSignal()
        let count = Atomic<Int>(0)
    }
}
