import Testing

/// How the explicit proxy is asked for a tunnel; the raw values are the record's word for it.
enum ProxyWay: String, CaseIterable, CustomTestStringConvertible {
    case connect
    case socks5

    var testDescription: String { rawValue }

    /// Python's `connect(authority)`, which is the tunnel or how it was refused, and `inside(authority, data)`.
    var kit: String {
        switch self {
        case .connect: HTTPProxyTests.kit
        case .socks5: HTTPProxyTests.kit + Self.socks
        }
    }

    /// What `connect` says of a tunnel that no rule allows.
    var denial: String {
        switch self {
        case .connect: "403 default_deny"
        case .socks5: "reply 2 closed"
        }
    }

    private static let socks = """
        def where(authority):
            host, _, port = authority.rpartition(":")
            host, port = host.strip("[]"), struct.pack(">H", int(port))
            for kind, family in ((1, socket.AF_INET), (4, socket.AF_INET6)):
                try: return bytes([kind]) + socket.inet_pton(family, host) + port
                except OSError: pass
            return named(host.encode()) + port
        def named(name): return bytes([3, len(name)]) + name
        def greeted(address="127.0.0.1"):
            c = proxied(address); c.raw(bytes([5, 1, 0]))
            assert c.take(2) == bytes([5, 0])
            return c
        def answered(c):
            try: reply = c.take(10)
            except (OSError, EOFError) as error: return name_of(error) if isinstance(error, OSError) else "closed"
            assert reply[0] == 5 and reply[2:] == bytes([0, 1]) + bytes(6), reply
            return c if reply[1] == 0 else "reply %d %s" % (reply[1], c.end())
        def connect(authority, address="127.0.0.1", command=1):
            c = greeted(address); c.raw(bytes([5, command, 0]) + where(authority))
            return answered(c)

        """ + "\n"
}
