/// A line of the file, taken apart: which members it has, and where their values stand in its bytes.
///
/// It is made once and reads line after line, so that a long file is read without an allocation for each line.
package struct StoredRecord: Sendable {
    /// What every line has; of the line read last.
    package private(set) var frame: StoredFrame
    private var members: [StoredMember] = []

    /// Reads a first line, without its newline.
    package init(_ line: borrowing Span<UInt8>) throws(MalformedLine) {
        guard let frame = StoredFrame(line) else { throw MalformedLine(offset: 0) }
        self.frame = frame
        try collect(line)
    }

    /// Reads another line, without its newline.
    ///
    /// - Throws: Where the line is not exactly as this module writes lines: its frame, the JSON of every member, and no
    ///   name twice.
    package mutating func read(_ line: borrowing Span<UInt8>) throws(MalformedLine) {
        guard let frame = StoredFrame(line) else { throw MalformedLine(offset: 0) }
        self.frame = frame
        try collect(line)
    }

    /// The members of the line, in its order.
    package var all: [StoredMember] { members }

    /// The value of a member; nil where there is none.
    package func value(_ name: String, in line: borrowing Span<UInt8>) -> Range<Int>? {
        for member in members where line.extracting(member.name).isText(name) { return member.value }
        return nil
    }

    /// The value of a member of the object that is the value of `name`.
    package func value(_ name: String, _ inner: String, in line: borrowing Span<UInt8>) -> Range<Int>? {
        guard let object = value(name, in: line), line[object.lowerBound] == UInt8(ascii: "{") else { return nil }
        var walk = MemberWalk(at: object.lowerBound)
        while let member = try? walk.next(in: line) {
            if line.extracting(member.name).isText(inner) { return member.value }
        }
        return nil
    }

    private mutating func collect(_ line: borrowing Span<UInt8>) throws(MalformedLine) {
        members.removeAll(keepingCapacity: true)
        var walk = MemberWalk()
        var seen: UInt64 = 0
        while let member = try walk.next(in: line) {
            // Most names differ in this mark already; only where it is known are they compared.
            let mark = line.mark(of: member.name)
            guard seen & mark == 0 || !repeats(member.name, in: line) else {
                throw MalformedLine(offset: member.name.lowerBound)
            }
            seen |= mark
            members.append(member)
        }
        guard walk.position == line.count else { throw MalformedLine(offset: walk.position) }
    }

    private func repeats(_ name: Range<Int>, in line: borrowing Span<UInt8>) -> Bool {
        for member in members where line.isSame(member.name, name) { return true }
        return false
    }
}

extension Span<UInt8> {
    /// Whether these bytes are this text.
    func isText(_ text: String) -> Bool {
        let expected = text.utf8.span
        guard count == expected.count else { return false }
        for index in indices where self[index] != expected[index] { return false }
        return true
    }

    fileprivate func isSame(_ name: Range<Int>, _ other: Range<Int>) -> Bool {
        guard name.count == other.count else { return false }
        for index in 0..<name.count where self[name.lowerBound + index] != self[other.lowerBound + index] {
            return false
        }
        return true
    }

    /// One bit of 64, the same for the same name.
    fileprivate func mark(of name: Range<Int>) -> UInt64 {
        guard !name.isEmpty else { return 1 }
        let first = UInt64(self[name.lowerBound])
        let middle = UInt64(self[name.lowerBound + name.count / 2])
        let last = UInt64(self[name.upperBound - 1])
        let mixed =
            (first << 16 | middle << 8 | last) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: name.count)
        return 1 << (mixed >> 58)
    }
}
