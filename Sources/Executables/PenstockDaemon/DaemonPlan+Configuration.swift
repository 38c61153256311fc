import AuditStore
import AuditTrail
import Configuration
import ConnectionJourney
import ContentInspection
import LinuxBindings
import NameResolution
import NetworkTypes
import OpenSSLBindings
import OperatorEndpoints
import PolicyEngine
import TLSInterception
import WireFormats

extension DaemonPlan {
    /// Reads the configuration, and the files that it names and that do not change while the daemon runs.
    init(configurationFile path: String, workload: WorkloadFlags) throws(Complaint) {
        var configuration: DaemonConfiguration
        do throws(ConfigurationError) {
            configuration = try DaemonConfiguration.load(path: path)
            configuration.workload = try workload.over(configuration.workload).readingFiles()
        } catch {
            throw Complaint("\(error)", .configuration)
        }
        let workers = configuration.workers ?? usableProcessors()
        let policyPaths = configuration.policy.paths
        let interception = configuration.interception.map {
            InterceptionPlan($0, roots: configuration.dial.trust.map(\.path))
        }
        let secrets = configuration.secrets
        let egress = EgressPlan(settings: configuration.egress, roots: configuration.dial.trust.map(\.path))
        self.init(
            workers: workers,
            interruptsOthers: configuration.scheduling == .normal,
            transparent: configuration.listen.transparent,
            transparentPort: configuration.listen.transparentPort,
            transparentArrival: configuration.listen.isTransparentRouted ? .routed : .redirected,
            explicit: configuration.listen.explicit,
            explicitPort: configuration.listen.explicitPort,
            apiPort: configuration.listen.apiPort,
            health: configuration.listen.health,
            admin: AdminPlan(configuration.listen),
            interception: interception,
            auditPath: configuration.audit.path,
            durability: configuration.audit.durability == .synced ? .synced : .written,
            store: AuditStoreSettings(configuration),
            journeys: JourneySettings(configuration, workers: workers),
            resolving: try ResolverSettings(configuration.dial),
            drainSeconds: Int(configuration.drain.time.components.seconds),
            policyPaths: policyPaths,
            egress: egress,
            secretPaths: secrets.values.map(\.path).sorted() + egress.paths + (interception?.upstreamPaths ?? []),
            watchSeconds: Int(configuration.policy.watchTime.components.seconds),
            statePath: configuration.state.path,
            loadPolicy: { try ReadPolicy(policyPaths, secrets, egress, canIntercept: interception != nil) }
        )
    }
}

extension AdminPlan {
    /// Without a list, the daemon's own user and group may use it: the watcher and the operator run as these.
    fileprivate init(_ listen: ListenSettings) {
        let own = effectiveIdentity()
        let listed = listen.adminPeers.map { AdminPeer(user: $0.user, group: $0.group) }
        self.init(
            path: listen.adminPath,
            isNeeded: listen.isAdminNeeded,
            peers: Set(listed.isEmpty ? [AdminPeer(user: own.user, group: own.group)] : listed)
        )
    }
}

extension DialSettings.TrustSource {
    /// Where a distribution keeps the certificates of all authorities, or the file that is named.
    var path: String {
        switch self {
        case .system: SystemRoots.place() ?? SystemRoots.places[0]
        case .file(let path): path
        }
    }
}

extension AuditStoreSettings {
    fileprivate init(_ configuration: DaemonConfiguration) {
        let audit = configuration.audit
        self.init(
            rotation: Rotation(bytes: audit.rotate.bytes, microseconds: Int64(audit.rotate.hours) * 3_600_000_000),
            keeping: Keeping(seconds: audit.keep.days.map { Int64($0) * 86_400 }, bytes: audit.keep.bytes),
            budget: audit.budgetBytes.map { Budget(bytes: $0) },
            statePath: configuration.state.path,
            signing: Signing(
                records: audit.checkpoint.records,
                microseconds: Int64(audit.checkpoint.seconds) * 1_000_000,
                keySeconds: Int64(audit.keyDays) * 86_400
            ),
            report: Report { say($0) }
        )
    }
}

extension JourneySettings {
    /// Limits are given for the daemon and kept for each loop.
    fileprivate init(_ configuration: DaemonConfiguration, workers: Int) {
        self.init()
        let limits = configuration.limits
        sniffing.helloBytes = limits.sniffBytes
        sniffing.headBytes = limits.sniffBytes
        sniffNanoseconds = limits.sniffTime.nanoseconds
        silenceNanoseconds = limits.serverFirstTime.nanoseconds
        inspection.heldBytes = limits.heldBytes
        inspection.eventBytes = limits.heldBytes
        inspectionBytes = max(1, limits.inspectionBytes / workers)
        inspection.expansion = UInt64(clamping: limits.expansion)
        bodyNanoseconds = limits.bodyTime.nanoseconds
        dialNanoseconds = configuration.dial.timeout.nanoseconds
        undecided = max(1, limits.undecided / workers)
        decisionsPerSecond = max(1, limits.decisionsPerSecond / workers)
        connections = limits.connections.map { max(1, $0 / workers) } ?? .max
        // 15853 is where DNS will be answered: nobody is let through to it meanwhile.
        ownPorts = Set(configuration.listen.ports + [15853])
        let hasMarks = configuration.egress.values.contains { $0.mark != nil }
        loopUser = configuration.listen.isTransparentRouted && hasMarks ? effectiveIdentity().user : nil
        workload = WorkloadIdentity(
            namespace: configuration.workload.namespace,
            pod: configuration.workload.pod,
            serviceAccount: configuration.workload.serviceAccount,
            uid: nil
        )
    }
}

extension ResolverSettings {
    fileprivate init(_ dial: DialSettings) throws(Complaint) {
        var servers = dial.resolvers
        if servers.isEmpty {
            servers = try Self.systemServers("/etc/resolv.conf")
        }
        self.init(servers: servers)
        if let path = dial.hostsFile { hosts = try Self.hosts(path) }
        timeoutMilliseconds = Int(dial.queryTimeout.nanoseconds / 1_000_000)
        tries = dial.queryTries
        deadlineMilliseconds = Int(dial.timeout.nanoseconds / 1_000_000)
        secondsToLive = dial.secondsToLive
        negativeSeconds = dial.negativeSeconds
        cacheCapacity = dial.cacheNames
    }

    /// The servers of the machine; lines of others are warned of.
    private static func systemServers(_ path: String) throws(Complaint) -> [SocketAddress] {
        let file: ResolverFile
        do throws(SystemCallError) {
            file = ResolverFile(parsing: try readFile(path, limit: 65536))
        } catch {
            throw Complaint("\(path): \(error); name the servers in dial.resolvers", .configuration)
        }
        if let first = file.unusableLines.first {
            let more = file.unusableLines.dropFirst().prefix(7).map { ", \($0)" }.joined()
            let lines = more.isEmpty ? "line \(first) is" : "lines \(first)\(more) are"
            say(
                "warning: \(path): the name server of \(lines) not used, being no plain address of one server; "
                    + "mend the file, or name the servers in dial.resolvers"
            )
        }
        guard !file.servers.isEmpty else {
            throw Complaint("\(path) names no server that can be used; name them in dial.resolvers", .configuration)
        }
        return file.servers
    }

    private static func hosts(_ path: String) throws(Complaint) -> HostsFile {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try readFile(path, limit: 1 << 20)
        } catch {
            throw Complaint(
                "dial.hosts_file: \(path): \(error); name a file that is there, or leave the key out",
                .configuration
            )
        }
        do throws(HostsFileProblems) {
            return try HostsFile(parsing: bytes)
        } catch {
            let lines = error.problems.map { "\(path):\($0.line): \($0.kind.text)" }
            throw Complaint(lines.joined(separator: "\n"), .configuration)
        }
    }
}

extension HostsFileProblem.Kind {
    /// What is wrong, and what to do.
    fileprivate var text: String {
        switch self {
        case .notAnAddress(let text): "`\(text)` is no address; begin the line with one, or with #"
        case .noName: "no name behind the address; add one, or remove the line"
        case .notAName(let text, .notLDH):
            "`\(text)` is no host name: only letters, digits and hyphens; correct or remove it"
        case .notAName(let text, let fault): "`\(text)` is no host name (\(fault.rawValue)); correct or remove it"
        case .tooManyAddresses(let name): "too many addresses of \(name.text); remove some"
        case .tooManyLines: "too many lines; remove some, or have DNS answer"
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
