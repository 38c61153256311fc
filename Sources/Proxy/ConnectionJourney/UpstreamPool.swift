import EventLoops
import HTTPExchange
import NetworkTypes
import PolicyEngine
import TLSInterception

/// What two requests must have in common for one to go up the connection of the other.
///
/// The address is the permit's to say. Whom the daemon trusts, and what certificate it shows to whom, is told by the terms' number.
struct PoolKey: Hashable {
    /// The name that was dialled; `nil` where that was the original destination.
    var name: HostName?
    var port: UInt16
    /// `nil` without TLS.
    var tls: UpstreamTLSTerms?
    /// The way out that it took.
    var way = EgressName.direct
    /// Whose requests they are.
    var workload: ConnectionOwner?
    /// Which policy allowed it, with the credentials and the trust that were loaded with it: each load has a number of its own.
    var generation: UInt64
}

/// Upstream connections that nobody uses for now, kept for the next request of the same kind.
///
/// Lives on one loop. Only those come here that are certain to be between two messages; one that says anything, or ends, while
/// it waits here, is let go.
final class UpstreamPool: SocketObserver {
    private struct Place {
        var upstream: UpstreamLine
        var since: UInt64
    }

    private var places: [PoolKey: [Place]] = [:]
    private var keys: [ObjectIdentifier: PoolKey] = [:]
    private let capacity: Int

    /// How long one may wait, in nanoseconds: servers wait a minute or more before they let go.
    private static let patience: UInt64 = 30_000_000_000
    /// How long at most where a request must not be sent twice: the longer one waits, the likelier its server lets go just now.
    private static let safety: UInt64 = 5_000_000_000

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Takes a connection that nobody uses any more; where there are too many, it is closed.
    func give(_ upstream: UpstreamLine, on loop: isolated EventLoop) {
        guard keys.count < capacity, upstream.isQuiet else {
            return upstream.socket.detach(from: loop)
        }
        keys[ObjectIdentifier(upstream.socket)] = upstream.key
        places[upstream.key, default: []].append(Place(upstream: upstream, since: loop.now))
        upstream.socket.observer = self
        upstream.socket.cipher?.rest()
        upstream.end.rest()
    }

    /// Spends a permit on a connection that waits, the one that came last; `nil` where none is for it.
    ///
    /// `isRepeatable`: the request may be sent once more on another, should its server let go of this one just now.
    func take(
        _ permit: consuming Permit,
        under key: PoolKey,
        isRepeatable: Bool,
        on loop: isolated EventLoop
    ) -> UpstreamLine? {
        guard let waiting = places[key] else { return nil }
        let oldest = loop.now &- (isRepeatable ? Self.patience : Self.safety)
        let addresses = permit.addresses
        let index = waiting.lastIndex { $0.since >= oldest && ($0.upstream.address.map(addresses.contains) ?? true) }
        guard let index else { return nil }
        let upstream = waiting[index].upstream
        remove(upstream)
        guard upstream.isQuiet, borrowUpstream(permit, upstream) else {
            upstream.socket.detach(from: loop)
            return nil
        }
        return upstream
    }

    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        guard let key = keys[ObjectIdentifier(socket)],
            let place = places[key]?.first(where: { $0.upstream.socket === socket }), !place.upstream.isQuiet
        else { return }
        remove(place.upstream)
        socket.detach(from: loop)
    }

    /// True where a connection for such requests waits.
    func has(_ key: PoolKey) -> Bool { places[key] != nil }

    /// Lets those go that have waited for too long, or all of them.
    func letGo(all: Bool = false, on loop: isolated EventLoop) {
        for place in Array(places.values.joined()) where all || place.since &+ Self.patience <= loop.now {
            remove(place.upstream)
            place.upstream.socket.detach(from: loop)
        }
    }

    private func remove(_ upstream: UpstreamLine) {
        upstream.socket.observer = nil
        guard let key = keys.removeValue(forKey: ObjectIdentifier(upstream.socket)) else { return }
        places[key]?.removeAll { $0.upstream === upstream }
        if places[key]?.isEmpty ?? false { places[key] = nil }
    }
}
