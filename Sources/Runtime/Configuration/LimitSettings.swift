import SourceDocuments

/// How much the daemon takes on, and how long it waits.
package struct LimitSettings: Hashable, Sendable {
    /// How many connections may be open; `nil`: as many as the descriptors that the process may have allow.
    package var connections: Int?
    /// How many connections may wait for their verdict; the oldest goes first.
    package var undecided = 2000
    /// How many connections and requests of one user are decided in a second; more wait, and are refused if that lasts.
    package var decisionsPerSecond = 50_000
    /// How many of a client's first bytes are looked at.
    package var sniffBytes = 65536
    /// How long a client may take to say what it wants.
    package var sniffTime = Duration.seconds(5)
    /// How long a client may stay silent before it is judged as one that lets the server speak first.
    package var serverFirstTime = Duration.milliseconds(300)
    /// How many octets of one direction of an exchange may be held back until an inspector lets them go.
    package var heldBytes = 1_048_576
    /// How much memory all that is looked into may take together, in octets.
    package var inspectionBytes = 268_435_456
    /// How many octets may be made of one, on the average, in decoding content.
    package var expansion = 256
    /// How long a client may take to send a body that must be known before it is decided.
    package var bodyTime = Duration.seconds(60)

    package init() {}
}

extension LimitSettings {
    /// Reads `limits`.
    static func read(_ reader: inout MappingReader) -> LimitSettings? {
        var settings = LimitSettings()
        settings.connections = reader.integer("connections", in: 16...1_000_000)
        settings.undecided =
            reader.integer("undecided", in: 1...1_000_000)
            ?? min(settings.undecided, settings.connections ?? settings.undecided)
        settings.decisionsPerSecond =
            reader.integer("decisions_per_second", in: 1...10_000_000) ?? settings.decisionsPerSecond
        // At least what a ClientHello of today needs, at most what a hundred thousand waiting connections could hold.
        settings.sniffBytes = reader.integer("sniff_bytes", in: 4096...1_048_576) ?? settings.sniffBytes
        settings.sniffTime = reader.integer("sniff_seconds", in: 1...60).map { .seconds($0) } ?? settings.sniffTime
        settings.serverFirstTime =
            reader.integer("server_first_milliseconds", in: 10...60_000).map { .milliseconds($0) }
            ?? settings.serverFirstTime
        settings.heldBytes = reader.integer("held_bytes", in: 65_536...67_108_864) ?? settings.heldBytes
        settings.inspectionBytes =
            reader.integer("inspection_bytes", in: 1_048_576...1_099_511_627_776) ?? settings.inspectionBytes
        settings.expansion = reader.integer("expansion", in: 8...1_000_000) ?? settings.expansion
        settings.bodyTime = reader.integer("body_seconds", in: 1...3600).map { .seconds($0) } ?? settings.bodyTime
        settings.noteContradictions(in: &reader)
        return settings
    }

    private func noteContradictions(in reader: inout MappingReader) {
        if serverFirstTime > sniffTime {
            reader.note(
                SourceProblem(
                    "`server_first_milliseconds` is longer than `sniff_seconds`",
                    at: reader.location(of: "server_first_milliseconds"),
                    remedy: "a client is waited for no longer than `sniff_seconds`"
                )
            )
        }
        if let connections, undecided > connections {
            reader.note(
                SourceProblem(
                    "`undecided` is \(undecided), more than `connections`, which is \(connections)",
                    at: reader.location(of: "undecided"),
                    remedy: "an undecided connection is a connection too"
                )
            )
        }
    }
}
