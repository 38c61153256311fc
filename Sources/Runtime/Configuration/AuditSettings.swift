import SourceDocuments

/// Where the record goes, and how it is kept.
package struct AuditSettings: Hashable, Sendable {
    /// The file; `-` is standard output.
    package var path = "/var/log/penstock/audit.jsonl"
    package var durability = Durability.written
    package var rotate = Rotation()
    package var keep = Keeping()
    /// What all audit files together stay below, in bytes; `nil`: no bound.
    package var budgetBytes: Int?
    package var checkpoint = Checkpoint()
    /// After how many days another key signs.
    package var keyDays = 90

    /// When a record counts as written.
    package enum Durability: String, Hashable, Sendable, CaseIterable {
        /// The kernel has it: it survives the daemon, not the machine.
        case written
        /// The disk has it.
        case synced
    }

    /// When the trail goes on in another file.
    package struct Rotation: Hashable, Sendable {
        package var bytes = 256 << 20
        package var hours = 24
    }

    /// What is removed when it is over; `nil` both: nothing.
    package struct Keeping: Hashable, Sendable {
        package var days: Int?
        package var bytes: Int?
    }

    /// When what was written is signed.
    package struct Checkpoint: Hashable, Sendable {
        package var records = 10_000
        package var seconds = 60
    }

    package var isStandardOutput: Bool { path == "-" }
}

extension AuditSettings {
    /// Reads `audit`.
    static func read(_ reader: inout MappingReader) -> AuditSettings? {
        var settings = AuditSettings()
        settings.path =
            reader.value("path") { node, subject throws(SourceProblem) in
                if case .string("-") = node.content { return "-" }
                return try node.absolutePath(subject, expected: "an absolute path, or `-` for standard output")
            } ?? settings.path
        settings.durability = reader.choice("durability", of: Durability.self) ?? settings.durability
        settings.rotate = reader.mapping("rotate") { Rotation.read(&$0) } ?? settings.rotate
        settings.keep = reader.mapping("keep") { Keeping.read(&$0) } ?? settings.keep
        settings.budgetBytes = reader.size("budget_bytes", in: 32 << 20...64 << 40)
        settings.checkpoint = reader.mapping("checkpoint") { Checkpoint.read(&$0) } ?? settings.checkpoint
        settings.keyDays = reader.integer("key_days", in: 1...3650) ?? settings.keyDays
        settings.noteContradictions(in: &reader)
        return settings
    }

    /// The directory of the file; standard output has none.
    var directory: String? {
        guard !isStandardOutput else { return nil }
        let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? ""
        return parent.isEmpty ? "/" : String(parent)
    }

    private func noteContradictions(in reader: inout MappingReader) {
        if path.hasSuffix("/") {
            reader.note(SourceProblem("`path` names a directory, expected a file", at: reader.location(of: "path")))
        }
        if isStandardOutput {
            for key in ["rotate", "keep", "budget_bytes"] where reader.has(key) {
                reader.note(
                    SourceProblem(
                        "`\(key)` is for a file, and `path` is standard output",
                        at: reader.location(of: key),
                        remedy: "remove it: whoever collects the lines keeps them"
                    )
                )
            }
            if durability == .synced {
                reader.note(
                    SourceProblem(
                        "`durability` is `synced`, and standard output cannot be brought to a disk",
                        at: reader.location(of: "durability"),
                        remedy: "write to a file, or leave it at `written`"
                    )
                )
            }
        }
        if let budgetBytes, budgetBytes < 2 * rotate.bytes {
            reader.note(
                SourceProblem(
                    "`budget_bytes` is less than twice `rotate.bytes`",
                    at: reader.location(of: "budget_bytes"),
                    remedy: "a file is compressed beside the one that is being written: raise it, or rotate earlier"
                )
            )
        }
        if let budgetBytes, let kept = keep.bytes, kept + rotate.bytes > budgetBytes {
            reader.note(
                SourceProblem(
                    "`keep.bytes` and `rotate.bytes` together are more than `budget_bytes`",
                    at: reader.location(of: "budget_bytes"),
                    remedy: "traffic would stop before anything is removed"
                )
            )
        }
    }
}

extension AuditSettings.Rotation {
    fileprivate static func read(_ reader: inout MappingReader) -> AuditSettings.Rotation? {
        var rotation = AuditSettings.Rotation()
        rotation.bytes = reader.size("bytes", in: 1 << 20...64 << 30) ?? rotation.bytes
        rotation.hours = reader.integer("hours", in: 1...24 * 366) ?? rotation.hours
        return rotation
    }
}

extension AuditSettings.Keeping {
    fileprivate static func read(_ reader: inout MappingReader) -> AuditSettings.Keeping? {
        var keeping = AuditSettings.Keeping()
        keeping.days = reader.integer("days", in: 1...36_500)
        keeping.bytes = reader.size("bytes", in: 16 << 20...64 << 40)
        return keeping
    }
}

extension AuditSettings.Checkpoint {
    fileprivate static func read(_ reader: inout MappingReader) -> AuditSettings.Checkpoint? {
        var checkpoint = AuditSettings.Checkpoint()
        checkpoint.records = reader.integer("records", in: 100...10_000_000) ?? checkpoint.records
        checkpoint.seconds = reader.integer("seconds", in: 1...86_400) ?? checkpoint.seconds
        return checkpoint
    }
}
