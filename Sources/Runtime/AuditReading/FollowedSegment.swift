import AuditTrail
import LinuxBindings

/// The file that the daemon writes, followed over rotations.
package struct FollowedSegment: ~Copyable {
    private let path: String
    private let limits: RecordLimits
    /// The lines of the file that has the name now, or had it a moment ago.
    package private(set) var lines: SegmentLines

    /// Begins with the first line at `offset` or behind it.
    package init(_ path: String, from offset: Int, limits: RecordLimits = .standard) throws(AuditReadingError) {
        var lines = try SegmentLines(path, limits: limits)
        guard !lines.isCompressed, try lines.status().isRegular else { throw .notFollowable(path: path) }
        try lines.skip(to: offset)
        self.path = path
        self.limits = limits
        self.lines = lines
    }

    /// The next whole line, in `lines.window`; nil where there is none yet.
    package mutating func next() throws(AuditReadingError) -> SegmentLines.Piece? {
        try lines.nextTerminated()
    }

    /// Goes over to the file that has the name now, where that is another one, or where this one was cut short.
    ///
    /// It is called when `next` has given nil; true where there is another file. What the old one got in between comes
    /// first: it is false then, too.
    package mutating func turnOver() throws(AuditReadingError) -> Bool {
        guard let now = try? openForReading(path), let other = try? fileStatus(now), other.isRegular else {
            // Between two names, or not to be had: there will be one.
            return false
        }
        let status = try lines.status()
        let isSame = other.device == status.device && other.inode == status.inode
        guard isSame ? status.size < lines.bytesRead : status.size <= lines.bytesRead else { return false }
        lines = try SegmentLines(path, limits: limits)
        return true
    }
}
