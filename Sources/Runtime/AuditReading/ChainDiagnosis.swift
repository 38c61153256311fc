import AuditTrail
import OpenSSLBindings

/// Finds out what was done to a chain where it breaks, from all the lines that there are.
///
/// That a line is not in its place shows at once. Whether others are missing, whether it was moved, copied or made up, or
/// whether the line before was changed, shows only in what else there is: the files are read once more.
struct ChainDiagnosis {
    /// The line that is not what has to stand in its place.
    private let broken: ChainLink
    /// The last line in its place.
    private let last: ChainLink?
    /// What had to follow it.
    private let expected: ChainExpectation

    /// The same bytes stand here too.
    private var copy: ChainLink?
    /// What had to stand in the broken line's place stands here.
    private var continuation: ChainLink?
    /// Another line has the broken one's number.
    private var hasNamesake = false
    /// The line behind the broken one is tied to it.
    private var isAttested = false
    private var hasSuccessor = false
    /// A line of ours stands somewhere behind the broken one.
    private var isFollowed = false
    /// It begins as lines of ours do.
    private var beginsAsOurs = false
    private var endsInReturn = false

    init(of broken: ChainLink, after walk: ChainWalk) {
        self.broken = broken
        last = walk.last
        // Where lines were cut off, what is expected has gone on with them.
        var expected = walk.expected
        if walk.cutOff != nil { expected.previous = walk.last?.hash ?? walk.beginning }
        self.expected = expected
    }

    /// Looks at every line of all files.
    mutating func survey(
        _ files: [String],
        limits: RecordLimits,
        progress: () -> Void
    ) throws(AuditReadingError) {
        var ordinal = 0
        for path in files {
            var lines = try SegmentLines(path, limits: limits)
            var number = 0
            while let piece = try lines.next() {
                number += 1
                let line = lines.window.span.extracting(piece.bytes)
                consider(line, ordinal, LinePlace(path: path, line: number))
                ordinal += 1
            }
            progress()
        }
    }

    private mutating func consider(_ line: borrowing Span<UInt8>, _ ordinal: Int, _ place: LinePlace) {
        let frame = StoredFrame(line)
        guard ordinal != broken.ordinal else {
            beginsAsOurs = StoredLine.beginsAsOurs(line)
            endsInReturn = frame == nil && line.count > 0 && line[line.count - 1] == UInt8(ascii: "\r")
            return
        }
        let link = ChainLink(
            ordinal: ordinal,
            place: place,
            sequence: frame?.sequence,
            previous: frame.map { line.hash(at: $0.previous) } ?? [],
            hash: SHA256Digest(of: line).bytes
        )
        if ordinal == broken.ordinal + 1 {
            hasSuccessor = true
            isAttested = link.previous == broken.hash
        }
        if ordinal > broken.ordinal, frame != nil { isFollowed = true }
        if copy == nil, link.hash == broken.hash { copy = link }
        if link.sequence != nil, link.sequence == broken.sequence { hasNamesake = true }
        if continuation == nil, ordinal > broken.ordinal, let frame, expected.fits(frame, in: line) {
            continuation = link
        }
    }

    /// The fault's class, and the first line that it shows in.
    func fault(isHeadGiven: Bool) -> ChainFault {
        if let certain { return certain }
        guard let sequence = broken.sequence else { return foreign }
        if let copy { return fault(.replayed, broken, "the same line stands at \(copy.place) too") }
        if let continuation {
            let place = "what belongs here stands at \(continuation.place)"
            return hasNamesake
                ? fault(.inserted, broken, "a line that the chain does not have; \(place)")
                : fault(.reordered, broken, place)
        }
        guard let last else { return head(sequence, isHeadGiven: isHeadGiven) }
        if broken.isTiedRepair, sequence == expected.sequence {
            return fault(.removed, broken, "the cut-off line that this one repairs is missing before it")
        }
        if broken.previous == last.previous {
            return fault(.inserted, last, "the next line is tied to the one before this one")
        }
        guard let wanted = expected.sequence else { return changed(last) }
        if broken.previous == expected.previous {
            return fault(.changed, broken, "its number is \(sequence) in the place of \(wanted)")
        }
        if sequence > wanted { return removed(from: wanted, to: sequence &- 1) }
        if sequence < wanted { return fault(.inserted, broken, "a line of this number stands before it already") }
        return changed(last)
    }

    /// The fault, where its class needs no survey.
    private var certain: ChainFault? {
        guard broken.isOtherVersion else { return nil }
        return fault(.unsupportedVersion, broken, "the line is of another version of the schema")
    }

    /// The fault where nothing can be read a second time; `path` is why.
    func fault(unreadAgain path: String) -> ChainFault {
        if let certain { return certain }
        return fault(
            .unclassed,
            broken,
            "the chain breaks here; of which class the fault is shows only when all files are read once more, and \(path) is "
                + "no regular file: verify a copy in one"
        )
    }

    /// A line that is none of ours.
    private var foreign: ChainFault {
        if let continuation {
            return fault(
                .inserted,
                broken,
                "not written by Penstock; what belongs here stands at \(continuation.place)"
            )
        }
        // No line of ours is known to have stood here.
        if !isFollowed, !beginsAsOurs, !endsInReturn, last != nil {
            return fault(
                .inserted,
                broken,
                "not written by Penstock; nothing of the chain stands behind it, so it was appended, or put in the place of "
                    + "the last record"
            )
        }
        return ChainFault(
            kind: .changed,
            place: broken.place,
            sequence: expected.sequence,
            explanation: endsInReturn
                ? "it ends in a carriage return, which Penstock never writes: the file's line ends were converted to CR LF. "
                    + "Verify the original, or a copy converted back: tr -d '\\r' < FILE"
                : "no longer a line as Penstock writes them"
        )
    }

    /// The very first line is not what it has to be.
    private func head(_ sequence: UInt64, isHeadGiven: Bool) -> ChainFault {
        if isHeadGiven {
            return fault(.missingHead, broken, "the files do not go on where --head ends")
        }
        if sequence == 1 || broken.previous == ChainLink.noLine {
            return fault(.changed, broken, "a first record has the number 1 and 64 zeros for the line before")
        }
        return fault(
            .missingHead,
            broken,
            "the files begin with record \(sequence): records 1 to \(sequence - 1) are missing"
        )
    }

    private func removed(from first: UInt64, to last: UInt64) -> ChainFault {
        let lines = first == last ? "record \(first) is" : "records \(first) to \(last) are"
        return ChainFault(
            kind: .removed,
            place: broken.place,
            sequence: first,
            explanation: "\(lines) missing before this line"
        )
    }

    /// The number fits and the hash does not: either line may be the one that was changed.
    private func changed(_ last: ChainLink) -> ChainFault {
        if isAttested { return fault(.changed, last, "it is not what it was when the next line was written") }
        return hasSuccessor
            ? fault(.changed, broken, "neither the line before it nor the one behind it is tied to it")
            : fault(.changed, last, "it is not what it was when the next line was written, unless that one was changed")
    }

    private func fault(_ kind: ChainFault.Kind, _ link: ChainLink, _ explanation: String) -> ChainFault {
        ChainFault(kind: kind, place: link.place, sequence: link.sequence, explanation: explanation)
    }
}

extension Span<UInt8> {
    /// Whether the line begins as ours do, with another number for its version.
    var isOfOtherVersion: Bool {
        var position = 0
        for expected in #"{"v":"#.utf8 {
            guard position < count, self[position] == expected else { return false }
            position += 1
        }
        let first = position
        guard position < count, self[position] != UInt8(ascii: "0") else { return false }
        while position < count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self[position]) { position += 1 }
        // A line of ours has more than its version.
        guard position > first, position < count, self[position] == UInt8(ascii: ",") else { return false }
        return position > first + 1 || self[first] != UInt8(ascii: "1")
    }
}
