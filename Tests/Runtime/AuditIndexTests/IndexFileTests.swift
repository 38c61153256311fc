import AuditIndex
import Foundation
import SQLiteBindings
import Testing

@Suite("What may stand at the path of an index")
struct IndexFileTests {
    @Test(
        "a file of another is left as it is, whatever is asked",
        arguments: [AuditIndex.Purpose.updating, .rebuilding]
    )
    func foreignFile(purpose: AuditIndex.Purpose) throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let trail = try folder.content()
        #expect(failure { _ = try AuditIndex(folder.trail, for: purpose) } == .notAnIndex(path: folder.trail))
        #expect(try folder.content() == trail)
        let database = folder.path + "/other.sqlite"
        try SQLiteConnection(path: database, SQLiteOpening(.create, usesWriteAheadLog: false)).execute(
            "CREATE TABLE t (v)"
        )
        let before = try folder.content(database)
        #expect(failure { _ = try AuditIndex(database, for: purpose) } == .notAnIndex(path: database))
        #expect(try folder.content(database) == before)
    }

    @Test("G08: no symbolic link and no second name leads the index to another file")
    func links() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let target = folder.path + "/target.sqlite"
        try FileManager.default.createSymbolicLink(atPath: folder.index, withDestinationPath: target)
        #expect(failure { _ = try AuditIndex(folder.index, for: .updating) } != nil)
        #expect(!FileManager.default.fileExists(atPath: target))
        try FileManager.default.removeItem(atPath: folder.index)
        let (_, _) = try folder.updated()
        try FileManager.default.linkItem(atPath: folder.index, toPath: target)
        #expect(failure { _ = try folder.updated() } == .notAnIndex(path: folder.index))
    }

    @Test("an index of another version is refused, and made anew by rebuilding")
    func otherVersion() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let (_, _) = try folder.updated()
        do {
            let connection = try SQLiteConnection(path: folder.index, SQLiteOpening(.readWrite))
            try connection.execute("PRAGMA user_version = 99")
            try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        }
        for purpose in [AuditIndex.Purpose.updating, .reading] {
            let thrown = failure { _ = try AuditIndex(folder.index, for: purpose) }
            #expect(thrown == .otherVersion(path: folder.index, found: 99))
            #expect(thrown?.description.contains("penstock audit reindex") == true)
        }
        let rebuilt = try AuditIndex(folder.index, for: .rebuilding)
        #expect(try rebuilt.update([folder.trail]).records == 2)
    }

    @Test("a damaged index says so and how to mend it, and rebuilding mends it")
    func damaged() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let (_, _) = try folder.updated()
        var bytes = try folder.content(folder.index)
        bytes.replaceSubrange(4096..., with: Data(repeating: 0xA5, count: bytes.count - 4096))
        try bytes.write(to: URL(filePath: folder.index))
        let thrown = failure { _ = try folder.updated() }
        #expect(thrown == .damaged(path: folder.index))
        #expect(thrown?.description.contains("penstock audit reindex") == true)
        let rebuilt = try AuditIndex(folder.index, for: .rebuilding)
        #expect(try rebuilt.update([folder.trail]).records == 3)
        #expect(try folder.indexedHosts() == ["a.example", "b.example"])
    }

    @Test("an index that is cut short is made anew by rebuilding", arguments: [5000, 12288, 20000])
    func cutShort(bytes: Int) throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let (_, _) = try folder.updated()
        let whole = try folder.content(folder.index)
        #expect(whole.count > bytes)
        try whole.prefix(bytes).write(to: URL(filePath: folder.index))
        #expect(failure { _ = try folder.updated() } == .damaged(path: folder.index))
        let rebuilt = try AuditIndex(folder.index, for: .rebuilding)
        #expect(try rebuilt.update([folder.trail]).records == 3)
        #expect(try folder.indexedHosts() == ["a.example", "b.example"])
    }

    @Test("an index that root makes is the trail's owner's, with all that SQLite puts beside it")
    func owner() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        try FileManager.default.setAttributes([.ownerAccountID: 10880], ofItemAtPath: folder.trail)
        let index = try AuditIndex(folder.index, for: .updating, besideTrail: folder.trail)
        #expect(try index.update([folder.trail]).records == 2)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("index") }
        #expect(names.count == 3, "\(names)")
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
            #expect(attributes[.ownerAccountID] as? Int == 10880, "\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test("a full disk is said, and the index goes on when there is room")
    func fullDisk() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let mount = folder.path + "/small"
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
        try run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", mount)
        defer { try? run("umount", "-l", mount) }
        let path = mount + "/audit.index.sqlite"
        let index = try AuditIndex(path, for: .updating)
        #expect(try index.update([folder.trail]).records == 2)
        let ballast = mount + "/ballast"
        try? run("dd", "if=/dev/zero", "of=\(ballast)", "bs=1k")
        for round in 0..<200 { try folder.append(hosts: "\(round).example") }
        #expect(failure { _ = try index.update([folder.trail]) } == .full(path: path))
        try FileManager.default.removeItem(atPath: ballast)
        #expect(try index.update([folder.trail]).records == 400)
    }
}
