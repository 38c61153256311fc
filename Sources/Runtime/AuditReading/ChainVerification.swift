import AuditTrail
import LinuxBindings

/// Checks a chain, file after file.
package struct ChainVerification {
    /// Who ends a last line that is not whole.
    private static let mending =
        "the daemon's next start repairs it; or a daemon that runs waits for room (see /readyz), and ends it itself"

    private let files: [String]
    private let expectations: ChainExpectations
    private let limits: RecordLimits
    private var bytesBefore = 0

    /// Prepares to check these files, in this order.
    package init(_ files: [String], _ expectations: ChainExpectations, limits: RecordLimits = .standard) {
        self.files = files
        self.expectations = expectations
        self.limits = limits
    }

    /// Reads everything up to the first fault.
    ///
    /// `progress` is called now and then with the bytes of the files that were read: of the compressed ones, where they are
    /// compressed. What is wrong with the lines is in the report; what is thrown is that a file cannot be read.
    package mutating func run(progress: (Int) -> Void) throws(AuditReadingError) -> ChainReport {
        var walk = ChainWalk(expectations)
        for path in files {
            if let finding = try check(path, &walk, progress) {
                return report(walk, try fault(finding, walk, progress))
            }
        }
        return report(walk, fault(atTheEndOf: walk))
    }

    private mutating func check(
        _ path: String,
        _ walk: inout ChainWalk,
        _ progress: (Int) -> Void
    ) throws(AuditReadingError) -> ChainWalk.Finding? {
        let hasher = try LineHasher(path, limits: limits)
        defer { hasher.abandon() }
        var number = 0
        var bytesRead = 0
        while let batch = try hasher.next() {
            for line in batch.lines {
                number += 1
                let bytes = batch.bytes.span.extracting(line.bytes)
                let place = LinePlace(path: path, line: number)
                if let finding = walk.take(bytes, line.hash, isTerminated: line.isTerminated, at: place) {
                    return finding
                }
            }
            bytesRead = batch.bytesRead
            progress(bytesBefore + bytesRead)
        }
        bytesBefore += bytesRead
        progress(bytesBefore)
        return nil
    }

    private func fault(
        _ finding: ChainWalk.Finding,
        _ walk: ChainWalk,
        _ progress: (Int) -> Void
    ) throws(AuditReadingError) -> ChainFault {
        switch finding {
        case .fault(let fault): return fault
        case .broken(let link):
            var diagnosis = ChainDiagnosis(of: link, after: walk)
            for path in files where try !isReadableAgain(path) { return diagnosis.fault(unreadAgain: path) }
            try diagnosis.survey(files, limits: limits) { progress(bytesBefore) }
            return diagnosis.fault(isHeadGiven: expectations.head != nil)
        }
    }

    /// Whether the bytes of a file are there a second time: a pipe has given them away, and may keep us waiting.
    private func isReadableAgain(_ path: String) throws(AuditReadingError) -> Bool {
        do throws(SystemCallError) {
            return try fileStatus(at: path).isRegular
        } catch {
            throw .file(path: path, error)
        }
    }

    /// What is wrong with a chain all of whose lines are in their places.
    private func fault(atTheEndOf walk: ChainWalk) -> ChainFault? {
        if walk.tally.lines == 0, walk.cutOff == nil {
            return ChainFault(kind: .missingHead, place: nil, sequence: nil, explanation: "there is no record at all")
        }
        if let missing = walk.missing { return missingTail(missing, walk) }
        if let torn = walk.cutOff ?? (walk.isUnterminated ? walk.last : nil) {
            return ChainFault(
                kind: .tornTail,
                place: torn.place,
                sequence: torn.sequence,
                explanation: torn.sequence == nil
                    ? "the last line was cut off, as a crash does: \(Self.mending)"
                    : "the last line has no newline yet: \(Self.mending)"
            )
        }
        guard walk.keys.isPinned, walk.tally.trustedCheckpoints == 0 else { return nil }
        return ChainFault(
            kind: .unsigned,
            place: nil,
            sequence: nil,
            explanation: "no checkpoint is signed by a key that was named, or by one that goes back to it"
        )
    }

    private func missingTail(_ missing: RequiredLine, _ walk: ChainWalk) -> ChainFault {
        let wanted = missing.sequence.map { "record \($0)" } ?? "the record with the hash \(prefixed(missing.hash))"
        return ChainFault(
            kind: .missingTail,
            place: walk.last?.place,
            sequence: missing.sequence,
            explanation: "the files end before \(wanted), which was known"
        )
    }

    private func report(_ walk: ChainWalk, _ fault: ChainFault?) -> ChainReport {
        ChainReport(
            fault: fault,
            tally: walk.tally,
            tail: walk.last.map { prefixed($0.hash) },
            isPinned: walk.keys.isPinned
        )
    }
}
