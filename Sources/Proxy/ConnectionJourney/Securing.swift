import EventLoops
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Telemetry
import WireFormats

/// Whom TLS is begun with, and by whose trust.
struct UpstreamPeer {
    var terms: UpstreamTLSTerms
    var tls: UpstreamTLS
}

/// Why an upstream that answers cannot be spoken to in TLS.
struct UpstreamFault {
    /// For the client.
    var status: Int
    /// For the client and the record.
    var detail: String
    /// It was met in going on with a session of before: a handshake in full may well be done.
    var isOfTicket = false
}

/// Begins TLS with an upstream that was dialled, and has its certificate verified.
///
/// - Returns: what is wrong; `nil` where what is sent from here on goes in TLS.
func secure(
    _ socket: StreamSocket,
    with peer: UpstreamPeer,
    _ connection: Connection,
    _ worker: Worker,
    on loop: isolated EventLoop
) async -> UpstreamFault? {
    let ticket = worker.tickets.ticket(for: peer.terms, at: loop.now)
    let cipher: TLSCipher
    do throws(TLSFailure) {
        cipher = try peer.tls.ask(peer.terms, ticket: ticket, socket)
    } catch {
        return UpstreamFault(status: 502, detail: "upstream_\(error.text)")
    }
    socket.cipher = cipher
    connection.securing = socket
    defer { connection.securing = nil }
    guard connection.cutting == nil else { return UpstreamFault(status: 502, detail: "cut") }
    let deadline = loop.now &+ worker.settings.handshakeNanoseconds
    switch await socket.shakeHands(cipher.session, until: deadline, on: loop) {
    case .done:
        (cipher.session.isResumed ? worker.metrics.upstreamResumptions : worker.metrics.upstreamHandshakes).increment()
        return nil
    case .timedOut: return UpstreamFault(status: 504, detail: "upstream_tls_timed_out")
    case .interrupted: return UpstreamFault(status: 502, detail: "cut")
    case .failed(let failure):
        if ticket != nil { worker.tickets.bar(peer.terms, at: loop.now) }
        return UpstreamFault(status: 502, detail: "upstream_\(failure.text)", isOfTicket: ticket != nil)
    }
}

extension Connection {
    /// A client that takes nothing older than TLS 1.3 is not served from anything older (threat G15).
    var oldestUpstreamTLS: OldestTLS {
        guard case .tls(let hello) = sniffed, hello.isTLS13Only else { return .tls12 }
        return .tls13
    }
}

/// Tickets to go on with sessions of before, each for the terms that it was given under.
///
/// Lives on one loop. Where it is full, any goes for the next: the worst that comes of it is a handshake in full.
final class TicketCache {
    private var places: [UpstreamTLSTerms: Place] = [:]
    private let capacity: Int

    /// How long a certificate that was verified stands for sessions that are gone on with, in nanoseconds.
    private static let longestTrust: UInt64 = 3_600_000_000_000
    /// How long a host at which that has failed is asked for handshakes in full.
    private static let longestBar: UInt64 = 600_000_000_000

    private struct Place {
        /// `nil` where none is taken, because one was refused.
        var ticket: TLSTicket?
        /// Until when it holds, on the loop's clock.
        var end: UInt64
    }

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// What to go on with; `nil` where the certificate is to be verified again, or the host is to be asked for no such thing.
    func ticket(for terms: UpstreamTLSTerms, at now: UInt64) -> TLSTicket? {
        guard let place = places[terms], now < place.end else { return nil }
        return place.ticket
    }

    /// Keeps a ticket; one of a session that was gone on with holds no longer than the one before.
    func keep(_ ticket: TLSTicket, for terms: UpstreamTLSTerms, isResumed: Bool, at now: UInt64) {
        let before = places[terms].flatMap { now < $0.end ? $0 : nil }
        if let before, before.ticket == nil { return }
        guard !isResumed || before != nil else { return }
        put(Place(ticket: ticket, end: isResumed ? before?.end ?? now : now &+ Self.longestTrust), for: terms)
    }

    /// Keeps nothing of a host for a while: a ticket that is refused would be refused again, and so would the next.
    func bar(_ terms: UpstreamTLSTerms, at now: UInt64) {
        put(Place(ticket: nil, end: now &+ Self.longestBar), for: terms)
    }

    private func put(_ place: Place, for terms: UpstreamTLSTerms) {
        if places.count >= capacity, places[terms] == nil, let any = places.keys.first { places[any] = nil }
        places[terms] = place
    }
}
