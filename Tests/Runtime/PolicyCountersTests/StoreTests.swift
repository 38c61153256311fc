import Foundation
import LinuxBindings
import PolicyCounters
import SQLiteBindings
import Synchronization
import Testing

@Suite("Counters outlive the daemon")
struct StoreTests {
    @Test("an orderly end loses and adds nothing", arguments: [1, 17, 100])
    func orderly(spent: Int) async throws {
        let folder = try CounterFolder()
        let before = try folder.open()
        #expect(await before.passes(budget(100, perSeconds: nil), of: spent) == spent)
        #expect(before.finish(milliseconds: 5000))
        let after = try folder.open()
        #expect(await after.passes(budget(100, perSeconds: nil), of: 100) == 100 - spent)
    }

    @Test("G08: a crash at any moment counts too much, by a block at most, and never too little")
    func crash() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        for spent in 1...60 {
            #expect(await counters.take(budget(640, perSeconds: nil)).taken == 1)
            #expect(await counters.take(rate(640, perSeconds: 3600)).taken == 1)
            guard spent % 7 == 0 else { continue }
            let crashed = try folder.open(in: folder.crashed())
            let left = await crashed.passes(budget(640, perSeconds: nil), of: 640)
            #expect((640 - spent - 2 * 20...640 - spent).contains(left), "\(spent) spent, \(left) left")
            let tokens = await crashed.passes(rate(640, perSeconds: 3600), of: 640)
            #expect((640 - spent - 2 * 80...640 - spent).contains(tokens), "\(spent) spent, \(tokens) left")
        }
    }

    @Test("the file is its owner's alone, and so is what SQLite puts beside it")
    func mode() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.take(budget(9, perSeconds: nil)).taken == 1)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test("without its directory nothing passes; when it is there, all goes on by itself")
    func missing() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open(in: folder.path + "/later")
        #expect(await counters.take(budget(9, perSeconds: nil)).refusal == .unavailable)
        #expect(try #require(counters.problem).contains("later/counters.sqlite: "))
        #expect(!counters.numbers.isWritable)
        try FileManager.default.createDirectory(atPath: folder.path + "/later", withIntermediateDirectories: true)
        let recovers = await eventually { await counters.take(budget(9, perSeconds: nil)).taken == 1 }
        #expect(recovers)
        #expect(counters.problem == nil)
        let said = folder.world.said.withLock { $0 }
        #expect(said.count == 2, "\(said)")
    }

    @Test("a file that is removed while it is used is made again from memory")
    func removed() async throws {
        let folder = try CounterFolder()
        let counters = try folder.open()
        #expect(await counters.passes(budget(100, perSeconds: nil), of: 70) == 70)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.file + suffix) }
        var passed = 70
        // Until nothing passes: the removal was noticed, or all there is was taken before.
        let isOver = await eventually {
            guard await counters.take(budget(100, perSeconds: nil)).refusal == nil else { return true }
            passed += 1
            return false
        }
        #expect(isOver)
        #expect(passed <= 100)
        let isThere = await eventually {
            counters.numbers.isWritable && FileManager.default.fileExists(atPath: folder.file)
        }
        #expect(isThere)
        let after = try folder.open(in: folder.crashed())
        #expect(await after.passes(budget(100, perSeconds: nil), of: 100) <= 100 - passed)
    }

    @Test(
        "a file that is not the counters' is left alone, and nothing passes",
        arguments: ["not a database at all, and long enough to look like one\n", "x"]
    )
    func foreign(text: String) async throws {
        let folder = try CounterFolder()
        let data = Data(String(repeating: text, count: 200).utf8)
        try data.write(to: URL(filePath: folder.file))
        let counters = try folder.open()
        #expect(await counters.take(budget(9, perSeconds: nil)).refusal == .unavailable)
        #expect(try Data(contentsOf: URL(filePath: folder.file)) == data)
        try FileManager.default.removeItem(atPath: folder.file)
        let recovers = await eventually { await counters.take(budget(9, perSeconds: nil)).taken == 1 }
        #expect(recovers)
    }

    @Test("another's database is not written to")
    func otherDatabase() async throws {
        let folder = try CounterFolder()
        let other = try SQLiteConnection(path: folder.file, SQLiteOpening(.create))
        try other.execute("CREATE TABLE t (v)")
        let counters = try folder.open()
        #expect(await counters.take(budget(9, perSeconds: nil)).refusal == .unavailable)
        #expect(try #require(counters.problem).contains("no file of this daemon's counters"))
    }

    @Test("a damaged file lets nothing pass until somebody looks after it")
    func damaged() async throws {
        let folder = try CounterFolder()
        let before = try folder.open()
        for host in 0..<90 { #expect(await before.take(budget(9, perSeconds: nil, for: "\(host)")).taken == 1) }
        #expect(before.finish(milliseconds: 5000))
        try await Task.sleep(for: .milliseconds(50))
        let handle = try #require(FileHandle(forWritingAtPath: folder.file))
        try handle.seek(toOffset: 4096)
        try handle.write(contentsOf: Data(repeating: 0xa5, count: 4096))
        try handle.close()
        let after = try folder.open()
        #expect(await after.take(budget(9, perSeconds: nil)).refusal == .unavailable)
        #expect(try #require(after.problem).contains("damaged"))
    }

    @Test("nothing is opened, and nothing is amiss, where no policy needs counters")
    func unneeded() throws {
        let folder = try CounterFolder()
        let counters = try PolicyCounters(
            directory: "/nowhere",
            wall: wallClockMicroseconds,
            steady: monotonicNanoseconds,
            report: { _ in }
        )
        counters.need(false)
        #expect(counters.problem == nil && counters.numbers.isWritable)
        #expect(counters.finish(milliseconds: 0))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}

/// Asks again for some seconds.
private func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<500 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}
