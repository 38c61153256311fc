import LinuxBindings
import Posture
import TrafficCapture

/// Compares the kernel's rules with the plan after every change, and tells people and the daemon.
struct Watch {
    let plan: CapturePlan
    let settings: WatchSettings
    /// The user and group that the program was started as.
    let owner: Owner
    /// Writes a line of the report.
    let say: (String) -> Void

    /// While the daemon is not reached it is tried so often, in milliseconds.
    private static let retry: UInt32 = 1000
    /// A change is seldom alone: the rest of it is waited for so long, in milliseconds.
    private static let settling: UInt32 = 10

    /// Watches until it is told to stop.
    ///
    /// - Throws: where it cannot go on: exit status 77 where CAP_NET_ADMIN is missing, or was taken away.
    func run() throws(Failure) {
        try comeDown()
        let signals: SignalDescriptor
        do throws(SystemCallError) {
            signals = try SignalDescriptor()
        } catch { throw Failure(message: "cannot start: \(error)", status: 70) }
        do throws(CaptureError) {
            try follow(TrafficCapture(), RulesetNotices(plan), signals)
        } catch { throw Failure(error) }
    }

    /// As root: becomes the daemon's user and group, whom the daemon's socket lets in; gives up all but CAP_NET_ADMIN.
    private func comeDown() throws(Failure) {
        do throws(SystemCallError) {
            guard owner.user == 0 else { return try keepNetworkAdministrationOnly() }
            try becomeUserKeepingNetworkAdministration(user: plan.daemon.user, group: plan.daemon.group)
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

    private func follow(
        _ capture: consuming TrafficCapture,
        _ notices: consuming RulesetNotices,
        _ signals: consuming SignalDescriptor
    ) throws(CaptureError) {
        let link = AdminLink(path: settings.socket, say: say)
        var before: [String]?
        while true {
            notices.takeAll()
            let differences = try differences(&capture)
            if differences != before { tell(differences, isFirst: before == nil) }
            before = differences
            let isTold = link.send(report(differences))
            let wait = isTold ? settings.seconds * 1000 : min(Self.retry, settings.seconds * 1000)
            switch pause(notices.numbers, signals.descriptor.number, link.number, milliseconds: wait) {
            case .stop: return say("stopped: told to")
            case .changed: sleepMilliseconds(Self.settling)
            case .linkEnded: link.heard()
            case .due: break
            }
        }
    }

    private enum Wake {
        case stop
        case changed
        case linkEnded
        case due
    }

    private func pause(_ notices: [Int32], _ signals: Int32, _ link: Int32?, milliseconds: UInt32) -> Wake {
        var awaited: [(number: Int32, readiness: AwaitedReadiness)] = [(signals, .readable)]
        awaited += notices.map { ($0, .readable) }
        if let link { awaited.append((link, .readable)) }
        let ready = waitForDescriptors(awaited, milliseconds: Int32(clamping: milliseconds))
        if ready[0] { return .stop }
        if ready[1...notices.count].contains(true) { return .changed }
        // The daemon says nothing of its own accord: it has ended the conversation.
        return link != nil && ready.last == true ? .linkEnded : .due
    }

    private func differences(_ capture: inout TrafficCapture) throws(CaptureError) -> [String] {
        do throws(CaptureError) {
            return plan.differences(from: try capture.read(plan))
        } catch {
            // Rules that nobody can read are rules that nobody can vouch for.
            guard error.isRestless else { throw error }
            return ["\(error)"]
        }
    }

    private func report(_ differences: [String]) -> RulesetReport {
        RulesetReport(
            table: plan.table,
            differences: differences.prefix(8).map { String($0.prefix(300)) },
            weaknesses: plan.weaknesses.prefix(8).map { String($0.prefix(300)) },
            daemon: plan.daemon.description,
            port: UInt64(plan.ports.proxy),
            mode: CaptureWay(plan.mechanism),
            everyMilliseconds: UInt64(settings.seconds) * 1000
        )
    }

    private func tell(_ differences: [String], isFirst: Bool) {
        for difference in differences.prefix(10) { say("drift: \(difference)") }
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
