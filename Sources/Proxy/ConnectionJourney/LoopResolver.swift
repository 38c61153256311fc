import EventLoops
import LinuxBindings
import NameResolution
import NetworkTypes
import PolicyEngine

/// The resolver of one loop, and what the loop does for it.
///
/// Lives on that loop.
///
/// The resolver says what it wants from inside calls to it; that is noted, and carried out when the call is over.
package final class LoopResolver {
    private let host = Host()
    private let resolver: Resolver
    private var watched: [Int32: Watched] = [:]
    private var timer: TimerToken?

    /// Makes a resolver that has asked nothing yet.
    ///
    /// - Throws: `ResolverError`.
    package init(_ settings: ResolverSettings) throws(ResolverError) {
        resolver = try Resolver(settings: settings, host: host)
    }

    /// What is known of a name without asking.
    func known(_ name: HostName) -> ResolutionResult? { resolver.known(name) }

    /// True while what is known of a name are the addresses of one family, and the other's may still come.
    func isHalf(_ name: HostName) -> Bool { resolver.isHalf(name) }

    /// Waits for a name's addresses; `nil` where `wait` was given up.
    ///
    /// The question goes on, for whoever asks next; until its end it is of the share of names that `owner` may ask for. Where one family is late, `isWhole` says whether to wait for that, too.
    package func resolve(
        _ name: HostName,
        for owner: ConnectionOwner? = nil,
        isWhole: Bool = false,
        _ wait: LookupWait,
        on loop: isolated EventLoop
    ) async -> ResolutionResult? {
        await withCheckedContinuation { continuation in
            wait.begin(continuation)
            if isWhole {
                resolver.resolveWhole(name, for: owner) { wait.end($0) }
            } else {
                resolver.resolve(name, for: owner) { wait.end($0) }
            }
            carryOutWishes(on: loop)
        }
    }

    fileprivate func descriptorReady(_ number: Int32, _ events: ReadyEvents, on loop: isolated EventLoop) {
        resolver.descriptorReady(
            number,
            readable: !events.isDisjoint(with: [.readable, .hangUp, .failed]),
            writable: events.contains(.writable)
        )
        carryOutWishes(on: loop)
    }

    private func carryOutWishes(on loop: isolated EventLoop) {
        let interests = host.interests
        host.interests = []
        for interest in interests { follow(interest, on: loop) }
        guard let wish = host.timerWish else { return }
        host.timerWish = nil
        if let timer { loop.cancel(timer) }
        timer = wish.milliseconds.map { milliseconds in
            loop.schedule(afterNanoseconds: UInt64(max(0, milliseconds)) * 1_000_000) { [weak self] in
                guard let self else { return }
                self.timer = nil
                self.resolver.timerFired()
                self.carryOutWishes(on: loop)
            }
        }
    }

    private func follow(_ interest: Interest, on loop: isolated EventLoop) {
        let number = interest.descriptor
        guard interest.readable || interest.writable else {
            // The resolver is about to close it, or has: closing takes it out of the epoll set.
            if let token = watched.removeValue(forKey: number)?.token { loop.forget(token) }
            return
        }
        do throws(SystemCallError) {
            if let token = watched[number]?.token {
                try loop.changeLevel(
                    token,
                    number: number,
                    readable: interest.readable,
                    writable: interest.writable
                )
            } else {
                let handler = Watched(number, self)
                handler.token = try loop.watchLevel(
                    number: number,
                    readable: interest.readable,
                    writable: interest.writable,
                    handler
                )
                watched[number] = handler
            }
        } catch {
            // Nobody will tell the resolver of an answer; its timer ends the question as timed out.
        }
    }

    /// Notes what the resolver wants.
    private final class Host: ResolverHost {
        var interests: [Interest] = []
        var timerWish: TimerWish?

        var nowMilliseconds: UInt64 { monotonicNanoseconds() / 1_000_000 }

        func watch(descriptor: Int32, readable: Bool, writable: Bool) {
            interests.append(Interest(descriptor: descriptor, readable: readable, writable: writable))
        }

        func schedule(afterMilliseconds: Int?) {
            timerWish = TimerWish(milliseconds: afterMilliseconds)
        }
    }

    private struct Interest {
        var descriptor: Int32
        var readable: Bool
        var writable: Bool
    }

    private struct TimerWish {
        var milliseconds: Int?
    }

    /// One socket of the resolver's.
    private final class Watched: EventHandler {
        let number: Int32
        var token: WatchToken?
        private weak var resolver: LoopResolver?

        init(_ number: Int32, _ resolver: LoopResolver) {
            self.number = number
            self.resolver = resolver
        }

        func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
            resolver?.descriptorReady(number, events, on: loop)
        }
    }
}

/// One connection's wait for a name.
///
/// Lives on one loop.
package final class LookupWait {
    private var continuation: CheckedContinuation<ResolutionResult?, Never>?
    private var isOver = false

    package init() {}

    fileprivate func begin(_ continuation: CheckedContinuation<ResolutionResult?, Never>) {
        guard !isOver else { return continuation.resume(returning: nil) }
        self.continuation = continuation
    }

    fileprivate func end(_ result: ResolutionResult?) {
        isOver = true
        let waiting = continuation
        continuation = nil
        waiting?.resume(returning: result)
    }

    /// Ends the wait without an answer, if it has not ended.
    package func giveUp() { end(nil) }
}
