import AuditStore
import AuditTrail
import Foundation
import Testing

/// G06, on a real disk that hangs, may not be written to, or fails.
///
/// It needs root and loop devices; without them it fails, for a machine that cannot show it has not shown it.
@Suite struct BadDiskTests {
    private func writer(
        _ disk: LoopDisk,
        _ durability: AuditDurability,
        store: AuditStoreSettings = AuditStoreSettings()
    ) throws -> AuditWriter {
        try AuditWriter(path: disk.file, durability: durability, store: store, version: "1", pid: 1) {
            Int64(Date().timeIntervalSince1970 * 1_000_000)
        }
    }

    private func lines(_ disk: LoopDisk) throws -> [ReadLine] {
        try readChain([UInt8](try Data(contentsOf: URL(filePath: disk.file))))
    }

    @Test(
        "G06: while the disk hangs nothing counts as written and nobody who submits waits; afterwards all of it is there",
        arguments: [AuditDurability.written, .synced]
    )
    func hangs(durability: AuditDurability) throws {
        let disk = try LoopDisk()
        let writer = try writer(disk, durability)
        let first = writer.submit(connection(1, .deny))
        #expect(eventually { writer.writtenThrough >= first })
        try disk.freeze()
        let began = Date()
        for number in 2...1000 { writer.submit(connection(number, .deny)) }
        // Who waited would wait until the disk goes on.
        #expect(Date().timeIntervalSince(began) < 10)
        Thread.sleep(forTimeInterval: 1)
        #expect(writer.writtenThrough == first)
        #expect(eventually { writer.writing > 500_000 }, "it can be told that a write hangs")
        #expect(!writer.hasRoom(backlog: 100), "a full queue takes nobody in")
        try disk.thaw()
        #expect(eventually { writer.writtenThrough == 1000 })
        #expect(writer.writing == 0 && writer.hasRoom(backlog: 100))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(try lines(disk).filter { $0.kind == "connection" }.count == 1000)
    }

    @Test("synced: what waits while the disk is slow shares one sync")
    func groupCommit() throws {
        let disk = try LoopDisk()
        let writer = try writer(disk, .synced)
        let first = writer.submit(connection(1, .deny))
        #expect(eventually { writer.writtenThrough >= first })
        let before = writer.synchronizations
        try disk.freeze()
        for number in 2...1001 { writer.submit(connection(number, .deny)) }
        try disk.thaw()
        #expect(eventually { writer.writtenThrough == 1001 })
        #expect(writer.synchronizations - before <= 3, "\(writer.synchronizations - before)")
        #expect(writer.finish(timeout: .seconds(20)))
    }

    @Test("G06: a file that may not be written to any more is waited for, and written to when it may be again")
    func immutable() throws {
        let disk = try LoopDisk()
        let writer = try writer(disk, .written)
        let first = writer.submit(connection(1, .deny))
        #expect(eventually { writer.writtenThrough >= first })
        try run("chattr", "+i", disk.file)
        let ticket = writer.submit(connection(2, .deny))
        #expect(eventually { if case .stalled = writer.state { true } else { false } })
        #expect(writer.writtenThrough == first && !writer.takesDecisions)
        try run("chattr", "-i", disk.file)
        #expect(eventually { writer.writtenThrough == ticket })
        #expect(writer.takesDecisions)
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(try lines(disk).filter { $0.kind == "connection" }.count == 2)
    }

    @Test("G06: after an error the file system may only be read: it says so, and lets nothing be let through")
    func failing() throws {
        let disk = try LoopDisk()
        let writer = try writer(disk, .written)
        let first = writer.submit(connection(1, .deny))
        #expect(eventually { writer.writtenThrough >= first })
        try disk.fail()
        writer.submit(connection(2, .deny))
        #expect(eventually { if case .stalled = writer.state { true } else { false } })
        guard case .stalled(let reason, _) = writer.state else { return }
        #expect(reason.contains("Read-only file system"))
        #expect(!writer.finish(timeout: .milliseconds(200)))
        #expect(writer.writtenThrough == first)
    }

    @Test("a disk that hangs while a closed file is compressed does not keep records back once it goes on")
    func hangsWhileCompressing() throws {
        let disk = try LoopDisk()
        let writer = try writer(disk, .written, store: AuditFolder.rotating(bytes: 400_000))
        for number in 1...1500 { writer.submit(connection(number, .deny)) }
        try disk.freeze()
        Thread.sleep(forTimeInterval: 0.5)
        try disk.thaw()
        #expect(eventually { writer.writtenThrough == 1500 })
        #expect(writer.finish(timeout: .seconds(20)))
    }
}
