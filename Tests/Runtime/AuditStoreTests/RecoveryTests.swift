import AuditStore
import AuditTrail
import Foundation
import Testing

@Suite struct RecoveryTests {
    @Test("G06: a last line cut off anywhere is closed, said to be, and tied into the chain")
    func cutAnywhere() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        writer.submit(connection(1, .deny))
        #expect(writer.finish(timeout: .seconds(20)))
        let whole = try folder.content
        let start = try #require(whole.dropLast().lastIndex(of: UInt8(ascii: "\n"))) + 1
        for count in start + 1..<whole.count {
            try folder.write(Array(whole[..<count]))
            try folder.restart()
            let content = try folder.content
            #expect(content.starts(with: whole[..<count]), "nothing that was there is changed")
            let events = try readChain(content).map(\.event).filter { !$0.isEmpty }
            #expect(events == ["started", "repaired", "started"], "cut after \(count) bytes")
        }
    }

    @Test("G06: a first line cut off is repaired too")
    func cutFirstLine() throws {
        let folder = try AuditFolder()
        try folder.write(Array(#"{"v":1,"kind":"lifecy"#.utf8))
        try folder.restart()
        #expect(try readChain(folder.content).map(\.event) == ["repaired", "started"])
    }

    @Test("G06: a repair that was cut off itself is repaired, at every byte")
    func cutRepair() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        writer.submit(connection(1, .deny))
        #expect(writer.finish(timeout: .seconds(20)))
        let torn = Array(try folder.content.dropLast(100))
        try folder.write(torn)
        try folder.restart()
        let repaired = try folder.content
        for count in stride(from: torn.count + 1, to: repaired.count, by: 7) {
            try folder.write(Array(repaired[..<count]))
            try folder.restart()
            let lines = try readChain(folder.content)
            #expect(lines.first?.event == "started" && lines.last?.event == "started")
        }
    }

    @Test("G06: zeros that a loss of power leaves behind count as cut off")
    func zeros() throws {
        let folder = try AuditFolder()
        try folder.restart()
        let whole = try folder.content
        try folder.write(whole + Array(#"{"v":1,"ki"#.utf8) + [UInt8](repeating: 0, count: 4096))
        try folder.restart()
        #expect(try readChain(folder.content).map(\.event) == ["started", "repaired", "started"])
    }

    @Test("what was open when the daemon died gets exactly one end, lost, over any number of restarts")
    func lostOnce() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        var audited = connection(3)
        audited.mode = .audit
        audited.would = .deny
        writer.submit(connection(1))
        writer.submit(connection(2))
        writer.submit(audited)
        writer.submit(end(1))
        writer.submit(connection(4, .deny))
        writer.submit(connection(5))
        #expect(writer.finish(timeout: .seconds(20)))
        for _ in 1...3 { try folder.restart() }
        let lines = try readChain(folder.content)
        let lost = lines.filter { $0.outcome == "lost" }.map(\.id)
        #expect(lost == [2, 3, 5].map { RecordIdentifier(value: $0).description })
        #expect(
            lines.map(\.summary).suffix(6) == [
                "connection_end lost", "connection_end lost", "connection_end lost", "lifecycle started",
                "lifecycle started", "lifecycle started",
            ]
        )
    }

    @Test("requests that were open when the daemon died get exactly one end, before their connections")
    func lostRequests() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        writer.submit(connection(1))
        writer.submit(request(2))
        writer.submit(requestEnd(2))
        writer.submit(request(3))
        writer.submit(connection(4))
        writer.submit(request(5, .deny))
        writer.submit(request(6))
        #expect(writer.finish(timeout: .seconds(20)))
        for _ in 1...3 { try folder.restart() }
        let lost = try readChain(folder.content).filter { $0.outcome == "lost" }
        #expect(lost.map(\.kind) == ["request_end", "request_end", "connection_end", "connection_end"])
        #expect(lost.map(\.id) == [3, 6, 1, 4].map { RecordIdentifier(value: $0).description })
    }

    @Test("the end of a request is no end of a connection with the same identifier")
    func sameIdentifier() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        writer.submit(connection(1))
        writer.submit(request(1))
        writer.submit(requestEnd(1))
        #expect(writer.finish(timeout: .seconds(20)))
        try folder.restart()
        let lost = try readChain(folder.content).filter { $0.outcome == "lost" }
        #expect(lost.map(\.kind) == ["connection_end"])
    }

    @Test("a start that dies at any byte while it tells what was lost is made up for by the next")
    func diesWhileTelling() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        for number in 1...3 { writer.submit(connection(number)) }
        #expect(writer.finish(timeout: .seconds(20)))
        let before = try folder.content
        try folder.restart()
        let after = try folder.content
        for count in stride(from: before.count, through: after.count, by: 11) {
            try folder.write(Array(after[..<count]))
            try folder.restart()
            let lost = try readChain(folder.content).filter { $0.outcome == "lost" }.map(\.id)
            #expect(
                lost.sorted() == (1...3).map { RecordIdentifier(value: $0).description },
                "cut after \(count) bytes"
            )
        }
    }

    @Test("lines that reach over many blocks are read back, however long")
    func manyBlocks() throws {
        let folder = try AuditFolder()
        let writer = try folder.writer()
        // Each of these lines takes some 24 KiB, so that every block of a megabyte begins inside of one.
        let long = String(repeating: "\u{1}", count: 5000)
        for number in 1...400 { writer.submit(connection(number, detail: long)) }
        for number in 1...400 where number % 7 != 0 { writer.submit(end(number)) }
        #expect(writer.finish(timeout: .seconds(20)))
        try folder.restart()
        let lost = try readChain(folder.content).filter { $0.outcome == "lost" }.map(\.id)
        #expect(lost == stride(from: 7, through: 400, by: 7).map { RecordIdentifier(value: UInt128($0)).description })
    }
}
