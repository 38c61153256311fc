import AuditReading
import AuditTrail
import LinuxBindings

/// Shows records as rows or as the lines that they are, and collects what is to be written.
struct TailOutput {
    private static let bufferBytes = 1 << 16

    private(set) var filter: RecordFilter
    /// Lines that are no records.
    private(set) var foreign = 0
    /// Whether somebody may still be reading.
    private(set) var isRead = true
    private var table: AuditTable?
    private var text = ""
    private var lastSequence: UInt64?

    init(_ request: TailRequest) {
        filter = RecordFilter(since: request.since, deniedOnly: request.deniedOnly, host: request.host)
        let isTable =
            switch request.form {
            case .automatic: OutputStream.output.isTerminal
            case .table: true
            case .json: false
            }
        if isTable { table = AuditTable(palette: .forOutput(), columns: OutputStream.output.columns) }
    }

    /// Shows a line that comes now, where it is wanted.
    mutating func show(_ line: borrowing Span<UInt8>) {
        guard let record = try? StoredRecord(line) else {
            foreign += 1
            return
        }
        noteGap(before: record.frame.sequence)
        guard filter.wants(record, in: line) else { return }
        append(record, line)
    }

    /// Shows what was selected, and goes on from there.
    mutating func show(_ selection: TailSelection) {
        filter = selection.filter
        foreign = selection.foreign
        lastSequence = selection.lastSequence
        for bytes in selection.inOrder {
            let line = bytes.span
            if let record = try? StoredRecord(line) { append(record, line) }
        }
    }

    private mutating func append(_ record: StoredRecord, _ line: borrowing Span<UInt8>) {
        // A record is printable ASCII: it was read strictly.
        text += table?.lines(of: record, in: line) ?? line.text + "\n"
        if text.utf8.count >= Self.bufferBytes { flush() }
    }

    /// Writes what was collected.
    mutating func flush() {
        guard !text.isEmpty else { return }
        isRead = deliver(text)
        text = ""
    }

    /// Says where records were rotated away before they could be shown.
    private mutating func noteGap(before sequence: UInt64) {
        if let lastSequence, sequence > lastSequence &+ 1 {
            flush()
            say("records \(lastSequence + 1) to \(sequence - 1) are not in the file any more")
        }
        lastSequence = sequence
    }
}

/// The last lines that are wanted, of those that were looked at.
struct TailSelection {
    private(set) var filter: RecordFilter
    /// Lines that are no records.
    private(set) var foreign = 0
    /// Of the last line that was looked at.
    private(set) var lastSequence: UInt64?
    private var record: StoredRecord?
    private let count: Int?
    private var lines: [[UInt8]] = []
    /// Where the oldest line stands once there are `count`.
    private var oldest = 0
    private var reachesBack = false

    init(filter: RecordFilter, count: Int?) {
        self.filter = filter
        self.count = count
    }

    /// Whether looking further back would find nothing more.
    var isEnough: Bool { reachesBack || count.map { lines.count >= $0 } ?? false }

    /// Whether a line was a record, wanted or not.
    var hasRecords: Bool { lastSequence != nil }

    /// What was kept, the oldest first.
    var inOrder: ArraySlice<[UInt8]> { lines[oldest...] + lines[..<oldest] }

    /// Keeps a line where it is wanted.
    mutating func consider(_ line: borrowing Span<UInt8>) {
        guard read(line, into: &record), let record else {
            foreign += 1
            return
        }
        lastSequence = record.frame.sequence
        if filter.isTooOld(record, in: line) { reachesBack = true }
        guard filter.wants(record, in: line), count != 0 else { return }
        guard let count, lines.count >= count else {
            lines.append(Array(line.text.utf8))
            return
        }
        lines[oldest] = Array(line.text.utf8)
        oldest = (oldest + 1) % count
    }
}

extension Span<UInt8> {
    /// The line as it stands.
    var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in indices { bytes.append(self[index]) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
