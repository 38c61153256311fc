import AuditReading
import AuditSigning
import AuditTrail
import OpenSSLBindings
import Testing

@Suite("G06: checkpoints and keys")
struct SignatureTests {
    /// Two keys, three checkpoints: 1 started, 2 key, 3 connection, 4 checkpoint, 5 key, 6 checkpoint, 7… as written next.
    private static func chain(_ folder: TrailFolder) throws -> (first: Ed25519PrivateKey, second: Ed25519PrivateKey) {
        let first = try Ed25519PrivateKey()
        let second = try Ed25519PrivateKey()
        try folder.write([KeyRecord(first: first.publicKey), connection(1)])
        try folder.checkpoint(first)
        try folder.append { sequence, previous, _ in
            try KeyRecord(second.publicKey, after: first, sequence: sequence, previous: previous)
        }
        try folder.checkpoint(from: 5, second)
        return (first, second)
    }

    @Test("checkpoints are checked against the keys in the chain, over a rotation of keys and a restart of the writer")
    func unpinned() throws {
        let folder = try TrailFolder()
        _ = try Self.chain(folder)
        try folder.write([connection(2)])
        let report = try verify([folder.file])
        #expect(report.fault == nil)
        #expect(report.tally.checkpoints == 2)
        #expect(report.tally.keys.count == 2)
        #expect(report.tally.coveredThrough == 5)
        #expect(report.tally.lastSequence == 8)
        #expect(!report.isPinned)
    }

    @Test("a key that is pinned vouches for what goes back to it; a stranger's does not")
    func pinned() throws {
        let folder = try TrailFolder()
        let keys = try Self.chain(folder)
        let byFirst = try verify([folder.file], ChainExpectations(keys: [keys.first.publicKey]))
        #expect(byFirst.fault == nil)
        #expect(byFirst.tally.trustedCheckpoints == 2)
        let bySecond = try verify([folder.file], ChainExpectations(keys: [keys.second.publicKey]))
        #expect(bySecond.fault == nil)
        #expect(bySecond.tally.trustedCheckpoints == 1)
        let stranger = try Ed25519PrivateKey().publicKey
        #expect(try found([folder.file], ChainExpectations(keys: [stranger])) == "unsigned")
        let plain = try TrailFolder()
        try plain.write([connection(1)])
        #expect(try found([plain.file], ChainExpectations(keys: [stranger])) == "unsigned")
    }

    @Test(
        "a chain written anew with a key of somebody else's passes without a pin, and not with one, nor past a checkpoint"
    )
    func rewritten() throws {
        let folder = try TrailFolder()
        let keys = try Self.chain(folder)
        let shipped = try folder.lines()[3]
        let other = try TrailFolder()
        _ = try Self.chain(other)
        #expect(try found([other.file]) == "whole")
        #expect(try found([other.file], ChainExpectations(keys: [keys.first.publicKey])) == "unsigned")
        let known = try ChainExpectations(required: [#require(RequiredLine(line: shipped))])
        #expect(try found([folder.file], known) == "whole")
        #expect(try found([other.file], known) == "rewritten 4")
        let short = try other.put(Array(other.lines()[..<3]))
        #expect(try found([short], known) == "missing_tail 3")
    }

    @Test("a segment without its key is not a fault by itself, and says what was not checked")
    func laterSegment() throws {
        let folder = try TrailFolder()
        let keys = try Self.chain(folder)
        let lines = try folder.lines()
        let rest = try folder.put(Array(lines[5...]), as: "rest")
        let head = lines[4].hash.bytes
        #expect(try verify([rest], ChainExpectations(head: head)).tally.uncheckedSignatures == 1)
        #expect(try verify([rest], ChainExpectations(head: head, keys: [keys.second.publicKey])).fault == nil)
        let wrong = ChainExpectations(head: head, keys: [keys.first.publicKey])
        #expect(try found([rest], wrong) == "unknown_key 1")
        let entered = try folder.put(Array(lines[4...]), as: "entered")
        let before = lines[3].hash.bytes
        #expect(try verify([entered], ChainExpectations(head: before, keys: [keys.first.publicKey])).fault == nil)
    }

    @Test("a forged checkpoint, one of a retired key, one for other lines, and a key that nobody signed are found")
    func forged() throws {
        let stranger = try Ed25519PrivateKey()
        let folder = try TrailFolder()
        let keys = try Self.chain(folder)
        let lines = try folder.lines()
        func after(_ change: () throws -> Void) throws -> String {
            _ = try folder.put(lines)
            try folder.append { _, _, _ in connection(9) }
            try change()
            return try found([folder.file])
        }
        #expect(try after { try folder.checkpoint(from: 7, stranger) } == "unknown_key 8")
        #expect(try after { try folder.checkpoint(from: 7, keys.first) } == "unknown_key 8")
        #expect(try after { try folder.checkpoint(from: 7, keys.second) } == "whole")
        #expect(try after { try folder.checkpoint(from: 6, keys.second) } == "bad_signature 8")
        #expect(
            try after {
                try folder.append { sequence, previous, time in
                    let covers = CheckpointCover(firstSequence: 7, lastSequence: sequence - 1, lastHash: previous)
                    var record = try CheckpointRecord(signing: covers, at: time, with: keys.second)
                    record.signature[5] ^= 1
                    return record
                }
            } == "bad_signature 8"
        )
        #expect(try after { try folder.append { _, _, _ in KeyRecord(first: stranger.publicKey) } } == "unknown_key 8")
        #expect(
            try after {
                try folder.append { sequence, previous, _ in
                    try KeyRecord(stranger.publicKey, after: keys.first, sequence: sequence, previous: previous)
                }
            } == "bad_signature 8"
        )
        #expect(
            try after {
                try folder.append { _, _, _ in
                    KeyRecord(key: keys.first.publicKey.identifier, publicKey: stranger.publicKey.subjectPublicKeyInfo)
                }
            } == "bad_signature 8"
        )
    }
}
