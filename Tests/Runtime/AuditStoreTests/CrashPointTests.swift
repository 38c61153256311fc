import AuditStore
import AuditTrail
import Foundation
import Testing

/// What a crash may leave at each step of a rotation or a compression, and what the next start makes of it.
@Suite struct CrashPointTests {
    /// A trail of one closed file, plain and compressed, and one that is being written.
    private struct Trail {
        let folder: AuditFolder
        let segment: SegmentName
        let plain: [UInt8]
        let compressed: [UInt8]
        let active: [UInt8]
        var zst: String { segment.text }
        var jsonl: String { String(segment.text.dropLast(4)) }

        init() throws {
            folder = try AuditFolder()
            let ticks = Ticks()
            let rotation = AuditStoreSettings.Rotation(bytes: 1 << 30, microseconds: 3_600_000_000)
            let writer = try folder.writer(store: AuditStoreSettings(rotation: rotation), ticks: ticks)
            #expect(submit(1...60, to: writer, .allow))
            ticks.advance(3_600_000_000)
            #expect(folder.waitForCompression())
            #expect(submit(61...62, to: writer))
            #expect(writer.finish(timeout: .seconds(20)))
            segment = try #require(folder.segments.first)
            plain = try folder.read(segment.text)
            compressed = [UInt8](try Data(contentsOf: URL(filePath: "\(folder.path)/\(segment.text)")))
            active = try folder.content
        }

        /// Puts other files in the place of all that is there.
        func replace(with files: [String: [UInt8]]) throws {
            for name in folder.names { try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)") }
            for (name, bytes) in files {
                try folder.write(bytes, to: name)
                try run("chmod", "600", "\(folder.path)/\(name)")
            }
        }

        /// Starts, writes, stops, and reads all of it.
        func goOn() throws -> [ReadLine] {
            let writer = try folder.writer(store: AuditFolder.rotating(bytes: 1 << 20))
            #expect(submit(70...71, to: writer))
            let isCompressed = eventually { !folder.segments.contains { !$0.isCompressed } }
            #expect(isCompressed)
            #expect(writer.finish(timeout: .seconds(20)))
            let unfinished = folder.names.filter { $0.hasSuffix(".new") || $0.hasSuffix(".part") }
            #expect(unfinished.isEmpty, "\(folder.names)")
            return try readChain(folder.wholeTrail())
        }
    }

    @Test("G06: killed with the next file half prepared")
    func nextHalfPrepared() throws {
        let trail = try Trail()
        try trail.replace(with: ["audit.jsonl": trail.plain, "audit.jsonl.new": Array(trail.active.prefix(100))])
        let lines = try trail.goOn()
        #expect(lines.filter { $0.outcome == "lost" }.count == 60)
        #expect(lines.filter { $0.kind == "connection" }.count == 62)
    }

    @Test("G06: killed between the two renames")
    func betweenRenames() throws {
        let trail = try Trail()
        try trail.replace(with: [trail.jsonl: trail.plain, "audit.jsonl.new": trail.active])
        let lines = try trail.goOn()
        #expect(lines.filter { $0.outcome == "lost" }.count == 60)
        #expect(trail.folder.segments.isEmpty, "the rotation was undone")
    }

    @Test("G06: the new file lost its content with the power, the old one is still plain")
    func emptyActive() throws {
        let trail = try Trail()
        try trail.replace(with: [trail.jsonl: trail.plain, "audit.jsonl": []])
        let lines = try trail.goOn()
        #expect(lines.filter { $0.outcome == "lost" }.count == 60)
    }

    @Test("G06: killed before the closed file was compressed")
    func notCompressed() throws {
        let trail = try Trail()
        try trail.replace(with: [trail.jsonl: trail.plain, "audit.jsonl": trail.active])
        let lines = try trail.goOn()
        #expect(lines.filter { $0.outcome == "lost" }.count == 60)
        #expect(trail.folder.segments.map(\.isCompressed) == [true])
    }

    @Test("G06: killed while it was compressed")
    func halfCompressed() throws {
        let trail = try Trail()
        try trail.replace(with: [
            trail.jsonl: trail.plain, trail.jsonl + ".part": Array(trail.compressed.prefix(300)),
            "audit.jsonl": trail.active,
        ])
        #expect(try trail.goOn().filter { $0.kind == "connection" }.count == 64)
    }

    @Test("G06: killed when both the plain and the compressed file had their names, whatever is in the latter")
    func both() throws {
        let trail = try Trail()
        for compressed in [trail.compressed, Array(trail.compressed.prefix(300)), []] {
            try trail.replace(with: [
                trail.jsonl: trail.plain, trail.zst: compressed, "audit.jsonl": trail.active,
            ])
            let connections = try trail.goOn().filter { $0.kind == "connection" }
            #expect(connections.count == 64)
        }
    }

    @Test("G06: without the file that was written the chain goes on after the last compressed one")
    func onlyCompressed() throws {
        let trail = try Trail()
        try trail.replace(with: [trail.zst: trail.compressed])
        #expect(try trail.goOn().filter { $0.kind == "connection" }.count == 62)
    }

    @Test("G06: the file that was written was moved away while the daemon was not there: the chain goes on after it")
    func movedAway() throws {
        let folder = try AuditFolder()
        let settings = AuditFolder.rotating(bytes: 1 << 20, state: folder.path)
        let first = try folder.writer(store: settings)
        #expect(submit(1...5, to: first))
        #expect(first.finish(timeout: .seconds(20)))
        try FileManager.default.moveItem(atPath: folder.file, toPath: folder.path + "/kept")
        let second = try folder.writer(store: settings)
        #expect(submit(6...7, to: second))
        #expect(second.finish(timeout: .seconds(20)))
        let lines = try readChain(folder.read("kept") + folder.content)
        #expect(lines.filter { !$0.event.isEmpty }.map(\.event) == ["started", "missing", "started"])
    }

    @Test(
        "G06: lines cut away or the last one rewritten while the daemon was not there leave a gap that shows",
        arguments: [true, false]
    )
    func rolledBack(cut: Bool) throws {
        let folder = try AuditFolder()
        let settings = AuditFolder.rotating(bytes: 1 << 20, state: folder.path)
        let first = try folder.writer(store: settings)
        #expect(submit(1...5, to: first))
        #expect(first.finish(timeout: .seconds(20)))
        var content = try folder.content
        let lastLine = try #require(content.dropLast().lastIndex(of: UInt8(ascii: "\n")))
        if cut {
            content.removeSubrange((lastLine + 1)...)
        } else {
            let text = String(decoding: content, as: UTF8.self)
            let end = text.suffix(content.count - lastLine).replacing("rule_deny", with: "rule_dany")
            content = content.prefix(lastLine) + Array(end.utf8)
        }
        try folder.write(content)
        let second = try folder.writer(store: settings)
        #expect(second.finish(timeout: .seconds(20)))
        // What a reader finds is the gap, where the daemon found it: it goes on behind, and hides nothing.
        let trail = try folder.content
        #expect(throws: ChainFault(what: "the chain breaks", linesBefore: cut ? 5 : 6)) { _ = try readChain(trail) }
        let after = try #require(folder.content.split(separator: UInt8(ascii: "\n")).dropFirst(cut ? 5 : 6).first)
        let value = try JSONSerialization.jsonObject(with: Data(after))
        let record = try #require(value as? [String: Any])
        #expect(record["event"] as? String == "missing")
        #expect(record["sequence"] as? Int == 7)
        #expect(record["after"] as? String == record["previous"] as? String)
    }

    @Test("G06: files that somebody else put there under the names of segments are not touched")
    func foreignSegments() throws {
        let trail = try Trail()
        let decoy = "audit-20200101T000000Z-000000000001.jsonl"
        try trail.folder.write(Array("precious".utf8), to: "victim")
        try FileManager.default.createSymbolicLink(
            atPath: "\(trail.folder.path)/\(decoy)",
            withDestinationPath: "\(trail.folder.path)/victim"
        )
        let writer = try trail.folder.writer(store: AuditFolder.rotating(bytes: 1 << 20))
        #expect(eventually { writer.troubles.contains(.compression) })
        #expect(submit(80...81, to: writer))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(try trail.folder.read("victim") == Array("precious".utf8))
    }
}
