import AuditStore
import AuditTrail
import Foundation
import Testing

@Suite struct ForeignFileTests {
    @Test("a second daemon on the same file is refused, and may have it when the first is done")
    func secondWriter() throws {
        let folder = try AuditFolder()
        let first = try folder.writer()
        #expect(throws: AuditError.inUse) { try folder.writer() }
        #expect(AuditError.inUse.description.contains("another daemon"))
        #expect(first.finish(timeout: .seconds(20)))
        try folder.restart()
    }

    @Test("G06: a symbolic link is not followed")
    func symbolicLink() throws {
        let folder = try AuditFolder()
        try folder.write([], to: "victim")
        try FileManager.default.createSymbolicLink(atPath: folder.file, withDestinationPath: folder.path + "/victim")
        let thrown = #expect(throws: AuditError.self) { try folder.writer() }
        #expect(thrown?.description.contains("is a symbolic link, and none is followed: name the file itself") == true)
        #expect(try Data(contentsOf: URL(filePath: folder.path + "/victim")).isEmpty)
    }

    @Test("G06: a file with a second name is refused")
    func hardLink() throws {
        let folder = try AuditFolder()
        try folder.write([], to: "victim")
        try FileManager.default.linkItem(atPath: folder.path + "/victim", toPath: folder.file)
        #expect(throws: AuditError.severalNames(2)) { try folder.writer() }
    }

    @Test("a pipe, a folder and another user's file are refused")
    func otherKinds() throws {
        let pipe = try AuditFolder()
        try run("mkfifo", pipe.file)
        #expect(throws: AuditError.notRegular) { try pipe.writer() }
        let directory = try AuditFolder()
        try FileManager.default.createDirectory(atPath: directory.file, withIntermediateDirectories: false)
        #expect(throws: AuditError.self) { try directory.writer() }
        let foreign = try AuditFolder()
        try foreign.write([])
        try run("chown", "65534", foreign.file)
        #expect(throws: AuditError.foreignOwner(65534)) { try foreign.writer() }
    }

    @Test(
        "G06: a file that somebody else wrote is refused and left as it is",
        arguments: [
            "root:x:0:0:root:/root:/bin/bash\n", "{}\n", "hello", "\n", "\n\n", #"{"v":2,"kind":"connection"}"# + "\n",
        ]
    )
    func foreignContent(text: String) throws {
        let folder = try AuditFolder()
        try folder.write(Array(text.utf8))
        #expect(throws: AuditError.self) { try folder.writer() }
        #expect(try folder.content == Array(text.utf8))
    }

    @Test("G06: a foreign line further up stops the writer before it writes, and says where")
    func foreignLine() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        for number in 1...3 { writer.submit(connection(number)) }
        #expect(writer.finish(timeout: .seconds(20)))
        var content = try folder.content
        let offset = try #require(content.firstIndex(of: UInt8(ascii: "\n"))) + 1
        content.insert(contentsOf: Array("not ours\n".utf8), at: offset)
        try folder.write(content)
        let second = try folder.writer()
        let ticket = second.submit(connection(9))
        #expect(eventually { second.state == .failed(.foreignLine(offset: offset)) })
        #expect(AuditError.foreignLine(offset: offset).description.contains("byte \(offset)"))
        #expect(!second.finish(timeout: .seconds(20)))
        #expect(second.writtenThrough < ticket)
        #expect(try folder.content == content)
    }

    @Test("G06: a cut-off line in the middle, without the repair, stops the writer")
    func cutOffInTheMiddle() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        for number in 1...3 { writer.submit(connection(number)) }
        #expect(writer.finish(timeout: .seconds(20)))
        var content = try folder.content
        let offset = try #require(content.firstIndex(of: UInt8(ascii: "\n"))) + 1
        content.removeSubrange(offset + 100..<offset + 200)
        content.insert(UInt8(ascii: "\n"), at: offset + 100)
        try folder.write(content)
        let second = try folder.writer()
        #expect(eventually { if case .failed(.foreignLine) = second.state { true } else { false } })
        _ = second.finish(timeout: .seconds(20))
        #expect(try folder.content == content)
    }

    @Test(
        "G06: a file cut short, appended to or removed while it is written stops the writer",
        arguments: [
            "truncate -s 10 audit.jsonl", "echo '{}' >> audit.jsonl", "rm audit.jsonl",
        ]
    )
    func changedWhileOpen(command: String) throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        let first = writer.submit(connection(1))
        #expect(eventually { writer.writtenThrough == first })
        try run("sh", "-c", "cd \(folder.path) && \(command)")
        writer.submit(connection(2))
        #expect(eventually { writer.state == .failed(.changedByOthers) })
        #expect(writer.writtenThrough == first)
        #expect(!writer.finish(timeout: .seconds(20)))
    }
}
