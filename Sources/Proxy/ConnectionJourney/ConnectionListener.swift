import EventLoops
import LinuxBindings
import NetworkTypes
import Telemetry

/// A socket that listens and that one worker will accept from.
package struct ListeningSocket: Sendable {
    /// The descriptor's number; whoever serves it owns it from then on.
    package let number: Int32
    package let address: SocketAddress
    /// How connections come to it.
    package let arrival: Arrival
    /// Whether clients of other machines may come to it.
    ///
    /// By an address that is not this machine's loopback, or handed over unchanged.
    var servesOthers: Bool { arrival == .routed || address.address.specialRange != .loopback }

    package init(adopting descriptor: consuming OwnedDescriptor, address: SocketAddress, arrival: Arrival) {
        number = descriptor.release()
        self.address = address
        self.arrival = arrival
    }
}

/// Accepts what the kernel hands over.
///
/// Lives on one loop. Mostly there is one connection at a time, and asking for another in vain costs as much as accepting it: more are
/// asked for only where the kernel says turn after turn that there are some.
final class ConnectionListener: EventHandler {
    private let descriptor: OwnedDescriptor
    private unowned let worker: Worker
    private let arrival: Arrival
    private let servesOthers: Bool
    /// Connections are redirected here, and nobody else may be the client: the rules note whose they are.
    private let readsNotes: Bool
    private var token: WatchToken?
    private var isPaused = false
    private var retry: TimerToken?
    /// The turn in which there was somebody, and how many were accepted then at most.
    private var last: (turn: UInt64, budget: Int) = (0, 1)

    /// How many connections are accepted at most before others get their turn.
    private static let greatestBudget = 64

    init(_ socket: ListeningSocket, _ worker: Worker) {
        descriptor = OwnedDescriptor(adopting: socket.number)
        self.worker = worker
        arrival = socket.arrival
        servesOthers = socket.servesOthers
        readsNotes = arrival == .redirected && !servesOthers
    }

    func start(on loop: isolated EventLoop) throws(SystemCallError) {
        try sendWithoutDelay(descriptor)
        try probeSilentPeers(descriptor)
        token = try loop.watchLevel(number: descriptor.number, readable: true, writable: false, self)
    }

    func close(on loop: isolated EventLoop) {
        if let retry { loop.cancel(retry) }
        retry = nil
        if let token { loop.unwatch(token, number: descriptor.number) }
        token = nil
    }

    func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        let isGoingOn = loop.turn == last.turn &+ 1
        last = (loop.turn, isGoingOn ? min(2 * last.budget, Self.greatestBudget) : 1)
        for _ in 0..<last.budget {
            guard worker.hasRoom(on: loop) else { return pause(on: loop) }
            do throws(SystemCallError) {
                guard let accepted = try acceptConnection(descriptor) else {
                    last.budget = 1
                    return
                }
                worker.begin(accepted, by: arrival, readsNote: readsNotes, mayBeRemote: servesOthers, on: loop)
            } catch {
                worker.metrics.acceptFailures.increment()
                // A connection that died in the queue says nothing of the next; no descriptors or memory does.
                if !error.concernsOneConnectionOnly { return pause(on: loop) }
            }
        }
    }

    /// Goes on accepting, if it had stopped and there is room again.
    func resume(on loop: isolated EventLoop) {
        guard isPaused, worker.hasRoom(on: loop) else { return }
        isPaused = false
        if let retry { loop.cancel(retry) }
        retry = nil
        hear(true, on: loop)
    }

    /// Leaves new connections in the kernel's queue and looks again after a while: nothing passes meanwhile.
    private func pause(on loop: isolated EventLoop) {
        if !isPaused {
            worker.metrics.pauses.increment()
            hear(false, on: loop)
        }
        isPaused = true
        retry = loop.schedule(afterNanoseconds: 20_000_000) { [weak self] in
            guard let self, self.isPaused else { return }
            self.retry = nil
            if self.worker.hasRoom(on: loop) { self.resume(on: loop) } else { self.pause(on: loop) }
        }
    }

    /// Has the kernel tell of connections, or keep them to itself.
    private func hear(_ isTold: Bool, on loop: isolated EventLoop) {
        guard let token else { return }
        do throws(SystemCallError) {
            try loop.changeLevel(token, number: descriptor.number, readable: isTold, writable: false)
        } catch {
            preconditionFailure("a listener that is watched can be watched for less: \(error)")
        }
    }
}
