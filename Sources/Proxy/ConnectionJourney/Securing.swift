import EventLoops
import NetworkTypes
import OpenSSLBindings
import TLSInterception
import Telemetry
import WireFormats

/// Whom TLS is begun with.
struct UpstreamPeer {
    /// What its certificate has to stand for.
    var certified: CertifiedName
    var port: UInt16
}

/// Why an upstream that answers cannot be spoken to in TLS.
struct UpstreamFault {
    /// For the client.
    var status: Int
    /// For the client and the record.
    var detail: String
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
    guard let interceptor = worker.interceptor else { return UpstreamFault(status: 502, detail: "upstream_tls_failed") }
    let terms = UpstreamTLSTerms(peer.certified, port: peer.port, oldest: connection.oldestUpstreamTLS)
    let cipher: TLSCipher
    do throws(TLSFailure) {
        cipher = try interceptor.ask(terms, ticket: worker.tickets.ticket(for: terms), socket)
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
        // A ticket that is refused in this way would be refused again.
        worker.tickets.forget(terms)
        return UpstreamFault(status: 502, detail: "upstream_\(failure.text)")
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
    private var tickets: [UpstreamTLSTerms: TLSTicket] = [:]
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    func ticket(for terms: UpstreamTLSTerms) -> TLSTicket? { tickets[terms] }

    func keep(_ ticket: TLSTicket, for terms: UpstreamTLSTerms) {
        if tickets.count >= capacity, tickets[terms] == nil, let any = tickets.keys.first { tickets[any] = nil }
        tickets[terms] = ticket
    }

    func forget(_ terms: UpstreamTLSTerms) { tickets[terms] = nil }
}
