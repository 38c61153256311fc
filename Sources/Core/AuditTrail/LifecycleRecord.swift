/// A turn in the daemon's life.
package enum LifecycleEvent: String, CaseIterable, Sendable {
    case started
    case draining
    case stopped
    /// The end of the audit file was cut off and has been closed.
    case repaired
}

/// The daemon started, drains, has stopped, or has repaired the file.
package struct LifecycleRecord: Hashable, Sendable {
    package var event: LifecycleEvent
    /// Of the daemon.
    package var version: String
    package var pid: Int32
    /// Where the file was repaired: `sha256:` and 64 digits of the last whole line before what was cut off.
    package var after: String?
    package var detail: String?

    package init(event: LifecycleEvent, version: String, pid: Int32, after: String? = nil, detail: String? = nil) {
        self.event = event
        self.version = version
        self.pid = pid
        self.after = after
        self.detail = detail
    }
}

extension LifecycleRecord: RecordBody {
    package static var kind: RecordKind { .lifecycle }

    /// Writes the members; `event` comes first, because a file is read back by it.
    package func write(into members: inout JSONMembers) {
        members.text("event", event.rawValue)
        members.text("version", version)
        members.number("pid", UInt64(clamping: pid))
        if let after { members.text("after", after) }
        if let detail { members.text("detail", detail) }
    }
}
