import AuditReading
import AuditTrail
import Foundation
import Testing

@Suite("Segments, plain and compressed")
struct SegmentTests {
    private func compress(_ path: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["zstd", "-q", "-f", path, "-o", path + ".zst"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return path + ".zst"
    }

    @Test("compressed segments read as plain ones do, frames in a row too, and are told by their content")
    func compressed() throws {
        let folder = try TrailFolder()
        let lines = try folder.write((1...5000).map { connection($0) })
        let first = try compress(folder.put(Array(lines[..<2000]), as: "1"))
        let second = try compress(folder.put(Array(lines[2000..<4000]), as: "2"))
        let third = try folder.put(Array(lines[4000...]), as: "3")
        let report = try verify([first, second, third])
        #expect(report.fault == nil)
        #expect(report.tally.lines == 5001)
        let joined = try Data(contentsOf: URL(filePath: first)) + Data(contentsOf: URL(filePath: second))
        let both = try folder.put(bytes: Array(joined), as: "both.jsonl")
        #expect(try verify([both, third]).tally.lines == 5001)
        #expect(try verify([both, third]).fault == nil)
    }

    @Test("compressed data that is damaged or cut short is said to be; nothing of it passes for the whole")
    func damaged() throws {
        let folder = try TrailFolder()
        try folder.write((1...2000).map { connection($0) })
        let whole = try Array(Data(contentsOf: URL(filePath: compress(folder.file))))
        let short = try folder.put(bytes: Array(whole.dropLast(10)), as: "short.zst")
        #expect(throws: AuditReadingError.cutShort(path: short)) { try verify([short]) }
        var changed = whole
        for index in 20..<60 { changed[index] = 0xff }
        let bad = try folder.put(bytes: changed, as: "bad.zst")
        #expect(throws: AuditReadingError.damaged(path: bad)) { try verify([bad]) }
    }

    @Test("lines longer than the window are read; longer than the limit they are none, and what follows is read again")
    func longLines() throws {
        let folder = try TrailFolder()
        // Each of these takes some 24 KiB, so that every window ends inside of one.
        let long = String(repeating: "\u{1}", count: 5000)
        let lines = try folder.write((1...60).map { connection($0, detail: long) })
        #expect(try verify([folder.file]).fault == nil)
        let giant = [UInt8](repeating: UInt8(ascii: "x"), count: RecordLimits.standard.lineBytes * 2)
        let path = try folder.put(lines + [giant])
        #expect(try found([path]) == "inserted 62")
        let between = try folder.put(Array(lines[..<3]) + [giant] + lines[3...], as: "between")
        #expect(try found([between]) == "inserted 4")
    }

    @Test("a file that is not there is an error of its own")
    func missing() throws {
        #expect(throws: AuditReadingError.self) { try verify(["/nonexistent/audit.jsonl"]) }
    }

    @Test("the file is followed over a rotation: what the old one got last comes before what the new one begins with")
    func follow() throws {
        let folder = try TrailFolder()
        let lines = try folder.write((1...9).map { connection($0) })
        let path = try folder.put(Array(lines[..<2]), as: "live")
        var segment = try FollowedSegment(path, from: 0)
        func read() throws -> [UInt64] {
            var numbers: [UInt64] = []
            repeat {
                while let piece = try segment.next() {
                    let line = segment.lines.window.span.extracting(piece.bytes)
                    if let stored = StoredLine(line) { numbers.append(stored.sequence) }
                }
            } while try segment.turnOver()
            return numbers
        }
        #expect(try read() == [1, 2])
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(lines[2] + [10] + lines[3].prefix(40)))
        #expect(try read() == [3], "what is not whole yet waits")
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        #expect(try read() == [])
        try handle.write(contentsOf: Data(lines[3].dropFirst(40) + [10] + lines[4] + [10]))
        _ = try folder.put(Array(lines[5..<8]), as: "live")
        #expect(try read() + read() == [4, 5, 6, 7, 8])
    }
}
