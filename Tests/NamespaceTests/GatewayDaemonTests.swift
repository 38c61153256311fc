import Foundation
import Testing

/// A gateway with the daemon on it, a world of servers, and two clients.
final class GatewayDaemonBed {
    let bed: GatewayBed
    let folder: DaemonFolder
    private var daemon: BackgroundProcess?

    private init(_ bed: GatewayBed, _ policy: String) throws {
        self.bed = bed
        var settings = DaemonSettings()
        settings.hasAdmin = true
        settings.policy = DaemonPolicy.text(policy)
        let addresses = "[10.88.0.1, \"2001:db8:88::1\"]"
        settings.listen =
            ", transparent: { port: 15880, addresses: \(addresses) }, explicit: { port: 15881, addresses: \(addresses) }"
        folder = try DaemonFolder(settings)
        try bed.net.world.startPython(
            DaemonWorld.program,
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
        )
    }

    /// Makes it, starts the daemon unless `start` is false, and hands it to `body`.
    static func with(_ policy: String, start: Bool = true, _ body: (GatewayDaemonBed) throws -> Void) throws {
        try GatewayBed.with { gateway in
            let bed = try GatewayDaemonBed(gateway, policy)
            if start {
                bed.start()
                try #require(try bed.isReady(), "\(bed.said)")
            }
            try body(bed)
        }
    }

    var said: String { daemon?.errors ?? "" }

    func start() {
        daemon = try? bed.net.pod.start([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
    }

    func kill() { daemon?.stop() }

    /// What `penstock doctor --json` says on the gateway, as the daemon's user: status, detail and remedy by the name of the check.
    func doctor() throws -> [String: [String]] {
        let command = [Built.path("penstock"), "doctor", "--json", "--admin", folder.adminSocket]
        let result = try bed.net.pod.run(command, uid: 10880, seconds: 60)
        let tree = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        let checks = tree?["checks"] as? [[String: Any]] ?? []
        let told = checks.map { check in
            (check["name"] as? String ?? "?", ["status", "detail", "remedy"].map { check[$0] as? String ?? "" })
        }
        return Dictionary(told, uniquingKeysWith: { $1 })
    }

    /// Starts the watcher of `install` with these flags; it has compared once.
    func startWatcher(_ flags: [String]) throws -> BackgroundProcess {
        let user = DaemonBed.watcher
        let command = [
            Built.path("penstock-init"), "verify", "--watch", "--watch-seconds", "1", "--admin-socket",
            folder.adminSocket,
        ]
        let watcher = try bed.net.pod.start(
            command + flags,
            uid: user.uid,
            gid: user.gid,
            capabilities: user.capabilities
        )
        guard watcher.waitForOutput("table inet penstock") else {
            throw CommandFailed(command: command + flags, result: watcher.wait(seconds: 0))
        }
        return watcher
    }

    func isReady() throws -> Bool {
        let program = DaemonWorld.kit + "print(ask_until('/readyz', '200', '', 15.0), end='')"
        return try bed.net.pod.python(program, as: RunAs(uid: 0, gid: 0), seconds: 25).output.hasPrefix("200")
    }

    /// What a program of a client's prints, with the functions of `DaemonWorld.kit` at hand.
    func client(_ number: Int, _ program: String, _ arguments: [String] = []) throws -> String {
        let result = try bed.clients[number].python(DaemonWorld.kit + program, arguments, seconds: 30)
        return result.output + result.errors
    }

    /// The records of this kind, once there are so many.
    func records(_ kind: String, _ count: Int) throws -> [AuditLine] {
        var found: [AuditLine] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            usleep(20_000)
            found = (try? AuditReading(self.folder.audit).lines.filter { $0.kind == kind }) ?? []
            return found.count >= count
        }
        return found
    }
}

extension AuditLine {
    /// A member of `workload`.
    fileprivate func workload(_ key: String) -> Any? { (object["workload"] as? [String: Any])?[key] }
}

@Suite("The daemon as a gateway")
struct GatewayDaemonTests {
    private static let places = "cidrs: [203.0.113.0/24, \"2001:db8:99::/64\"]"
    private static let talk = "print(echo(sys.argv[1], int(sys.argv[2])))"

    @Test(
        "penstock doctor sees what a gateway lacks: forwarding, an address, its interface, its rules; it probes nothing"
    )
    func doctor() throws {
        try GatewayDaemonBed.with("      - { name: nothing, match: { hosts: [] }, action: deny }") { bed in
            func gateway(_ status: String, _ words: String) -> Bool {
                var last: [String]?
                let isSeen = BackgroundProcess.poll(seconds: 8) {
                    last = try? bed.doctor()["gateway"]
                    return last?[0] == status && last?.contains { $0.contains(words) } == true
                }
                if !isSeen { Issue.record("\(status) \(words): \(String(describing: last))") }
                return isSeen
            }
            #expect(gateway("ok", "which interfaces is not known"))
            let selfTest = try bed.doctor()["self-test"]
            #expect(selfTest?[0] == "skipped" && selfTest?[1].contains("try from a client") == true)
            let flags = ["--gateway", GatewayBed.bridge, "--dns-server", "203.0.113.53"]
            let watcher = try bed.startWatcher(flags)
            #expect(gateway("ok", "governed (agents0)"))
            try bed.bed.net.pod.shell("echo 0 > /proc/sys/net/ipv4/ip_forward")
            #expect(gateway("note", "forwarding is off (net.ipv4.ip_forward)"))
            try bed.bed.net.pod.shell("ip addr del \(GatewayBed.gatewayIPv4)/24 dev agents0")
            #expect(gateway("failed", "10.88.0.1 of listen.transparent.addresses is on no interface"))
            try bed.bed.net.pod.shell("ip link set agents0 down; ip link set agents0 name other0")
            #expect(gateway("failed", "there is no interface agents0"))
            watcher.stop()
            _ = try bed.startWatcher(["--dns-server", "203.0.113.53"])
            #expect(gateway("failed", "penstock-init install --gateway IFACE"))
        }
    }

    @Test("a policy tells clients apart by their address, and the records name it", arguments: Far.both)
    func clients(address: String) throws {
        let rule = """
              - name: first
                match: { \(Self.places), ports: [7001], workload: { addresses: [10.88.0.2, "2001:db8:88::2"] } }
                action: allow
            """
        try GatewayDaemonBed.with(rule) { bed in
            #expect(try bed.client(0, Self.talk, [address, "7001"]) == "ok\n")
            #expect(try bed.client(1, Self.talk, [address, "7001"]) != "ok\n")
            let records = try bed.records("connection", 2)
            #expect(records.map(\.isAllowed) == [true, false])
            for (number, record) in records.enumerated() {
                let client = GatewayBed.address(number, like: address)
                #expect(record.workload("address") as? String == client)
                #expect(record.workload("uid") is NSNull)
                let expected = client.contains(":") ? "[\(client)]:" : "\(client):"
                #expect(record.text("client").hasPrefix(expected), "\(record.object)")
                #expect(record.original == address)
            }
        }
    }

    @Test("each client has a budget of its own, and requests carry their client's address")
    func budgets() throws {
        let rules = """
              - { name: echo, match: { \(Self.places), ports: [7001] }, action: allow, budget: { requests: 2, by: workload } }
              - { name: web, match: { \(Self.places), ports: [7002], protocols: [http] }, action: allow }
            """
        try GatewayDaemonBed.with(rules) { bed in
            for client in 0..<2 {
                let program = "for _ in range(3): \(Self.talk)"
                let said = try bed.client(client, program, ["203.0.113.7", "7001"]).split(separator: "\n")
                let areServed = said.map { $0 == "ok" }
                #expect(areServed == [true, true, false], "\(said)")
            }
            let reasons = try bed.records("connection", 6).map(\.reason)
            let exhausted = reasons.count { $0 == "budget_exhausted" }
            #expect(exhausted == 2, "\(reasons)")
            _ = try bed.client(
                1,
                "print(echo(sys.argv[1], 7002, b'GET / HTTP/1.1\\r\\nHost: 203.0.113.7:7002\\r\\n\\r\\n'))",
                ["203.0.113.7"]
            )
            let request = try #require(try bed.records("request", 1).first)
            #expect(request.workload("address") as? String == "10.88.0.3", "\(request.object)")
        }
    }

    @Test("the explicit proxy serves clients at the gateway's address", arguments: GatewayBed.gatewayAddresses)
    func explicitProxy(address: String) throws {
        let rule = """
              - name: first
                match: { \(Self.places), ports: [7001], workload: { addresses: [10.88.0.2, "2001:db8:88::2"] } }
                action: allow
            """
        try GatewayDaemonBed.with(rule) { bed in
            let program = """
                with socket.create_connection((sys.argv[1], 15881), 5) as s:
                    s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n")
                    print(s.recv(500).decode().split()[1])
                    s.sendall(b"\\0hello"); print(s.recv(100))
                """
            let allowed = try bed.client(0, program, [address])
            #expect(allowed == "200\nb'\\x00hello'\n", "\(bed.said)")
            _ = try bed.client(1, program, [address])
            let records = try bed.records("connection", 2)
            #expect(records.map(\.isAllowed) == [true, false])
            let captures = records.map { $0.text("capture") }
            #expect(captures == ["explicit", "explicit"])
            #expect(records.last?.workload("address") as? String == GatewayBed.address(1, like: address))
        }
    }

    @Test(
        "A40, A13: the daemon's ports at the gateway's other addresses are its own, and refused",
        arguments: [15880, 15881, 8081, 15890]
    )
    func ownListener(port: Int) throws {
        let rule = "  - { name: all, match: { cidrs: [0.0.0.0/0] }, action: allow }"
        try GatewayDaemonBed.with(rule) { bed in
            let address = port == 15881 ? GatewayBed.gatewayIPv4 : PodAndWorld.podIPv4
            let target = port == 15881 ? "\(address):15880" : "\(address):\(port)"
            let program = """
                try:
                    with socket.create_connection(("\(address)", \(port)), 5) as s:
                        if \(port) == 15881: s.sendall(b"CONNECT \(target) HTTP/1.1\\r\\nHost: \(target)\\r\\n\\r\\n")
                        print(s.recv(100).decode().split()[1])
                except (OSError, IndexError): print("refused")
                """
            let seen = try bed.client(0, program)
            #expect(seen == (port == 15881 ? "403\n" : "refused\n"))
            #expect(try bed.records("connection", 1).first?.reason == "own_listener")
        }
    }

    @Test("A09: kill -9 of the daemon ends what was open, and nothing goes on past it", arguments: Far.both)
    func killed(address: String) throws {
        let rule = "  - { name: all, match: { \(Self.places), ports: [7001] }, action: allow }"
        try GatewayDaemonBed.with(rule) { bed in
            try bed.bed.net.countArrivals("fromClients", "ip saddr 10.88.0.0/24")
            try bed.bed.net.countArrivals("fromClients6", "ip6 saddr 2001:db8:88::/64")
            let client = try bed.bed.client.startPython(
                DaemonWorld.kit + """
                    s = dial(sys.argv[1], 7001, 10); s.sendall(b"\\0one"); print(s.recv(9)); print("ready", flush=True)
                    try: print(s.recv(9))
                    except OSError as error: print(name(error))
                    """,
                [address]
            )
            bed.kill()
            #expect(client.wait().output.hasPrefix("b'\\x00one'\nready\n"), "\(client.output)")
            #expect(try bed.client(0, Self.talk, [address, "7001"]) == "ECONNREFUSED\n")
            let arrived = try ["fromClients", "fromClients6"].map { try bed.bed.net.arrivals($0) }
            #expect(arrived == [0, 0], "what leaves is the daemon's, from the gateway's own address")
            bed.start()
            #expect(try bed.isReady(), "\(bed.said)")
            #expect(try bed.client(0, Self.talk, [address, "7001"]) == "ok\n")
        }
    }

    @Test("an address of an interface that is still to come is waited for")
    func laterAddress() throws {
        let rule = "  - { name: all, match: { \(Self.places), ports: [7001] }, action: allow }"
        try GatewayDaemonBed.with(rule, start: false) { bed in
            try bed.bed.net.pod.shell("ip addr del \(GatewayBed.gatewayIPv4)/24 dev \(GatewayBed.bridge)")
            bed.start()
            let isTold = BackgroundProcess.poll(seconds: 60) {
                usleep(20_000)
                return bed.said.contains("listen.transparent: cannot listen on 10.88.0.1:15880")
            }
            #expect(isTold, "\(bed.said)")
            try bed.bed.net.pod.shell("ip addr add \(GatewayBed.gatewayIPv4)/24 dev \(GatewayBed.bridge)")
            #expect(try bed.isReady(), "\(bed.said)")
            #expect(try bed.client(0, Self.talk, ["203.0.113.7", "7001"]) == "ok\n")
        }
    }
}
