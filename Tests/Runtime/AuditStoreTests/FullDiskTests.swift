import AuditStore
import AuditTrail
import Foundation
import Testing

/// G06, on a real file system that is full.
///
/// It needs root, as the mount does.
@Suite struct FullDiskTests {
    @Test("G06: while the disk is full records wait, and when there is room each is written once, none torn")
    func recovery() throws {
        let folder = try AuditFolder(kibibytes: 64)
        // An odd size, so that the last write is cut in the middle of a line.
        try folder.write([UInt8](repeating: 1, count: 20_001), to: "ballast")
        let writer = try folder.writer()
        for number in 1...300 { writer.submit(connection(number, .deny)) }
        #expect(eventually { if case .stalled = writer.state { true } else { false } })
        guard case .stalled(let reason, let since) = writer.state else { return }
        #expect(reason.contains("No space left on device"))
        #expect(since > 1_795_256_104_123_456)
        let waiting = writer.backlog
        #expect(waiting.records > 0 && waiting.bytes > 0)
        writer.submit(connection(301, .deny))
        #expect(writer.backlog.records == waiting.records + 1)
        // It was cut in the middle of a line, or this test shows less than it says.
        #expect(try folder.content.last != UInt8(ascii: "\n"))
        try run("mount", "-o", "remount,size=4096k", folder.path)
        #expect(eventually { writer.writtenThrough == 301 })
        #expect(writer.state == .writable)
        #expect(writer.backlog == AuditBacklog(records: 0, bytes: 0))
        #expect(writer.finish(timeout: .seconds(20)))
        let identifiers = try readChain(folder.content).filter { $0.kind == "connection" }.map(\.id)
        #expect(identifiers == (1...301).map { RecordIdentifier(value: UInt128($0)).description })
    }

    @Test("G06: told to finish on a full disk, it says that not all is written, and the next start repairs the line")
    func finishing() throws {
        let folder = try AuditFolder(kibibytes: 16)
        try folder.write([UInt8](repeating: 1, count: 5000), to: "ballast")
        let writer = try folder.writer()
        for number in 1...100 { writer.submit(connection(number)) }
        #expect(!writer.finish(timeout: .milliseconds(200)))
        #expect(writer.writtenThrough < 100)
        try run("mount", "-o", "remount,size=4096k", folder.path)
        try folder.restart()
        let lines = try readChain(folder.content)
        #expect(lines.map(\.event).filter { !$0.isEmpty } == ["started", "repaired", "started"])
        let open = lines.filter { $0.kind == "connection" }.map(\.id)
        #expect(lines.filter { $0.outcome == "lost" }.map(\.id) == open)
    }

    @Test("G06: a disk that is full at the start holds everything back until there is room")
    func fullAtStart() throws {
        let folder = try AuditFolder(kibibytes: 8)
        try folder.write([UInt8](repeating: 1, count: 8192), to: "ballast")
        let writer = try folder.writer()
        let ticket = writer.submit(connection(1, .deny))
        #expect(eventually { if case .stalled = writer.state { true } else { false } })
        #expect(writer.writtenThrough < ticket)
        try FileManager.default.removeItem(atPath: folder.path + "/ballast")
        #expect(eventually { writer.writtenThrough == ticket })
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(try readChain(folder.content).map(\.kind) == ["lifecycle", "connection"])
    }

    @Test("G06: on a file system that may only be read the writer does not start")
    func readOnly() throws {
        let folder = try AuditFolder(kibibytes: 64)
        try folder.restart()
        try run("mount", "-o", "remount,ro", folder.path)
        #expect(throws: AuditError.self) { try folder.writer() }
        try run("mount", "-o", "remount,rw", folder.path)
        try folder.restart()
        #expect(try readChain(folder.content).count == 2)
    }
}
