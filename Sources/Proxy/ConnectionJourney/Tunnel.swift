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
    private var continuation: CheckedContinuation<Ending, Never>?
    /// Set where somebody waits: asking the continuation would copy it.
    private var isAwaited = false
    private var isRelaying = false
    private var isScheduled = false
    private var isWatched = false

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

    /// Relays until both sides are done or one fails.
    func run(on loop: isolated EventLoop) async -> Ending {
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
        guard isRelaying, judgeLateOpening(on: loop) else { return }
        var hasMore = false
        do throws(FlowFailure) {
            if late == nil { hasMore = try up.pump(worker.means, isLast: down.isFinished) }
        } catch {
            return fail(error, source: .client, sink: .upstream, on: loop)
        }
        do throws(FlowFailure) {
            if try down.pump(worker.means, isLast: up.isFinished) { hasMore = true }
        } catch {
            return fail(error, source: .upstream, sink: .client, on: loop)
        }
        if firstToEnd == nil { firstToEnd = up.sourceEnded ? .client : down.sourceEnded ? .upstream : nil }
        if up.isFinished, down.isFinished {
            finish(Ending(.closed, closedBy: firstToEnd), reset: false, on: loop)
        } else if hasMore {
            isScheduled = true
            loop.runAgain(self)
        }
    }

    /// Looks at what a silent client says at last; false where that ended the tunnel.
    private func judgeLateOpening(on loop: isolated EventLoop) -> Bool {
        guard let sniffer = late else { return true }
        switch sniffer.look(connection, worker, on: loop) {
        case .waiting: return true
        case .passed(let bytes):
            late = nil
            up.hold(bytes)
            return true
        case .denied(let cut):
            connection.cut(cut, on: loop)
            return false
        }
    }

    private func fail(
        _ failure: FlowFailure,
        source: ClosingSide,
        sink: ClosingSide,
        on loop: isolated EventLoop
    ) {
        let side =
            switch failure.side {
            case .source: source
            case .sink: sink
            }
        finish(Ending(.reset, closedBy: side, detail: failure.error.description), reset: true, on: loop)
    }

    private func close(_ socket: StreamSocket, reset: Bool, on loop: isolated EventLoop) {
        if reset { resetOnClose(socket.descriptor) }
        socket.detach(from: loop)
    }

    private func finish(_ ending: Ending, reset: Bool, on loop: isolated EventLoop) {
        guard isRelaying else { return }
        isRelaying = false
        late?.stop(on: loop)
        late = nil
        close(connection.client, reset: reset, on: loop)
        close(upstream, reset: reset, on: loop)
        connection.meter?.finish()
        up.release(worker.means)
        down.release(worker.means)
        var ending = ending
        ending.bytesUp = up.moved
        ending.bytesDown = down.moved
        guard isAwaited, let continuation else { return connection.tunnelIsOver(ending, on: loop) }
        self.continuation = nil
        continuation.resume(returning: ending)
    }
}
