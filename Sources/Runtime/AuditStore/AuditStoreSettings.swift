/// How the audit trail is kept, beyond one file that grows.
package struct AuditStoreSettings: Hashable, Sendable {
    /// When the trail goes on in another file; nil: never.
    package var rotation: Rotation?
    /// How long segments are kept; nil: until somebody else takes them away.
    package var keeping: Keeping?
    /// What all files together stay below, in bytes; nil: no bound but the disk's.
    package var budget: Budget?
    /// The directory of what the trail keeps for itself, by name; nil: nothing is kept.
    package var statePath: String?
    /// When what was written is signed; nil: never.
    ///
    /// It needs the directory.
    package var signing: Signing?
    /// Receives one line for the operator about what goes wrong beside the writing; called on threads of the store's own.
    package var report: Report

    /// When a file is left for the next.
    package struct Rotation: Hashable, Sendable {
        package var bytes: Int
        /// Since its first line, in microseconds.
        package var microseconds: Int64

        package init(bytes: Int, microseconds: Int64) {
            self.bytes = bytes
            self.microseconds = microseconds
        }
    }

    /// What is removed when it is over; the older first.
    package struct Keeping: Hashable, Sendable {
        /// The age since it was closed, in seconds.
        package var seconds: Int64?
        /// All files together, the one being written among them.
        package var bytes: Int?

        package init(seconds: Int64? = nil, bytes: Int? = nil) {
            self.seconds = seconds
            self.bytes = bytes
        }
    }

    /// What all files together may take, and what of it is set aside.
    package struct Budget: Hashable, Sendable {
        package var bytes: Int
        /// For what is on its way when the last is let through.
        package var margin: Int

        package init(bytes: Int, margin: Int = 8 << 20) {
            self.bytes = bytes
            self.margin = margin
        }
    }

    /// When checkpoints are made, and by which key.
    package struct Signing: Hashable, Sendable {
        /// At the latest after so many lines.
        package var records: Int
        /// At the latest after so many microseconds, if there is a line.
        package var microseconds: Int64
        /// How old a key may grow, in seconds.
        package var keySeconds: Int64

        package init(records: Int = 10_000, microseconds: Int64 = 60_000_000, keySeconds: Int64 = 90 * 86_400) {
            self.records = records
            self.microseconds = microseconds
            self.keySeconds = keySeconds
        }
    }

    /// Where lines for the operator go; all are equal.
    package struct Report: Hashable, Sendable {
        let say: @Sendable (String) -> Void

        package init(_ say: @escaping @Sendable (String) -> Void) { self.say = say }

        package static func == (left: Self, right: Self) -> Bool { true }
        package func hash(into hasher: inout Hasher) {}
    }

    /// One file without end, nothing kept beside it.
    package init(
        rotation: Rotation? = nil,
        keeping: Keeping? = nil,
        budget: Budget? = nil,
        statePath: String? = nil,
        signing: Signing? = nil,
        report: Report = Report { _ in }
    ) {
        self.rotation = rotation
        self.keeping = keeping
        self.budget = budget
        self.statePath = statePath
        self.signing = signing
        self.report = report
    }
}
