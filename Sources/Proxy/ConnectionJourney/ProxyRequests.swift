import AuditTrail
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

extension Connection {
    /// Hears what the client has to say first: to us as a proxy, or to whom it believes it is connected to.
    func hear(_ worker: Worker, on loop: isolated EventLoop) async {
        switch capture {
        case .transparent: await sniff(worker, on: loop)
        case .explicit:
            await hearProxyRequest(worker, on: loop)
            guard sniffed == .connect else { return }
            guard await takeTurnAhead(worker, on: loop) else { return }
            // Refused on its authority alone, it is answered; else it may say inside what it wants.
            let ahead = await judge(worker, isFinal: false, on: loop)
            guard ahead.verdict != .deny else {
                refusedAhead = (ahead, worker.snapshot.generation)
                return
            }
            await openTunnel(worker, on: loop)
        }
    }

    /// Reads the request that a proxy gets first; its first octet says in which protocol.
    private func hearProxyRequest(_ worker: Worker, on loop: isolated EventLoop) async {
        let limit = loop.now &+ worker.settings.sniffNanoseconds
        guard await receiveMore(worker, until: limit, on: loop) else { return }
        switch openingBytes.first {
        case 4: refuseSOCKS4()
        case 5: await hearSOCKS5(worker, on: loop)
        default: await hearHTTPRequest(worker, on: loop)
        }
    }

    private func hearHTTPRequest(_ worker: Worker, on loop: isolated EventLoop) async {
        let end = HTTPEnd(client, unread: openingBytes, limits: worker.settings.http)
        openingBytes = []
        let patience = worker.settings.sniffNanoseconds
        switch await end.nextRequest(HeadPatience(idle: patience, head: patience), worker.means, on: loop) {
        case .request(let request): consider(request, on: end, worker)
        case .malformed(let violation):
            sniffed = .refused(.malformedOpening, protocol: .http, detail: violation.rawValue)
        case .timedOut: sniffed = .unfinished(.sniffLimit)
        case .interrupted: sniffed = .unfinished(cutting?.reason ?? .draining)
        case .ended, .failed: sniffed = .gone
        }
    }

    private func consider(_ request: HTTP1Request, on end: HTTPEnd, _ worker: Worker) {
        switch request.form {
        case .authority, .absolute(.http): break
        case .absolute(.https):
            return sniffed = .refused(.malformedOpening, protocol: .http, detail: "https_without_connect")
        case .origin, .asterisk:
            return sniffed = .refused(.malformedOpening, protocol: .http, detail: "no_proxy_request")
        }
        guard let asked = Authority(of: request) else {
            return sniffed = .refused(.malformedOpening, protocol: .http, detail: "host_malformed")
        }
        facts.port = asked.port
        if request.form == .authority {
            proxyRequest = .connect
            openingBytes = Array(end.takeUnread())
            ask(for: asked, worker)
        } else {
            proxied = ProxiedRequest(first: request, end: end)
            sniffed = .http(
                HTTPOpening(
                    method: request.method,
                    minorVersion: request.minorVersion,
                    host: request.host,
                    headBytes: request.headBytes
                )
            )
        }
    }

    /// Takes over where a tunnel is to lead.
    func ask(for asked: Authority, _ worker: Worker) {
        authority = asked
        facts.original = asked.literal
        facts.isOwnListener = asked.literal.map { worker.isOwnListener($0.socket) } ?? false
        sniffed = .connect
    }

    /// Answers whoever asked for a tunnel, and listens to what comes inside.
    private func openTunnel(_ worker: Worker, on loop: isolated EventLoop) async {
        let end = HTTPEnd(client, limits: worker.settings.http)
        let answer =
            if proxyRequest == .socks5 {
                SOCKS5Reply.succeeded.octets
            } else {
                Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)
            }
        guard await end.send(answer, until: loop.now &+ worker.settings.sniffNanoseconds, on: loop) else {
            return sniffed = .gone
        }
        heardSince = loop.now
        await sniff(worker, on: loop)
    }
}

/// A request in absolute form that came first, and the end that it was read from.
struct ProxiedRequest {
    let first: HTTP1Request
    let end: HTTPEnd
}

extension Connection {
    /// What the policy is told of what was said; `nil` where it is not asked.
    ///
    /// Inside a CONNECT the name is what that asked for.
    var opening: Opening? {
        guard let authority else { return sniffed?.opening }
        return switch sniffed {
        case .connect, .silent: .asked(authority.name)
        case .tls: .known(.tls, name: authority.name)
        case .http: .known(.http, name: authority.name)
        case .h2c: .known(.h2c, name: authority.name)
        case .opaque, .unfinished: .known(.opaque, name: authority.name)
        case .refused, .gone, nil: nil
        }
    }

    /// Whether the TLS inside a CONNECT says a server name; `nil` where the name of the opening is the one that was said.
    var saysServerName: Bool? {
        guard authority != nil, case .tls(let hello) = sniffed else { return nil }
        return if case .name = hello.serverName { true } else { false }
    }

    /// What is wrong with the name that shows, whatever rules say of it.
    var objectionToName: Reason? {
        if contradictsAuthority { return .nameMismatch }
        return hidesName ? .encryptedName : nil
    }

    /// True where the name that shows is not the one that is meant, and nobody can find out which that is (threat B04).
    ///
    /// Encrypted Client Hello alone is no sign: clients that have no key for it send what looks the same (RFC 9849,
    /// section 6.2).
    var hidesName: Bool {
        guard case .tls(let hello) = sniffed, hello.offersEncryptedClientHello, let name = facts.recordedName else {
            return false
        }
        return Self.frontNames.contains(name.text)
    }

    /// The outer names of providers whose every server can be meant by them.
    private static let frontNames: Set<String> = ["cloudflare-ech.com"]

    /// True where what came inside a CONNECT is for somebody else than it asked for.
    ///
    /// Host is compared for each request.
    var contradictsAuthority: Bool {
        guard let authority, case .tls(let hello) = sniffed, case .name(let name) = hello.serverName else {
            return false
        }
        return name != authority.name
    }
}
