import LinuxBindings

/// Who takes the connections that an acceptor accepts.
///
/// Lives on one loop.
package protocol AcceptingParty: AnyObject {
    /// Takes one more connection, with all that comes of it.
    func take(_ accepted: consuming AcceptedSocket, on loop: isolated EventLoop)
}

/// Accepts whoever comes to one of the daemon's own services; nobody is kept waiting in the kernel's queue.
///
/// Lives on one loop.
package final class Acceptor: EventHandler {
    private let listener: OwnedDescriptor
    private weak var party: (any AcceptingParty)?
    private var token: WatchToken?
    private var retry: TimerToken?
    /// It comes back in the next turn.
    private var goesOn = false

    /// How many are accepted in a turn of the loop at most: those who are let go for them are gone in the next.
    package static let turn = 2 * batch
    /// How many are accepted before others have their turn; what the kernel tells of goes on once within its own.
    private static let batch = 8

    /// Takes over a socket that listens.
    package init(adopting listener: consuming OwnedDescriptor) {
        self.listener = listener
    }

    /// Starts to accept; the loop keeps the acceptor, and not who takes the connections.
    package func start(for party: some AcceptingParty, on loop: isolated EventLoop) throws(SystemCallError) {
        self.party = party
        token = try loop.watch(listener, self)
    }

    /// Accepts nobody more.
    package func stop(on loop: isolated EventLoop) {
        party = nil
        if let retry { loop.cancel(retry) }
        retry = nil
        if let token { loop.forget(token) }
        token = nil
    }

    /// Takes what waits: the listener is ready.
    package func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        acceptAll(on: loop)
    }

    private func acceptAll(on loop: isolated EventLoop) {
        guard token != nil, !goesOn else { return }
        for _ in 0..<Self.batch {
            guard let party else { return }
            do throws(SystemCallError) {
                guard let accepted = try acceptConnection(listener) else { return }
                party.take(accepted, on: loop)
            } catch {
                // A connection that died in the queue says nothing of the next; no descriptors or memory does.
                guard error.concernsOneConnectionOnly else { return acceptLater(on: loop) }
            }
        }
        goesOn = true
        loop.runAgain(self)
    }

    /// Without descriptors or memory no edge tells that there are some again.
    private func acceptLater(on loop: isolated EventLoop) {
        guard retry == nil else { return }
        retry = loop.schedule(afterNanoseconds: 100_000_000) { [weak self] in
            self?.retry = nil
            self?.acceptAll(on: loop)
        }
    }
}

/// There may be more: others have had their turn.
extension Acceptor: DeferredWork {
    /// Takes more of those who wait.
    package func goOn(on loop: isolated EventLoop) {
        goesOn = false
        acceptAll(on: loop)
    }
}
