import Foundation
import Testing

@Suite("One service of a host: what is captured")
struct ControlGroupCaptureTests {
    private static let dial = "print(dial(sys.argv[1], int(sys.argv[2])))"
    private static let world = "serve([listen('0.0.0.0', 443), listen('::', 443)], lambda c: c.sendall(b'world'))"

    @Test(
        "the cgroup and what is below it are captured, with the true destination",
        arguments: Far.both,
        [false, true]
    )
    func captured(address: String, below: Bool) throws {
        try ControlGroupBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.rules.startDaemon()
            let result = try bed.run(Self.dial, [address, "443"], in: below ? bed.inner : bed.agent)
            #expect(result.output == "connected daemon\n", "\(result)")
            #expect(daemon.waitForOutput("\(address) 443\n"), "\(daemon.output)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("its neighbor and everybody else go their way, by TCP and UDP", arguments: Far.both)
    func neighbor(address: String) throws {
        try ControlGroupBed.with { bed in
            let daemon = try bed.rules.startDaemon()
            try bed.rules.startWorld(Self.world)
            try bed.net.countArrivals("udp", "udp dport 4433")
            for path in [bed.neighbor, "."] {
                let result = try bed.run(
                    Self.dial + "; print(datagram(sys.argv[1], 4433))",
                    [address, "443"],
                    in: path
                )
                #expect(result.output == "connected world\nsent\n", "\(path): \(result)")
            }
            #expect(try bed.net.arrivals("udp") == 2)
            #expect(daemon.output == "ready\n")
        }
    }

    @Test("what comes in from outside to others is none of our business", arguments: [true, false])
    func neighborInbound(isIPv4: Bool) throws {
        try ControlGroupBed.with { bed in
            let any = isIPv4 ? "0.0.0.0" : "::"
            let server = "serve([listen('\(any)', int(sys.argv[1]))], lambda c: c.sendall(b'neighbor'))"
            // The daemon's ports too: on a host somebody else may have long had them.
            for port in ["7000", "8081"] { try bed.start(server, [port], in: bed.neighbor) }
            let host = isIPv4 ? PodAndWorld.podIPv4 : PodAndWorld.podIPv6
            let result = try bed.rules.world("print(dial(sys.argv[1], 7000), dial(sys.argv[1], 8081))", [host])
            #expect(result.output == "connected neighbor connected neighbor\n", "\(result)")
        }
    }

    @Test("A01, A02: the daemon's user and group let nobody out of a captured cgroup", arguments: Far.both)
    func daemonsOwner(address: String) throws {
        try ControlGroupBed.with { bed in
            let daemon = try bed.rules.startDaemon()
            let result = try bed.run(Self.dial, [address, "443"], in: bed.agent, as: .daemon)
            #expect(result.output == "connected daemon\n", "\(result)")
            #expect(daemon.waitForOutput("\(address) 443\n"), "\(daemon.output)")
        }
    }

    @Test("A09: with the daemon gone a captured connection is refused at once", arguments: Far.both)
    func noDaemon(address: String) throws {
        try ControlGroupBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let result = try bed.run(Self.dial, [address, "443"], in: bed.agent)
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("several cgroups at once, and one that lies deeper")
    func several() throws {
        try ControlGroupBed.with(install: false) { bed in
            let deep = "\(bed.inner)/deep"
            try bed.make(deep)
            defer { try? bed.remove(deep) }
            let flags = ["--cgroup", "/\(deep)", "--cgroup", bed.stranger]
            let installed = try bed.rules.program(["install"] + flags)
            #expect(installed.output.contains("cgroup: \(deep) is captured (level 4, "), "\(installed)")
            let daemon = try bed.rules.startDaemon()
            for (path, port) in [(deep, 1), (bed.stranger, 2)] {
                let result = try bed.run(Self.dial, ["203.0.113.7", "\(port)"], in: path)
                #expect(result.output == "connected daemon\n", "\(result)")
                #expect(daemon.waitForOutput("203.0.113.7 \(port)\n"), "\(daemon.output)")
            }
            // What lies above the deep one is neither captured nor, here, anybody's to leave by.
            #expect(try bed.run(Self.dial, ["203.0.113.7", "3"], in: bed.inner).output == "ECONNREFUSED\n")
        }
    }

    @Test("a process that moves out keeps captured sockets; what it makes outside is free (as documented)")
    func movedOut() throws {
        try ControlGroupBed.with { bed in
            try bed.net.countArrivals("udp", "udp dport 4433")
            try bed.rules.startWorld(Self.world)
            let daemon = try bed.rules.startDaemon()
            let process = try bed.start(
                """
                s = socket.socket(); s.settimeout(20)
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                print("ready", flush=True); sys.stdin.read()
                while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                print(outcome(lambda: s.connect(("203.0.113.7", 443)) or s.recv(9)))
                print(outcome(lambda: u.sendto(b"x", ("203.0.113.7", 4433))))
                print(dial("203.0.113.7", 443), datagram("203.0.113.7", 4433), flush=True)
                """,
                ["/tmp/\(bed.net.pod.name)"],
                in: bed.agent
            )
            try bed.move(process, to: bed.neighbor)
            try NetworkNamespace.must(["touch", "/tmp/\(bed.net.pod.name)"])
            defer { try? FileManager.default.removeItem(atPath: "/tmp/\(bed.net.pod.name)") }
            let result = process.wait()
            #expect(result.output == "ready\nb'daemon'\nEPERM\nconnected world sent\n", "\(result)")
            #expect(daemon.waitForOutput("203.0.113.7 443\n"))
            #expect(try bed.net.arrivals("udp") == 1)
        }
    }

    @Test("install proves the capture from within, and says what is captured and what is refused")
    func said() throws {
        try ControlGroupBed.with(install: false) { bed in
            let result = try bed.rules.program(["install", "--cgroup", bed.agent])
            #expect(result.succeeded, "\(result)")
            for line in [
                "cgroup: \(bed.agent) is captured (level 2, number ",
                "fence: whatever else is in \(bed.parent) is refused, but for the daemon\n",
                "probe: ipv4 in \(bed.agent) captured\nprobe: ipv6 in \(bed.agent) captured\n",
                "ungoverned: services of this machine on loopback and on Unix sockets\nposture: strong\n",
            ] {
                #expect(result.output.contains(line), "\(line) in \(result)")
            }
            // The visit leaves nothing behind.
            let left = try FileManager.default.contentsOfDirectory(atPath: "\(bed.root)/\(bed.agent)")
            let probes = left.filter { $0.hasPrefix("penstock-probe") }
            #expect(probes.isEmpty)
        }
    }
}
