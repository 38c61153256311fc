/// The name of a file that the trail has moved on from: `audit-20261121T101504Z-000000000041.jsonl`.
///
/// It tells when the file was closed and the number of its first line. Segments are in the order of these numbers: a clock
/// may go back.
package struct SegmentName: Hashable, Sendable {
    /// What the name of the file that is being written begins with: `audit` of `audit.jsonl`.
    package let stem: String
    /// When it was closed, in seconds since 1970-01-01T00:00:00Z.
    package let closed: Int64
    /// The number of its first line.
    package let firstSequence: UInt64
    /// Whether it is compressed: its name ends in `.zst` then.
    package var isCompressed: Bool

    package init(stem: String, closed: Int64, firstSequence: UInt64, isCompressed: Bool = false) {
        self.stem = stem
        self.closed = closed
        self.firstSequence = firstSequence
        self.isCompressed = isCompressed
    }

    /// Reads a file's name; nil where it is no segment of this stem.
    package init?(_ name: String, stem: String) {
        guard name.hasPrefix(stem + "-") else { return nil }
        var rest = name.utf8.dropFirst(stem.utf8.count + 1)
        let zst = ".zst".utf8
        isCompressed = rest.suffix(zst.count).elementsEqual(zst)
        if isCompressed { rest = rest.dropLast(zst.count) }
        let ending = Self.ending.utf8
        guard rest.suffix(ending.count).elementsEqual(ending) else { return nil }
        let parts = rest.dropLast(ending.count).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, let closed = Int64(compactTime: parts[0]), parts[1].count >= Self.digits,
            parts[1].count <= 20, let number = UInt64(String(Substring(parts[1])))
        else { return nil }
        self.stem = stem
        self.closed = closed
        firstSequence = number
        // Only what we write ourselves: no name is read that would be written otherwise.
        guard text == name else { return nil }
    }

    /// The file's name.
    package var text: String {
        var bytes = Array("\(stem)-".utf8)
        bytes.append(compactTime: closed)
        let number = String(firstSequence)
        let zeros = String(repeating: "0", count: max(0, Self.digits - number.count))
        return String(decoding: bytes, as: UTF8.self) + "-" + zeros + number + Self.ending
            + (isCompressed ? ".zst" : "")
    }

    /// What stands before the first dot of the name of the file that is being written.
    package static func stem(of fileName: String) -> String {
        let stem = fileName.hasSuffix(ending) ? String(fileName.dropLast(ending.count)) : fileName
        return stem.isEmpty ? fileName : stem
    }

    private static let ending = ".jsonl"
    private static let digits = 12
}

extension SegmentName: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.firstSequence, left.closed) < (right.firstSequence, right.closed)
    }
}
