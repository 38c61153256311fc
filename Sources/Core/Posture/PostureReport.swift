import AuditTrail
import WireFormats

/// What the daemon knows of its own boundary.
package struct PostureReport: Hashable, Sendable {
    /// Of the daemon.
    package var version: String
    /// The user and the group that the daemon runs as.
    package var user: UInt32
    package var group: UInt32
    /// Why the daemon is not ready; empty where it is.
    package var problems: [String]
    /// Connections and requests refused since the start.
    package var refused: UInt64
    /// Audit records written since the start.
    package var recorded: UInt64
    /// The cgroups that the rules govern, of a host; empty where they govern none, or nobody has said.
    package var cgroups: [String]
    package var checks: [PostureCheck]

    package init(
        version: String,
        user: UInt32,
        group: UInt32,
        problems: [String],
        refused: UInt64,
        recorded: UInt64,
        cgroups: [String] = [],
        checks: [PostureCheck]
    ) {
        self.version = version
        self.user = user
        self.group = group
        self.problems = problems
        self.refused = refused
        self.recorded = recorded
        self.cgroups = cgroups
        self.checks = checks
    }

    package var isReady: Bool { problems.isEmpty }

    /// Nothing that was looked at weakens the boundary.
    package var isStrong: Bool { !checks.contains { $0.status.weakens } }

    /// `strong` or `weak`.
    package var boundary: String { isStrong ? "strong" : "weak" }

    /// Why it is weak, a line each.
    package var reasons: [String] {
        checks.filter(\.status.weakens).map { "\($0.name): \($0.detail)" }
    }
}

extension PostureReport {
    /// The most bytes of its JSON text.
    package static let limit = 65_536
    private static let limits = JSONLimits(bytes: limit, depth: 4, values: 1000)

    /// The members of its object.
    package func write(into members: inout JSONMembers) {
        members.number("v", 1)
        members.text("boundary", boundary)
        members.boolean("ready", isReady)
        members.texts("problems", problems)
        members.texts("reasons", reasons)
        members.text("version", version)
        members.number("uid", UInt64(user))
        members.number("gid", UInt64(group))
        members.number("refused", refused)
        members.number("recorded", recorded)
        if !cgroups.isEmpty { members.texts("cgroups", cgroups) }
        members.objects("checks", checks) { check, members in
            members.text("name", check.name)
            members.text("status", check.status.rawValue)
            members.text("detail", check.detail)
            members.text("remedy", orNull: check.remedy)
        }
    }

    /// One JSON object, compact, without a newline.
    package var json: [UInt8] {
        var members = JSONMembers(reserving: 4096, limits: .standard)
        write(into: &members)
        return [UInt8(ascii: "{")] + members.finish() + [UInt8(ascii: "}")]
    }

    /// Reads what `json` writes; what is not of this version, or not of this shape, is none.
    package init(json bytes: [UInt8]) throws(AdminFault) {
        let root = try sound(bytes, limits: Self.limits)
        guard root.member("v")?.wholeNumber == 1 else { throw .otherVersion }
        guard let version = root.member("version")?.text, let problems = root.member("problems")?.texts,
            let user = root.member("uid")?.number32, let group = root.member("gid")?.number32,
            let refused = root.member("refused")?.wholeNumber, let recorded = root.member("recorded")?.wholeNumber,
            let checks = root.member("checks"), checks.kind == .array
        else { throw .malformed }
        self.init(
            version: version,
            user: user,
            group: group,
            problems: problems,
            refused: refused,
            recorded: recorded,
            cgroups: root.member("cgroups")?.texts ?? [],
            checks: []
        )
        for check in checks.elements { self.checks.append(try PostureCheck(check)) }
    }
}

extension PostureCheck {
    fileprivate init(_ value: JSONValue) throws(AdminFault) {
        guard let name = value.member("name")?.text, let word = value.member("status")?.text,
            let status = Status(rawValue: word), let detail = value.member("detail")?.text
        else { throw .malformed }
        self.init(name, status, detail, remedy: value.member("remedy")?.text)
    }
}

/// The object that a text is.
func sound(_ bytes: [UInt8], limits: JSONLimits) throws(AdminFault) -> JSONValue {
    let document: JSONDocument
    do throws(JSONViolation) {
        document = try JSONDocument(bytes, limits: limits)
    } catch { throw .malformed }
    guard document.root.kind == .object else { throw .malformed }
    return document.root
}

extension JSONValue {
    /// A whole number of 32 bits; nil for anything else.
    var number32: UInt32? { wholeNumber.flatMap { UInt32(exactly: $0) } }

    /// The texts of a list; nil where it is none, or holds anything else.
    var texts: [String]? {
        guard kind == .array else { return nil }
        let texts = elements.map(\.text)
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }
}
