import LinuxBindings
import Testing

@testable import EventLoops

@Suite("Who is told of which descriptor")
struct HandlerSlotsTests {
    private final class Listener: EventHandler {
        private let whenGone: () -> Void

        init(whenGone: @escaping () -> Void = {}) { self.whenGone = whenGone }

        deinit { whenGone() }

        func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {}
    }

    @Test("each of a thousand has a slot of its own, and is found by its token alone")
    func many() {
        let slots = HandlerSlots()
        let listeners = (0..<1000).map { _ in Listener() }
        let tokens = listeners.map { slots.take(for: $0) }
        #expect(Set(tokens.map(\.bits)).count == 1000)
        let found = zip(tokens, listeners).count { slots.handler(of: $0) === $1 }
        #expect(found == 1000)
    }

    @Test("a token that was freed finds nobody, whoever has its slot now, and frees nobody else")
    func stale() {
        let slots = HandlerSlots()
        let first = Listener()
        let old = slots.take(for: first)
        slots.free(old)
        #expect(slots.handler(of: old) == nil)
        let second = Listener()
        let new = slots.take(for: second)
        #expect(new.index == old.index && new.bits != old.bits)
        #expect(slots.handler(of: old) == nil)
        slots.free(old)
        #expect(slots.handler(of: new) === second)
    }

    @Test("whoever is let go of with the slot finds it free already")
    func reentered() {
        let slots = HandlerSlots()
        var taken: [WatchToken] = []
        let keeper = Listener()
        let token = slots.take(for: Listener { taken.append(slots.take(for: keeper)) })
        slots.free(token)
        #expect(taken.map(\.index) == [token.index])
        let found = taken.first.flatMap { slots.handler(of: $0) }
        #expect(found === keeper)
    }
}
