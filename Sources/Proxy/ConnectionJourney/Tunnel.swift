import AuditTrail
import ByteRelay
import EventLoops
import LinuxBindings

/// Two sockets and the bytes between them.
///
/// Lives on one loop; the journey waits for its end once.
final class Tunnel: SocketObserver, DeferredWork {
    private let connection: Connection
    private let worker: Worker
    private let upstream: StreamSocket
    private let up: Flow
    private let down: Flow
    /// Set while the client has not said what it is.
    private var late: LateSniffer?
    private var firstToEnd: ClosingSide?
    /// Who waits for the end; `nil`: the connection is told.
    private var continuation: CheckedContinuation<Ending?, Never>?
    /// Set where somebody waits: asking the continuation would copy it.
    private var isAwaited = false
    private var isRelaying = false
    private var isScheduled = false
    private var isWatched = false
    private var isLeaving = false
    /// Set while the end of a tunnel of which one side is gone is awaited; it keeps the sockets, and so it is cancelled with it.
    private var stallTimer: TimerToken?
    /// Why it ends, where what has come from the other side is still on its way.
    private var last: Ending?

    /// How long what was sent may be on its way before the reset that follows it, in nanoseconds.
    static let longestLeave: UInt64 = 10_000_000_000
    static let leaveInterval: UInt64 = 20_000_000

    /// A tunnel for a connection whose first bytes were read already, or, if it has been silent, are still to be judged.
    init(_ connection: Connection, to reached: Reached, _ worker: Worker) {
        let upstream = reached.socket
        self.connection = connection
        self.upstream = upstream
        self.worker = worker
        let isSilent = connection.sniffed == .silent
        up = Flow(from: connection.client, to: upstream, held: isSilent ? [] : connection.openingBytes)
        down = Flow(from: upstream, to: connection.client, held: reached.unread)
        up.meter = connection.meter
        late = isSilent ? LateSniffer() : nil
        connection.openingBytes = []
    }

    /// Relays until both sides are done or one fails; `nil` where the connection carries requests from then on.
    func run(on loop: isolated EventLoop) async -> Ending? {
        await withCheckedContinuation { continuation in
            self.continuation = continuation
            isAwaited = true
            begin(on: loop)
        }
    }

    /// The same, where nobody waits: the connection is told of the end.
    func begin(on loop: isolated EventLoop) {
        isRelaying = true
        connection.meter?.flow = self
        connection.client.observer = self
        upstream.observer = self
        goOn(on: loop)
    }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        if !isScheduled { goOn(on: loop) }
    }

    /// Has the kernel find out if the upstream is gone; the client's socket has that from its listener.
    func watchUpstream() {
        guard !isWatched else { return }
        isWatched = true
        // A tunnel whose upstream cannot be watched lives on until somebody writes.
        try? probeSilentPeers(upstream.descriptor)
    }

    /// Ends the tunnel at once; both sides see a reset.
    func abort(because cut: Cut, on loop: isolated EventLoop) {
        finish(Ending(cut), reset: true, on: loop)
    }

    func goOn(on loop: isolated EventLoop) {
        isScheduled = false
        guard isRelaying, !isLeaving, judgeLateOpening(on: loop) else { return }
        var hasMore = false
        do throws(FlowFailure) {
            if late == nil, last == nil { hasMore = try up.pump(worker.means, isLast: down.isFinished) }
        } catch {
            let ending = ending(error, source: .client, sink: .upstream)
            guard ending.closedBy == .upstream else { return leave(ending, on: loop) }
            // A server that takes no more may have said why before it closed.
            last = ending
            upstream.isReadable = true
        }
        do throws(FlowFailure) {
            // What follows is a reset, and no end.
            if try down.pump(worker.means, isLast: up.isFinished || last != nil) { hasMore = true }
        } catch {
            return leave(last ?? ending(error, source: .upstream, sink: .client), on: loop)
        }
        if let last, down.isFinished { return leave(last, on: loop) }
        if firstToEnd == nil { firstToEnd = up.sourceEnded ? .client : down.sourceEnded ? .upstream : nil }
        if up.isFinished, down.isFinished {
            finish(Ending(.closed, closedBy: firstToEnd), reset: false, on: loop)
        } else if hasMore {
            isScheduled = true
            loop.runAgain(self)
        } else if connection.client.hasFailed || upstream.hasFailed {
            watchStall(on: loop)
        }
    }

    /// Ends a tunnel of which one side is gone and the other takes no more of what it said: no read and no write would tell of it.
    private func watchStall(on loop: isolated EventLoop) {
        guard stallTimer == nil else { return }
        let moved = up.moved &+ down.moved
        stallTimer = loop.schedule(afterNanoseconds: Self.longestLeave) {
            self.stallTimer = nil
            guard self.isRelaying, !self.isLeaving else { return }
            guard self.up.moved &+ self.down.moved == moved else { return self.watchStall(on: loop) }
            let gone: ClosingSide = self.connection.client.hasFailed ? .client : .upstream
            self.finish(self.last ?? Ending(.reset, closedBy: gone), reset: true, on: loop)
        }
    }

    /// Looks at what a silent client says at last; false where that ended the tunnel.
    private func judgeLateOpening(on loop: isolated EventLoop) -> Bool {
        guard let sniffer = late else { return true }
        let mayCarryRequests = down.moved == 0 && !down.isHolding && !down.sourceEnded
        switch sniffer.look(connection, mayCarryRequests: mayCarryRequests, worker, on: loop) {
        case .waiting: return true
        case .requests:
            late = nil
            leaveClient(on: loop)
            return false
        case .passed(let bytes):
            late = nil
            up.hold(bytes)
            return true
        case .denied(let cut):
            connection.cut(cut, on: loop)
            return false
        }
    }

    private func ending(_ failure: FlowFailure, source: ClosingSide, sink: ClosingSide) -> Ending {
        let side =
            switch failure.side {
            case .source: source
            case .sink: sink
            }
        return Ending(.reset, closedBy: side, detail: failure.error.description)
    }

    /// Ends a tunnel of which one side is gone: the other has what was sent to it before, and then a reset, as without us.
    private func leave(_ ending: Ending, on loop: isolated EventLoop) {
        guard isRelaying, !isLeaving else { return }
        isLeaving = true
        connection.client.observer = nil
        upstream.observer = nil
        leave(ending, until: loop.now &+ Self.longestLeave, on: loop)
    }

    private func leave(_ ending: Ending, until deadline: UInt64, on loop: isolated EventLoop) {
        guard isRelaying else { return }
        let left = ending.closedBy == .client ? upstream : connection.client
        guard loop.now < deadline, left.isOnItsWay else {
            return finish(ending, reset: true, on: loop)
        }
        _ = loop.schedule(afterNanoseconds: Self.leaveInterval) {
            self.leave(ending, until: deadline, on: loop)
        }
    }

    private func close(_ socket: StreamSocket, reset: Bool, on loop: isolated EventLoop) {
        if reset { resetOnClose(socket.descriptor) }
        socket.detach(from: loop)
    }

    private func finish(_ ending: Ending, reset: Bool, on loop: isolated EventLoop) {
        guard isRelaying else { return }
        close(connection.client, reset: reset, on: loop)
        var ending = ending
        ending.bytesUp = up.moved
        ending.bytesDown = down.moved
        tell(ending, reset: reset, on: loop)
    }

    /// Leaves the client to whoever reads its requests; the server was sent nothing, and sees an end.
    private func leaveClient(on loop: isolated EventLoop) {
        guard isRelaying else { return }
        connection.client.observer = nil
        tell(nil, reset: false, on: loop)
    }

    private func tell(_ ending: Ending?, reset: Bool, on loop: isolated EventLoop) {
        isRelaying = false
        if let stallTimer { loop.cancel(stallTimer) }
        late?.stop(on: loop)
        late = nil
        close(upstream, reset: reset, on: loop)
        connection.meter?.finish()
        up.release(worker.means)
        down.release(worker.means)
        guard isAwaited, let continuation else { return connection.tunnelIsOver(ending, on: loop) }
        self.continuation = nil
        continuation.resume(returning: ending)
    }
}
