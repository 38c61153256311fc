/// How far an update has come.
package struct IndexProgress: Hashable, Sendable {
    /// The file that is being read.
    package var path: String
    /// Bytes read of all files, as they are on the disk.
    package var bytesRead: Int
    /// Bytes of all files.
    package var bytesTotal: Int
    /// Records that were added.
    package var records: Int
}

/// What an update has done.
package struct IndexSummary: Hashable, Sendable {
    /// Files that were looked at.
    package var files = 0
    /// Records that were added.
    package var records = 0
    /// Lines from which no record could be read: cut off by a crash, or written by somebody else.
    package var unreadable = 0
    /// The parts of the index that belong to these files; queries are about them.
    package var segments: Set<Int64> = []
}
