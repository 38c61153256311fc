import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine

/// What dialling came to.
enum Dialled {
    case connected(StreamSocket, UpstreamAddress)
    /// The last error, and how many addresses were tried.
    case failed(SystemCallError?, attempts: Int)
    case timedOut
    case abandoned
}

/// Opens the upstream connection that a permit allows, and no other: there is no other way to an upstream socket.
///
/// The addresses are raced as RFC 8305, section 5, says: each next one starts when the one before failed, or after 250 ms.
func openUpstream(
    _ permit: consuming Permit,
    for connection: Connection,
    _ worker: Worker,
    on loop: isolated EventLoop
) async -> Dialled {
    let addresses = permit.addresses
    let limit = worker.settings.dialNanoseconds
    let race = DialRace(addresses)
    connection.race = race
    let outcome = await race.run(limit: limit, on: loop)
    connection.race = nil
    return outcome
}

/// Several attempts to connect, of which the first that succeeds is kept.
///
/// Lives on one loop.
final class DialRace: SocketObserver {
    private var waiting: ArraySlice<UpstreamAddress>
    private var running: [(socket: StreamSocket, address: UpstreamAddress)] = []
    private var continuation: CheckedContinuation<Void, Never>?
    private var outcome = Dialled.abandoned
    private var lastError: SystemCallError?
    private var attempts = 0
    private var nextAttempt: TimerToken?
    private var limit: TimerToken?

    /// The recommended "Connection Attempt Delay" of RFC 8305, section 8.
    private static let attemptDelay: UInt64 = 250_000_000

    init(_ addresses: [UpstreamAddress]) {
        waiting = addresses[...]
    }

    /// Runs the race; `limit` is how long all attempts may take together, in nanoseconds.
    func run(limit nanoseconds: UInt64, on loop: isolated EventLoop) async -> Dialled {
        await withCheckedContinuation { continuation in
            self.continuation = continuation
            limit = loop.schedule(afterNanoseconds: nanoseconds) {
                self.limit = nil
                self.finish(.timedOut, on: loop)
            }
            tryNext(on: loop)
        }
        return outcome
    }

    /// Ends the race without a winner.
    func abandon(on loop: isolated EventLoop) {
        finish(.abandoned, on: loop)
    }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        guard let index = running.firstIndex(where: { $0.socket === socket }) else { return }
        guard let failure = failure(of: socket) else {
            guard socket.isWritable else { return }
            return win(running[index], on: loop)
        }
        lastError = failure
        running.remove(at: index)
        socket.detach(from: loop)
        tryNext(on: loop)
    }

    /// Why an attempt failed; a socket that epoll does not call ending or failed has not.
    private func failure(of socket: StreamSocket) -> SystemCallError? {
        guard socket.isEnding else { return nil }
        do throws(SystemCallError) {
            return try pendingError(socket.descriptor)
        } catch {
            return error
        }
    }

    private func tryNext(on loop: isolated EventLoop) {
        if let nextAttempt { loop.cancel(nextAttempt) }
        nextAttempt = nil
        while continuation != nil, let address = waiting.popFirst() {
            attempts += 1
            if attempt(address, on: loop) { break }
        }
        guard continuation != nil else { return }
        if running.isEmpty, waiting.isEmpty { return finish(.failed(lastError, attempts: attempts), on: loop) }
        guard !waiting.isEmpty else { return }
        nextAttempt = loop.schedule(afterNanoseconds: Self.attemptDelay) {
            self.nextAttempt = nil
            self.tryNext(on: loop)
        }
    }

    /// Starts one attempt; false where it failed at once.
    private func attempt(_ address: UpstreamAddress, on loop: isolated EventLoop) -> Bool {
        do throws(SystemCallError) {
            let descriptor = try streamSocket(family: address.socket.address.family)
            try sendWithoutDelay(descriptor)
            let progress = try startConnecting(descriptor, to: address.socket)
            let socket = StreamSocket(descriptor)
            socket.observer = self
            switch progress {
            case .connected: break
            case .inProgress: socket.isWritable = false
            }
            try socket.attach(to: loop)
            running.append((socket, address))
            if case .connected = progress { win((socket, address), on: loop) }
            return true
        } catch {
            lastError = error
            return false
        }
    }

    private func win(_ winner: (socket: StreamSocket, address: UpstreamAddress), on loop: isolated EventLoop) {
        running.removeAll { $0.socket === winner.socket }
        winner.socket.observer = nil
        finish(.connected(winner.socket, winner.address), on: loop)
    }

    private func finish(_ outcome: Dialled, on loop: isolated EventLoop) {
        guard let continuation else { return }
        self.continuation = nil
        for timer in [nextAttempt, limit].compactMap({ $0 }) { loop.cancel(timer) }
        for loser in running {
            resetOnClose(loser.socket.descriptor)
            loser.socket.detach(from: loop)
        }
        running = []
        waiting = []
        self.outcome = outcome
        continuation.resume()
    }
}
