import AuditStore
import AuditTrail
import Foundation
import Synchronization
import Testing

/// What the trail keeps beside its file, and what the operator is told.
@Suite struct StateTests {
    @Test("G06: a second daemon that keeps its state in the same directory is refused, and may have it afterwards")
    func shared() throws {
        let folder = try AuditFolder()
        let first = try folder.writer(store: AuditStoreSettings(statePath: folder.path))
        #expect(throws: AuditError.stateInUse) { try other(in: folder) }
        #expect(AuditError.stateInUse.description.contains("in use by another daemon"))
        #expect(AuditError.stateInUse.description.contains("a state.path of its own"))
        // The same file again: that is what is told.
        #expect(throws: AuditError.inUse) { try folder.writer(store: AuditStoreSettings(statePath: folder.path)) }
        // Beside standard output as well.
        #expect(throws: AuditError.stateInUse) { try other(in: folder, path: "-") }
        #expect(first.finish(timeout: .seconds(20)))
        #expect(try other(in: folder).finish(timeout: .seconds(20)))
    }

    @Test("what another audit file left of its chain is not believed, and told of; an older daemon's is")
    func otherFile() throws {
        let folder = try AuditFolder()
        let told = Told()
        let store = AuditStoreSettings(statePath: folder.path, report: told.report)
        let first = try folder.writer(store: store)
        #expect(submit(1...30, to: first))
        #expect(first.finish(timeout: .seconds(20)))
        #expect(try other(in: folder, report: told.report).finish(timeout: .seconds(20)))
        let second = try readChain(folder.read("second.jsonl"))
        #expect(second.map(\.event) == ["started"])
        #expect(
            told.lines.filter { $0.contains("left by another audit file, audit.jsonl") }.count == 1,
            "\(told.lines)"
        )
        // Its own is believed, and that of a daemon that did not tell the file as well.
        var kept = String(decoding: try folder.read("audit.chain"), as: UTF8.self)
        #expect(kept.contains("\"file\":\"second.jsonl\""))
        for _ in 1...2 {
            try folder.write([], to: "second.jsonl")
            try folder.write(Array(kept.utf8), to: "audit.chain")
            #expect(try other(in: folder, report: told.report).finish(timeout: .seconds(20)))
            #expect(String(decoding: try folder.read("second.jsonl"), as: UTF8.self).contains("\"event\":\"missing\""))
            kept = kept.replacing(",\"file\":\"second.jsonl\"", with: "")
        }
        #expect(told.lines.count == 1, "\(told.lines)")
    }

    @Test("a start that fails before it writes keeps what was known of the chain")
    func failedStart() throws {
        let folder = try AuditFolder()
        let store = AuditStoreSettings(statePath: folder.path)
        let first = try folder.writer(store: store)
        #expect(submit(1...30, to: first))
        #expect(first.finish(timeout: .seconds(20)))
        let kept = try folder.read("audit.chain")
        var content = try folder.content
        let offset = try #require(content.firstIndex(of: UInt8(ascii: "\n"))) + 1
        content.insert(contentsOf: Array("not ours\n".utf8), at: offset)
        try folder.write(content)
        let second = try folder.writer(store: store)
        #expect(eventually { second.state == .failed(.foreignLine(offset: offset)) })
        _ = second.finish(timeout: .seconds(20))
        #expect(second.recordsWritten == 0)
        #expect(try folder.read("audit.chain") == kept)
    }

    @Test("records that are counted are lines, those that the writer makes itself included; each daemon counts its own")
    func countedLines() throws {
        let folder = try AuditFolder()
        let signing = AuditStoreSettings(statePath: folder.path, signing: .init(records: 10))
        var before = 0
        for _ in 1...2 {
            let writer = try folder.writer(store: signing)
            #expect(submit(1...30, to: writer))
            #expect(writer.finish(timeout: .seconds(20)))
            let lines = try readChain(folder.content).count
            #expect(Int(writer.recordsWritten) == lines - before && lines - before > 31, "\(lines) \(before)")
            before = lines
        }
    }

    @Test("a damaged or an empty file of the chain's end is told of", arguments: ["", "{}\n", "x"])
    func damagedChain(content: String) throws {
        let folder = try AuditFolder()
        let told = Told()
        try folder.write(Array(content.utf8), to: "audit.chain")
        let writer = try folder.writer(store: AuditStoreSettings(statePath: folder.path, report: told.report))
        #expect(writer.finish(timeout: .seconds(20)))
        let word = content.isEmpty ? "empty" : "damaged"
        #expect(told.lines.filter { $0.contains("audit.chain in state.path is \(word)") }.count == 1, "\(told.lines)")
    }

    @Test(
        "G06: a key that is a link or another user's keeps everything back, names its file, and says what to do",
        arguments: ["audit.key", "audit.key.new"],
        [
            ["ln -sf /etc/hostname", "is a symbolic link"], ["mkdir", "is not a regular file"],
            ["touch other; chown 65534 other; mv other", "belongs to user 65534, not to the daemon's"],
        ]
    )
    func foreignKey(name: String, fault: [String]) throws {
        let folder = try AuditFolder()
        let told = Told()
        try run("sh", "-c", "cd \(folder.path) && \(fault[0]) \(name)")
        let writer = try folder.writer(
            store: AuditStoreSettings(
                statePath: folder.path,
                signing: AuditStoreSettings.Signing(),
                report: told.report
            )
        )
        #expect(eventually { if case .failed(.foreignState) = writer.state { true } else { false } })
        #expect(eventually { !told.lines.isEmpty })
        #expect(told.lines.count == 1 && told.lines[0].hasPrefix("audit: \(name) in state.path "), "\(told.lines)")
        #expect(told.lines[0].contains(fault[1]), "\(told.lines)")
        _ = writer.finish(timeout: .seconds(20))
    }

    @Test("a key that others may read is used, and warned of once")
    func exposedKey() throws {
        let folder = try AuditFolder()
        let told = Told()
        let store = AuditStoreSettings(
            statePath: folder.path,
            signing: AuditStoreSettings.Signing(),
            report: told.report
        )
        #expect(try folder.writer(store: store).finish(timeout: .seconds(20)))
        #expect(told.lines.isEmpty, "\(told.lines)")
        try run("chmod", "644", folder.path + "/audit.key")
        #expect(try folder.writer(store: store).finish(timeout: .seconds(20)))
        #expect(told.lines.count == 1, "\(told.lines)")
        #expect(
            told.lines.first?.contains("warning: audit: audit.key in state.path is secret, and its mode 644") == true
        )
    }

    @Test("a file that was removed is told of once with the remedy; connections may come for their refusal still")
    func failed() throws {
        let folder = try AuditFolder()
        let told = Told()
        let writer = try folder.writer(store: AuditStoreSettings(report: told.report))
        #expect(submit(1...3, to: writer))
        try run("rm", folder.file)
        writer.submit(connection(4))
        #expect(eventually { writer.state == .failed(.changedByOthers) })
        #expect(eventually { !told.lines.isEmpty })
        #expect(!writer.takesDecisions && writer.hasRoom(backlog: 10))
        for number in 5...14 { writer.submit(connection(number)) }
        #expect(!writer.hasRoom(backlog: 10))
        #expect(!writer.finish(timeout: .seconds(20)))
        #expect(told.lines == ["audit: \(AuditError.changedByOthers)"])
    }

    @Test("a disk that is full is told of once, and that records are written again")
    func stalled() throws {
        let folder = try AuditFolder(kibibytes: 64)
        let told = Told()
        let writer = try folder.writer(store: AuditStoreSettings(report: told.report))
        #expect(submit(1...3, to: writer))
        try run("sh", "-c", "dd if=/dev/zero of=\(folder.path)/filler bs=4k 2>/dev/null || true")
        for number in 4...40 { writer.submit(connection(number)) }
        #expect(eventually { !told.lines.isEmpty })
        Thread.sleep(forTimeInterval: 1.5)
        #expect(told.lines.count == 1, "\(told.lines)")
        #expect(told.lines[0].hasPrefix("audit: write: No space left on device"), "\(told.lines)")
        #expect(told.lines[0].hasSuffix("; nothing new passes until it can be written"), "\(told.lines)")
        try run("rm", folder.path + "/filler")
        #expect(eventually { told.lines.count == 2 })
        #expect(told.lines.last == "audit: records are written again")
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(told.lines.count == 2, "\(told.lines)")
    }

    @Test("a segment that is damaged or was put there by others is named, and retention goes on behind it")
    func damagedSegment() throws {
        let folder = try AuditFolder()
        let told = Told()
        let writer = try folder.writer(store: AuditFolder.rotating())
        for round in 0..<8 { #expect(submit(round * 40 + 1...round * 40 + 40, to: writer)) }
        #expect(folder.waitForCompression())
        #expect(writer.finish(timeout: .seconds(20)))
        let segments = folder.segments.map(\.text)
        try #require(segments.count >= 4)
        try folder.write([UInt8](repeating: 0, count: 64), to: segments[1])
        // Another's plain file that pretends to be older than all, a directory, and another's in the place of a segment.
        let names = ["audit-20200101T000000Z-000000000001.jsonl", "audit-20200101T000000Z-000000000002.jsonl.zst"]
        try run("sh", "-c", "cd \(folder.path) && touch \(names[0]) && mkdir \(names[1]) && chown 65534 \(names[0])")
        try run("chown", "65534", "\(folder.path)/\(segments[2])")
        var store = AuditFolder.rotating(bytes: 1 << 30, keeping: AuditStoreSettings.Keeping(bytes: 1))
        store.report = told.report
        let second = try folder.writer(store: store)
        #expect(eventually { folder.segments.map(\.text) == [names[1]] })
        #expect(second.finish(timeout: .seconds(20)))
        for name in [names[0], segments[1], segments[2]] {
            let isNamed = told.lines.contains { $0.contains("closed audit file \(name) ") }
            #expect(isNamed, "\(name): \(told.lines)")
        }
        let removed = try folder.content.split(separator: UInt8(ascii: "\n")).compactMap {
            try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]
        }.filter { $0["event"] as? String == "removed" }
        #expect(removed.map { $0["segment"] as? String } == [names[0]] + segments)
        // Of those before the two that cannot be read, and of no other.
        let unknown = removed.filter { $0["after"] == nil }.map { $0["segment"] as? String }
        #expect(unknown == [segments[0], segments[1]])
    }

    /// A writer of another file in the same directory.
    private func other(
        in folder: AuditFolder,
        path: String? = nil,
        report: AuditStoreSettings.Report = AuditStoreSettings.Report { _ in }
    ) throws(AuditError) -> AuditWriter {
        try folder.writer(
            of: path ?? folder.path + "/second.jsonl",
            store: AuditStoreSettings(statePath: folder.path, report: report)
        )
    }
}

/// What the operator was told.
private final class Told: Sendable {
    private let all = Mutex<[String]>([])

    var lines: [String] { all.withLock { $0 } }

    var report: AuditStoreSettings.Report {
        AuditStoreSettings.Report { line in self.all.withLock { $0.append(line) } }
    }
}
