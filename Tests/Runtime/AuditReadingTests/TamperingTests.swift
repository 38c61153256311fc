import AuditReading
import AuditTrail
import Foundation
import OpenSSLBindings
import Testing

@Suite("G06: what was done to a chain is found, and named")
struct TamperingTests {
    /// What somebody does to the twelve lines of a chain that the writer wrote, and what has to be found where.
    struct Tampering: Sendable, CustomTestStringConvertible {
        let name: String
        let found: String
        let change: @Sendable (inout [[UInt8]]) throws -> Void

        init(_ name: String, _ found: String, _ change: @escaping @Sendable (inout [[UInt8]]) throws -> Void) {
            self.name = name
            self.found = found
            self.change = change
        }

        var testDescription: String { "\(name): \(found)" }
    }

    static let tamperings: [Tampering] = [
        Tampering("nothing", "whole") { _ in },
        Tampering("a decision is turned around", "changed 5") { lines in
            lines[4] = try lines[4].replacing("\"decision\":\"deny\"", with: "\"decision\":\"allow\"")
        },
        Tampering("the first line is changed", "changed 1") { lines in
            lines[0] = try lines[0].replacing("\"pid\":7", with: "\"pid\":8")
        },
        Tampering("a time is set back", "changed 5") { lines in
            lines[4] = try lines[4].replacing("\"time\":\"2026", with: "\"time\":\"2025")
        },
        Tampering("a number is changed", "changed 5") { lines in
            lines[4] = try lines[4].replacing("\"sequence\":5,", with: "\"sequence\":50,")
        },
        Tampering("the hash of the line before is changed", "changed 5") { lines in
            let text = String(decoding: lines[4], as: UTF8.self)
            let digit = text.suffix(3).first == "0" ? "1" : "0"
            lines[4] = Array((text.dropLast(3) + digit + "\"}").utf8)
        },
        Tampering("a line becomes no record", "changed 5") { $0[4] = Array("nothing to see here".utf8) },
        Tampering("a control character gets into a line", "changed 5") { $0[4][150] = 0x1b },
        Tampering("a line loses its newline to the next", "changed 5") { $0[4] += $0.remove(at: 5) },
        Tampering("white space gets into a line", "changed 5") { lines in
            lines[4] = try lines[4].replacing(",\"sni\"", with: ", \"sni\"")
        },
        Tampering("a member is there twice", "changed 5") { lines in
            lines[4] = try lines[4].replacing(",\"sni\"", with: ",\"decision\":\"allow\",\"sni\"")
        },
        Tampering("one line is removed", "removed 5") { $0.remove(at: 4) },
        Tampering("several lines are removed", "removed 3") { $0.removeSubrange(2..<9) },
        Tampering("two neighbours change places", "reordered 5") { $0.swapAt(4, 5) },
        Tampering("a line is moved far down", "reordered 3") { $0.insert($0.remove(at: 2), at: 8) },
        Tampering("a line is moved far up", "reordered 3") { $0.insert($0.remove(at: 8), at: 2) },
        Tampering("a line of somebody else's is inserted", "inserted 5") { $0.insert(Array("hello".utf8), at: 4) },
        Tampering("an empty line is inserted", "inserted 5") { $0.insert([], at: 4) },
        Tampering("a line of somebody else's is appended", "inserted 13") { $0.append(Array("hello".utf8)) },
        Tampering("an empty line is appended", "inserted 13") { $0.append([]) },
        Tampering("several are appended", "inserted 13") { $0 += [Array("{\"v\":1}".utf8), Array("hello".utf8)] },
        Tampering("a line that has a version and nothing else is inserted", "inserted 5") { lines in
            lines.insert(Array("{\"v\":1}".utf8), at: 4)
        },
        Tampering("a line becomes one that has a version and nothing else", "changed 5") { lines in
            lines[4] = Array("{\"v\":1}".utf8)
        },
        Tampering("a line is made up that ties in with the one before", "inserted 5") { lines in
            let text = String(decoding: lines[4], as: UTF8.self)
            lines.insert(Array(text.replacing("host4.example", with: "host9.example").utf8), at: 4)
        },
        Tampering("a line is made up that ties in with nothing", "inserted 5") { lines in
            let text = String(decoding: lines[8], as: UTF8.self)
            lines.insert(Array(text.replacing("host8.example", with: "host9.example").utf8), at: 4)
        },
        Tampering("a line is there twice in a row", "replayed 6") { $0.insert($0[4], at: 5) },
        Tampering("an old line comes again", "replayed 10") { $0.insert($0[2], at: 9) },
        Tampering("a later line comes too early as well", "replayed 4") { $0.insert($0[8], at: 3) },
        Tampering("all comes again", "replayed 13") { $0 += $0 },
        Tampering("the first line is missing", "missing_head 1") { $0.removeFirst() },
        Tampering("the first half is missing", "missing_head 1") { $0.removeFirst(6) },
        Tampering("everything is missing", "missing_head") { $0.removeAll() },
        Tampering("a line is of a version to come", "unsupported_version 5") { lines in
            lines[4] = try lines[4].replacing("{\"v\":1,", with: "{\"v\":2,")
        },
        Tampering("a line is of a version far from now", "unsupported_version 5") { lines in
            lines[4] = try lines[4].replacing("{\"v\":1,", with: "{\"v\":12,")
        },
        Tampering("the last line is broken, and another appended", "changed 12") { lines in
            lines[11][150] = 0x1b
            lines.append(Array("hello".utf8))
        },
    ]

    private static func chain(_ folder: TrailFolder) throws -> [[UInt8]] {
        let lines = try folder.write((1...11).map { connection($0) })
        try #require(lines.count == 12)
        return lines
    }

    @Test("each class of tampering", arguments: tamperings)
    func isNamed(tampering: Tampering) throws {
        let folder = try TrailFolder()
        var lines = try Self.chain(folder)
        try tampering.change(&lines)
        #expect(try found([folder.put(lines)]) == tampering.found)
    }

    @Test("each class of tampering is found across the borders of segments, in the file and line where it is")
    func acrossSegments() throws {
        for tampering in Self.tamperings where tampering.found != "missing_head" {
            let folder = try TrailFolder()
            var lines = try Self.chain(folder)
            try tampering.change(&lines)
            let parts = stride(from: 0, to: lines.count, by: 3).map { Array(lines[$0...].prefix(3)) }
            let files = try parts.enumerated().map { try folder.put($1, as: "audit-\($0).jsonl") }
            let fault = try verify(files).fault
            let words = tampering.found.split(separator: " ")
            let kind = fault.map { String($0.kind.rawValue) } ?? "whole"
            #expect(kind == String(words[0]), "\(tampering.name)")
            guard words.count == 2, let line = Int(words[1]) else { continue }
            #expect(
                fault?.place == LinePlace(path: files[(line - 1) / 3], line: (line - 1) % 3 + 1),
                "\(tampering.name)"
            )
        }
    }

    @Test("from a pipe, which nobody can read twice, no fault gets a class that only a second reading could tell")
    func fromPipe() throws {
        for tampering in Self.tamperings {
            let folder = try TrailFolder()
            var lines = try Self.chain(folder)
            try tampering.change(&lines)
            let pipe = Pipe()
            let content = try Data(contentsOf: URL(filePath: folder.put(lines)))
            try pipe.fileHandleForWriting.write(contentsOf: content)
            try pipe.fileHandleForWriting.close()
            let path = "/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)"
            let fault = try verify([path]).fault
            let kind = tampering.found.split(separator: " ")[0]
            let isCertain = ["whole", "missing_head", "unsupported_version 5"].contains(tampering.found)
            if isCertain {
                #expect(fault?.kind.rawValue ?? "whole" == kind, "\(tampering.name)")
            } else {
                #expect(fault?.kind == .unclassed && fault?.place?.path == path, "\(tampering.name)")
                #expect(fault?.explanation.contains("\(path) is no regular file") == true, "\(tampering.name)")
            }
        }
    }

    @Test("any single byte of a chain that is changed is found")
    func everyByte() throws {
        let folder = try TrailFolder()
        let lines = try folder.write([connection(1), connection(2)])
        let bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
        let last = lines.dropLast().reduce(0) { $0 + $1.count + 1 }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let report = try verify([folder.put(bytes: changed, as: "audit.jsonl")])
            // What the last line says is vouched for by nothing but its frame, a checkpoint, or a known tail.
            let tail = ChainExpectations(required: [RequiredLine(hash: lines[2].hash.bytes)])
            if index >= last, report.fault == nil {
                #expect(try found([folder.file], tail) == "missing_tail 3")
            } else {
                #expect(report.fault != nil, "byte \(index)")
            }
        }
    }

    @Test("segments in the wrong order are named as that; the same one twice is a replay")
    func segmentOrder() throws {
        let folder = try TrailFolder()
        let lines = try Self.chain(folder)
        let first = try folder.put(Array(lines[..<4]), as: "1")
        let second = try folder.put(Array(lines[4..<8]), as: "2")
        let third = try folder.put(Array(lines[8...]), as: "3")
        #expect(try found([first, second, third]) == "whole")
        #expect(try found([first, third, second]) == "reordered 1")
        #expect(try found([first, third]) == "removed 1")
        #expect(try found([second, first, third]) == "reordered 1")
        #expect(try found([first, first, second, third]) == "replayed 1")
        #expect(try found([second, third]) == "missing_head 1")
    }

    @Test("a head that is known lets later segments stand alone, and only behind it")
    func head() throws {
        let folder = try TrailFolder()
        let lines = try Self.chain(folder)
        let rest = try folder.put(Array(lines[4...]), as: "rest")
        let report = try verify([rest], ChainExpectations(head: lines[3].hash.bytes))
        #expect(report.fault == nil)
        #expect(report.tally.firstSequence == 5)
        #expect(report.tail == lines[11].hash.description)
        #expect(try found([rest], ChainExpectations(head: lines[2].hash.bytes)) == "missing_head 1")
        #expect(try found([rest], ChainExpectations(head: lines[11].hash.bytes)) == "missing_head 1")
    }

    @Test("a tail that is known shows that the end was cut away")
    func tail() throws {
        let folder = try TrailFolder()
        let lines = try Self.chain(folder)
        let known = ChainExpectations(required: [RequiredLine(hash: lines[9].hash.bytes)])
        #expect(try found([folder.put(lines)], known) == "whole")
        #expect(try found([folder.put(Array(lines[..<10]))], known) == "whole")
        #expect(try found([folder.put(Array(lines[..<9]))], known) == "missing_tail 9")
        #expect(try found([folder.put(Array(lines[..<9]))]) == "whole", "by itself a shorter chain is whole")
        // Cut in the middle of a line: that the known line is gone matters more than that the last is torn.
        let torn = Array(lines[..<9]) + [Array(lines[9].prefix(99))]
        #expect(try found([folder.put(torn, terminated: false)], known) == "missing_tail 9")
    }
}
