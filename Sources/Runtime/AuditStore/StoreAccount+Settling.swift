import AuditTrail
import LinuxBindings

extension StoreAccount {
    /// Opens what belongs to this file; `-` is standard output.
    convenience init(path: String, _ settings: AuditStoreSettings) throws(AuditError) {
        var settings = settings
        let isStream = path == "-"
        if isStream {
            settings.rotation = nil
            settings.keeping = nil
            settings.budget = nil
        }
        let state: StateDirectory?
        if let path = settings.statePath {
            state = try StateDirectory(path, report: settings.report)
        } else {
            state = nil
        }
        let directory: AuditDirectory?
        if isStream {
            directory = nil
        } else {
            directory = try onFiles { () throws(SystemCallError) in try AuditDirectory(of: path) }
        }
        var stream: StreamState?
        if isStream, let state { stream = StreamState(try state.openForOverwriting(KeptChain.fileName)) }
        do throws(SystemCallError) {
            try self.init(settings, directory, state, stream)
        } catch {
            throw .noThread(error)
        }
    }

    /// Opens the file, and takes it and the state's directory against a second daemon.
    ///
    /// The file first: whoever starts a daemon twice is told of the file.
    func openFile(durability: AuditDurability) throws(AuditError) -> AuditFile {
        let file: AuditFile
        if let directory {
            file = try .open(in: directory, durability: durability)
        } else {
            file = try .standardOutput()
        }
        try state?.lock()
        return file
    }

    /// What `audit.chain` has for its file: the audit file's name, or `-`.
    var fileName: String { KeptChain.fileName(of: directory?.activeName ?? "-") }

    /// Where the chain had come to when it was kept last; nil where nobody knows.
    ///
    /// What another audit file left, and what cannot be read, says nothing of this one; the operator is told.
    func keptChain() throws(AuditError) -> KeptChain? {
        guard let bytes = try state?.read(KeptChain.fileName) else { return nil }
        // Beside standard output it was made a moment ago.
        if bytes.isEmpty, stream != nil { return nil }
        let name = KeptChain.fileName
        guard let kept = KeptChain(bytes) else {
            settings.report.say(
                "audit: state: \(name) in state.path is \(bytes.isEmpty ? "empty" : "damaged"): what was cut away from the trail before this start cannot be told; it is written anew"
            )
            return nil
        }
        guard let file = kept.file, file != fileName else { return kept }
        settings.report.say(
            "audit: state: \(name) in state.path was left by another audit file, \(file): it says nothing of this one, and is written anew; give each its own state.path"
        )
        return nil
    }

    /// Repairs what a crash in the middle of a rotation or a compression left, before the file is opened.
    ///
    /// A rotation that was not finished is undone. Of a compression that was not, the plain segment is there still, and
    /// counts.
    ///
    /// - Returns: How far the segments go, where the file that goes on after them is empty or not there.
    func settle(limits: RecordLimits) throws(AuditError) -> KeptChain {
        let nothing = KeptChain(position: .beginning, checkpoint: 0)
        guard let directory, settings.rotation != nil else { return nothing }
        let newest = try onFiles { () throws(SystemCallError) -> SegmentName? in
            let segments = try directory.segments()
            if let newest = segments.last(where: { !$0.isCompressed }),
                newest.firstSequence == segments.last?.firstSequence
            {
                try undo(newest, in: directory)
            }
            try directory.remove(directory.nextName)
            for part in try directory.parts() { try directory.remove(part) }
            for plain in segments where !plain.isCompressed {
                var compressed = plain
                compressed.isCompressed = true
                if segments.contains(compressed) { try directory.remove(compressed.text) }
            }
            let newest = try count(in: directory).last
            return try directory.status(directory.activeName).map(\.size) ?? 0 == 0 ? newest : nil
        }
        guard let newest, newest.isCompressed else { return nothing }
        return try lastLine(ofCompressed: newest.text, in: directory, limits: limits)
    }

    /// The number of the last checkpoint in the newest segment; 0: there is none.
    func lastCheckpoint(limits: RecordLimits) throws(AuditError) -> UInt64 {
        guard let directory,
            let newest = try onFiles({ () throws(SystemCallError) in try directory.segments().last })
        else { return 0 }
        if newest.isCompressed {
            return try lastLine(ofCompressed: newest.text, in: directory, limits: limits).checkpoint
        }
        return try AuditOpening.lastSigned(in: AuditFile.segment(newest.text, in: directory), limits: limits).checkpoint
    }

    /// Gives the newest segment its old name back if there is no file of that name with anything in it.
    private func undo(_ newest: SegmentName, in directory: AuditDirectory) throws(SystemCallError) {
        if let active = try directory.status(directory.activeName) {
            guard active.size == 0, AuditFile.fault(of: active) == nil else { return }
            try directory.remove(directory.activeName)
        }
        try directory.rename(newest.text, to: directory.activeName)
    }

    /// Counts the bytes of all files but the one being written; gives the segments, in order.
    ///
    /// What was counted while the writer changed the files is counted again.
    func count(in directory: AuditDirectory) throws(SystemCallError) -> [SegmentName] {
        while true {
            let generation = now.generation
            let segments = try directory.segments()
            var bytes = 0
            for name in try directory.parts() + segments.map(\.text) { bytes += try directory.status(name)?.size ?? 0 }
            let total = bytes
            let isCurrent = change { shared in
                guard shared.generation == generation else { return false }
                shared.otherBytes = total
                shared.segments = segments.count
                return true
            }
            if isCurrent { return segments }
        }
    }
}
