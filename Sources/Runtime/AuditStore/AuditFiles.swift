import Synchronization

/// What is done for the trail beside the writing.
package enum AuditTask: String, CaseIterable, Sendable {
    case rotation
    case reopening
    case compression
    case retention
    case state
    case signing
}

/// What the files of the trail come to.
package struct AuditFiles: Hashable, Sendable {
    /// All of them together.
    package var bytes: Int
    /// What they stay below; 0: there is no bound.
    package var budget: Int
    /// How many are closed.
    package var segments: Int
    /// How many records of an end are owed.
    package var open: Int
}

extension AuditWriter {
    /// What the files come to, as of the last batch that was written and the last look of the keeper.
    package var files: AuditFiles {
        let shared = account.now
        return AuditFiles(
            bytes: shared.activeBytes + shared.otherBytes,
            budget: account.settings.budget?.bytes ?? 0,
            segments: shared.segments,
            open: shared.open
        )
    }

    /// How many records this writer has written, those that it makes itself included, as of the last batch.
    package var recordsWritten: UInt64 {
        let shared = account.now
        // Before its first batch nothing is known to be written.
        return max(shared.position.sequence, shared.numberBefore) - shared.numberBefore
    }

    /// The tasks that fail now.
    package var troubles: Set<AuditTask> { account.troubles }

    /// How often the disk was waited for.
    package var synchronizations: UInt64 { syncs.load(ordering: .relaxed) }

    /// How long the write that is on its way has taken, in microseconds; 0: none is.
    package var writing: Int64 {
        let since = writingSince.load(ordering: .relaxed)
        return since == 0 ? 0 : max(0, clock() - since)
    }
}
