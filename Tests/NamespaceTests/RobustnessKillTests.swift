import Foundation
import Testing

@Suite("The daemon is killed again and again under load")
struct RobustnessKillTests {
    /// `make soak` asks for more.
    private static let kills = ProcessInfo.processInfo.environment["PENSTOCK_KILLS"].flatMap { Int($0) } ?? 20

    /// Opens connections to addresses of their own for as long as it runs, 32 at a time, whatever becomes of them.
    private static let load = """
        import itertools
        numbers = itertools.count(1)
        async def attempt(gate):
            async with gate:
                n = next(numbers)
                try:
                    reader, writer = await asyncio.wait_for(
                        asyncio.open_connection(f"2001:db8:99::{n >> 16:x}:{n & 65535:x}", 7001), 3)
                    writer.write(b"\\0hello"); await writer.drain()
                    await asyncio.wait_for(reader.readexactly(6), 3)
                    if n % 20 == 0: await asyncio.sleep(1)
                    writer.close()
                except (OSError, EOFError, asyncio.TimeoutError): await asyncio.sleep(0.02)
        async def main():
            gate = asyncio.Semaphore(32)
            print("ready", flush=True)
            running = set()
            while True:
                while len(running) < 64:
                    task = asyncio.create_task(attempt(gate)); running.add(task); task.add_done_callback(running.discard)
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        asyncio.run(main())
        """

    @Test(
        "G06, A09: every connection that the world saw has its record, and the chain is whole and signed over all files"
    )
    func killed() throws {
        var settings = DaemonSettings()
        settings.audit = ", rotate: { bytes: 1MiB }, checkpoint: { records: 100, seconds: 1 }"
        try DaemonBed.with(settings) { bed in
            let clients = try bed.startAgent(Self.load)
            var allowed = AllowedSoFar()
            for kill in 1...Self.kills {
                usleep(UInt32.random(in: 200_000...900_000))
                bed.kill()
                // What left before has its record in what is there now.
                let left = try bed.arrivals()
                try bed.forgetArrivals()
                try allowed.read(bed.folder.wholeTrail())
                let unrecorded = left.subtracting(allowed.destinations)
                #expect(unrecorded.isEmpty, "without a record after kill \(kill): \(unrecorded)")
                sayProgress(kill, of: Self.kills, left.count, allowed)
                try bed.start()
            }
            clients.stop()
            let more = try bed.agent("print([echo(a) for a in ('203.0.113.8', '2001:db8:99::8')])")
            #expect(more == "['ok', 'ok']\n")
            #expect(bed.end() == 0)
            let trail = try bed.folder.wholeTrail()
            let reading = try AuditReading(trail)
            #expect(reading.faults.isEmpty, "\(reading.faults.prefix(5))")
            let chain = try AuditReading.chainFaults(trail)
            #expect(chain.isEmpty, "\(chain)")
            let starts = reading.events("lifecycle").count { $0 == "started" }
            #expect(starts == Self.kills + 1)
            // Each allowed connection has exactly one end by now.
            #expect(reading.connections.count(where: \.isAllowed) == reading.ends.count)
            let verdict = try bed.folder.verify()
            #expect(verdict.status == 0 && verdict.output.contains("whole: "), "\(verdict)")
        }
    }

    @Test("G06: on standard output the chain goes on over kills, and is whole in what was collected")
    func standardOutput() throws {
        var settings = DaemonSettings()
        settings.auditPath = "-"
        try DaemonBed.with(settings, start: false) { bed in
            var collected = ""
            for round in 0..<3 {
                try bed.start()
                #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
                if round == 1 { bed.kill() } else { #expect(bed.end() == 0) }
                collected += bed.daemon?.output ?? ""
            }
            let file = bed.folder.path + "/collected"
            try Data(collected.utf8).write(to: URL(filePath: file))
            let reading = try AuditReading(file)
            let there = reading.connections.count { $0.original == "203.0.113.7" }
            #expect(there == 3)
            let verdict = try bed.folder.verify([file])
            #expect(verdict.status == 0, "\(verdict)")
        }
    }

    @Test("G13: the daemon leaves no dump, nobody of its user reads its memory, and its key is for its user alone")
    func noDumps() throws {
        try DaemonBed.with { bed in
            let pid = try #require(bed.daemon?.pid)
            let looks = try bed.net.pod.run(
                [
                    "sh", "-c",
                    "cat /proc/\(pid)/environ >/dev/null 2>&1 && echo read; cat /proc/\(pid)/mem 2>&1 | head -c 100",
                ],
                uid: 10880
            )
            #expect(!looks.output.contains("read"), "\(looks)")
            #expect(looks.output.contains("Permission denied"), "\(looks)")
            let other = try bed.net.pod.run(["cat", bed.folder.auditFolder + "/audit.key"], uid: 1000)
            #expect(!other.succeeded && other.output.isEmpty)
            let metrics = try bed.health("/metrics", status: 200) + bed.health("/readyz", status: 200) + bed.said
            let key = try String(contentsOfFile: bed.folder.auditFolder + "/audit.key", encoding: .utf8)
            let lines = key.split(separator: "\n").filter { !$0.hasPrefix("-") && !$0.hasPrefix("made") }
            let secret = try #require(lines.first)
            #expect(!metrics.contains(secret.suffix(30)))
            bed.signal(SIGABRT)
            _ = bed.daemon?.wait()
            let cores = try FileManager.default.contentsOfDirectory(atPath: bed.folder.auditFolder)
                .filter { $0.hasPrefix("core") }
            #expect(cores.isEmpty)
        }
    }
}

/// Where the records of a trail that grows let something go, each line read once.
private struct AllowedSoFar {
    private(set) var destinations: Set<String> = []
    private(set) var lines = 0
    private var bytesRead: UInt64 = 0

    /// Reads what the file has more than the last time; an unfinished last line is left for the next.
    mutating func read(_ path: String) throws {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        try file.seek(toOffset: bytesRead)
        let more = try file.readToEnd() ?? Data()
        guard let newline = more.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let whole = more[...newline]
        bytesRead += UInt64(whole.count)
        for line in whole.split(separator: UInt8(ascii: "\n")) {
            lines += 1
            // One that a kill cut off is none.
            guard let object = try? JSONSerialization.jsonObject(with: line) as? [String: Any] else { continue }
            let record = AuditLine(object: object)
            if record.kind == "connection", record.isAllowed { destinations.insert(record.original) }
        }
    }
}

/// Says how far a long run has come.
private func sayProgress(_ kill: Int, of kills: Int, _ left: Int, _ allowed: AllowedSoFar) {
    guard kill % 10 == 0 || kill == kills else { return }
    let text =
        "    killed \(kill) of \(kills) times; \(left) connections left since the last, \(allowed.lines) records in all\n"
    FileHandle.standardError.write(Data(text.utf8))
}
