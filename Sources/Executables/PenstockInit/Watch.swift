import LinuxBindings
import Posture
import Telemetry
import TrafficCapture

/// Compares the kernel's rules with the plan after every change, and tells people and the daemon.
///
/// As a keeper (`penstock-init watch`) it also swaps the rules where a cgroup has come, gone or been replaced, and puts them back
/// where somebody else has changed them.
struct Watch {
    let settings: WatchSettings
    /// Where the plan's cgroups are found; `nil` where it has none.
    let lookup: ControlGroupLookup?
    /// Whether it changes rules, and not only reads them.
    let keeps: Bool
    /// The user and group that the program was started as.
    let owner: Owner
    /// Writes a line of the report.
    let say: (String) -> Void

    /// While the daemon is not reached it is tried so often, in milliseconds; cgroups are looked at so often whatever is told.
    private static let retry: UInt32 = 1000
    /// A change is seldom alone: the rest of it is waited for so long, in milliseconds.
    private static let settling: UInt32 = 10

    /// Watches until it is told to stop.
    ///
    /// - Throws: where it cannot go on: exit status 77 where CAP_NET_ADMIN is missing, or was taken away.
    func run(_ plan: CapturePlan) throws(Failure) {
        try comeDown(to: plan.daemon)
        let signals: SignalDescriptor
        do throws(SystemCallError) { signals = try SignalDescriptor() } catch { throw cannotStart(error) }
        let folders: DirectoryNotices
        do throws(SystemCallError) { folders = try DirectoryNotices() } catch { throw cannotStart(error) }
        do throws(CaptureError) {
            try follow(plan, TrafficCapture(), Notices(rules: RulesetNotices(plan), folders: folders), signals)
        } catch { throw Failure(error) }
    }

    private func cannotStart(_ error: SystemCallError) -> Failure {
        Failure(message: "cannot start: \(error)", status: 70)
    }

    /// As root: becomes the daemon's user and group, whom the daemon's socket lets in; gives up all but CAP_NET_ADMIN.
    private func comeDown(to daemon: Owner) throws(Failure) {
        do throws(SystemCallError) {
            guard owner.user == 0 else { return try keepNetworkAdministrationOnly() }
            try becomeUserKeepingNetworkAdministration(user: daemon.user, group: daemon.group)
        } catch {
            let needs = owner.user == 0 ? "CAP_NET_ADMIN, CAP_SETUID and CAP_SETGID" : "CAP_NET_ADMIN"
            throw Failure(
                message:
                    "watching as \(owner) needs \(needs) (\(error)): give the container these capabilities, or see "
                    + "docs/operations.md, \"The watcher\"",
                status: 77
            )
        }
    }

    /// What tells of changes.
    private struct Notices: ~Copyable {
        let rules: RulesetNotices
        let folders: DirectoryNotices
    }

    private func follow(
        _ first: CapturePlan,
        _ capture: consuming TrafficCapture,
        _ notices: consuming Notices,
        _ signals: consuming SignalDescriptor
    ) throws(CaptureError) {
        let link = AdminLink(path: settings.socket, say: say)
        var plan = first
        var before: [String]?
        var repairs = Repairs()
        while true {
            notices.rules.takeAll()
            var trouble = listen(notices.folders)
            trouble += try renew(&plan, &capture)
            let finding = try compare(plan, &capture)
            let differences = finding.differences + trouble
            if differences != before { tell(plan, differences, isFirst: before == nil) }
            before = differences
            let isTold = link.send(report(plan, differences))
            // Nothing is put back that was not told before: what changed since is the next turn's.
            if finding.isOfOurs, try putBack(plan, &capture, &repairs) { continue }
            let isQuick = !isTold || lookup != nil || (keeps && !differences.isEmpty)
            let wait = isQuick ? min(Self.retry, settings.seconds * 1000) : settings.seconds * 1000
            let awaited = [signals.descriptor.number, notices.folders.number] + notices.rules.numbers
            switch pause(awaited, link.number, milliseconds: wait) {
            case .stop: return say("stopped: told to\(keeps ? try lastWords(plan, &capture) : "")")
            case .changed: sleepMilliseconds(Self.settling)
            case .folderChanged, .due: break
            case .linkEnded: link.heard()
            }
        }
    }

    // MARK: Cgroups

    /// Listens to the directories as they are now, before anybody looks into them.
    private func listen(_ folders: borrowing DirectoryNotices) -> [String] {
        folders.takeAll()
        for folder in lookup?.watched ?? [] {
            do throws(SystemCallError) { try folders.watch(folder) } catch {
                return ["\(folder) cannot be watched: \(error)"]
            }
        }
        return []
    }

    /// Looks the cgroups up anew, and swaps the rules where they are not the ones of the plan; what stands against that.
    private func renew(_ plan: inout CapturePlan, _ capture: inout TrafficCapture) throws(CaptureError) -> [String] {
        guard let lookup, case .controlGroups(let old) = plan.scope else { return [] }
        let groups: ControlGroups
        do throws(ControlGroupProblem) { groups = try lookup.find() } catch { return ["\(error)"] }
        guard groups != old else { return [] }
        plan = plan.with(groups)
        let isSwapped = keeps ? try mend(plan, &capture) : false
        let news = groups.lines.filter { !old.lines.contains($0) }
        for line in news { say(isSwapped ? "swapped: \(line)" : "changed: \(line)") }
        return []
    }

    // MARK: Rules

    /// Puts the rules back, unless that was done too often; true where it did.
    private func putBack(
        _ plan: CapturePlan,
        _ capture: inout TrafficCapture,
        _ repairs: inout Repairs
    ) throws(CaptureError) -> Bool {
        guard keeps else { return false }
        switch repairs.take(at: monotonicNanoseconds()) {
        case .granted: break
        case .pauseBegins(let seconds):
            say(
                "not put back: table inet \(plan.table): that was done \(Repairs.limit) times within a minute; look who changes "
                    + "it: the next time is in \(seconds) s"
            )
            return false
        case .pausing: return false
        }
        if try mend(plan, &capture) { say("put back: table inet \(plan.table)") }
        return true
    }

    /// Loads the rules; false where somebody has changed them again meanwhile, or fences all of the network namespace by them, which
    /// is seen, and told, at the next look.
    private func mend(_ plan: CapturePlan, _ capture: inout TrafficCapture) throws(CaptureError) -> Bool {
        do throws(CaptureError) {
            guard !plan.wouldFree(try capture.read(plan.table)) else { return false }
            _ = try capture.replace(plan, isInstalled: true)
            return true
        } catch {
            guard error.isRace else { throw error }
            return false
        }
    }

    /// What is left behind, as it is now.
    private func lastWords(_ plan: CapturePlan, _ capture: inout TrafficCapture) throws(CaptureError) -> String {
        let differences = try compare(plan, &capture).differences
        guard let first = differences.first else { return "; the rules stay" }
        return "; what stays is not as planned: \(printable(first)) (\(differences.count) in all)"
    }

    private enum Wake {
        case stop
        case changed
        case folderChanged
        case linkEnded
        case due
    }

    /// `awaited`: signals, folders, and then what tells of rules.
    private func pause(_ awaited: [Int32], _ link: Int32?, milliseconds: UInt32) -> Wake {
        let questions = (awaited + (link.map { [$0] } ?? [])).map { ($0, AwaitedReadiness.readable) }
        let ready = waitForDescriptors(questions, milliseconds: Int32(clamping: milliseconds))
        if ready[0] { return .stop }
        // A cgroup that has come is refused until its rule is swapped: no time is lost on what else may change.
        if ready[1] { return .folderChanged }
        if ready[2..<awaited.count].contains(true) { return .changed }
        // The daemon says nothing of its own accord: it has ended the conversation.
        return link != nil && ready.last == true ? .linkEnded : .due
    }

    /// What one look at the kernel's rules found.
    private struct Finding {
        var differences: [String]
        /// Whether rules of our own are among what differs: those can be put back.
        var isOfOurs: Bool
    }

    private func compare(_ plan: CapturePlan, _ capture: inout TrafficCapture) throws(CaptureError) -> Finding {
        do throws(CaptureError) {
            let reading = try capture.read(plan)
            let differences = plan.differences(from: reading)
            guard !plan.wouldFree(reading) else {
                let word = "table inet \(plan.table) fences all that this network namespace sends, and is not replaced"
                return Finding(differences: [word] + differences, isOfOurs: false)
            }
            return Finding(differences: differences, isOfOurs: !plan.ownDifferences(from: reading).isEmpty)
        } catch {
            // Rules that nobody can read are rules that nobody can vouch for.
            guard error.isRestless else { throw error }
            return Finding(differences: ["\(error)"], isOfOurs: false)
        }
    }

    private func report(_ plan: CapturePlan, _ differences: [String]) -> RulesetReport {
        RulesetReport(
            table: plan.table,
            differences: differences.prefix(8).map { String($0.prefix(300)) },
            weaknesses: (plan.weaknesses + plan.interfaceWeaknesses).prefix(8).map { weakness in
                PlanWeakness(weakness.kind, String(weakness.text.prefix(300)))
            },
            gateway: plan.gatewayInterfaces,
            cgroups: Array(plan.controlGroupPaths.filter { $0.utf8.count <= 300 }.prefix(16)),
            daemon: plan.daemon.description,
            port: UInt64(plan.ports.proxy),
            mode: CaptureWay(plan.mechanism),
            everyMilliseconds: UInt64(settings.seconds) * 1000
        )
    }

    private func tell(_ plan: CapturePlan, _ differences: [String], isFirst: Bool) {
        for line in driftLines(differences) { say(line) }
        let table = "table inet \(plan.table)"
        guard differences.isEmpty else {
            return say("drifted: \(table) is not as planned (\(differences.count) in all)")
        }
        say(isFirst ? "verified: \(table); watching it" : "verified: \(table) is as planned again")
    }
}

extension CaptureWay {
    fileprivate init(_ mechanism: CaptureMechanism) {
        self =
            switch mechanism {
            case .redirect: .redirect
            case .tproxy: .tproxy
            }
    }
}
