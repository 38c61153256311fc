import AuditReading
import AuditStore
import AuditTrail
import Foundation
import OpenSSLBindings
import Synchronization
import Testing

@Suite struct SigningTests {
    private func settings(_ folder: AuditFolder, records: Int = 10, bytes: Int = 1 << 30) -> AuditStoreSettings {
        AuditStoreSettings(
            rotation: AuditStoreSettings.Rotation(bytes: bytes, microseconds: .max),
            statePath: folder.path,
            signing: AuditStoreSettings.Signing(records: records, microseconds: 1_000_000_000, keySeconds: 86_400)
        )
    }

    /// What `penstock audit verify` makes of all files, with the key pinned.
    private func verify(_ folder: AuditFolder, pinning pem: [UInt8]?) throws -> ChainReport {
        var expectations = ChainExpectations()
        if let pem { expectations.keys = [try Ed25519PublicKey(pem: pem)] }
        let files = folder.segments.map { "\(folder.path)/\($0.text)" } + [folder.file]
        var verification = ChainVerification(files, expectations)
        return try verification.run { _ in }
    }

    private func publicKey(_ folder: AuditFolder) throws -> [UInt8] { try folder.read("audit.pub") }

    @Test("G06: the first start makes a key for the daemon's user alone, publishes it, and signs after so many records")
    func firstStart() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: settings(folder))
        for round in 0..<5 { #expect(submit(round * 10 + 1...round * 10 + 10, to: writer)) }
        #expect(writer.finish(timeout: .seconds(20)))
        let lines = try readChain(folder.content)
        #expect(lines.map(\.kind).prefix(2) == ["lifecycle", "key"])
        #expect(lines.filter { $0.kind == "checkpoint" }.count >= 5)
        #expect(lines.last?.kind == "checkpoint", "what was written to the end is signed")
        for name in ["audit.key", "audit.pub", "audit.chain"] {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        let report = try verify(folder, pinning: publicKey(folder))
        #expect(report.fault == nil, "\(String(describing: report.fault))")
        #expect(report.tally.trustedCheckpoints == report.tally.checkpoints)
    }

    @Test("G06: signatures go on over restarts, kills at any moment and closed files, each file naming the key")
    func goesOn() throws {
        let folder = try AuditFolder()
        var pinned: [UInt8]?
        for round in 0..<4 {
            let writer = try folder.writer(store: settings(folder, bytes: 20_000))
            for part in 0..<3 {
                let first = round * 1000 + part * 40
                #expect(submit(first + 1...first + 40, to: writer))
            }
            #expect(folder.waitForCompression())
            #expect(writer.finish(timeout: .seconds(20)))
            pinned = try pinned ?? publicKey(folder)
            // As a kill leaves it: without the last checkpoint, in the middle of a line.
            try folder.write(Array(folder.content.dropLast(300)))
            try? FileManager.default.removeItem(atPath: folder.path + "/audit.chain")
        }
        let last = try folder.writer(store: settings(folder))
        #expect(last.finish(timeout: .seconds(20)))
        let report = try verify(folder, pinning: pinned)
        #expect(report.fault == nil, "\(String(describing: report.fault))")
        #expect(report.tally.repairs > 0)
        for segment in folder.segments.dropFirst() {
            let lines = try folder.read(segment.text).split(separator: UInt8(ascii: "\n"))
            let kinds = try lines.prefix(2).map {
                (try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])?["kind"] as? String ?? ""
            }
            #expect(kinds == ["lifecycle", "key"])
        }
    }

    @Test(
        "G06: a key that is too old is replaced by one that it signs; who pinned the first trusts the second",
        arguments: [true, false]
    )
    func rotation(byHand: Bool) throws {
        let folder = try AuditFolder()
        let ticks = Ticks()
        let writer = try folder.writer(store: settings(folder), ticks: ticks)
        #expect(submit(1...20, to: writer))
        let first = try publicKey(folder)
        if byHand {
            let key = try Ed25519PrivateKey().pem()
            try folder.write(key, to: "audit.key.tmp")
            try run("sh", "-c", "cd \(folder.path) && chmod 600 audit.key.tmp && mv audit.key.tmp audit.key.new")
            writer.reopen()
        } else {
            ticks.advance(2 * 86_400_000_000)
        }
        #expect(eventually { (try? publicKey(folder)) != first })
        #expect(submit(21...40, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(!folder.names.contains("audit.key.new"))
        let report = try verify(folder, pinning: first)
        #expect(report.fault == nil, "\(String(describing: report.fault))")
        #expect(report.tally.keys.count == 2)
        #expect(report.tally.trustedCheckpoints == report.tally.checkpoints)
    }

    @Test("what an orderly end keeps of the chain is its end, however late the keeper is")
    func keptEnd() throws {
        for _ in 0..<40 {
            let folder = try AuditFolder()
            let writer = try folder.writer(store: settings(folder))
            #expect(submit(1...5, to: writer))
            #expect(writer.finish(timeout: .seconds(20)))
            let last = try #require(folder.content.split(separator: UInt8(ascii: "\n")).last)
            let hash = String(decoding: SHA256Digest(of: Array(last).span).hexadecimal, as: UTF8.self)
            let kept = String(decoding: try folder.read("audit.chain"), as: UTF8.self)
            #expect(kept.contains(hash), "\(kept)")
        }
    }

    @Test("a key that cannot take over is told of once, and until it is gone, whatever the key before it signs")
    func troubleWithTheNextKey() throws {
        let folder = try AuditFolder()
        let said = Mutex<[String]>([])
        var settings = settings(folder)
        settings.report = AuditStoreSettings.Report { text in said.withLock { $0.append(text) } }
        let writer = try folder.writer(store: settings)
        #expect(submit(1...5, to: writer))
        try folder.write(Array("no key\n".utf8), to: "audit.key.tmp")
        try run("sh", "-c", "cd \(folder.path) && chmod 600 audit.key.tmp && mv audit.key.tmp audit.key.new")
        #expect(eventually { writer.troubles.contains(.signing) })
        let checkpoints = try readChain(folder.content).count { $0.kind == "checkpoint" }
        #expect(submit(6...40, to: writer))
        #expect(eventually { ((try? readChain(folder.content)) ?? []).count { $0.kind == "checkpoint" } > checkpoints })
        #expect(writer.troubles.contains(.signing))
        try FileManager.default.removeItem(atPath: folder.path + "/audit.key.new")
        #expect(eventually { !writer.troubles.contains(.signing) })
        #expect(writer.finish(timeout: .seconds(20)))
        let signing = said.withLock { $0.filter { $0.hasPrefix("audit: signing: ") } }
        #expect(signing.count == 2, "\(signing)")
        #expect(signing.last == "audit: signing: it works again")
    }

    @Test("G06: a key whose file cannot be put in its place signs from its record on, and is published once")
    func keyOutOfPlace() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: settings(folder))
        #expect(submit(1...5, to: writer))
        let first = try publicKey(folder)
        let key = try Ed25519PrivateKey().pem()
        try folder.write(key, to: "audit.key.tmp")
        try run(
            "sh",
            "-c",
            "cd \(folder.path) && chmod 600 audit.key.tmp && rm audit.pub && mkdir audit.pub && mv audit.key.tmp audit.key.new"
        )
        #expect(eventually { writer.troubles.contains(.signing) })
        #expect(submit(6...40, to: writer))
        let keys = { ((try? readChain(folder.content)) ?? []).count { $0.kind == "key" } }
        #expect(keys() == 2)
        #expect(folder.names.contains("audit.key.new"))
        try FileManager.default.removeItem(atPath: folder.path + "/audit.pub")
        #expect(eventually { !writer.troubles.contains(.signing) })
        #expect(submit(41...60, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(!folder.names.contains("audit.key.new"))
        #expect(keys() == 2)
        let report = try verify(folder, pinning: first)
        #expect(report.fault == nil, "\(String(describing: report.fault))")
        #expect(report.tally.trustedCheckpoints == report.tally.checkpoints)
    }

    @Test("a kill between the record of a key and its taking over publishes it no second time")
    func killedWhilePublishing() throws {
        let folder = try AuditFolder()
        let first = try folder.writer(store: settings(folder))
        #expect(submit(1...5, to: first))
        #expect(first.finish(timeout: .seconds(20)))
        let old = try folder.read("audit.key")
        try folder.write(Ed25519PrivateKey().pem(), to: "audit.key.new")
        try run("chmod", "600", folder.path + "/audit.key.new")
        let new = try folder.read("audit.key.new")
        let second = try folder.writer(store: settings(folder, records: 1000))
        #expect(eventually { !folder.names.contains("audit.key.new") })
        #expect(second.finish(timeout: .seconds(20)))
        // The record is there, the checkpoint after it is not, and the files are as before.
        let content = try folder.content
        let lastLine = try #require(content.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        try folder.write(Array(content[...lastLine]))
        try folder.write(old, to: "audit.key")
        try folder.write(new, to: "audit.key.new")
        try run("sh", "-c", "cd \(folder.path) && chmod 600 audit.key audit.key.new && rm audit.chain")
        let third = try folder.writer(store: settings(folder))
        #expect(third.finish(timeout: .seconds(20)))
        let report = try verify(folder, pinning: nil)
        #expect(report.fault == nil, "\(String(describing: report.fault))")
        #expect(report.tally.keys.count == 2)
    }

    @Test("G06: a key that is damaged, a link or somebody else's keeps everything back, and the chain untouched")
    func badKeys() throws {
        for spoil in [
            "echo x > audit.key", "ln -sf /etc/hostname audit.key", "chown 65534 audit.key", "ln audit.key second",
        ] {
            let folder = try AuditFolder()
            let first = try folder.writer(store: settings(folder))
            #expect(first.finish(timeout: .seconds(20)))
            let before = try folder.content
            try run("sh", "-c", "cd \(folder.path) && \(spoil)")
            let second = try folder.writer(store: settings(folder))
            let ticket = second.submit(connection(1))
            let hasFailed = eventually { if case .failed = second.state { true } else { false } }
            #expect(hasFailed, "\(spoil)")
            #expect(second.writtenThrough < ticket)
            _ = second.finish(timeout: .seconds(20))
            #expect(try folder.content == before)
        }
    }

    @Test("G13: no private key in any line, and none in the public file")
    func noSecrets() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: settings(folder))
        #expect(submit(1...50, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        let pem = String(decoding: try folder.read("audit.key"), as: UTF8.self)
        let secret = try #require(pem.split(separator: "\n").first { !$0.hasPrefix("-") && !$0.hasPrefix("made") })
        for name in ["audit.jsonl", "audit.pub", "audit.chain"] {
            let text = String(decoding: try folder.read(name), as: UTF8.self)
            #expect(!text.contains(secret.suffix(40)) && !text.contains("PRIVATE"), "\(name)")
        }
    }
}
