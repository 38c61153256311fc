import ByteRelay
import EventLoops
import HTTPExchange
import LinuxBindings
import PolicyEngine
import WireFormats

extension Connection {
    /// Refuses: a TLS client gets the alert access_denied (RFC 8446, section 6.2), one of HTTP an answer that says why, one
    /// of SOCKS a code, every other a reset.
    func reject(_ worker: Worker, on loop: isolated EventLoop) async {
        guard let answer = refusal else { return resetOnClose(client.descriptor) }
        let end = HTTPEnd(client, limits: worker.settings.http)
        // The client has a second to take it: closing with unread bytes would reset the connection and lose it.
        guard await end.send(answer, until: loop.now + 1_000_000_000, on: loop),
            await end.linger(worker.means, on: loop)
        else { return resetOnClose(client.descriptor) }
    }

    /// What the client is told, in its own protocol; `nil` where it has none that is known.
    private var refusal: [UInt8]? {
        guard let decision, decision.reason != .undecidedLimit else { return nil }
        switch sniffed {
        case .tls(let hello): return TLSAlert.accessDenied(answering: hello)
        case .connect where proxyRequest == .socks5: return SOCKS5Reply(refusing: decision).octets
        case .http, .connect:
            return Problem(refusing: decision, detail: nil, id: id, retrySeconds: hold?.retrySeconds)
                .answer.octets(closes: true)
        case .refused(_, protocol: .http, let detail):
            return Problem(refusing: decision, detail: detail, id: id).answer.octets(closes: true)
        case .refused(_, protocol: .tls, _): return TLSAlert.accessDenied
        case .refused: return proxyRefusal
        case .silent, .h2c, .opaque, .unfinished, .gone, nil: return nil
        }
    }
}
