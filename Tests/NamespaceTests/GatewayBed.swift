import Testing

/// A gateway between the world and two clients on its bridge: the gateway is the pod of `PodAndWorld`.
///
/// The gateway forwards, and the world knows the way back: without rules everything that a client sends arrives.
struct GatewayBed {
    /// The gateway as `penstock-init` and the rules know it; its `agent` programs run on the gateway.
    let gateway: RulesetBed
    let clients: [NetworkNamespace]

    var net: PodAndWorld { gateway.net }
    var client: NetworkNamespace { clients[0] }

    static let bridge = "agents0"
    static let gatewayIPv4 = "10.88.0.1"
    static let gatewayIPv6 = "2001:db8:88::1"
    static let gatewayAddresses = [gatewayIPv4, gatewayIPv6]

    /// The address of a client, of the family of another address.
    static func address(_ client: Int, like other: String) -> String {
        other.contains(":") ? "2001:db8:88::\(client + 2)" : "10.88.0.\(client + 2)"
    }

    /// Makes it, with these flags of `install` beside `--gateway`; `nil`: without rules.
    static func with(_ flags: [String]? = [], forwards: Bool = true, _ body: (GatewayBed) throws -> Void) throws {
        try PodAndWorld.with { net in
            let bed = try GatewayBed(net, forwards: forwards)
            defer { for client in bed.clients { client.stopAll() } }
            if let flags { try bed.install(flags) }
            try body(bed)
        }
    }

    private init(_ net: PodAndWorld, forwards: Bool) throws {
        gateway = RulesetBed(net: net, mode: .redirect)
        try net.pod.shell(
            """
            ip link add \(Self.bridge) type bridge
            ip addr add \(Self.gatewayIPv4)/24 dev \(Self.bridge)
            ip addr add \(Self.gatewayIPv6)/64 dev \(Self.bridge) nodad
            ip link set \(Self.bridge) up
            echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter; echo 0 > /proc/sys/net/ipv4/conf/\(Self.bridge)/rp_filter
            for family in 4 6; do
              echo 0 > /proc/sys/net/bridge/bridge-nf-call-ip${family#4}tables || true
            done
            echo \(forwards ? 1 : 0) > /proc/sys/net/ipv4/ip_forward
            echo \(forwards ? 1 : 0) > /proc/sys/net/ipv6/conf/all/forwarding
            """
        )
        try net.world.shell(
            """
            ip route add 10.88.0.0/24 via \(PodAndWorld.podIPv4)
            ip route add 2001:db8:88::/64 via \(PodAndWorld.podIPv6)
            """
        )
        clients = try (0..<2).map { try Self.makeClient($0, behind: net.pod) }
    }

    private static func makeClient(_ number: Int, behind gateway: NetworkNamespace) throws -> NetworkNamespace {
        let client = try NetworkNamespace("client\(number)")
        try NetworkNamespace.must([
            "ip", "link", "add", "eth0", "netns", client.name, "type", "veth", "peer", "name", "port\(number)", "netns",
            gateway.name,
        ])
        try gateway.shell("ip link set port\(number) master \(bridge) up")
        try client.shell(
            """
            ip addr add \(address(number, like: "."))/24 dev eth0
            ip addr add \(address(number, like: ":"))/64 dev eth0 nodad
            ip link set eth0 up
            ip route add default via \(gatewayIPv4)
            ip route add default via \(gatewayIPv6)
            """
        )
        return client
    }

    /// Loads the rules for the bridge.
    func install(_ flags: [String] = []) throws { try gateway.install(["--gateway", Self.bridge] + flags) }

    /// Runs a Python program of a client's, with the functions of `RulesetBed.kit` at hand.
    func run(_ program: String, _ arguments: [String] = [], client: Int = 0, as user: RunAs = .agent) throws
        -> CommandResult
    {
        try clients[client].python(RulesetBed.kit + program, arguments, as: user)
    }

    /// Plays the daemon: prints peer and original destination of every connection, answers `daemon`, closes.
    @discardableResult
    func startDaemon() throws -> BackgroundProcess {
        try gateway.startAgent(
            """
            def answer(c):
                print("%s -> %s %d" % ((c.getpeername()[0],) + original(c)), flush=True)
                c.sendall(b"daemon")
            serve([listen(a, 15880) for a in ("127.0.0.1", "::1", "\(Self.gatewayIPv4)", "\(Self.gatewayIPv6)")], answer)
            """,
            as: .daemon
        )
    }

    /// Plays the daemon on loopback alone; without `isTransparent` it lacks the right to be handed anything.
    @discardableResult
    func startTransparentDaemon(isTransparent: Bool = true) throws -> BackgroundProcess {
        try gateway.startAgent(
            """
            def prepare(s):
                if \(isTransparent ? "True" : "False"):
                    s.setsockopt(41 if s.family == socket.AF_INET6 else 0, 75 if s.family == socket.AF_INET6 else 19, 1)
            def answer(c):
                print("%s -> %s %d" % (c.getpeername()[0], c.getsockname()[0], c.getsockname()[1]), flush=True)
                c.sendall(b"daemon")
            serve([listen(a, 15880, prepare) for a in ("127.0.0.1", "::1")], answer)
            """,
            as: RunAs(uid: 10880, gid: 10880, capabilities: ["net_admin"])
        )
    }

    /// Serves a word on a port of the world, at every address.
    @discardableResult
    func startServer(_ port: Int) throws -> BackgroundProcess {
        try gateway.startWorld(
            "serve([listen('0.0.0.0', int(sys.argv[1])), listen('::', int(sys.argv[1]))], lambda c: c.sendall(b'world'))",
            ["\(port)"]
        )
    }
}
