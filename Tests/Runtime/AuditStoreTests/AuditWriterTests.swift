import AuditStore
import AuditTrail
import Foundation
import Synchronization
import Testing

@Suite struct AuditWriterTests {
    @Test("a fresh file begins with number 1, a hash of zeros and the daemon's start, and only its owner may read it")
    func freshFile() throws {
        let folder = try AuditFolder()
        try folder.restart()
        let lines = try readChain(folder.content)
        #expect(lines.map(\.summary) == ["lifecycle started"])
        #expect(lines.first?.object["version"] as? String == "1.2.3")
        let mode = try FileManager.default.attributesOfItem(atPath: folder.file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a record is in the file once its ticket is written, and the watchers were told")
    func tickets() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        let calls = Atomic<Int>(0)
        writer.addWatcher { written in
            if written >= 3 { calls.add(1, ordering: .relaxed) }
        }
        #expect((1...3).map { writer.submit(connection($0)) } == [1, 2, 3])
        #expect(eventually { writer.writtenThrough == 3 && calls.load(ordering: .relaxed) > 0 })
        #expect(try readChain(folder.content).count == 4)
        #expect(writer.state == .writable)
        #expect(writer.backlog == AuditBacklog(records: 0, bytes: 0))
        #expect(writer.finish(timeout: .seconds(20)))
        #expect(writer.state == .finished)
        #expect(writer.finish(timeout: .seconds(20)), "asked again, it says the same")
    }

    @Test(
        "the chain and the numbers go on over restarts, whatever counts as written",
        arguments: [
            AuditDurability.written, .synced,
        ]
    )
    func restarts(durability: AuditDurability) throws {
        let folder = try AuditFolder()
        for round in 1...3 {
            let writer = try folder.writer(durability: durability)
            writer.submit(connection(round, .deny))
            writer.submit(PolicyRecord(event: .loaded, hashBefore: nil, hashAfter: nil))
            #expect(writer.finish(timeout: .seconds(20)))
        }
        #expect(try readChain(folder.content).count == 9)
    }

    @Test("eight threads keep their order in one unbroken chain")
    func manyThreads() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        let each = 10_000
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            var last: UInt64 = 0
            for number in 0..<each {
                let ticket = writer.submit(connection(thread * each + number, .deny))
                if ticket <= last { Issue.record("ticket \(ticket) after \(last)") }
                last = ticket
            }
        }
        #expect(writer.finish(timeout: .seconds(60)))
        #expect(writer.writtenThrough == 80_000)
        let lines = try readChain(folder.content).filter { $0.kind == "connection" }
        #expect(lines.count == 8 * each)
        var next = (0..<8).map { $0 * each }
        for line in lines {
            let value = RecordIdentifier(Array(line.id.utf8).span).map { Int($0.value) }
            let number = try #require(value)
            if next[number / each] != number { Issue.record("\(number) is not in its place") }
            next[number / each] = number + 1
        }
    }

    @Test("G05: hostile text makes no second line and breaks no chain")
    func hostileText() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        let text =
            (UInt8(0)...0x7F).map { String(Unicode.Scalar($0)) }.joined() + "\u{2028}\u{202E}\u{9B}31m😀\"}\n{\"v\":1}"
        writer.submit(connection(1, .deny, detail: text))
        #expect(writer.finish(timeout: .seconds(20)))
        let lines = try readChain(folder.content)
        #expect(lines.count == 2)
        #expect((lines.last?.object["detail"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        try folder.restart()
        #expect(try readChain(folder.content).count == 3)
    }
}
