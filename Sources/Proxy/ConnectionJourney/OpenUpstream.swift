import ByteRelay
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import WireFormats

/// An upstream connection that requests of one client go up.
///
/// Lives on one loop.
final class OpenUpstream {
    let socket: StreamSocket
    let exchange: Exchange
    let address: UpstreamAddress
    /// `address` as records have it.
    let addressText: String
    /// The name that it was dialled for; `nil` where that was the original destination.
    let name: HostName?
    /// What another request must have in common with this one's to go up here.
    let key: PoolKey
    private let end: HTTPEnd
    /// It has answered before: a failure may only mean that it has waited long enough for us.
    var hasServed = false
    var isWatched = false

    init(_ socket: StreamSocket, at address: UpstreamAddress, under key: PoolKey, client: HTTPEnd, _ worker: Worker) {
        self.socket = socket
        self.address = address
        self.key = key
        name = key.name
        addressText = address.description
        end = HTTPEnd(socket, limits: worker.settings.http)
        exchange = Exchange(client: client, upstream: end, limits: worker.settings.http, worker.means)
    }

    /// The same connection, for another client.
    init(_ other: OpenUpstream, client: HTTPEnd, _ worker: Worker) {
        socket = other.socket
        address = other.address
        key = other.key
        name = other.name
        addressText = other.addressText
        end = other.end
        hasServed = other.hasServed
        isWatched = other.isWatched
        exchange = Exchange(client: client, upstream: end, limits: worker.settings.http, worker.means)
    }

    /// Keeps what the session can be gone on with another time.
    func keepTicket(in tickets: TicketCache) {
        guard let terms = key.tls, let cipher = socket.cipher as? TLSCipher, let ticket = cipher.session.ticket() else {
            return
        }
        tickets.keep(ticket, for: terms)
    }

    /// True where it may be asked again: it is open, and has not said anything that nobody asked for.
    func isQuiet(_ means: RelayMeans) -> Bool {
        guard !socket.isEnding else { return false }
        guard socket.isReadable else { return true }
        guard case .wouldBlock? = try? socket.receive(into: means.buffer) else { return false }
        return true
    }
}

/// Spends a permit on a connection that is open already; false where the permit is for another.
func borrowUpstream(_ permit: consuming Permit, _ upstream: OpenUpstream) -> Bool {
    permit.covers(upstream.address, dialledFor: upstream.name)
}
