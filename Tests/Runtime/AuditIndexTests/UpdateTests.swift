import AuditIndex
import AuditTrail
import Foundation
import Testing

@Suite("Bringing the index up to date")
struct UpdateTests {
    @Test("what was added since is taken in, each line once, and nothing is read where nothing is new")
    func incremental() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let (_, first) = try folder.updated()
        // The daemon's start and stop are records too.
        #expect(first.records == 3 && first.unreadable == 0)
        try folder.append(hosts: "c.example")
        let (index, second) = try folder.updated()
        #expect(second.records == 2)
        #expect(try folder.updated().1.records == 0)
        let rows = try index.rows(AuditQuery(segments: second.segments))
        #expect(rows.map(\.sequence).sorted() == [1, 2, 3, 4, 5])
        #expect(rows.compactMap(\.host) == ["a.example", "b.example", "c.example"])
    }

    @Test("only its owner may read the index, as is so with the trail")
    func mode() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let (_, _) = try folder.updated()
        let mode = try FileManager.default.attributesOfItem(atPath: folder.index)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a last line without its newline is left for later; once it is closed, it is counted and passed over")
    func tornLine() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let file = try FileHandle(forWritingTo: URL(filePath: folder.trail))
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"v":1,"kind":"conn"#.utf8))
        #expect(try folder.updated().1.records == 2)
        #expect(try folder.updated().1.unreadable == 0)
        // The next start of the daemon closes it.
        try folder.append(hosts: "b.example")
        let summary = try folder.updated().1
        #expect(summary.unreadable == 1)
        #expect(summary.records == 3)
        #expect(try folder.indexedHosts() == ["a.example", "b.example"])
    }

    @Test("a file that was renamed by rotation, copied or compressed is known again and not taken in twice")
    func rotation() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let first = try folder.updated().1
        try folder.append(hosts: "c.example")
        let rotated = folder.path + "/audit-1.jsonl"
        try FileManager.default.moveItem(atPath: folder.trail, toPath: rotated)
        let summary = try folder.updated(rotated).1
        #expect(summary.records == 2)
        #expect(summary.segments == first.segments)
        try run("zstd", "-q", "--rm", rotated)
        #expect(try folder.updated(rotated + ".zst").1.records == 0)
        #expect(try folder.updated(rotated + ".zst").1.segments == first.segments)
        try folder.append(hosts: "d.example")
        let both = try folder.updated(rotated + ".zst", folder.trail).1
        #expect(both.segments.count == 2)
        #expect(both.records == 2)
        #expect(try folder.indexedHosts() == ["d.example"])
        let all = ["a.example", "b.example", "c.example", "d.example"]
        #expect(try folder.indexedHosts(rotated + ".zst", folder.trail) == all)
        let index = try AuditIndex(folder.index, for: .reading)
        let row = try index.rows(AuditQuery(segments: first.segments)).first
        #expect(row?.file == rotated + ".zst")
    }

    @Test("a file that was half taken in before it was compressed is read on where it was left")
    func compressedMeanwhile() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let (_, _) = try folder.updated()
        try folder.append(hosts: "b.example")
        try run("zstd", "-q", "--rm", folder.trail)
        #expect(try folder.indexedHosts(folder.trail + ".zst") == ["a.example", "b.example"])
        let index = try AuditIndex(folder.index, for: .updating)
        #expect(try index.update([folder.trail + ".zst"]).records == 0)
    }

    @Test("a file that was cut short or written anew is refused by name, and the index can still be asked as it was")
    func changed() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let whole = try folder.content()
        let summary = try folder.updated().1
        let changed = IndexError.changedTrail(path: folder.trail, offset: whole.count)
        try whole.dropLast(10).write(to: URL(filePath: folder.trail))
        #expect(failure { _ = try folder.updated() } == changed)
        var other = whole
        // A digit of the last line's hash.
        other[whole.count - 10] ^= 1
        try other.write(to: URL(filePath: folder.trail))
        #expect(failure { _ = try folder.updated() } == changed)
        let index = try AuditIndex(folder.index, for: .reading)
        #expect(try index.segments(of: [folder.trail]) == summary.segments)
        #expect(try index.rows(AuditQuery(segments: summary.segments)).count == 3)
        // Reindexing takes in what is there.
        let rebuilt = try AuditIndex(folder.index, for: .rebuilding)
        #expect(try rebuilt.update([folder.trail]).records == 3)
    }

    @Test("an index that was removed is made again, one that is made anew holds the same")
    func rebuilding() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example", "b.example")
        let before = try folder.indexedHosts()
        try FileManager.default.removeItem(atPath: folder.index)
        #expect(failure { _ = try AuditIndex(folder.index, for: .reading) } == .missing(path: folder.index))
        #expect(try folder.indexedHosts() == before)
        // Another process has it open meanwhile.
        let other = try AuditIndex(folder.index, for: .updating)
        let summary = try other.update([folder.trail])
        let rebuilt = try AuditIndex(folder.index, for: .rebuilding)
        #expect(try other.rows(AuditQuery(segments: summary.segments)).isEmpty)
        #expect(try rebuilt.update([folder.trail]).records == 3)
        #expect(try other.rows(AuditQuery(segments: summary.segments)).compactMap(\.host) == before)
        #expect(try other.update([folder.trail]).records == 0)
    }

    @Test("two processes that update at once share the work")
    func twoProcesses() throws {
        let folder = try TrailFolder()
        let records = (1...4000).map { number in
            AuditRecord(connection(number, host: "host-\(number % 100).example"), at: day + Int64(number))
        }
        try folder.append(records)
        let path = folder.index
        let trail = folder.trail
        try FileManager.default.createDirectory(atPath: folder.path + "/x", withIntermediateDirectories: true)
        nonisolated(unsafe) var counts = [0, 0, 0]
        DispatchQueue.concurrentPerform(iterations: 3) { number in
            do {
                let count = try AuditIndex(path, for: .updating).update([trail], batch: 100).records
                unsafe counts[number] = count
            } catch {
                Issue.record("\(error)")
            }
        }
        let sum = unsafe counts.reduce(0, +)
        #expect(sum == 4001)
        let index = try AuditIndex(path, for: .reading)
        var sequences: Set<UInt64> = []
        var count = 0
        _ = try index.find(AuditQuery(segments: try index.segments(of: [trail]))) { row in
            sequences.insert(row.sequence)
            count += 1
            return true
        }
        #expect(sequences.count == 4001 && count == 4001)
    }

    @Test("files that are no trail are refused, and so is one that the index has nothing of")
    func noTrail() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let foreign = folder.path + "/notes.txt"
        try Data("a line\nand another\n".utf8).write(to: URL(filePath: foreign))
        let empty = folder.path + "/empty.jsonl"
        try Data().write(to: URL(filePath: empty))
        #expect(failure { _ = try folder.updated(foreign) } == .notATrail(path: foreign))
        #expect(failure { _ = try folder.updated("/dev/null") } == .notRegular(path: "/dev/null"))
        #expect(failure { _ = try folder.updated(folder.path + "/none") } != nil)
        #expect(try folder.updated(empty).1.records == 0)
        let index = try AuditIndex(folder.index, for: .reading)
        #expect(failure { _ = try index.segments(of: [folder.trail]) } == .notIndexed(path: folder.trail))
    }

    @Test("progress goes up to all bytes of all files")
    func progress() throws {
        let folder = try TrailFolder()
        let records = (1...900).map { AuditRecord(connection($0, host: "a.example"), at: day + Int64($0)) }
        try folder.append(records)
        let other = folder.path + "/other.jsonl"
        try folder.append([AuditRecord(connection(1, host: "b.example"), at: day)], to: other)
        let index = try AuditIndex(folder.index, for: .updating)
        var seen: [IndexProgress] = []
        _ = try index.update([folder.trail, other], batch: 400) { seen.append($0) }
        let total = try folder.content().count + folder.content(other).count
        #expect(seen.count >= 4)
        let last = try #require(seen.last)
        #expect(last.path == other && last.bytesRead == total && last.bytesTotal == total && last.records == 903)
        #expect(seen.map(\.bytesRead) == seen.map(\.bytesRead).sorted())
    }
}
