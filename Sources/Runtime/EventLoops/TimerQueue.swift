/// Names a timer that is set.
package struct TimerToken: Hashable, Sendable {
    let number: UInt64
    /// Where its action is kept.
    fileprivate let place: UInt32
}

/// What is to happen at which time: a binary heap of deadlines, and the actions, each at a place of its own.
///
/// A cancelled timer leaves its deadline in the heap until it is due, or until most of the heap is of that kind.
struct TimerQueue {
    private var heap: [Deadline] = []
    private var actions: [Action] = []
    /// The places that have none.
    private var free: [UInt32] = []
    private var lastNumber: UInt64 = 0

    private struct Deadline {
        let time: UInt64
        let token: TimerToken
    }

    private struct Action {
        /// That of the timer that was the last to be kept here; no other has it.
        var number: UInt64
        /// `nil` where the timer has fired or is cancelled.
        var body: (() -> Void)?
    }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) -> TimerToken {
        lastNumber += 1
        let token = TimerToken(number: lastNumber, place: keep(Action(number: lastNumber, body: action)))
        heap.append(Deadline(time: time, token: token))
        siftUp(from: heap.count - 1)
        return token
    }

    private mutating func keep(_ action: Action) -> UInt32 {
        guard let place = free.popLast() else {
            actions.append(action)
            return UInt32(actions.count - 1)
        }
        actions[Int(place)] = action
        return place
    }

    /// What the timer was to do; `nil` where it has fired or is cancelled already.
    private mutating func take(_ token: TimerToken) -> (() -> Void)? {
        let place = Int(token.place)
        guard actions[place].number == token.number, let body = actions[place].body else { return nil }
        actions[place].body = nil
        free.append(token.place)
        return body
    }

    private func isSet(_ token: TimerToken) -> Bool {
        let place = Int(token.place)
        return actions[place].number == token.number && actions[place].body != nil
    }

    /// Forgets a timer, and hands back what it was to do: whoever asks lets go of it.
    @discardableResult
    mutating func cancel(_ token: TimerToken) -> (() -> Void)? {
        let action = take(token)
        if heap.count > Self.smallHeap, heap.count > 2 * (actions.count - free.count) { forgetCancelled() }
        return action
    }

    /// Below this many deadlines a heap is let be.
    private static let smallHeap = 1024

    /// Limits of minutes that each request sets and cancels would otherwise pile up for minutes.
    private mutating func forgetCancelled() {
        // What is in order of time is a heap.
        heap = heap.filter { isSet($0.token) }.sorted { $0.time < $1.time }
    }

    /// How many deadlines are held, those of cancelled timers among them.
    var heldCount: Int { heap.count }

    /// Takes the next action that is due.
    mutating func next(due now: UInt64) -> (() -> Void)? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            if let action = take(first.token) { return action }
        }
        return nil
    }

    /// How long epoll may sleep: rounded up, so that a timer is due when it wakes; -1 without timers.
    mutating func millisecondsToNext(from now: UInt64) -> Int32 {
        while let first = heap.first, !isSet(first.token) { removeFirst() }
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
