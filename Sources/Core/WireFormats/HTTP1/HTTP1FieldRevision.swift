/// What becomes of fields when a head is written: some go up with another value, some do not go up at all.
///
/// Its values may be secrets: it never prints.
package struct HTTP1FieldRevision: Hashable, Sendable {
    /// Names, in lower case, of fields that are left out, all of them.
    package var omitted: Set<String>
    /// Fields that are written behind the others, in this order.
    ///
    /// Whoever makes them has checked that they are a name and a value.
    package var written: [Field]

    /// A field that is written.
    package struct Field: Hashable, Sendable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package init(omitted: Set<String> = [], written: [Field] = []) {
        self.omitted = omitted
        self.written = written
    }

    /// True where the line is left out.
    func omits(_ line: HTTP1FieldLine, of section: HTTP1FieldSection) -> Bool {
        let span = section.bytes.span
        return omitted.contains { isText($0, in: line.name, of: span) }
    }
}

extension HTTP1FieldRevision: CustomStringConvertible, CustomReflectable {
    package var description: String { "(fields: \(written.count) written, \(omitted.count) left out)" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

extension HTTP1FieldRevision.Field: CustomStringConvertible, CustomReflectable {
    package var description: String { name }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

extension [UInt8] {
    /// The lines that are forwarded, as a revision has them.
    mutating func appendForwarded(_ section: HTTP1FieldSection, _ revision: HTTP1FieldRevision?) {
        guard let revision else { return appendForwarded(section) }
        for line in section.lines
        where line.isForwarded && line.known != .host && line.known != .contentLength
            && !revision.omits(line, of: section)
        {
            appendLine(line, of: section)
        }
        for field in revision.written {
            append(field.name)
            append(": ")
            append(contentsOf: field.value)
            append("\r\n")
        }
    }
}
