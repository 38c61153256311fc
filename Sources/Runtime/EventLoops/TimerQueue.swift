/// Names a timer that is set.
package struct TimerToken: Hashable, Sendable {
    let number: UInt64
}

/// What is to happen at which time: a binary heap of deadlines, and the actions by number.
///
/// A cancelled timer leaves its deadline in the heap until it is due, or until most of the heap is of that kind.
struct TimerQueue {
    private var heap: [Deadline] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    private struct Deadline {
        let time: UInt64
        let number: UInt64
    }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        lastNumber += 1
        actions[lastNumber] = action
        heap.append(Deadline(time: time, number: lastNumber))
        siftUp(from: heap.count - 1)
        return TimerToken(number: lastNumber)
    }

    mutating func cancel(_ token: TimerToken) {
        actions[token.number] = nil
        if heap.count > Self.smallHeap, heap.count > 2 * actions.count { forgetCancelled() }
    }

    /// Below this many deadlines a heap is let be.
    private static let smallHeap = 1024

    /// Limits of minutes that each request sets and cancels would otherwise pile up for minutes.
    private mutating func forgetCancelled() {
        // What is in order of time is a heap.
        heap = heap.filter { actions[$0.number] != nil }.sorted { $0.time < $1.time }
    }

    /// How many deadlines are held, those of cancelled timers among them.
    var heldCount: Int { heap.count }

    /// Takes the next action that is due.
    mutating func next(due now: UInt64) -> (() -> Void)? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            if let action = actions.removeValue(forKey: first.number) { return action }
        }
        return nil
    }

    /// How long epoll may sleep: rounded up, so that a timer is due when it wakes; -1 without timers.
    mutating func millisecondsToNext(from now: UInt64) -> Int32 {
        while let first = heap.first, actions[first.number] == nil { removeFirst() }
        guard let first = heap.first else { return -1 }
        guard first.time > now else { return 0 }
        return Int32(min((first.time - now + 999_999) / 1_000_000, 60_000))
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown()
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].time < heap[left].time ? right : left
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
