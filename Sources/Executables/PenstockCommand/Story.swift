import AuditReading
import AuditTrail
import LinuxBindings

/// Everything that there is about a connection, in the order in which it happened.
struct Story {
    private(set) var text = ""
    private let owner: String
    private let quoted: [UInt8]
    private let isJSON: Bool
    private let palette: Palette
    /// The requests of the connection, whose ends may not name it.
    private var requests: Set<String> = []

    init(of owner: String, isJSON: Bool, palette: Palette) {
        self.owner = owner
        self.isJSON = isJSON
        self.palette = palette
        quoted = Array("\"\(owner)\"".utf8)
    }

    /// Adds a record where it belongs to the story.
    mutating func add(_ record: StoredRecord, _ line: borrowing Span<UInt8>, _ place: LinePlace) {
        guard belongs(record, line) else { return }
        if isJSON {
            text += line.text + "\n"
            return
        }
        let kind = line.storedCharacters(record.frame.kind).replacing("_", with: " ")
        let time = line.storedCharacters(record.frame.time)
        text += text.isEmpty ? "" : "\n"
        text += palette.paint(printable("\(time)  \(kind)"), .bold)
        text += palette.paint(printable("  record \(record.frame.sequence), \(place)"), .faint) + "\n"
        for (name, value) in facts(record, line) {
            let colour: Palette.Colour? = name == "decision" ? (value == "deny" ? .red : .green) : nil
            text += "  \(fitted(name, 24))  \(palette.paint(value, colour))\n"
        }
    }

    private mutating func belongs(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> Bool {
        guard firstIndex(of: quoted, in: line) != nil || !requests.isEmpty, let id = record.text("id", in: line) else {
            return false
        }
        guard record.text("connection", in: line) == owner else { return id == owner || requests.contains(id) }
        requests.insert(id)
        return true
    }

    /// Every member that says something, those of objects under their names; printable.
    private func facts(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> [(String, String)] {
        record.all.flatMap { member -> [(String, String)] in
            let name = line.storedCharacters(member.name)
            guard !["v", "kind", "time", "sequence", "previous"].contains(name) else { return [] }
            guard line[member.value.lowerBound] == UInt8(ascii: "{") else {
                return fact(name, member.value, line).map { [$0] } ?? []
            }
            var facts: [(String, String)] = []
            var walk = MemberWalk(at: member.value.lowerBound)
            while let inner = try? walk.next(in: line) {
                let path = "\(name).\(line.storedCharacters(inner.name))"
                if let fact = fact(path, inner.value, line) { facts.append(fact) }
            }
            return facts
        }
    }

    private func fact(_ name: String, _ value: Range<Int>, _ line: borrowing Span<UInt8>) -> (String, String)? {
        let written = line.storedText(value) ?? line.extracting(value).text
        guard written != "null", written != "[]" else { return nil }
        return (printable(name), measured(name, printable(written)))
    }

    /// Bytes and time spans as people read them, behind the number.
    private func measured(_ name: String, _ value: String) -> String {
        guard let number = UInt64(value), number >= 1000 else { return value }
        if name.hasPrefix("bytes_") { return "\(value) (\(byteText(number)))" }
        return name.hasSuffix("_ms") ? "\(value) (\(spanText(milliseconds: number)))" : value
    }
}
