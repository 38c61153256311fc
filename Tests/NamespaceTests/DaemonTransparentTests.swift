import Foundation
import Testing

@Suite("The daemon behind TPROXY")
struct DaemonTransparentTests {
    private static let settings = DaemonSettings(handover: .tproxy)

    /// What the kernel says of all threads of a process, line by line.
    private static func status(of pid: Int32) throws -> [String] {
        let tasks = "/proc/\(pid)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
            try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
        }
    }

    // MARK: Capabilities

    @Test("without CAP_NET_ADMIN the daemon does not start: 77, with what is missing and what to do")
    func lackingCapability() throws {
        let folder = try DaemonFolder(Self.settings)
        let namespace = try NetworkNamespace("lacking")
        let result = try namespace.run([Built.path("penstockd"), "--config", folder.configuration], uid: 10880)
        #expect(result.status == 77, "\(result)")
        for words in [
            "listen.transparent.tproxy: cannot make the listener on 127.0.0.1:15880 transparent",
            "CAP_NET_ADMIN is missing (the daemon runs as UID 10880 and GID 10880)", "--run-as UID:GID",
            "AmbientCapabilities=CAP_NET_ADMIN", "--mode redirect",
        ] {
            #expect(result.errors.contains(words), "\(words): \(result)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.auditFolder).isEmpty)
    }

    @Test("once it listens the daemon has no capability, in none of its threads, and serves on; also after a reload")
    func givesUp() throws {
        try DaemonBed.with(Self.settings) { bed in
            let check = { (moment: String) in
                let threads = try Self.status(of: try #require(bed.daemon?.pid))
                #expect(threads.count > 2)
                for words in ["CapPrm", "CapEff", "CapInh", "CapAmb"].map({ "\($0):\t0000000000000000" }) + [
                    "NoNewPrivs:\t1"
                ] {
                    let lacking = threads.count { !$0.contains(words) }
                    #expect(lacking == 0, "\(moment): \(words)")
                }
                #expect(try bed.agent("print(echo('203.0.113.7'), echo('2001:db8:99::7'))") == "ok ok\n")
            }
            try check("started")
            #expect(bed.says("by TPROXY; all capabilities are given up"), "\(bed.said)")
            bed.signal(SIGHUP)
            _ = try bed.audit { $0.events("policy").count == 2 }
            try check("reloaded")
        }
    }

    @Test("started as root with --run-as it is the daemon's user before it opens anything, and has no capability after")
    func comesDown() throws {
        try DaemonBed.with(Self.settings, start: false) { bed in
            let daemon = try bed.net.pod.start(
                [Built.path("penstockd"), "--run-as", "10880:10880", "--config", bed.folder.configuration],
                uid: 0,
                capabilities: ["net_admin", "setuid", "setgid"]
            )
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"), "\(daemon.errors)")
            let identity = ["Uid:\t10880\t10880\t10880\t10880", "Gid:\t10880\t10880\t10880\t10880", "Groups:\t \n"]
            for thread in try Self.status(of: daemon.pid) {
                for words in identity + ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"] {
                    #expect(thread.contains(words), "\(words): \(thread)")
                }
            }
            let owners = try NetworkNamespace.must(["stat", "-c", "%u:%g", bed.folder.audit])
            #expect(owners == "10880:10880\n")
            #expect(try bed.agent("print(echo('203.0.113.7'), echo('2001:db8:99::7'))") == "ok ok\n")
        }
    }

    /// A way to start it that cannot work, and what is said of it.
    struct Misuse: CustomTestStringConvertible {
        var handover = Handover.tproxy
        var user = RunAs(uid: 0, gid: 0, capabilities: ["net_admin", "setuid", "setgid"])
        var runAs = "10880:10880"
        var status: Int32
        var says: String
        var testDescription: String { "--run-as \(runAs) \(handover) as \(user.uid) \(user.capabilities): \(status)" }
    }

    @Test(
        "--run-as says what it needs and what it is for",
        arguments: [
            Misuse(
                user: RunAs(uid: 0, gid: 0),
                status: 77,
                says: "a start as root with the capabilities NET_ADMIN, SETUID and"
            ),
            Misuse(user: .daemon, status: 77, says: "or start the daemon as its own user"),
            Misuse(handover: .redirect, status: 64, says: "which is not set: start the daemon as its own user"),
            Misuse(runAs: "0:0", status: 64, says: "--run-as needs UID:GID"),
            Misuse(runAs: "penstock", status: 64, says: "--run-as needs UID:GID"),
        ]
    )
    func misuse(_ misuse: Misuse) throws {
        let folder = try DaemonFolder(DaemonSettings(handover: misuse.handover))
        let namespace = try NetworkNamespace("misuse")
        let result = try namespace.run(
            [Built.path("penstockd"), "--config", folder.configuration, "--run-as=\(misuse.runAs)"],
            uid: misuse.user.uid,
            capabilities: misuse.user.capabilities
        )
        #expect(result.status == misuse.status && result.errors.contains(misuse.says), "\(result)")
    }

    // MARK: Rules and a daemon that do not fit each other

    @Test(
        "rules of one kind and a daemon of the other: nothing gets anywhere, and nobody waits",
        arguments: Handover.allCases
    )
    func mismatch(daemon: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: daemon)) { bed in
            try bed.net.pod.must([Built.path("penstock-init"), "remove"])
            try bed.net.pod.must(DaemonBed.install(daemon == .redirect ? .tproxy : .redirect))
            let answers = try bed.agent(
                """
                began = time.time()
                print({echo(a) for a in ("203.0.113.7", "2001:db8:99::7") for _ in range(4)})
                print(time.time() - began < 6)  # a SYN that is not answered is repeated after a second
                """
            )
            switch daemon {
            case .redirect:
                // The kernel hands nothing to a socket that is not transparent.
                #expect(answers == "{'ECONNREFUSED'}\nTrue\n")
                #expect(try bed.audit().connections.isEmpty)
            case .tproxy:
                // Where they were going is not asked of nat: they are refused as dials of the listener itself.
                #expect(answers == "{'ECONNRESET'}\nTrue\n")
                // Beside these are the two by which penstock-init tries its own rules.
                let found = try bed.audit { $0.connections.count == 10 }.connections
                #expect(found.count == 10)
                let said = Set(found.map { "\($0.reason) \($0.original)" })
                #expect(said == ["own_listener 127.0.0.1", "own_listener ::1"])
            }
            #expect(try bed.arrivals().isEmpty)
        }
    }

    // MARK: Ports

    /// Every port is used ten times within a minute: each time it meets what the daemon's socket left behind.
    ///
    /// After an alert the daemon closes first, so that this is a TIME_WAIT with the agent's destination for its own address.
    @Test("20,000 short connections from one address through 2,000 ports: each is answered, none waits")
    func soak() throws {
        let rules = """
              - name: named
                match: { hosts: [allowed.test] }
                action: allow
            """
        try DaemonBed.with(DaemonSettings(policy: DaemonPolicy.text(rules), handover: .tproxy)) { bed in
            try bed.net.pod.shell("sysctl -qw net.ipv4.ip_local_port_range='30000 31999'")
            let result = try bed.agent(
                """
                slowest, seen, lock = 0, {}, threading.Lock()
                def rounds(address, count):
                    global slowest
                    mine, worst = {}, 0
                    for _ in range(count):
                        began = time.time()
                        try:
                            with dial(address, 443, 20) as s:
                                s.sendall(hello(b"denied.test"))
                                what = "alert" if read_all(s)[:1] == b"\\x15" else "other"
                        except OSError as error: what = name(error)
                        mine[what] = mine.get(what, 0) + 1
                        worst = max(worst, time.time() - began)
                    with lock:
                        slowest = max(slowest, worst)
                        for what, n in mine.items(): seen[what] = seen.get(what, 0) + n
                threads = [threading.Thread(target=rounds, args=(a, 2500))
                           for a in ("203.0.113.7", "2001:db8:99::7") for _ in range(4)]
                for thread in threads: thread.start()
                for thread in threads: thread.join()
                print(seen, slowest < 5 or slowest)
                """,
                seconds: 240
            )
            #expect(result == "{'alert': 20000} True\n")
            let reading = try bed.audit { $0.connections.count == 20000 }
            #expect(reading.connections.count == 20000)
        }
    }
}
