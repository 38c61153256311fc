import LinuxBindings
import NetworkTypes
import Posture
import SourceDocuments
import Telemetry
import TrafficCapture

/// One run of the program: what it was asked for, and what it does about it.
struct Session {
    let arguments: CaptureArguments
    /// The user and group of this process, whose sockets the probes are.
    let owner: Owner
    /// Writes a line of the report.
    let say: (String) -> Void

    func run() throws(Failure) {
        switch arguments.command {
        case .help: say(helpText)
        case .version: say("penstock-init \(productVersion)")
        case .install: try install()
        case .hold: try hold()
        case .watch: try watch()
        case .verify: try verify()
        case .print: try print()
        case .remove: try remove()
        }
    }

    @discardableResult
    private func install() throws(Failure) -> CapturePlan {
        let plan = try plan()
        try checkScope(plan)
        try checkResidents(plan)
        let installation: TrafficCapture.Installation
        do throws(CaptureError) {
            var capture = try TrafficCapture()
            installation = try capture.install(plan, as: owner)
        } catch { throw Failure(error) }
        say("installed: \(summary(plan))")
        sayControlGroups(plan)
        sayScope(plan)
        for probe in installation.probes { say(probe.text) }
        for warning in installation.warnings { say("warning: \(warning)") }
        sayPosture(plan, warnings: installation.warnings)
        guard let failed = installation.probes.first(where: \.isFailure) else { return plan }
        throw Failure(
            message:
                "the rules are loaded and stay, but \(failed.text); what is not captured is refused: look for other "
                + "tables with 'nft list ruleset'",
            status: 71
        )
    }

    /// Installs, then keeps the network namespace for others to join, with no right left to change anything in it.
    private func hold() throws(Failure) {
        // Before the rules: from then on SIGTERM waits for us, also where we are the first process of a container.
        let signals: SignalDescriptor
        do throws(SystemCallError) { signals = try SignalDescriptor() } catch { throw cannotHold(error) }
        try install()
        do throws(SystemCallError) {
            try giveUpCapabilities()
            say("holding: until SIGTERM")
            while try signals.wait() == .hangUp {}
        } catch { throw cannotHold(error) }
    }

    private func cannotHold(_ error: SystemCallError) -> Failure {
        Failure(message: "hold: \(error); the network namespace is given up, and the rules with it", status: 70)
    }

    private func verify() throws(Failure) {
        let plan = try plan()
        if let settings = arguments.watch {
            return try watch(plan, settings, keeps: false)
        }
        let reading: RulesetReading
        do throws(CaptureError) {
            var capture = try TrafficCapture()
            reading = try capture.read(plan)
        } catch { throw Failure(error) }
        let differences = plan.differences(from: reading)
        sayControlGroups(plan)
        for line in driftLines(differences) { say(line) }
        for (tally, packets) in reading.tallies where packets > 0 { say("counted: \(tally.rawValue): \(packets)") }
        sayPosture(plan, warnings: differences.prefix(1).map { "not as planned: \($0)" })
        guard differences.isEmpty else {
            throw Failure(
                message: "the rules are not as planned: \(differences[0]) (\(differences.count) in all); "
                    + remedy(differences, foreign: plan.foreignDifferences(from: reading)),
                status: 3
            )
        }
        say("verified: \(summary(plan))")
        sayScope(plan)
    }

    private func remedy(_ differences: [String], foreign: [String]) -> String {
        let others = "only who put it there can remove what is not ours"
        let again = "run penstock-init install with the flags of the first time"
        if differences.allSatisfy(foreign.contains) { return "\(others); penstock-init install leaves it" }
        return differences.contains(where: foreign.contains) ? "\(others); after that \(again)" : again
    }

    private func remove() throws(Failure) {
        let plan = try plan()
        let removal: TrafficCapture.Removal
        do throws(CaptureError) {
            var capture = try TrafficCapture()
            removal = try capture.remove(plan)
        } catch { throw Failure(error) }
        if removal.hadTable { return say("removed: table inet \(plan.table)") }
        let missing = "there is no table inet \(plan.table)"
        say(removal.hadRouting ? "removed: policy routing of ours; \(missing)" : "nothing to remove: \(missing)")
        for table in removal.otherTables { say("still there: table inet \(table): --table \(table) removes it") }
    }

    private func summary(_ plan: CapturePlan) -> String {
        let ruleset = plan.ruleset
        let routes =
            plan.routes.map { ", policy rule \($0.priority) to routing table \($0.table) by mark \($0.mark)" } ?? ""
        return "table inet \(plan.table), \(ruleset.chains.count) chains, \(ruleset.ruleCount) rules\(routes)"
    }

    /// Says what nobody governs, and how strong the boundary is by the plan and by what was found beside it.
    private func sayPosture(_ plan: CapturePlan, warnings: [String]) {
        for hole in plan.ungoverned { say("ungoverned: \(hole)") }
        let weaknesses = (plan.weaknesses + plan.interfaceWeaknesses).map(\.text) + warnings
        say(weaknesses.isEmpty ? "posture: strong" : "posture: weak (\(weaknesses.joined(separator: ", ")))")
    }

    /// Installs, then keeps the rules as planned: puts them back, and swaps them when cgroups come and go.
    private func watch() throws(Failure) {
        let plan = try install()
        try watch(plan, arguments.watch ?? WatchSettings(), keeps: true)
    }

    private func watch(_ plan: CapturePlan, _ settings: WatchSettings, keeps: Bool) throws(Failure) {
        try Watch(
            settings: settings,
            lookup: try lookup(),
            keeps: keeps,
            owner: owner,
            say: say
        ).run(plan)
    }

    private func print() throws(Failure) {
        let plan = try plan()
        if case .controlGroups(let groups) = plan.scope {
            for path in groups.absent { say("# the cgroup \(path) is not there: no rule captures it") }
        }
        say(plan.text)
    }

    /// Looks the cgroups up that are asked for; `nil` where there are none.
    private func lookup() throws(Failure) -> ControlGroupLookup? {
        let settings = try settings()
        do throws(ControlGroupProblem) {
            return try ControlGroupLookup(settings)
        } catch { throw Failure(error, in: settings) }
    }

    /// A namespace that is fenced as a whole is not set free by rules for others.
    private func checkScope(_ plan: CapturePlan) throws(Failure) {
        let wouldFree: Bool
        do throws(CaptureError) {
            var capture = try TrafficCapture()
            wouldFree = plan.wouldFree(try capture.read(plan.table))
        } catch { throw Failure(error) }
        guard wouldFree else { return }
        throw Failure(
            message:
                "table inet \(plan.table) fences all that this network namespace sends, which would be free by these flags; nothing "
                + "was changed: give the new rules a table and marks of their own (--table, --mark), or take the old ones away "
                + "first (penstock-init remove --table \(plan.table))",
            status: 64
        )
    }

    /// Nobody who is free today is cut off by a fence without being asked, and the daemon not at all.
    private func checkResidents(_ plan: CapturePlan) throws(Failure) {
        guard case .controlGroups(let groups) = plan.scope, let lookup = try lookup() else { return }
        let established: Set<String>
        do throws(CaptureError) {
            var capture = try TrafficCapture()
            established = try capture.read(plan.table).establishedFences(of: groups)
        } catch { throw Failure(error) }
        do throws(ControlGroupProblem) {
            try lookup.checkResidents(groups, daemon: plan.daemon, established: established)
        } catch { throw Failure(error, in: try settings()) }
    }

    private func sayControlGroups(_ plan: CapturePlan) {
        guard case .controlGroups(let groups) = plan.scope else { return }
        for line in groups.lines { say(line) }
    }

    private func plan() throws(Failure) -> CapturePlan {
        let settings = try settings()
        // Before anything is looked up on this machine.
        do throws(PlanProblem) { try CapturePlan.checkScopes(settings) } catch { throw Failure(error, in: settings) }
        let isGateway = !settings.gatewayInterfaces.isEmpty
        let needsResolvers = settings.resolvers == nil && arguments.command != .remove && !isGateway
        var groups: ControlGroups?
        // Removing needs the name of the table and no more.
        if arguments.command == .remove {
            groups = settings.cgroups.isEmpty ? nil : ControlGroups()
        } else {
            let lookup = try lookup()
            do throws(ControlGroupProblem) { groups = try lookup?.find() } catch {
                throw Failure(error, in: settings)
            }
        }
        do throws(PlanProblem) {
            let resolvers = needsResolvers ? systemResolvers() : []
            return try CapturePlan(settings, systemResolvers: resolvers, controlGroups: groups)
        } catch { throw Failure(error, in: settings) }
    }

    private func settings() throws(Failure) -> CaptureSettings {
        var settings = try arguments.configuration.map { path throws(Failure) in try read(path) } ?? CaptureSettings()
        do throws(CaptureArguments.Problem) {
            try arguments.apply(to: &settings)
        } catch { throw .usage(error.description) }
        return settings
    }

    private func read(_ path: String) throws(Failure) -> CaptureSettings {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try readFile(path, limit: 1 << 18)
        } catch {
            throw Failure(
                message: "cannot read --config \(path): \(error); name a file that this user may read",
                status: 66
            )
        }
        do throws(SourceProblems) {
            return try CaptureSettings(
                yaml: bytes,
                file: path,
                mode: arguments.command == .remove ? .tproxy : arguments.mode
            )
        } catch { throw .file(error.problems) }
    }

    /// The name servers of the system; none where there is no resolver file.
    private func systemResolvers() -> [IPAddress] {
        guard let bytes = try? readFile("/etc/resolv.conf", limit: 1 << 16) else { return [] }
        let file = ResolverFile(bytes)
        // Not said by print, whose output is for nft.
        for server in file.unreadable where arguments.command != .print {
            let name = "name server '\(printable(server))' of /etc/resolv.conf"
            say("warning: \(name) is no plain address of one server: it stays closed")
        }
        return file.servers
    }
}

/// A line for each difference, a hundred at most, and one that says how many more there are.
func driftLines(_ differences: [String]) -> [String] {
    let limit = 100
    let more = differences.count - limit
    return differences.prefix(limit).map { "drift: \(printable($0))" } + (more > 0 ? ["drift: \(more) more"] : [])
}
