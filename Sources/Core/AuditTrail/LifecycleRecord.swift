/// A turn in the daemon's life.
package enum LifecycleEvent: String, CaseIterable, Sendable {
    case started
    case draining
    case stopped
    /// The end of the audit file was cut off and has been closed.
    case repaired
    /// A new file begins; what was open then is named.
    case rotated
    /// A segment was removed, as the configuration says.
    case removed
    /// Lines that were written before are not in the file any more.
    case missing
    /// What the daemon knows of its own boundary is another than before.
    case posture
}

/// What the daemon knows of its own boundary, as a record tells it.
package struct RecordedPosture: Hashable, Sendable {
    /// One thing that was looked at.
    package struct Check: Hashable, Sendable {
        package var name: String
        package var status: String
        package var detail: String

        package init(name: String, status: String, detail: String) {
            self.name = name
            self.status = status
            self.detail = detail
        }
    }

    /// `strong` or `weak`.
    package var boundary: String
    package var checks: [Check]

    package init(boundary: String, checks: [Check]) {
        self.boundary = boundary
        self.checks = checks
    }
}

/// A turn in the life of the daemon or of its files.
package struct LifecycleRecord: Hashable, Sendable {
    package var event: LifecycleEvent
    /// Of the daemon.
    package var version: String
    package var pid: Int32
    /// `sha256:` and 64 digits of a line: where the file was repaired, the last whole one before what was cut off; where a
    /// segment was removed, the last one in it; where lines are missing, the last one that had been written.
    package var after: String?
    package var detail: String?
    /// The segment that the file before became, or that was removed.
    package var segment: String?
    /// Where the file was rotated: the connections that were let through and have no end yet.
    package var open: [RecordIdentifier]?
    /// Where the file was rotated: the requests among what is open.
    package var openRequests: [RecordIdentifier] = []
    /// With the event `posture`.
    package var posture: RecordedPosture?

    package init(
        event: LifecycleEvent,
        version: String,
        pid: Int32,
        after: String? = nil,
        detail: String? = nil,
        segment: String? = nil,
        open: [RecordIdentifier]? = nil
    ) {
        self.event = event
        self.version = version
        self.pid = pid
        self.after = after
        self.detail = detail
        self.segment = segment
        self.open = open
    }
}

extension LifecycleRecord: RecordBody {
    package static var kind: RecordKind { .lifecycle }

    /// Writes the members; `event` comes first and `open` next, because a file is read back by them.
    package func write(into members: inout JSONMembers) {
        members.text("event", event.rawValue)
        if let open {
            members.identifiers("open", open)
            members.identifiers("open_requests", openRequests)
        }
        members.text("version", version)
        members.number("pid", UInt64(clamping: pid))
        if let posture {
            members.text("boundary", posture.boundary)
            members.objects("checks", posture.checks) { check, members in
                members.text("name", check.name)
                members.text("status", check.status)
                members.text("detail", check.detail)
            }
        }
        if let segment { members.text("segment", segment) }
        if let after { members.text("after", after) }
        if let detail { members.text("detail", detail) }
    }
}
