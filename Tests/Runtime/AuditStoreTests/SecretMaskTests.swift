import AuditStore
import AuditTrail
import Foundation
import OpenSSLBindings
import Testing

@Suite struct SecretMaskTests {
    private func hashes(_ folder: AuditFolder, _ secrets: [String]) throws -> [String] {
        let writer = try folder.writer(store: AuditStoreSettings(statePath: folder.path))
        let hashes = secrets.map { writer.mask.hash(of: Array($0.utf8).span) }
        #expect(writer.finish(timeout: .seconds(20)))
        return hashes
    }

    @Test("G06: equal secrets have equal hashes over restarts, others have others; under another key all are different")
    func correlation() throws {
        let folder = try AuditFolder()
        let first = try hashes(folder, ["secret", "secret", "another", ""])
        #expect(first[0] == first[1] && Set(first).count == 3)
        let hexadecimal = Set("0123456789abcdef")
        let areDigits = first.joined().allSatisfy { hexadecimal.contains($0) }
        #expect(areDigits && first.allSatisfy { $0.count == 16 })
        #expect(try hashes(folder, ["secret"]) == [first[0]])
        #expect(try hashes(AuditFolder(), ["secret"]) != [first[0]])
    }

    @Test("G13: the key is made at the first start for the daemon's user alone, and stands in no line of the trail")
    func key() throws {
        let folder = try AuditFolder()
        _ = try hashes(folder, [])
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/mask.key")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let key = String(decoding: try folder.read("mask.key").dropLast(), as: UTF8.self)
        #expect(key.count == 64)
        #expect(try !String(decoding: folder.content, as: UTF8.self).contains(key))
    }

    @Test(
        "G06: a key that is none, or that somebody put there under a second name, keeps the writer from starting",
        arguments: ["short", String(repeating: "x", count: 64), ""]
    )
    func badKey(text: String) throws {
        let folder = try AuditFolder()
        try folder.write(Array(text.utf8), to: "mask.key")
        #expect(throws: AuditError.noMaskKey) { try hashes(folder, []) }
        try FileManager.default.linkItem(atPath: folder.path + "/mask.key", toPath: folder.path + "/second")
        #expect(throws: AuditError.foreignState("mask.key", .names(2))) { try hashes(folder, []) }
    }

    /// RFC 4231, sections 4.2, 4.3 and 4.7.
    @Test(
        "the hash is HMAC-SHA-256, of short keys and of long ones",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
    )
    func vectors(key: [UInt8], text: String, expected: String) {
        let digest = KeyedHash(key: key).digest(of: Array(text.utf8).span)
        #expect(String(decoding: digest.hexadecimal, as: UTF8.self) == expected)
    }
}
