import Foundation
import Testing

/// Proxies of the world that lead out: squid, in the clear and in TLS, and microsocks; all of them want a login.
final class WaysOutProxies {
    let folder = FileManager.default.temporaryDirectory.appending(path: "nsec-ways-\(UUID().uuidString)")
    private var running: [BackgroundProcess] = []

    static let squid = "203.0.113.60"
    static let socks = "203.0.113.61"
    static let names = ["proxy.corp.example": [squid], "socks.corp.example": [socks]]
    static let login = "agent:open sesame"

    init() throws {
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            umask 022
            mkdir -p \(folder.path); cd \(folder.path); chmod 777 .
            printf 'agent:%s\\n' "$(openssl passwd -apr1 'open sesame')" > passwd
            printf '%s\\n' '\(Self.login)' > login; printf 'agent:wrong-word\\n' > wrong
            chown 10880:10880 login wrong; chmod 400 login wrong
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            openssl req -x509 $key -keyout corp.key -out corp.pem -subj "/CN=Corporate test authority" 2>/dev/null
            openssl req $key -keyout proxy.key -out proxy.csr -subj "/CN=proxy.corp.example" 2>/dev/null
            printf 'subjectAltName=DNS:proxy.corp.example' > proxy.ext
            openssl x509 -req -in proxy.csr -CA corp.pem -CAkey corp.key -CAcreateserial -days 2 \
              -extfile proxy.ext -out proxy.pem 2>/dev/null
            chmod 644 *.key *.pem
            """,
        ])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// What squid was asked, a line each: `METHOD TARGET STATUS USER`; waits until there are `count`.
    ///
    /// It writes a line when a tunnel is over.
    func asked(_ count: Int) -> [String] {
        var lines: [String] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            let text = try? String(contentsOf: folder.appending(path: "access.log"), encoding: .utf8)
            lines = (text ?? "").split(separator: "\n").map(String.init)
            return lines.count >= count
        }
        return lines
    }

    /// The ways as penstock.yaml has them.
    var settings: String {
        """
        egress:
          corporate: { http_connect: { address: "proxy.corp.example:3128", credentials: \(path("login")) } }
          corporate-local: { http_connect: { address: "\(Self.squid):3128", credentials: \(path("login")), resolve: local } }
          secured: { http_connect: { address: "proxy.corp.example:3129", credentials: \(path("login")), tls: { trust: [\(path("corp.pem"))] } } }
          distrusted: { http_connect: { address: "proxy.corp.example:3129", credentials: \(path("login")), tls: {} } }
          stranger: { http_connect: { address: "proxy.corp.example:3128" } }
          mistaken: { socks5: { address: "socks.corp.example:1080", credentials: \(path("wrong")) } }
          socks: { socks5: { address: "socks.corp.example:1080", credentials: \(path("login")) } }
          down: { http_connect: { address: "proxy.corp.example:3999", credentials: \(path("login")) } }
          itself: { http_connect: { address: "127.0.0.1:15881" } }
          nowhere: { blackhole: {} }
        """
    }

    /// Starts them in the world of a pod.
    func start(in pod: GuardedPod) throws {
        let place = folder.path
        let configuration = """
            http_port 3128
            https_port 3129 tls-cert=\(place)/proxy.pem tls-key=\(place)/proxy.key
            auth_param basic program /usr/lib/squid/basic_ncsa_auth \(place)/passwd
            auth_param basic children 2 startup=1
            acl known proxy_auth REQUIRED
            acl forbidden dstdomain other.example
            http_access deny !known
            http_access deny forbidden
            http_access allow all
            dns_nameservers \(EgressWorld.resolver)
            logformat short %rm %ru %>Hs %un
            access_log stdio:\(place)/access.log short
            cache_log \(place)/cache.log
            pid_filename \(place)/squid.pid
            coredump_dir \(place)
            cache deny all
            cache_mem 8 MB
            netdb_filename none
            pinger_enable off
            shutdown_lifetime 0 seconds
            visible_hostname proxy.corp.example

            """
        try Data(configuration.utf8).write(to: folder.appending(path: "squid.conf"))
        running = [
            try pod.net.world.start(["squid", "-N", "-f", "\(place)/squid.conf"]),
            // It asks whomever the machine's file names.
            try pod.net.world.start([
                "unshare", "-m", "sh", "-ec",
                """
                echo 'nameserver \(EgressWorld.resolver)' > \(place)/resolv.conf
                mount --bind \(place)/resolv.conf "$(readlink -f /etc/resolv.conf)"
                exec microsocks -i 0.0.0.0 -p 1080 -u agent -P 'open sesame'
                """,
            ]),
        ]
        let isUp = BackgroundProcess.poll(seconds: 30) {
            let sockets = (try? pod.net.world.must(["ss", "-Hltn"])) ?? ""
            return [":3128", ":3129", ":1080"].allSatisfy { sockets.contains($0) }
        }
        guard isUp else {
            throw EgressWorld.Failed(what: "no proxies: \(running.map(\.errors)) \(pod.world.text("cache.log"))")
        }
    }

    /// Makes a pod with these ways out, hands it to `body`, and takes it down.
    static func with<Result>(
        _ rules: String,
        settings: String = "",
        _ body: (GuardedPod, WaysOutProxies) throws -> Result
    ) throws -> Result {
        let proxies = try WaysOutProxies()
        return try GuardedPod.with(rules, settings: proxies.settings + "\n" + settings, names: names) { pod in
            try proxies.start(in: pod)
            return try body(pod, proxies)
        }
    }
}

extension EgressRecord {
    /// The ways of a decision.
    var ways: [String] { members["egress"] as? [String] ?? [] }
}
