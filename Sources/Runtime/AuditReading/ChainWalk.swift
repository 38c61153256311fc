import AuditSigning
import AuditTrail
import OpenSSLBindings

/// Checks one line after the other: whether each is ours, and whether it is tied to the one before.
struct ChainWalk {
    /// What a line comes to.
    enum Finding: Hashable, Sendable {
        /// The line is not what has to stand here; which class of fault that is, only the lines around it can tell.
        case broken(ChainLink)
        case fault(ChainFault)
    }

    private(set) var expected: ChainExpectation
    /// The last line that was whole and in its place.
    private(set) var last: ChainLink?
    /// The first of the lines before this one that were cut off; a repair has to follow them.
    private(set) var cutOff: ChainLink?
    /// The last line lacks its newline.
    private(set) var isUnterminated = false
    private(set) var tally = ChainTally()
    private(set) var keys: KeyRing
    private var required: [RequiredLine]
    private var record: StoredRecord?
    /// Nothing is before a first record; where the chain is entered in the middle, what it was entered with.
    let beginning: [UInt8]
    private var lastCheckpoint: UInt64?
    private var ordinal = 0

    init(_ expectations: ChainExpectations) {
        let isWhole = expectations.head == nil
        beginning = expectations.head ?? ChainLink.noLine
        expected = ChainExpectation(sequence: isWhole ? 1 : nil, previous: beginning)
        keys = KeyRing(pinned: expectations.keys, isWhole: isWhole)
        required = expectations.required
        if isWhole { lastCheckpoint = 0 }
    }

    /// What has to be in the chain and was not met.
    var missing: RequiredLine? { required.first }

    /// Takes the next line, whose hash this is; nil where it is as it has to be.
    mutating func take(
        _ line: borrowing Span<UInt8>,
        _ hash: [UInt8],
        isTerminated: Bool,
        at place: LinePlace
    ) -> Finding? {
        defer { ordinal += 1 }
        tally.bytes += line.count + (isTerminated ? 1 : 0)
        guard read(line, into: &record), let record else { return takeForeign(line, hash, isTerminated, at: place) }
        let isExpected = expected.fits(record.frame, in: line)
        var link = ChainLink(
            ordinal: ordinal,
            place: place,
            sequence: record.frame.sequence,
            previous: isExpected ? expected.previous : line.hash(at: record.frame.previous),
            hash: hash
        )
        if isUnterminated, let last { return .fault(lostNewline(last)) }
        isUnterminated = !isTerminated
        let isRepair = isRepair(record, line)
        link.isTiedRepair = isRepair && isTied(record, line)
        guard isExpected, isRepair ? link.isTiedRepair : cutOff == nil else {
            return .broken(cutOff ?? link)
        }
        if let fault = examine(record, link, line) { return .fault(fault) }
        advance(to: link, record, line)
        return meet(link)
    }

    /// A line that is none of ours is only in its place where it was cut off.
    private mutating func takeForeign(
        _ line: borrowing Span<UInt8>,
        _ hash: [UInt8],
        _ isTerminated: Bool,
        at place: LinePlace
    ) -> Finding? {
        var link = ChainLink(ordinal: ordinal, place: place, sequence: nil, previous: [], hash: hash)
        link.isOtherVersion = line.isOfOtherVersion
        guard StoredLine.mayBeCutOff(line) else { return .broken(cutOff ?? link) }
        if cutOff == nil { cutOff = link }
        isUnterminated = false
        expected.previous = hash
        return nil
    }

    private func isRepair(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> Bool {
        record.frame.isKind(.lifecycle, in: line)
            && record.text("event", in: line) == LifecycleEvent.repaired.rawValue
    }

    /// A repair names the last whole line as well, which the lines that were cut off no longer do.
    private func isTied(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> Bool {
        record.text("after", in: line) == prefixed(last?.hash ?? beginning)
    }

    /// Checks what a line says about the chain and its keys.
    private mutating func examine(
        _ record: StoredRecord,
        _ link: ChainLink,
        _ line: borrowing Span<UInt8>
    ) -> ChainFault? {
        if record.frame.isKind(.checkpoint, in: line) { return checkpoint(record, link, line) }
        guard record.frame.isKind(.key, in: line) else { return nil }
        guard let key = KeyRecord(record, in: line) else {
            return fault(.badSignature, link, "the key record is incomplete")
        }
        switch keys.publish(key, sequence: record.frame.sequence, previous: prefixed(link.previous)) {
        case .vouched, .unchecked:
            // Each file names its key again.
            guard !tally.keys.contains(where: { $0.record.key == key.key }) else { break }
            tally.keys.append(PublishedKey(key, at: link.place, record.frame.sequence))
        case .fault(let kind, let explanation): return fault(kind, link, explanation)
        }
        return nil
    }

    private mutating func checkpoint(
        _ record: StoredRecord,
        _ link: ChainLink,
        _ line: borrowing Span<UInt8>
    ) -> ChainFault? {
        guard let checkpoint = CheckpointRecord(record, in: line) else {
            return fault(.badSignature, link, "the checkpoint is incomplete")
        }
        let covers = checkpoint.covers
        guard covers.lastHash == prefixed(link.previous), covers.lastSequence == record.frame.sequence &- 1,
            lastCheckpoint.map({ covers.firstSequence == $0 &+ 1 }) ?? true
        else { return fault(.badSignature, link, "the checkpoint was made for other lines than those before it") }
        let time = line.storedCharacters(record.frame.time)
        switch keys.check(checkpoint, time: time) {
        case .vouched:
            tally.checkpoints += 1
            tally.coveredThrough = covers.lastSequence
            if keys.isTrusted(checkpoint.key) { tally.trustedCheckpoints += 1 }
        case .unchecked: tally.uncheckedSignatures += 1
        case .fault(let kind, let explanation): return fault(kind, link, explanation)
        }
        lastCheckpoint = record.frame.sequence
        return nil
    }

    private mutating func advance(to link: ChainLink, _ record: StoredRecord, _ line: borrowing Span<UInt8>) {
        if cutOff != nil { tally.repairs += 1 }
        cutOff = nil
        last = link
        expected = ChainExpectation(sequence: record.frame.sequence &+ 1, previous: link.hash)
        tally.lines += 1
        if tally.lines == 1 {
            tally.firstSequence = record.frame.sequence
            tally.firstTime = line.storedCharacters(record.frame.time)
        }
        tally.lastSequence = record.frame.sequence
    }

    /// Crosses off what had to be in the chain, or finds another line in its place.
    private mutating func meet(_ link: ChainLink) -> Finding? {
        if required.isEmpty { return nil }
        required.removeAll { $0.hash == link.hash }
        guard required.contains(where: { $0.sequence == link.sequence }) else { return nil }
        return .fault(fault(.rewritten, link, "this is not the record of that number that was known"))
    }

    private func lostNewline(_ link: ChainLink) -> ChainFault {
        fault(.changed, link, "the line has lost its newline at the end of its file")
    }

    private func fault(_ kind: ChainFault.Kind, _ link: ChainLink, _ explanation: String) -> ChainFault {
        ChainFault(kind: kind, place: link.place, sequence: link.sequence, explanation: explanation)
    }
}
