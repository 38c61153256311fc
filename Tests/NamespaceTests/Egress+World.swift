import Foundation

/// The servers of a world: nginx with TLS on 443 and plain on 80, and a DNS server, both on every family.
///
/// nginx answers on **every** address with `NAME at ADDRESS`: the Host that it was asked for, and its own address. So an
/// answer shows where a connection really arrived.
final class EgressWorld {
    /// Where everything of the world is kept; the daemon and the agent may read it.
    let folder: URL
    private let net: PodAndWorld
    private var names: BackgroundProcess?

    static let resolver = "203.0.113.53"
    static let resolverIPv6 = "2001:db8:113::53"

    /// What DNS says in the beginning.
    static let standardNames: [String: [String]] = [
        // Of two addresses a busy machine may let either win the race: those below have one.
        "four.allowed.example": ["203.0.113.10"],
        "six.allowed.example": ["2001:db8:113::10"],
        "allowed.example": ["203.0.113.10", "2001:db8:113::10"],
        "www.allowed.example": ["203.0.113.10", "2001:db8:113::10"],
        "denied.example": ["203.0.113.20", "2001:db8:113::20"],
        "other.example": ["203.0.113.21", "2001:db8:113::21"],
        "v6only.example": ["2001:db8:113::10"],
        "v4only.example": ["203.0.113.10"],
    ]

    /// The certificate authority of the world, as a PEM file, for clients that check.
    var authority: String { folder.appending(path: "ca.pem").path }

    /// Starts the servers.
    init(_ net: PodAndWorld, folder: URL, names: [String: [String]]) throws {
        self.net = net
        self.folder = folder
        try net.world.must(
            ["ip", "-batch", "-"],
            input: "addr add \(Self.resolver)/32 dev lo\naddr add \(Self.resolverIPv6)/128 dev lo nodad\n"
        )
        try Self.certificates.get().write(into: folder)
        try startDNS(names)
        try startWeb()
        try waitForWire()
        try countAllArrivals()
    }

    /// Changes what DNS says, all of it, and waits until it says so.
    func setNames(_ table: [String: [String]]) throws {
        try writeNames(table)
        names?.signal(SIGHUP)
        let read = BackgroundProcess.poll(seconds: 60) {
            text("dns.log").components(separatedBy: "read ").count > reads
        }
        guard read else { throw Failed(what: "DNS does not read its names again: \(text("dns.log"))") }
        reads = text("dns.log").components(separatedBy: "read ").count
    }

    private var reads = 0

    /// What nginx was asked, a line a request: `ADDRESS PORT SNI HOST REQUEST`.
    var requests: [String] { text("access.log").split(separator: "\n").map(String.init) }

    /// The questions that DNS was asked, such as `A allowed.example`.
    var questions: [String] {
        text("dns.log").split(separator: "\n").compactMap { line in
            guard let place = line.range(of: "query[") else { return nil }
            let words = line[place.upperBound...].split(separator: " ")
            return words.count > 1 ? "\(words[0].dropLast()) \(words[1])" : nil
        }
    }

    /// Where packets from the pod arrived, such as `203.0.113.10 tcp 443`, with their number; neighbour discovery aside.
    func arrivals() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for set in ["seen4", "seen6"] {
            let listing = try net.world.must(["nft", "list", "set", "inet", "everything", set])
            for element in listing.matches(of: /([0-9a-f.:]+) \. ([a-z0-9-]+) \. ([0-9a-z-]+) counter packets ([0-9]+)/)
            {
                found["\(element.1) \(element.2) \(element.3)"] = Int(element.4)
            }
        }
        let rest = try net.world.must(["nft", "list", "counter", "inet", "everything", "rest"])
        if let count = rest.firstMatch(of: /packets ([0-9]+)/).flatMap({ Int($0.1) }), count > 0 {
            found["rest"] = count
        }
        return found
    }

    /// How many packets of the pod arrived at an address, on whatever port.
    func arrivals(at address: String) throws -> Int {
        try arrivals().filter { $0.key.hasPrefix("\(address) ") }.reduce(0) { $0 + $1.value }
    }

    /// The text of a file of the world; empty where there is none.
    func text(_ name: String) -> String {
        String(decoding: (try? Data(contentsOf: folder.appending(path: name))) ?? Data(), as: UTF8.self)
    }

    private func countAllArrivals() throws {
        try net.world.must(
            ["nft", "-f", "-"],
            input: """
                table inet everything {
                  set seen4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; counter; }
                  set seen6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 65535; counter; }
                  counter rest { }
                  chain wire {
                    type filter hook prerouting priority -400;
                    iifname "eth0" meta l4proto { tcp, udp } update @seen4 { ip daddr . meta l4proto . th dport }
                    iifname "eth0" meta l4proto { tcp, udp } update @seen6 { ip6 daddr . meta l4proto . th dport }
                    iifname "eth0" meta l4proto != { tcp, udp, ipv6-icmp } counter name rest
                  }
                }

                """
        )
    }

    private func writeNames(_ table: [String: [String]]) throws {
        let lines = table.flatMap { name, addresses in addresses.map { "\($0) \(name)\n" } }
        try Data(lines.joined().utf8).write(to: folder.appending(path: "names"))
    }

    private func startDNS(_ table: [String: [String]]) throws {
        try writeNames(table)
        let server = try net.world.start([
            "dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--user=root", "--pid-file", "--no-resolv",
            "--no-hosts", "--local=/example/", "--local-ttl=1", "--bind-interfaces",
            "--listen-address=\(Self.resolver),\(Self.resolverIPv6)", "--log-queries",
            "--log-facility=\(folder.appending(path: "dns.log").path)",
            "--addn-hosts=\(folder.appending(path: "names").path)",
        ])
        names = server
        let isUp = BackgroundProcess.poll(seconds: 60) { text("dns.log").contains("read ") || !server.isRunning }
        guard isUp, server.isRunning else { throw Failed(what: "dnsmasq: \(server.errors) \(text("dns.log"))") }
        reads = text("dns.log").components(separatedBy: "read ").count
    }

    /// For up to a second after its birth a wire of two ends loses what it is given; a test should not see that.
    private func waitForWire() throws {
        for resolver in [Self.resolver, Self.resolverIPv6] {
            try net.pod.shell(
                """
                for try in $(seq 50); do
                  if timeout 0.3 bash -c 'exec 3<>/dev/tcp/\(resolver)/53' 2>/dev/null; then exit 0; fi
                done
                exit 1
                """
            )
        }
    }

    private func startWeb() throws {
        let place = folder.path
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(place)/\($0);" }
        let configuration = """
            daemon off; master_process off; pid \(place)/nginx.pid; error_log \(place)/nginx.log;
            events { worker_connections 512; }
            http {
              log_format seen '$server_addr $server_port "$ssl_server_name" "$host" "$request"';
              access_log \(place)/access.log seen; default_type text/plain; keepalive_timeout 5s;
              \(temporary.joined(separator: " "))
              ssl_certificate \(place)/server.pem; ssl_certificate_key \(place)/server.key; ssl_protocols TLSv1.2 TLSv1.3;
              server {
                listen 0.0.0.0:80; listen [::]:80; listen 0.0.0.0:443 ssl; listen [::]:443 ssl;
                location / { return 200 "$host at $server_addr\\n"; }
                location /files/ { alias \(place)/files/; autoindex on; }
              }
            }
            """
        try Data(configuration.utf8).write(to: folder.appending(path: "nginx.conf"))
        let server = try net.world.start(["nginx", "-e", "\(place)/nginx.log", "-c", "\(place)/nginx.conf"])
        let isUp = BackgroundProcess.poll(seconds: 60) {
            !server.isRunning || (try? net.world.must(["ss", "-Hltn"]).contains("[::]:443")) ?? false
        }
        guard isUp, server.isRunning else { throw Failed(what: "nginx: \(server.errors) \(text("nginx.log"))") }
    }

    /// A server of the world that does not do its part.
    struct Failed: Error, CustomStringConvertible {
        var what: String
        var description: String { what }
    }

    /// Made once for all worlds: making keys takes its time.
    private static let certificates = Result { try EgressCertificates() }
}

/// An authority, and one certificate of it for all names of the world.
struct EgressCertificates {
    private var files: [String: Data] = [:]

    /// Has openssl make them.
    init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nsec-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        let names = EgressWorld.standardNames.keys.sorted() + ["*.allowed.example", "xn--bcher-kva.example"]
        let place = { (name: String) in folder.appending(path: name).path }
        try NetworkNamespace.must(
            ["openssl", "req", "-x509"] + key + [
                "-keyout", place("ca.key"), "-out", place("ca.pem"), "-subj", "/CN=Authority of the test world",
                "-addext", "basicConstraints=critical,CA:TRUE",
            ]
        )
        try NetworkNamespace.must(
            ["openssl", "req", "-x509"] + key + [
                "-keyout", place("server.key"), "-out", place("server.pem"), "-subj", "/CN=allowed.example",
                "-CA", place("ca.pem"), "-CAkey", place("ca.key"), "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext",
                "subjectAltName=" + names.map { "DNS:\($0)" }.joined(separator: ","),
            ]
        )
        for name in ["ca.pem", "server.pem", "server.key"] {
            files[name] = try Data(contentsOf: folder.appending(path: name))
        }
    }

    /// Writes `ca.pem`, `server.pem` and `server.key`.
    func write(into folder: URL) throws {
        for (name, content) in files { try content.write(to: folder.appending(path: name)) }
    }
}
