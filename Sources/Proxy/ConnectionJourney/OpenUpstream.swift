import ByteRelay
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import WireFormats

/// An upstream connection, whoever's requests go up it.
///
/// Lives on one loop. It knows nothing of any client: one that waited in a pool and did would keep that client's socket open.
final class UpstreamLine {
    let socket: StreamSocket
    /// What it leads to; `nil` where a proxy was told the name.
    let address: UpstreamAddress?
    /// How it goes out.
    let route: Route
    /// `address` as records have it.
    let addressText: String?
    /// The proxy that leads out, as records have it.
    let proxyText: String?
    /// What a request must have in common with the one that it was dialled for to go up here.
    let key: PoolKey
    let end: HTTPEnd
    /// It has answered before: a failure may only mean that it has waited long enough for us.
    var hasServed = false
    var isWatched = false

    init(_ reached: Reached, under key: PoolKey, _ worker: Worker) {
        socket = reached.socket
        address = reached.target
        route = reached.route
        self.key = key
        addressText = address?.description
        proxyText = route.recordedProxy
        end = HTTPEnd(socket, limits: worker.settings.http)
    }

    /// The name that it was dialled for; `nil` where that was the original destination.
    var name: HostName? { key.name }

    /// Keeps what the session can be gone on with another time.
    func keepTicket(in tickets: TicketCache, at now: UInt64) {
        guard let terms = key.tls, let cipher = socket.cipher as? TLSCipher, let ticket = cipher.session.ticket() else {
            return
        }
        tickets.keep(ticket, for: terms, isResumed: cipher.session.isResumed, at: now)
    }

    /// True where it may be asked again: it is open, and has not said anything that nobody asked for.
    var isQuiet: Bool { !socket.isEnding && socket.isSilent }
}

/// An upstream connection that requests of one client go up.
///
/// Lives on one loop.
final class OpenUpstream {
    let line: UpstreamLine
    let exchange: Exchange

    init(_ line: UpstreamLine, client: HTTPEnd, _ worker: Worker) {
        self.line = line
        exchange = Exchange(client: client, upstream: line.end, limits: worker.settings.http, worker.means)
    }

    /// Lets go of what only serves the next message while it comes soon.
    func rest() {
        line.end.rest()
        exchange.rest()
    }

    var socket: StreamSocket { line.socket }
    var address: UpstreamAddress? { line.address }
    var addressText: String? { line.addressText }
}

/// Spends a permit on a connection that is open already; false where the permit is for another.
func borrowUpstream(_ permit: consuming Permit, _ line: UpstreamLine) -> Bool {
    permit.covers(line.address, dialledFor: line.name, by: line.route.way)
}
