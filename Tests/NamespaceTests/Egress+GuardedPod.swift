import Foundation
import Testing

/// A pod behind the real thing: the kernel's rules by penstock-init, and penstockd as UID and GID 10880 without capabilities
/// (by TPROXY with one, until it listens).
///
/// Outside is an `EgressWorld`. The agent's own resolver is the world's DNS server, which the rules let it ask.
final class GuardedPod {
    let net: PodAndWorld
    let world: EgressWorld
    /// Holds the programs, the configuration, the policy and the audit file.
    let folder: URL
    let handover: Handover
    /// The daemon that runs, or ran last.
    private(set) var daemon: BackgroundProcess

    var pod: NetworkNamespace { net.pod }
    var policyFile: URL { folder.appending(path: "policy.yaml") }
    var auditFile: URL { folder.appending(path: "audit/audit.jsonl") }

    /// What the tests' daemons are told of `dial`.
    static let standardDial = "ttl_seconds: { min: 1, max: 1 }, negative_seconds: 1"

    /// Makes pod and world, installs the rules, starts the daemon and waits until it is ready.
    ///
    /// - Parameters:
    ///   - rules: The policy's rules as YAML, or a whole policy if it begins with `apiVersion`.
    ///   - settings: Further keys of penstock.yaml, beside `listen`, `policy`, `audit`, `dial` and `drain`.
    ///   - dial: Further keys of `dial`, as they stand inside braces; `$WORLD` is where the world's authority is.
    ///   - drainSeconds: How long what is open when the daemon is told to stop may last.
    ///   - names: What DNS says, beside the standard names.
    ///   - flags: Further flags of `penstock-init install`.
    ///   - handover: How the rules hand connections over.
    /// - Throws: `CommandFailed`, `EgressWorld.Failed`: the set-up did not work, and no test can go on.
    init(
        _ rules: String = EgressPolicies.standard,
        settings: String = "",
        dial: String = standardDial,
        drainSeconds: Int = 1,
        names: [String: [String]] = [:],
        flags: [String] = [],
        handover: Handover = .standard
    ) throws {
        self.handover = handover
        folder = FileManager.default.temporaryDirectory.appending(path: "nsec-\(UUID().uuidString)")
        net = try PodAndWorld()
        let place = folder.path
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            umask 022
            mkdir -p \(place)/audit \(place)/bin /etc/netns/\(net.pod.name)
            chmod 755 \(place); chmod 700 \(place)/audit; chown 10880:10880 \(place)/audit
            cp \(Built.path("penstock-init")) \(place)/bin/penstock-init
            cp \(Built.path("penstockd")) \(place)/bin/penstockd
            echo 'nameserver \(EgressWorld.resolver)' > /etc/netns/\(net.pod.name)/resolv.conf
            """,
        ])
        world = try EgressWorld(net, folder: folder, names: EgressWorld.standardNames.merging(names) { $1 })
        try Data(EgressPolicies.whole(rules).utf8).write(to: folder.appending(path: "policy.yaml"))
        let configuration = """
            listen: { \(handover.listen)health: { address: 0.0.0.0, port: 15890 } }
            policy: { path: \(place)/policy.yaml }
            audit: { path: \(place)/audit/audit.jsonl }
            dial: { resolvers: [\(EgressWorld.resolver)], \(dial.replacing("$WORLD", with: place)) }
            drain: { seconds: \(drainSeconds) }
            \(settings)

            """
        try Data(configuration.utf8).write(to: folder.appending(path: "penstock.yaml"))
        let install =
            ["\(place)/bin/penstock-init", "install", "--dns-server", EgressWorld.resolver] + handover.flags + flags
        try net.pod.must(install)
        daemon = try Self.launch(folder, net.pod, handover)
        try waitUntilReady()
    }

    deinit {
        stop()
        net.pod.stopAll()
        net.world.stopAll()
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(atPath: "/etc/netns/\(net.pod.name)")
    }

    /// Makes one, hands it to `body`, and takes everything down afterwards, also where `body` throws.
    static func with<Result>(
        _ rules: String = EgressPolicies.standard,
        settings: String = "",
        dial: String = standardDial,
        drainSeconds: Int = 1,
        names: [String: [String]] = [:],
        handover: Handover = .standard,
        _ body: (GuardedPod) throws -> Result
    ) throws -> Result {
        let pod = try GuardedPod(
            rules,
            settings: settings,
            dial: dial,
            drainSeconds: drainSeconds,
            names: names,
            handover: handover
        )
        return try withExtendedLifetime(pod) { try body(pod) }
    }

    // MARK: The daemon

    /// Ends the daemon with SIGTERM, with SIGKILL where it takes over a minute; its exit status.
    @discardableResult
    func stop() -> Int32 {
        daemon.signal(SIGTERM)
        return daemon.wait().status
    }

    /// Starts the daemon anew, with the configuration and the policy as the files now are.
    func start(waiting: Bool = true) throws {
        daemon = try Self.launch(folder, net.pod, handover)
        if waiting { try waitUntilReady() }
    }

    /// Replaces the policy and has it loaded; waits for the record of it, of the new policy or of its refusal.
    func reload(_ rules: String) throws {
        let before = try generation()
        try Data(EgressPolicies.whole(rules).utf8).write(to: policyFile)
        daemon.signal(SIGHUP)
        let isLoaded = BackgroundProcess.poll(seconds: 60) {
            (try? generation()).map { $0 > before } ?? false
        }
        guard isLoaded else { throw EgressWorld.Failed(what: "the reload is not in force: \(daemon.errors)") }
    }

    /// True where /readyz answers 200.
    func isReady() throws -> Bool {
        try pod.run(["curl", "-fs", "-o", "/dev/null", "-m", "5", "http://127.0.0.1:15890/readyz"]).succeeded
    }

    /// Which policy is in force, by number.
    private func generation() throws -> Int {
        try Int(metrics().firstMatch(of: /penstock_policy_generation ([0-9]+)/)?.1 ?? "") ?? 0
    }

    /// What /metrics says.
    func metrics() throws -> String { try pod.must(["curl", "-fs", "-m", "5", "http://127.0.0.1:15890/metrics"]) }

    private func waitUntilReady() throws {
        let ready = BackgroundProcess.poll(seconds: 60) { !daemon.isRunning || ((try? isReady()) ?? false) }
        guard ready, daemon.isRunning else { throw EgressWorld.Failed(what: "penstockd: \(daemon.wait(seconds: 0))") }
    }

    private static func launch(_ folder: URL, _ pod: NetworkNamespace, _ handover: Handover) throws
        -> BackgroundProcess
    {
        try pod.start(
            ["\(folder.path)/bin/penstockd", "--config", "\(folder.path)/penstock.yaml"],
            uid: RunAs.daemon.uid,
            gid: RunAs.daemon.gid,
            capabilities: handover.capabilities
        )
    }

    // MARK: The agent

    /// Runs a command in the pod as `user`, with the pod's resolver, and the world's authority as what clients trust.
    func agent(_ command: [String], as user: RunAs = .agent, seconds: Double = 90) throws -> CommandResult {
        try startAgent(command, as: user).wait(seconds: seconds)
    }

    /// Starts a command as `agent` does; it is killed when nobody holds it any more.
    ///
    /// With `trusting`, those variables are all that say what it trusts.
    func startAgent(_ command: [String], as user: RunAs = .agent, trusting: [String: String]? = nil) throws
        -> BackgroundProcess
    {
        let authority = world.authority
        let standard = ["CURL_CA_BUNDLE": authority, "SSL_CERT_FILE": authority, "NODE_EXTRA_CA_CERTS": authority]
        return try BackgroundProcess(
            ["ip", "netns", "exec", net.pod.name] + user.prefix + command,
            environment: (trusting ?? standard).merging(["HOME": "/nonexistent"]) { $1 }
        )
    }

    /// Runs a Python program as the agent, with `EgressClients.kit` at hand.
    func python(_ program: String, _ arguments: [String] = [], as user: RunAs = .agent, seconds: Double = 90) throws
        -> CommandResult
    {
        try agent(["python3", "-c", EgressClients.kit + program] + arguments, as: user, seconds: seconds)
    }

    // MARK: The record

    /// Every whole line of the audit file, parsed.
    func auditRecords() throws -> [EgressRecord] {
        guard let bytes = try? Data(contentsOf: auditFile) else { return [] }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
        return try lines.map { try EgressRecord(String(decoding: $0, as: UTF8.self)) }
    }

    /// What the audit says of all connections; where they are fewer than `count`, or an allowed one is open, waits for it.
    func connections(_ count: Int = 0, seconds: Double = 60) throws -> [EgressConnection] {
        var found: [EgressConnection] = []
        var failure: (any Error)?
        _ = BackgroundProcess.poll(seconds: seconds) {
            do {
                found = try auditRecords().connections()
            } catch {
                failure = error
                return true
            }
            return found.count >= count && found.allSatisfy { $0["decision"] == "deny" || $0.end != nil }
        }
        if let failure { throw failure }
        return found
    }

    /// Runs `action`, waits until the audit knows `count` connections more, and returns them.
    ///
    /// That it are not more, that every allowed one has its one end and no other has one, is expected here.
    func recorded<Result>(
        _ count: Int = 1,
        _ place: SourceLocation = #_sourceLocation,
        _ action: () throws -> Result
    ) throws -> (result: Result, connections: [EgressConnection]) {
        let before = try auditRecords().connections().count
        let result = try action()
        let found = Array(try connections(before + count).dropFirst(before))
        #expect(found.count == count, "\(result) \(found)", sourceLocation: place)
        for connection in found {
            #expect(
                (connection.end != nil) == (connection["decision"] == "allow"),
                "\(connection)",
                sourceLocation: place
            )
        }
        try #require(found.count >= count, sourceLocation: place)
        return (result, found)
    }
}
