import AuditTrail
import WireFormats

/// Why a line of the admin socket cannot be followed.
package enum AdminFault: Error, Hashable, Sendable {
    /// It is no JSON object, or not of the shape that its kind has.
    case malformed
    /// It speaks another version than 1.
    case otherVersion
    /// It asks for something that this daemon does not do.
    case unknownKind
    /// It holds a member that its kind does not have.
    case unknownMember(String)
}

extension AdminFault: CustomStringConvertible {
    /// The words of the answer.
    package var description: String {
        switch self {
        case .malformed: "not a request as docs/operations.md has it"
        case .otherVersion: "this daemon speaks version 1"
        case .unknownKind: "unknown kind: there are ruleset and posture"
        case .unknownMember(let name): "\(Self.unknownMemberWords)'\(name)'"
        }
    }

    /// What the words for a member that nobody knows begin with.
    fileprivate static let unknownMemberWords = "unknown member "
}

/// What is asked over the admin socket: one JSON object a line, answered by one.
package enum AdminRequest: Hashable, Sendable {
    /// What the watcher found.
    case ruleset(RulesetReport)
    /// What the daemon knows of its own boundary.
    case posture

    /// The most bytes of a line, without its newline.
    package static let limit = 65_536
    private static let limits = JSONLimits(bytes: limit, depth: 3, values: 200)

    /// Reads a line, without its newline.
    package init(line: [UInt8]) throws(AdminFault) {
        let root = try sound(line, limits: Self.limits)
        guard let version = root.member("v")?.wholeNumber else { throw .malformed }
        guard version == 1 else { throw .otherVersion }
        switch root.member("kind")?.text {
        case "posture":
            try root.refuseMembers(but: ["v", "kind"])
            self = .posture
        case "ruleset": self = .ruleset(try RulesetReport(root))
        case .some: throw .unknownKind
        case nil: throw .malformed
        }
    }

    /// The line with its newline.
    package var line: [UInt8] {
        var members = JSONMembers(reserving: 512, limits: .standard)
        members.number("v", 1)
        switch self {
        case .posture: members.text("kind", "posture")
        case .ruleset(let report):
            members.text("kind", "ruleset")
            report.write(into: &members)
        }
        return Array("{".utf8) + members.finish() + Array("}\n".utf8)
    }
}

/// What a watcher found when it compared the kernel's rules with its plan.
package struct RulesetReport: Hashable, Sendable {
    /// The name of the table.
    package var table: String
    /// How the rules differ from the plan; empty: they do not.
    package var differences: [String]
    /// What makes the plan itself less than a boundary.
    package var weaknesses: [PlanWeakness]
    /// The interfaces by which others come that the rules govern; empty where they are no gateway's.
    package var gateway: [String]
    /// The cgroups that are captured, without a slash in front, as many as a report tells; empty where the rules govern no cgroups.
    package var cgroups: [String]
    /// Whom the rules let out, as `UID:GID`.
    package var daemon: String
    /// Where captured connections go.
    package var port: UInt64
    /// How they are handed over there.
    package var mode: CaptureWay
    /// At the latest after so long the next report comes, in milliseconds.
    package var everyMilliseconds: UInt64

    package init(
        table: String,
        differences: [String],
        weaknesses: [PlanWeakness],
        gateway: [String] = [],
        cgroups: [String] = [],
        daemon: String,
        port: UInt64,
        mode: CaptureWay = .redirect,
        everyMilliseconds: UInt64
    ) {
        self.table = table
        self.differences = differences
        self.weaknesses = weaknesses
        self.gateway = gateway
        self.cgroups = cgroups
        self.daemon = daemon
        self.port = port
        self.mode = mode
        self.everyMilliseconds = everyMilliseconds
    }

    /// The same as a daemon of before can read it, without what only explains: what is weak stays weak.
    package var plain: RulesetReport {
        var report = self
        report.weaknesses = weaknesses.map { PlanWeakness(.other, $0.text) }
        report.cgroups = []
        return report
    }

    fileprivate func write(into members: inout JSONMembers) {
        members.text("table", table)
        members.texts("differences", differences)
        members.texts("weaknesses", weaknesses.map(\.text))
        if weaknesses.contains(where: { $0.kind != .other }) {
            members.texts("weakness_kinds", weaknesses.map(\.kind.rawValue))
        }
        if !gateway.isEmpty { members.texts("gateway", gateway) }
        if !cgroups.isEmpty { members.texts("cgroups", cgroups) }
        members.text("daemon", daemon)
        members.number("port", port)
        members.text("mode", mode.rawValue)
        members.number("every_ms", everyMilliseconds)
    }

    fileprivate init(_ root: JSONValue) throws(AdminFault) {
        try root.refuseMembers(
            but: [
                "v", "kind", "table", "differences", "weaknesses", "weakness_kinds", "gateway", "cgroups", "daemon",
                "port",
                "mode", "every_ms",
            ]
        )
        guard let table = root.member("table")?.text, let daemon = root.member("daemon")?.text,
            let port = root.member("port")?.wholeNumber, (1...65_535).contains(port),
            let mode = CaptureWay(rawValue: root.member("mode")?.text ?? CaptureWay.redirect.rawValue),
            let every = root.member("every_ms")?.wholeNumber, (100...3_600_000).contains(every)
        else { throw .malformed }
        let cgroups = try root.optionalTexts("cgroups")
        guard cgroups.count <= RecordLimits.standard.listItems else { throw .malformed }
        self.init(
            table: table,
            differences: try root.texts("differences"),
            weaknesses: [PlanWeakness](try root.texts("weaknesses"), kinds: try root.optionalTexts("weakness_kinds")),
            gateway: try root.optionalTexts("gateway"),
            cgroups: cgroups,
            daemon: daemon,
            port: port,
            mode: mode,
            everyMilliseconds: every
        )
    }
}

/// How the kernel's rules hand connections to the daemon, by the names that `penstock-init --mode` has for it.
package enum CaptureWay: String, CaseIterable, Sendable {
    case redirect
    case tproxy
}

extension JSONValue {
    fileprivate func refuseMembers(but names: [String]) throws(AdminFault) {
        for (name, _) in members {
            let text = name.text ?? ""
            guard names.contains(text) else { throw .unknownMember(text) }
        }
    }

    /// The texts of a list that must be there.
    fileprivate func texts(_ name: String) throws(AdminFault) -> [String] {
        guard let texts = member(name)?.texts else { throw .malformed }
        return texts
    }

    /// The texts of a list that may be left out.
    fileprivate func optionalTexts(_ name: String) throws(AdminFault) -> [String] {
        member(name) == nil ? [] : try texts(name)
    }
}

/// What the daemon answers where it answers no report.
package enum AdminAnswer {
    /// A report was taken; without its newline.
    package static let done = Array("{\"v\":1,\"ok\":true}".utf8)

    /// Whether a daemon that answers like this has met a member that it does not know: it is of another version.
    package static func refusesMember(_ answer: [UInt8]) -> Bool {
        let root = try? sound(answer, limits: JSONLimits(bytes: AdminRequest.limit, depth: 3, values: 200))
        return root?.member("error")?.text?.hasPrefix(AdminFault.unknownMemberWords) ?? false
    }

    /// Why a line was not followed; the connection ends after it.
    package static func refusal(_ text: String) -> [UInt8] {
        var members = JSONMembers(reserving: 256, limits: .standard)
        members.number("v", 1)
        members.text("error", text)
        return [UInt8(ascii: "{")] + members.finish() + [UInt8(ascii: "}")]
    }
}
