import Foundation
import Testing

/// A pod with the kernel's rules and the daemon, and a world that plays many servers.
final class DaemonBed {
    let net: PodAndWorld
    let folder: DaemonFolder
    let handover: Handover
    /// The servers of `DaemonWorld`; their output says what they saw.
    let world: BackgroundProcess
    /// The last daemon that was started.
    private(set) var daemon: BackgroundProcess?

    private init(_ net: PodAndWorld, _ settings: DaemonSettings) throws {
        self.net = net
        folder = try DaemonFolder(settings)
        handover = settings.handover
        try net.pod.must(Self.install(handover))
        try net.world.must(["nft", "-f", "-"], input: Self.counting)
        world = try net.world.startPython(
            DaemonWorld.program,
            as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
        )
    }

    /// The command that installs the rules.
    static func install(_ handover: Handover) -> [String] {
        [Built.path("penstock-init"), "install", "--dns-server", "203.0.113.53"] + handover.flags
    }

    /// Installs the rules again.
    func install() throws { try net.pod.must(Self.install(handover)) }

    /// Makes all of it, waits until the daemon is ready unless `start` is false, and takes it down afterwards.
    static func with(
        _ settings: DaemonSettings = DaemonSettings(),
        start: Bool = true,
        environment: [String: String] = [:],
        _ body: (DaemonBed) throws -> Void
    ) throws {
        try PodAndWorld.with { net in
            let bed = try DaemonBed(net, settings)
            if start { try bed.start(environment: environment) }
            try body(bed)
        }
    }

    /// Starts the daemon as in its container; `wrapper` goes in front of it.
    func start(environment: [String: String] = [:], wrapper: [String] = [], untilReady: Bool = true) throws {
        let command = wrapper + [Built.path("penstockd"), "--config", folder.configuration]
        let daemon = try net.pod.start(
            command,
            uid: 10880,
            capabilities: handover.capabilities,
            environment: environment
        )
        self.daemon = daemon
        guard untilReady else { return }
        let answer = try health("/readyz", status: 200)
        guard answer.hasPrefix("200") else {
            let said = daemon.errors + answer
            daemon.stop()
            throw CommandFailed(command: command, result: CommandResult(status: 124, output: "", errors: said))
        }
    }

    /// The daemon's process; 0 where there is none.
    var pid: Int32 { daemon?.pid ?? 0 }

    /// Sends a signal to the daemon.
    func signal(_ number: Int32) { daemon?.signal(number) }

    /// Kills the daemon as the kernel would for want of memory.
    func kill() { daemon?.stop() }

    /// Ends the daemon in order, and answers its exit status.
    @discardableResult
    func end() -> Int32 {
        signal(SIGTERM)
        return daemon?.wait().status ?? -1
    }

    /// What the daemon has written to standard error.
    var said: String { daemon?.errors ?? "" }

    /// True once the daemon has written this to standard error.
    func says(_ text: String) -> Bool { daemon?.says(text) ?? false }

    /// Asks the health port until it answers with this status and text, for so long; its last answer, status first.
    func health(_ path: String, status: Int, containing text: String = "", seconds: Double = 30) throws -> String {
        let result = try net.pod.python(
            DaemonWorld.kit + "print(ask_until(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])), end='')",
            [path, "\(status)", text, "\(seconds)"],
            as: RunAs(uid: 0, gid: 0),
            seconds: seconds + 10
        )
        return result.output + result.errors
    }

    /// Asks five times whether the daemon is ready, which it must be; how long the quickest answer took, with the program that asks.
    ///
    /// The best of them: a busy machine is not what is measured.
    func quickestProbe() throws -> Duration {
        var quickest = Duration.seconds(99)
        for _ in 0..<5 {
            let start = ContinuousClock.now
            #expect(try health("/readyz", status: 200).hasPrefix("200"))
            quickest = min(quickest, ContinuousClock.now - start)
        }
        return quickest
    }

    /// What the world hears from `/healthz` over IPv4 and IPv6: each time a status, or an error's name.
    ///
    /// It asks until that is what is expected, for 15 s.
    func probe(until expected: String) throws -> String {
        let program =
            DaemonWorld.kit + """
                def ask(address):
                    try:
                        with dial(address, 15890, 3) as s:
                            s.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
                            return read_all(s).decode().split(" ")[1]
                    except OSError as error: return name(error)
                deadline = time.time() + 15
                while True:
                    answers = " ".join(map(ask, sys.argv[2:]))
                    if answers == sys.argv[1] or time.time() > deadline: break
                    time.sleep(0.1)
                print(answers, end="")
                """
        let addresses = [PodAndWorld.podIPv4, PodAndWorld.podIPv6]
        let result = try net.world.python(program, [expected] + addresses, as: RunAs(uid: 0, gid: 0), seconds: 30)
        return result.output + result.errors
    }

    /// All metrics of this moment, by name and label.
    func metrics() throws -> MetricsReading {
        try MetricsReading(try health("/metrics", status: 200))
    }

    /// Runs a Python program as the agent, with the functions of `DaemonWorld.kit` at hand; its output.
    func agent(_ program: String, _ arguments: [String] = [], seconds: Double = 90) throws -> String {
        let result = try net.pod.python(DaemonWorld.kit + program, arguments, seconds: seconds)
        return result.output + result.errors
    }

    /// Starts a Python program as the agent; it has printed `ready`.
    func startAgent(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent) throws -> BackgroundProcess
    {
        try net.pod.startPython(DaemonWorld.kit + program, arguments, as: user)
    }

    /// What the audit file holds, checked line by line and as a chain.
    func audit() throws -> AuditReading { try AuditReading(folder.audit) }

    /// Waits until the audit file holds what is asked for; it is checked then, or after `seconds`.
    func audit(until condition: (AuditReading) -> Bool, seconds: Double = 60) throws -> AuditReading {
        _ = BackgroundProcess.poll(seconds: seconds) {
            usleep(20_000)
            return (try? audit()).map(condition) ?? false
        }
        return try audit()
    }

    /// Waits for a line of the world's.
    func worldSays(_ text: String, seconds: Double = 60) -> Bool { world.waitForOutput(text, seconds: seconds) }

    // MARK: What arrived

    /// The addresses for which connections came to the world since the last `forgetArrivals`.
    func arrivals() throws -> Set<String> {
        try Set(["v4", "v6"].flatMap { try elements(of: $0) })
    }

    func forgetArrivals() throws {
        try net.world.shell("nft flush set inet opens v4; nft flush set inet opens v6")
    }

    private func elements(of set: String) throws -> [String] {
        let text = try net.world.must(["nft", "-j", "list", "set", "inet", "opens", set])
        let tree = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let items = tree?["nftables"] as? [[String: Any]] ?? []
        return items.compactMap { ($0["set"] as? [String: Any])?["elem"] as? [String] }.flatMap { $0 }
    }

    /// Notes the destination of each SYN that comes over the wire.
    private static let counting = """
        table inet opens {
          set v4 { type ipv4_addr; flags dynamic; size 65535; }
          set v6 { type ipv6_addr; flags dynamic; size 65535; }
          chain wire {
            type filter hook prerouting priority -400;
            iifname "eth0" tcp flags & (syn | ack) == syn update @v4 { ip daddr }
            iifname "eth0" tcp flags & (syn | ack) == syn update @v6 { ip6 daddr }
          }
        }

        """

    // MARK: The daemon's process

    /// Resident memory of its own, in bytes; with `all` also what it has of its program's file, which depends on the machine.
    func residentBytes(all: Bool = false) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(all ? "VmRSS:" : "RssAnon:") })
        return try #require(line.split(separator: " ").compactMap { Int($0) }.first) * 1024
    }

    func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }
}
