/// How large a record may grow, whatever the traffic says.
package struct RecordLimits: Hashable, Sendable {
    /// The UTF-8 bytes kept of one text; a longer one is cut and ends in `…`, which counts as three of them.
    package var textBytes: Int
    /// The entries kept of one list.
    package var listItems: Int
    /// The bytes of the longest line that is taken for one of ours when a file is read back.
    package var lineBytes: Int

    package init(textBytes: Int, listItems: Int, lineBytes: Int) {
        self.textBytes = textBytes
        self.listItems = listItems
        self.lineBytes = lineBytes
    }

    /// The bytes of the longest line that tells the end of a connection, its newline among them.
    ///
    /// `ConnectionEndRecord` keeps its texts that short: a scalar takes twelve bytes at most. It is what is set aside for
    /// each connection that was let through.
    package static let endBytes = 5120

    /// What the daemon uses.
    ///
    /// A text byte takes at most six bytes in a line (`\u0000`), so that even a record whose every text and list is full
    /// stays well below `lineBytes`.
    package static let standard = RecordLimits(textBytes: 4096, listItems: 16, lineBytes: 4 << 20)
}
