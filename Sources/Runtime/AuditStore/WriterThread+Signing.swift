import AuditSigning
import AuditTrail
import LinuxBindings
import OpenSSLBindings

/// What signs the chain; it belongs to the writer's thread.
struct ChainSigner {
    let keys: SigningKeys
    /// Nil until the first is published.
    var key: SigningKeys.Key?
    /// The number of the last checkpoint's own line.
    var lastCheckpoint: UInt64
    /// When that was, in microseconds.
    var lastTime: Int64
    /// The key that is published, and whose file is not in its place yet.
    var published: Ed25519PublicKey?
    /// Why the key that waits cannot take over; nil where nothing is wrong with it, or none waits.
    var takeover: String?
}

extension WriterThread {
    /// Has the chain go on under the key that it had, or under the first.
    ///
    /// - Throws: Where there is a key that cannot be read, or none can be made: nothing is recorded unsigned.
    mutating func beginSigning(after opening: AuditOpening) throws(AuditError) {
        guard let settings = writer.account.settings.signing, let state = writer.account.state else { return }
        let keys = SigningKeys(in: state)
        let now = writer.clock()
        signer = ChainSigner(
            keys: keys,
            key: try keys.published(),
            lastCheckpoint: opening.checkpoint,
            lastTime: now - settings.microseconds
        )
        // The record of a key that waits may have been written just before the daemon died.
        if let waiting = try keys.waiting(), let last = opening.lastKey, last == waiting.key.publicKey.identifier {
            try keys.take(waiting.key.publicKey)
            signer?.key = waiting
        }
        if opening.position.sequence == 0, let key = signer?.key {
            append(KeyRecord(first: key.key.publicKey))
        }
        try changeKey(now: now)
    }

    /// Signs what was written since, if that is due; `isLast`: whatever is due.
    mutating func sign(now: Int64, isLast: Bool = false) throws(AuditError) {
        guard let settings = writer.account.settings.signing, let signer else { return }
        let unsigned = chain.position.sequence - min(signer.lastCheckpoint, chain.position.sequence)
        guard unsigned > 0,
            isLast || unsigned >= UInt64(settings.records) || now - signer.lastTime >= settings.microseconds
        else { return }
        appendCheckpoint(now: now)
        _ = try flush()
    }

    /// Puts a checkpoint of all lines so far among the lines.
    mutating func appendCheckpoint(now: Int64) {
        guard let signer, let key = signer.key else { return }
        let position = chain.position
        let covers = CheckpointCover(
            firstSequence: signer.lastCheckpoint + 1,
            lastSequence: position.sequence,
            lastHash: position.hashText
        )
        do throws(SigningError) {
            let record = try CheckpointRecord(signing: covers, at: now, with: key.key)
            chain.append(AuditRecord(record, at: now, limits: writer.limits), to: &lines)
            self.signer?.lastCheckpoint = position.sequence + 1
            self.signer?.lastTime = now
            writer.account.report(.signing, signer.takeover)
        } catch {
            writer.account.report(.signing, "\(error)")
        }
    }

    /// Publishes the key once more, signed by itself, so that every file can be checked without those before it.
    mutating func appendKey() {
        guard let key = signer?.key?.key else { return }
        guard
            let record = try? KeyRecord(
                key.publicKey,
                after: key,
                sequence: chain.position.sequence + 1,
                previous: chain.position.hashText
            )
        else { return }
        append(record)
    }

    /// Publishes the key that waits, or a new one where there is none or it is too old.
    mutating func changeKey(now: Int64) throws(AuditError) {
        guard let settings = writer.account.settings.signing, let signer else { return }
        if let published = signer.published { return try putInPlace(published) }
        var next = try signer.keys.waiting()
        if next == nil {
            let isTooOld = signer.key.flatMap(\.made).map { now / 1_000_000 - $0 > settings.keySeconds }
            guard signer.key == nil || isTooOld == true else { return }
            next = try signer.keys.make(at: now / 1_000_000)
        }
        guard let next else { return }
        append(try record(publishing: next.key, after: signer.key?.key))
        // From here on the chain says that this key signs, whatever becomes of its file.
        self.signer?.key = SigningKeys.Key(key: next.key, made: next.made ?? now / 1_000_000)
        self.signer?.published = next.key.publicKey
        try putInPlace(next.key.publicKey)
    }

    /// Has the file of a key that is published take the place of the one before, once its record cannot be lost any more.
    private mutating func putInPlace(_ key: Ed25519PublicKey) throws(AuditError) {
        guard try flush() else { return }
        try file.synchronize()
        try signer?.keys.take(key)
        signer?.published = nil
    }

    private func record(
        publishing next: Ed25519PrivateKey,
        after before: Ed25519PrivateKey?
    ) throws(AuditError) -> KeyRecord {
        guard let before else { return KeyRecord(first: next.publicKey) }
        do throws(SigningError) {
            return try KeyRecord(
                next.publicKey,
                after: before,
                sequence: chain.position.sequence + 1,
                previous: chain.position.hashText
            )
        } catch {
            throw .noKey("\(error)")
        }
    }
}
