import AuditReading
import AuditTrail

extension ChainReport {
    /// For people: the verdict, and then what it rests on.
    var lines: [String] {
        guard let fault else { return ["whole: \(extent)"] + basis }
        let place = fault.place.map { "\($0): " } ?? ""
        let number = fault.sequence.map { " (record \($0))" } ?? ""
        return ["\(place)\(fault.kind.rawValue)\(number): \(fault.explanation)"]
            + ["not whole: up to there \(extent)"] + basis
    }

    /// For programs: one object.
    var json: String {
        jsonObject { members in
            members.text("result", fault == nil ? "whole" : "broken")
            if let fault { members.object("fault") { fault.write(into: &$0) } }
            members.number("records", UInt64(clamping: tally.lines))
            members.number("bytes", UInt64(clamping: tally.bytes))
            members.number("first_sequence", orNull: tally.firstSequence)
            members.number("last_sequence", orNull: tally.lastSequence)
            members.text("first_time", orNull: tally.firstTime)
            members.text("tail", orNull: tail)
            members.number("repairs", UInt64(clamping: tally.repairs))
            members.number("checkpoints", UInt64(clamping: tally.checkpoints))
            members.number("trusted_checkpoints", UInt64(clamping: tally.trustedCheckpoints))
            members.number("unchecked_signatures", UInt64(clamping: tally.uncheckedSignatures))
            members.number("covered_through", orNull: tally.coveredThrough)
            members.texts("keys", tally.keys.map(\.record.key))
            if isPinned { members.flag("pinned") }
        }
    }

    private var extent: String {
        guard let first = tally.firstSequence, let last = tally.lastSequence else { return "no records" }
        return "\(count(tally.lines, "record")), \(first) to \(last), since \(tally.firstTime ?? "")"
    }

    private var basis: [String] {
        var lines: [String] = []
        if tally.repairs > 0 { lines.append("repairs: \(tally.repairs), each of lines that a crash cut off") }
        lines.append("signatures: \(signatures)")
        // The checkpoint stands behind what it covers, and is signed itself.
        if let checkpoint = tally.coveredThrough.map({ $0 + 1 }), let last = tally.lastSequence, checkpoint < last {
            let open = count(Int(clamping: last - checkpoint), "record")
            lines.append("not signed yet: \(open) behind the checkpoint, record \(checkpoint)")
        }
        if let tail { lines.append("tail: \(tail)") }
        return lines
    }

    private var signatures: String {
        var parts: [String] = []
        if tally.checkpoints > 0 || tally.uncheckedSignatures == 0 {
            parts.append("\(count(tally.checkpoints, "checkpoint")), \(count(tally.keys.count, "key")) published")
        }
        if tally.uncheckedSignatures > 0 {
            parts.append(
                "\(count(tally.uncheckedSignatures, "checkpoint")) not checked: the key is not in these files (--key)"
            )
        }
        if isPinned {
            parts.append("\(tally.trustedCheckpoints) trusted by --key")
        } else {
            parts.append(
                "not pinned: checked against the keys in the chain only, so whoever wrote it all anew passes (--key)"
            )
        }
        return parts.joined(separator: "; ")
    }
}

extension ChainFault {
    fileprivate func write(into members: inout JSONMembers) {
        members.text("class", kind.rawValue)
        members.text("file", orNull: place?.path)
        members.number("line", orNull: place.map { UInt64(clamping: $0.line) })
        members.number("sequence", orNull: sequence)
        members.text("explanation", explanation)
    }
}

/// `1 record`, `2 records`.
func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
