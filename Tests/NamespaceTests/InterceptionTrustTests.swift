import Foundation
import Testing

@Suite("What servers are verified by, and shown, while the daemon runs")
struct InterceptionTrustTests {
    /// What the daemon says once it has others.
    private static let news = "what servers are verified by, and shown, was read from its files"

    @Test(
        "G09, B20: trust is taken away without a signal, also from connections that are open, that wait and that were"
    )
    func trust() throws {
        try InterceptedPod.with { bed in
            let sound = "https://allowed.example:8443"
            let other = "https://allowed.example:\(try #require(InterceptedPod.Port.kinds[.unknownIssuer]))"
            let agent = try bed.startPython(
                """
                kept = inside(); print(why(kept.ask(*at("/a")))); print("ready"); end = time.time() + 60
                # It is busy: nobody else is lent its upstream.
                while not os.path.exists("\(bed.place())") and time.time() < end: kept.ask(*at("/a")); time.sleep(0.002)
                print(why(kept.ask(*at("/kept"))))
                """
            )
            // It waits in the pool, and its ticket is kept.
            #expect(try bed.curl("\(sound)/b") == "GET /b<200>")
            #expect(try bed.curl("\(other)/c").contains("upstream_certificate_unknown_issuer"))
            try bed.files.replace("root.pem", with: "other.pem")
            #expect(bed.hasSaid(Self.news, times: 1), "\(bed.pod.daemon.errors)")
            try bed.go()
            #expect(agent.wait().output == "200\nready\n502 upstream_failed\n", "\(agent.wait())")
            #expect(try bed.curl("\(sound)/d").contains("upstream_certificate_unknown_issuer"))
            #expect(try bed.curl("\(other)/e") == "GET /e<200>")
            let asked = Set(bed.origin.requests().compactMap { $0.split(separator: " ").dropLast().last })
            #expect(asked == ["/a", "/b", "/e"])
        }
    }

    @Test("G09, B20: a server that keeps its handshake waiting until trust is taken away is asked for nothing")
    func waiting() throws {
        try InterceptedPod.with { bed in
            let program = """
                import socket, ssl, sys, time, os
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
                l = socket.create_server(("203.0.113.10", 8460)); print("ready")
                for _ in range(4):
                    c = l.accept()[0]; print("accepted"); end = time.time() + 60
                    while not os.path.exists(sys.argv[3]) and time.time() < end: time.sleep(0.01)
                    try:
                        c.settimeout(20); c = context.wrap_socket(c, server_side=True)
                        print("asked" if c.recv(4096) else "ended")
                    except OSError as error: print("failed")
                """
            let files = [bed.files.path("sound.pem"), bed.files.path("sound.key"), bed.place()]
            let server = try bed.pod.net.world.start(["/usr/bin/python3", "-u", "-c", program] + files)
            #expect(server.waitForOutput("ready"))
            let agent = try bed.startPython(
                #"c = inside(port=8460); print("ready"); print(why(c.ask(*at("/", "allowed.example:8460"))))"#
            )
            #expect(server.waitForOutput("accepted"))
            try bed.files.replace("root.pem", with: "other.pem")
            bed.pod.daemon.signal(SIGHUP)
            #expect(bed.hasSaid(Self.news, times: 1), "\(bed.pod.daemon.errors)")
            try bed.go()
            #expect(agent.wait().output.hasSuffix(" upstream_failed\n"), "\(agent.wait())")
            #expect(!server.output.contains("asked"), "\(server.output)")
            server.stop()
        }
    }

    @Test("a certificate for servers that ask is renewed without a signal; what cannot be read changes nothing")
    func shown() throws {
        let shown = """
            , client_certificates: [{ hosts: [allowed.example], certificate: $FILES/shown.pem, key: $FILES/shown.key }]
            """
        let url = "https://allowed.example:\(InterceptedPod.Port.wantsCertificate)"
        try InterceptedPod.with(more: shown, preparing: { try $0.show("unknownIssuer") }) { bed in
            #expect(try bed.curl("\(url)/a").contains("upstream_tls_alert_unknown_ca"))
            try bed.files.show("daemon")
            let isRead = BackgroundProcess.poll(seconds: 60) { (try? bed.curl("\(url)/b")) == "GET /b<200>" }
            #expect(isRead, "\(bed.pod.daemon.errors)")
            // A key of another certificate.
            try bed.files.replace("shown.key", with: "sound.key")
            let isRefused = BackgroundProcess.poll(seconds: 60) { (try? bed.pod.isReady()) == false }
            let refusal = "interception.client_certificates: \(bed.files.path("shown.key")): "
            let words = "policy not reloaded, the old one stays in force:\npenstockd:   \(refusal)"
            #expect(isRefused && bed.pod.daemon.errors.contains(words), "\(bed.pod.daemon.errors)")
            #expect(try bed.curl("\(url)/c", "-H", "Connection: close") == "GET /c<200>")
            try bed.files.show("daemon")
            let isReady = BackgroundProcess.poll(seconds: 60) { (try? bed.pod.isReady()) == true }
            #expect(isReady, "\(bed.pod.daemon.errors)")
        }
    }

    @Test("sessions are gone on with after a policy was loaded again, where trust is the same")
    func same() throws {
        try InterceptedPod.with { bed in
            let agent = try bed.startPython(
                """
                kept = inside(); print(why(kept.ask(*at("/a")))); time.sleep(0.5); print("ready"); wait_for("\(bed.place())")
                print(why(kept.ask(*at("/b"))))
                """
            )
            try bed.files.replace("root.pem", with: "root.pem")
            try bed.pod.reload(InterceptedPod.rules)
            try bed.go()
            #expect(agent.wait().output == "200\nready\n200\n", "\(agent.wait())")
            #expect(!bed.hasSaid(Self.news, times: 1, seconds: 0))
            let handshakes = bed.origin.handshakes(on: InterceptedPod.Port.sound)
            // It has given its upstream back, so that it asks by another one, unless the machine was too busy for that.
            #expect(handshakes.first == "TLSv1.3 full -")
            #expect(Set(handshakes.dropFirst()).isSubset(of: ["TLSv1.3 resumed -"]), "\(handshakes)")
        }
    }
}

extension InterceptedPod {
    fileprivate func hasSaid(_ line: String, times: Int, seconds: Double = 60) -> Bool {
        BackgroundProcess.poll(seconds: seconds) { pod.daemon.errors.components(separatedBy: line).count > times }
    }
}

extension InterceptionFiles {
    /// Puts what another file holds in the place of one, in one step.
    fileprivate func replace(_ name: String, with other: String) throws {
        try NetworkNamespace.must([
            "sh", "-ec", #"cd "$1"; cp "$3" next; chown 10880 next; chmod 400 next; mv next "$2""#, "sh", folder.path,
            name, other,
        ])
    }

    /// Has the daemon show a certificate of that kind.
    fileprivate func show(_ kind: String) throws {
        try replace("shown.pem", with: "\(kind).pem")
        try replace("shown.key", with: "\(kind).key")
    }
}
