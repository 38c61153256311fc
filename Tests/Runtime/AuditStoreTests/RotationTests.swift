import AuditStore
import AuditTrail
import Foundation
import Testing

@Suite struct RotationTests {
    @Test(
        "G06: the chain goes on over files that are closed by size, and each is compressed and named for its first line"
    )
    func bySize() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: AuditFolder.rotating())
        for round in 0..<8 { #expect(submit(round * 40 + 1...round * 40 + 40, to: writer)) }
        #expect(folder.waitForCompression())
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(folder.segments.count >= 4)
        let lines = try readChain(folder.wholeTrail())
        #expect(lines.filter { $0.kind == "connection" }.count == 320)
        #expect(lines.filter { $0.event == "rotated" }.count == folder.segments.count)
        for segment in folder.segments {
            let first = try folder.read(segment.text).split(separator: UInt8(ascii: "\n"))[0]
            #expect(StoredLine(Array(first).span)?.sequence == segment.firstSequence)
        }
        for name in folder.names {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
    }

    @Test("a file that is a day old is closed though it is small, and one without new lines is not closed again")
    func byTime() throws {
        let folder = try AuditFolder()
        let ticks = Ticks()
        let rotation = AuditStoreSettings.Rotation(bytes: 1 << 30, microseconds: 86_400_000_000)
        let writer = try folder.writer(store: AuditStoreSettings(rotation: rotation), ticks: ticks)
        #expect(submit(1...3, to: writer))
        ticks.advance(86_400_000_000)
        #expect(folder.waitForCompression())
        ticks.advance(86_400_000_000)
        #expect(submit(4...4, to: writer))
        #expect(eventually { folder.segments.count == 2 })
        ticks.advance(86_400_000_000)
        Thread.sleep(forTimeInterval: 1.5)
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(folder.segments.count == 2)
        #expect(try readChain(folder.wholeTrail()).count == 7)
    }

    @Test(
        "what was open over several files has one end, lost, when the daemon dies, and what had ended has no second one"
    )
    func lostOverFiles() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: AuditFolder.rotating())
        #expect(submit(1...30, to: writer, .allow))
        for number in 1...10 { writer.submit(end(number)) }
        #expect(submit(100...200, to: writer))
        for number in 11...20 { writer.submit(end(number)) }
        #expect(submit(300...400, to: writer))
        for number in 21...25 { writer.submit(end(number)) }
        #expect(submit(500...500, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(folder.segments.count >= 2)
        let second = try folder.writer(store: AuditFolder.rotating())
        #expect(second.finish(timeout: .seconds(20)))
        let lost = try readChain(folder.wholeTrail()).filter { $0.outcome == "lost" }.map(\.id)
        #expect(lost == (26...30).map { RecordIdentifier(value: $0).description })
    }

    @Test("thousands of open connections are carried over in lines of a thousand")
    func manyOpen() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: AuditFolder.rotating(bytes: 1_500_000))
        #expect(submit(1...2500, to: writer, .allow))
        #expect(eventually { folder.segments.count == 1 })
        #expect(writer.finish(timeout: .seconds(20)))
        let second = try folder.writer(store: AuditFolder.rotating(bytes: 1_500_000))
        #expect(second.finish(timeout: .seconds(20)))
        let lines = try readChain(folder.wholeTrail())
        let carried = lines.filter { $0.event == "rotated" }.compactMap { ($0.object["open"] as? [String])?.count }
        #expect(carried.count == 3 && carried.starts(with: [1000, 1000]))
        #expect(lines.filter { $0.outcome == "lost" }.count == 2500)
    }

    @Test(
        "G06: a file that somebody renames is left, whatever they put in its place, and the chain goes on in a new one"
    )
    func renamedByOthers() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: AuditFolder.rotating(bytes: 1 << 20))
        #expect(submit(1...3, to: writer))
        let elsewhere = folder.path + "/taken"
        try FileManager.default.moveItem(atPath: folder.file, toPath: elsewhere)
        writer.reopen()
        #expect(eventually { FileManager.default.fileExists(atPath: folder.file) })
        #expect(submit(4...6, to: writer))
        // A link that leads to another file is not written through, and what was there is not touched.
        try folder.write(Array("precious".utf8), to: "victim")
        try FileManager.default.moveItem(atPath: folder.file, toPath: folder.path + "/taken2")
        try FileManager.default.createSymbolicLink(atPath: folder.file, withDestinationPath: folder.path + "/victim")
        #expect(eventually { writer.troubles.contains(.reopening) })
        #expect(submit(7...9, to: writer))
        #expect(try folder.read("victim") == Array("precious".utf8))
        try FileManager.default.removeItem(atPath: folder.file)
        #expect(eventually { FileManager.default.fileExists(atPath: folder.file) })
        #expect(submit(10...12, to: writer))
        #expect(eventually { writer.troubles.isEmpty })
        #expect(writer.finish(timeout: .seconds(20)))
        let lines = try readChain(folder.read("taken") + folder.read("taken2") + folder.content)
        #expect(lines.filter { $0.kind == "connection" }.count == 12)
    }

    @Test("logrotate's way works: the file is moved, an empty one made, and the daemon sent a signal")
    func logrotate() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer(store: AuditFolder.rotating(bytes: 1 << 20))
        #expect(submit(1...3, to: writer))
        try run("sh", "-c", "cd \(folder.path) && mv audit.jsonl audit.jsonl.1 && touch audit.jsonl")
        writer.reopen()
        #expect(eventually { (try? folder.content.isEmpty) == false })
        #expect(submit(4...6, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(
            try readChain(folder.read("audit.jsonl.1") + folder.content).filter { $0.kind == "connection" }.count == 6
        )
    }

    @Test("what cannot be rotated is written on, is told of, and is rotated when that is possible")
    func blocked() throws {
        let folder = try AuditFolder()
        let ticks = Ticks()
        let writer = try folder.writer(store: AuditFolder.rotating(), ticks: ticks)
        // A directory cannot be removed like a file that a crash has left.
        let obstacle = folder.file + ".new"
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
        for round in 0..<4 { #expect(submit(round * 40 + 1...round * 40 + 40, to: writer)) }
        #expect(eventually { writer.troubles == [.rotation] })
        #expect(folder.segments.isEmpty && writer.state == .writable)
        try FileManager.default.removeItem(atPath: obstacle)
        ticks.advance(20_000_000)
        #expect(folder.waitForCompression())
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(writer.troubles.isEmpty)
        #expect(try readChain(folder.wholeTrail()).filter { $0.kind == "connection" }.count == 160)
    }

    @Test(
        "retention removes the oldest by age and by size, and the record names each and its last line",
        arguments: [true, false]
    )
    func retention(byAge: Bool) throws {
        let folder = try AuditFolder()
        let ticks = Ticks()
        let writer = try folder.writer(store: AuditFolder.rotating(), ticks: ticks)
        for round in 0..<8 { #expect(submit(round * 40 + 1...round * 40 + 40, to: writer)) }
        #expect(folder.waitForCompression())
        #expect(writer.finish(timeout: .seconds(20)))
        let before = folder.segments
        let lastHashes = try before.map { segment in
            let lines = try folder.read(segment.text).split(separator: UInt8(ascii: "\n"))
            return "sha256:" + hexadecimalHash(Array(lines[lines.count - 1]))
        }
        #expect(before.count >= 4)
        if byAge { ticks.advance(1_000_000_000) }
        let keeping = AuditStoreSettings.Keeping(seconds: byAge ? 900 : nil, bytes: byAge ? nil : 1)
        let second = try folder.writer(store: AuditFolder.rotating(bytes: 1 << 30, keeping: keeping), ticks: ticks)
        #expect(eventually { folder.segments.isEmpty })
        #expect(second.finish(timeout: .seconds(20)))
        let removed = try folder.content.split(separator: UInt8(ascii: "\n")).compactMap {
            try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]
        }.filter { $0["event"] as? String == "removed" }
        #expect(removed.map { $0["segment"] as? String } == before.map(\.text))
        #expect(removed.map { $0["after"] as? String } == lastHashes)
    }

    @Test("what is within bounds is never removed")
    func nothingRemoved() throws {
        let folder = try AuditFolder()
        let keeping = AuditStoreSettings.Keeping(seconds: 3600, bytes: 10 << 20)
        let writer = try folder.writer(store: AuditFolder.rotating(keeping: keeping))
        for round in 0..<8 { #expect(submit(round * 40 + 1...round * 40 + 40, to: writer)) }
        #expect(folder.waitForCompression())
        Thread.sleep(forTimeInterval: 1.5)
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(try readChain(folder.wholeTrail()).filter { $0.kind == "connection" }.count == 320)
    }
}
