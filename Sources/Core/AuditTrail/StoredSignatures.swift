extension CheckpointRecord {
    /// Reads a checkpoint back; nil where a member is missing or is none.
    package init?(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        guard let first = record.number("covers", "first_sequence", in: line),
            let last = record.number("covers", "last_sequence", in: line),
            let hash = record.text("covers", "last_hash", in: line),
            let key = record.text("key", in: line),
            let text = record.text("signature", in: line), let signature = [UInt8](base64: text)
        else { return nil }
        let covers = CheckpointCover(firstSequence: first, lastSequence: last, lastHash: hash)
        guard first <= last, record.number("records", in: line) == covers.records else { return nil }
        self.init(covers: covers, key: key, signature: signature)
    }
}

extension KeyRecord {
    /// Reads a key back; nil where a member is missing or is none.
    package init?(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        guard let key = record.text("key", in: line), let text = record.text("public_key", in: line),
            let publicKey = [UInt8](base64: text)
        else { return nil }
        self.init(key: key, publicKey: publicKey)
        signedBy = record.text("signed_by", in: line)
        guard let text = record.text("signature", in: line) else { return }
        guard let signature = [UInt8](base64: text) else { return nil }
        self.signature = signature
    }
}
