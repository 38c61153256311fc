import AuditTrail
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import Telemetry
import WireFormats

extension Connection {
    /// Ends the client's TLS here, with a certificate that was made for whom it wants.
    ///
    /// - Returns: how the connection ended; `nil` where what the client says can be read from here on.
    func intercept(_ worker: Worker, on loop: isolated EventLoop) async -> Ending? {
        guard let interceptor = worker.interceptor, case .tls(let hello) = sniffed,
            let name = interceptedPlace?.certified
        else { return Ending(.interceptionFailed, closedBy: .ours, detail: "no_authority") }
        do throws(LeafMintError) {
            let leaf = try await interceptor.mint.leaf(for: name, asker: facts.owner)
            if let cutting { return Ending(cutting) }
            return await shakeHands(try interceptor.serve(name, leaf, client, unread: openingBytes), worker, on: loop)
        } catch {
            let ending = Ending(.interceptionFailed, closedBy: .ours, detail: error.rawValue)
            return await tell(TLSAlert.accessDenied(answering: hello), ending, worker, on: loop)
        }
    }

    /// Whom the client is shown a certificate of: the name that it asked for, or else the address.
    var interceptedPlace: Authority? {
        if let name = facts.recordedName { return Authority(name: name, address: nil, port: facts.port) }
        if let authority { return authority }
        return facts.original.map { Authority(name: nil, address: $0.socket.address, port: $0.socket.port) }
    }

    private func shakeHands(_ cipher: TLSCipher, _ worker: Worker, on loop: isolated EventLoop) async -> Ending? {
        openingBytes = []
        client.cipher = cipher
        switch await client.shakeHands(
            cipher.session,
            until: loop.now &+ worker.settings.handshakeNanoseconds,
            on: loop
        ) {
        case .done:
            (cipher.session.isResumed ? worker.metrics.clientResumptions : worker.metrics.clientHandshakes).increment()
            if !cipher.session.isResumed { certifiedSince = loop.now }
            return nil
        case .timedOut: return Ending(.timedOut, closedBy: .ours, detail: "tls_handshake")
        case .interrupted: return Ending(cutting ?? Cut(outcome: .drained))
        case .failed(let failure):
            return ending(failure, worker)
        }
    }

    /// How many nanoseconds a client takes at most to look at a certificate that it has.
    private static let timeToLook: UInt64 = 1_000_000_000

    /// How a connection ended whose client has asked nothing: many look at the certificate only when the handshake is over, and leave.
    func withoutRequest(_ how: Ending, _ worker: Worker, at now: UInt64) -> Ending {
        guard let certifiedSince, now &- certifiedSince <= Self.timeToLook else { return how }
        var ending = rejection("closed_behind_handshake", worker)
        ending.isOrderly = how.isOrderly
        return ending
    }

    private func rejection(_ objection: String, _ worker: Worker) -> Ending {
        worker.metrics.rejectedInterceptions.increment()
        let detail = advice(on: objection, worker.snapshot.policy)
        return Ending(.clientRejectedInterception, closedBy: .client, detail: detail)
    }

    private func ending(_ failure: TLSFailure, _ worker: Worker) -> Ending {
        var ending =
            if let objection = failure.objectionToCertificate {
                rejection(objection, worker)
            } else {
                Ending(.interceptionFailed, closedBy: failure.isOfPeer ? .client : .ours, detail: failure.text)
            }
        // An alert of ours is on its way.
        ending.isOrderly = true
        return ending
    }

    /// What went wrong, and what to do: as much as an end keeps whole.
    private func advice(on objection: String, _ policy: Policy?) -> String {
        let deny = policy?.denyInTheWayOfTunnel(to: facts.recordedName, port: facts.port)
        let rule = "\(objection); \(suggestion)"
        let whole = deny.map { "\(rule); except_tunnels: true on \($0.text)" } ?? rule
        let short = "\(objection); { action: tunnel } for the name that this connection's record has as `sni`"
        return [whole, rule].first(where: ConnectionEndRecord.keepsWhole) ?? short
    }

    /// The rule under which a client that takes no certificate of ours is not asked to.
    private var suggestion: String {
        guard let name = facts.recordedName else { return suggestionForAddress }
        // What a rule with `hosts` is about that says nothing of ports.
        let port = [80, 443].contains(facts.port) ? "" : ", ports: [\(facts.port)]"
        return "{ action: tunnel, match: { hosts: [\(name.text)]\(port) } }"
    }

    /// For a client that says no name; without ports and the rest, a rule with `cidrs` would open all of the address.
    private var suggestionForAddress: String {
        let address = interceptedPlace?.address.map { "\($0)" } ?? ""
        let place = "cidrs: [\"\(address)\"], ports: [\(facts.port)]"
        return "{ action: tunnel, match: { \(place), protocols: [tls], sni: absent } }"
    }

    private func tell(_ alert: [UInt8], _ ending: Ending, _ worker: Worker, on loop: isolated EventLoop) async -> Ending
    {
        let end = HTTPEnd(client, limits: worker.settings.http)
        guard await end.send(alert, until: loop.now &+ 1_000_000_000, on: loop) else { return ending }
        await end.linger(worker.means, on: loop)
        return ending
    }
}

extension Authority {
    /// What a certificate has to stand for.
    var certified: CertifiedName? {
        if let name { return .host(name) }
        return address.map(CertifiedName.address)
    }
}

extension TLSFailure {
    /// How a client said that it does not take the certificate; `nil` where it said something else.
    fileprivate var objectionToCertificate: String? {
        switch self {
        // bad_certificate, unsupported, revoked, expired and unknown certificate, unknown_ca (RFC 8446, section 6.2).
        case .alert(let number) where (42...46).contains(number) || number == 48: text
        case .closed(behindCertificate: true): "closed_behind_certificate"
        case .alert, .closed, .socket, .untrusted, .wantsCertificate, .version, .parameters, .applicationProtocol,
            .protocolViolation, .failed:
            nil
        }
    }

    fileprivate var isOfPeer: Bool {
        switch self {
        case .alert, .closed, .socket: true
        case .untrusted, .wantsCertificate, .version, .parameters, .applicationProtocol, .protocolViolation, .failed:
            false
        }
    }
}
