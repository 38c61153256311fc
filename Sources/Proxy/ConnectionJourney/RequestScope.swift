import EventLoops
import NetworkTypes
import PolicyEngine
import WireFormats

/// A host and a port, as a request names them.
struct Authority: Hashable {
    /// `nil` where an address was given.
    var name: HostName?
    /// `nil` where a name was given.
    var address: IPAddress?
    var port: UInt16

    /// The place itself, where it was given as an address.
    var literal: OriginalDestination? { address.map { OriginalDestination(SocketAddress($0, port: port)) } }
}

extension Authority: CustomStringConvertible {
    /// As CONNECT has it.
    var description: String {
        if let address { return SocketAddress(address, port: port).description }
        return "\(name?.text ?? ""):\(port)"
    }
}

/// Whom the requests of a connection may be for.
enum RequestScope {
    /// Captured: whatever name Host says, at the port that the agent's kernel was asked for.
    case captured(OriginalDestination)
    /// Sent to us as a proxy: whatever whole URI they name.
    case proxy
    /// Inside a CONNECT: what that named, and nothing else.
    case tunnel(Authority)
    /// Inside TLS that ends here: whom the client was shown a certificate of, and nothing else.
    case intercepted(Authority, OriginalDestination?)
}

/// Whom one request is for.
struct RequestTarget {
    /// What was asked for by address; of a captured connection, what its kernel was asked for.
    var original: OriginalDestination?
    var name: HostName?
    var port: UInt16
    /// What Host says that is not so.
    var mismatch: String?
}

/// Why a request is refused before any rule is asked.
struct RequestObjection: Error {
    var reason: Reason
    /// What exactly, for the record and the answer.
    var detail: String
}

extension RequestScope {
    /// Whom a request is for.
    func target(of request: HTTP1Request) throws(RequestObjection) -> RequestTarget {
        // A server that agrees would go on in a protocol whose requests nobody reads here.
        if request.offersH2C { throw RequestObjection(reason: .malformedRequest, detail: "h2c_upgrade") }
        switch self {
        case .captured(let original):
            try requireOwnForm(request)
            let socket = original.socket
            var target = RequestTarget(original: original, port: socket.port)
            if case .name(let name, _) = request.host { target.name = name }
            target.mismatch = mismatch(request.host, target.name, socket.address, socket.port)
            return target
        case .tunnel(let authority):
            try requireOwnForm(request)
            var target = RequestTarget(authority)
            target.mismatch = mismatch(request.host, authority.name, authority.address, authority.port)
            return target
        case .intercepted(let authority, let original):
            try requireOwnForm(request)
            var target = RequestTarget(authority)
            target.original = original ?? target.original
            target.mismatch = mismatch(request.host, authority.name, authority.address, authority.port)
            return target
        case .proxy:
            return RequestTarget(try proxied(request))
        }
    }

    /// What Host says that is not so; one that is missing says nothing.
    private func mismatch(_ host: HTTPHost, _ name: HostName?, _ address: IPAddress?, _ port: UInt16) -> String? {
        let saidPort: UInt16?
        switch host {
        case .absent: return nil
        case .malformed: return "host"
        case .name(let said, let port):
            guard said == name else { return "host" }
            saidPort = port
        case .address(let said, let port):
            guard said == address else { return "host_address" }
            saidPort = port
        }
        return saidPort == nil || saidPort == port ? nil : "host_port"
    }

    private func requireOwnForm(_ request: HTTP1Request) throws(RequestObjection) {
        switch request.form {
        case .origin, .asterisk: return
        case .absolute:
            throw RequestObjection(reason: .proxyInCapture, detail: ProxyRequestKind.absoluteForm.rawValue)
        case .authority: throw RequestObjection(reason: .proxyInCapture, detail: ProxyRequestKind.connect.rawValue)
        }
    }

    private func proxied(_ request: HTTP1Request) throws(RequestObjection) -> Authority {
        switch request.form {
        case .absolute(.http): break
        case .absolute(.https): throw RequestObjection(reason: .malformedRequest, detail: "https_without_connect")
        case .authority: throw RequestObjection(reason: .malformedRequest, detail: "connect_behind_requests")
        case .origin, .asterisk: throw RequestObjection(reason: .malformedRequest, detail: "no_proxy_request")
        }
        guard let authority = Authority(of: request) else {
            throw RequestObjection(reason: .malformedRequest, detail: "host_malformed")
        }
        return authority
    }
}

extension RequestScope {
    /// What requests are read from: plain HTTP, or what was inside TLS.
    var spoken: ApplicationProtocol {
        switch self {
        case .captured, .proxy, .tunnel: .http
        case .intercepted: .tls
        }
    }

    /// True where requests go up in TLS.
    var isIntercepted: Bool { spoken == .tls }

    /// The port that Host need not name.
    var customaryPort: UInt16 { isIntercepted ? 443 : 80 }
}

extension RequestTarget {
    fileprivate init(_ authority: Authority) {
        self.init(original: authority.literal, name: authority.name, port: authority.port)
    }
}

extension Authority {
    /// Whom a request names; `nil` where it names nobody, or an IPv4 address that pretends to be none.
    init?(of request: HTTP1Request) {
        switch request.host {
        case .name(let name, _): self.init(name: name, address: nil, port: request.port)
        case .address(let address, _) where !address.isMappedIPv4:
            self.init(name: nil, address: address, port: request.port)
        case .address, .absent, .malformed: return nil
        }
    }
}

extension Connection {
    /// Whom its requests may be for; `nil` where it carries none.
    var requestScope: RequestScope? {
        if client.isCoded, let place = interceptedPlace { return .intercepted(place, facts.original) }
        guard decision?.treatment == .http else { return nil }
        if let authority { return .tunnel(authority) }
        if proxied != nil { return .proxy }
        return facts.original.map(RequestScope.captured)
    }
}
