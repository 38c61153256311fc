import AuditReading
import AuditStore
import AuditTrail
import Foundation
import Testing

@Suite("G06: lines that a crash cut off")
struct TornLineTests {
    @Test("a last line cut off anywhere is a torn tail, until the writer's next start repairs it")
    func cutAnywhere() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1)])
        let whole = Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
        let start = whole.count - lines[1].count - 1
        for count in stride(from: start + 1, to: whole.count, by: 13) {
            _ = try folder.put(bytes: Array(whole[..<count]), as: "audit.jsonl")
            #expect(try found([folder.file]) == "torn_tail 2", "cut after \(count) bytes")
            try folder.write([connection(2)])
            let report = try verify([folder.file])
            #expect(report.fault == nil, "cut after \(count) bytes")
            #expect(report.tally.repairs == 1)
        }
    }

    @Test("a whole last line without its newline is a torn tail too; at the end of another segment it was changed")
    func noNewline() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1), connection(2), connection(3)])
        let first = try folder.put(Array(lines[..<2]), as: "1", terminated: false)
        let second = try folder.put(Array(lines[2...]), as: "2")
        #expect(try found([first]) == "torn_tail 2")
        #expect(try found([first, second]) == "changed 2")
    }

    @Test("G06: line ends converted to CR LF are a change from their first line on, and nothing goes on behind them")
    func carriageReturns() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1), connection(2)])
        for first in lines.indices {
            let converted = lines.enumerated().map { index, line in index < first ? line : line + [UInt8(ascii: "\r")] }
            for ending in [true, false] {
                let file = try folder.put(converted, terminated: ending)
                let fault = try #require(try verify([file]).fault)
                #expect(fault.kind == .changed && fault.place?.line == first + 1, "\(fault)")
                #expect(fault.explanation.contains("ends in a carriage return"), "\(fault)")
                #expect(throws: AuditError.self) { try folder.write([connection(3)]) }
            }
        }
        // One that a crash cut off is one still, and converted it is none.
        let torn = Array(lines[2].dropLast(20))
        #expect(try found([folder.put(Array(lines[..<2]) + [torn], terminated: false)]) == "torn_tail 3")
        let returned = try folder.put(Array(lines[..<2]) + [torn + [UInt8(ascii: "\r")]])
        #expect(try found([returned]) == "changed 3")
        #expect(try found([folder.put(lines)]) == "whole")
    }

    @Test("G06: a last line that was altered is a change, and no start takes it for one that was cut off")
    func alteredLast() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1), connection(2)])
        let altered = Array(lines[..<2]) + [try lines[2].replacing("\"time\":\"2", with: "\"time\":\"")]
        for isTerminated in [true, false] {
            let file = try folder.put(altered, terminated: isTerminated)
            #expect(try found([file]) == "changed 3")
            #expect(throws: AuditError.self) { try folder.write([connection(3)]) }
            #expect(try folder.lines() == altered)
        }
    }

    @Test("a torn line that no repair follows, or the repair of another, was done by somebody")
    func forgedRepair() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1), connection(2)])
        let torn = Array(lines[2].dropLast(20))
        _ = try folder.put(Array(lines[..<2]) + [torn], terminated: false)
        let repaired = try folder.write([connection(3)])
        #expect(try found([folder.file]) == "whole")
        var removed = repaired
        removed.remove(at: 3)
        #expect(try found([folder.put(removed)]) == "changed 3")
        // The torn line gone, its repair is tied to nothing.
        removed = repaired
        removed.remove(at: 2)
        #expect(try found([folder.put(removed)]) == "removed 3")
        // Another line torn instead of it.
        removed = repaired
        removed[2] = Array(lines[2].dropLast(21))
        #expect(try found([folder.put(removed)]) == "changed 3")
    }
}
