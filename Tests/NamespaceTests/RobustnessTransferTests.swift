import Foundation
import Testing

@Suite("Bytes through the daemon")
struct RobustnessTransferTests {
    private static let digest = "print('digest', hashlib.sha256(pattern(SIZE)).hexdigest(), flush=True)\n"

    private static func size(_ mebibytes: Int) -> String { "SIZE = \(mebibytes) << 20\n" }

    /// The second word of the line that begins with `digest`.
    private static func digest(in output: String) -> String {
        let line = output.split(separator: "\n").first { $0.hasPrefix("digest ") } ?? ""
        return String(line.split(separator: " ").last ?? "no digest")
    }

    @Test("A32: a 4 MiB upload that is closed at once arrives whole", arguments: Far.both)
    func upload(address: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.agent(
                Self.size(4) + """
                    s = dial(sys.argv[1], 7002); s.sendall(b"\\0" + pattern(SIZE)); s.close()
                    print("digest", hashlib.sha256(b"\\0" + pattern(SIZE)).hexdigest())
                    """,
                [address]
            )
            #expect(bed.worldSays("sink 4194305 \(Self.digest(in: result))"), "\(bed.world.output) \(result)")
            let reading = try bed.audit { $0.ends.count == 1 }
            #expect(reading.ends.first?.number("bytes_up") == 4_194_305)
            #expect(reading.ends.first?.outcome == "closed")
        }
    }

    @Test("A32: an 8 MiB download whose server closes at once arrives whole", arguments: Far.both)
    func download(address: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.agent(
                Self.size(8) + """
                    s = dial(sys.argv[1], 7003); s.sendall(b"\\0"); time.sleep(0.5)
                    data = read_all(s); print(len(data), data == pattern(SIZE)); s.close()
                    """,
                [address]
            )
            #expect(result == "8388608 True\n")
            let ended = try bed.audit { $0.ends.count == 1 }
            let end = try #require(ended.ends.first)
            #expect(end.number("bytes_down") == 8_388_608)
            #expect(end.outcome == "closed" && end.text("closed_by") == "upstream", "\(end)")
        }
    }

    @Test("an answer comes after the client has finished sending", arguments: Far.both)
    func clientEndsFirst(address: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.agent(
                Self.size(1) + """
                    s = dial(sys.argv[1], 7004); s.sendall(b"\\0" + pattern(SIZE)); s.shutdown(socket.SHUT_WR)
                    expected = b"got %d %s" % (SIZE + 1, hashlib.sha256(b"\\0" + pattern(SIZE)).hexdigest().encode())
                    print(read_all(s) == expected)
                    """,
                [address]
            )
            #expect(result == "True\n")
            let ended = try bed.audit { $0.ends.count == 1 }
            let end = try #require(ended.ends.first)
            #expect(end.outcome == "closed" && end.text("closed_by") == "client", "\(end)")
        }
    }

    @Test("what a client sends after its server has finished still arrives", arguments: Far.both)
    func serverEndsFirst(address: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.agent(
                Self.size(1) + Self.digest + """
                    s = dial(sys.argv[1], 7005); print(read_all(s)); time.sleep(0.3)
                    s.sendall(b"\\0"); s.close()
                    s = dial(sys.argv[1], 7005); s.sendall(b"\\0"); print(read_all(s))
                    s.sendall(pattern(SIZE)); s.close()
                    print("digest", hashlib.sha256(b"\\0" + pattern(SIZE)).hexdigest())
                    """,
                [address]
            )
            #expect(result.contains("b'server done'\nb'server done'\n"), "\(result)")
            let whole = result.split(separator: "\n").last?.split(separator: " ").last ?? ""
            #expect(bed.worldSays("after the end 1048577 \(whole)"), "\(bed.world.output)")
            #expect(bed.worldSays("after the end 1 "), "\(bed.world.output)")
            let reading = try bed.audit { $0.ends.count == 2 }
            #expect(reading.ends("closed").count == 2, "\(reading.ends)")
        }
    }

    @Test("a reset by either side reaches the other as a reset", arguments: Far.both)
    func resets(address: String) throws {
        try DaemonBed.with { bed in
            let byServer = try bed.agent(
                """
                s = dial(sys.argv[1], 7006); s.sendall(b"\\0go")
                try: print(s.recv(100))
                except OSError as error: print(name(error))
                """,
                [address]
            )
            #expect(byServer == "ECONNRESET\n")
            let endedOnce = try bed.audit { $0.ends.count == 1 }
            let first = try #require(endedOnce.ends.first)
            #expect(first.outcome == "reset" && first.text("closed_by") == "upstream", "\(first)")

            _ = try bed.agent(
                """
                s = dial(sys.argv[1], 7001); s.sendall(b"\\0go"); s.recv(100); reset(s)
                """,
                [address]
            )
            #expect(bed.worldSays("echo ECONNRESET"), "\(bed.world.output)")
            let endedTwice = try bed.audit { $0.ends.count == 2 }
            let second = try #require(endedTwice.ends.last)
            #expect(second.outcome == "reset" && second.text("closed_by") == "client", "\(second)")
        }
    }

    @Test("slow readers hold their servers back, and the daemon keeps little of what waits")
    func slowReaders() throws {
        try DaemonBed.with { bed in
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            let before = try bed.residentBytes()
            let readers = try bed.startAgent(
                """
                sockets = [dial("203.0.113.7", 7008) for _ in range(4)]
                for s in sockets: s.sendall(b"\\0go")
                print("ready", flush=True)
                for _ in range(8):
                    for s in sockets: s.recv(1)
                    time.sleep(0.25)
                print("read", flush=True); time.sleep(60)
                """
            )
            #expect(readers.waitForOutput("read\n"))
            #expect(try bed.residentBytes() - before < 8 << 20, "for 4 × 64 MiB that wait")
            readers.stop()
            // What was sent went into the buffers of four sockets and a pipe, and no further.
            let settled = BackgroundProcess.poll(seconds: 60) { bed.world.output.split(separator: "\n").count >= 5 }
            #expect(settled && !bed.world.output.contains("all"), "\(bed.world.output)")
        }
    }

    @Test("slow servers hold their clients back, and the daemon keeps little of what waits")
    func slowServers() throws {
        try DaemonBed.with { bed in
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            let before = try bed.residentBytes()
            let writer = try bed.startAgent(
                """
                def send(s):
                    sent = 0
                    try:
                        while sent < 64 << 20: sent += s.send(b"\\0" * 65536)
                        say("sent all")
                    except OSError as error: say("held back", name(error), sent < 48 << 20)
                sockets = [dial("203.0.113.7", 7007, 30) for _ in range(4)]
                threads = [threading.Thread(target=send, args=(s,)) for s in sockets]
                for t in threads: t.start()
                time.sleep(1.5); say("ready")
                for t in threads: t.join()
                print("over", flush=True)
                """
            )
            #expect(try bed.residentBytes() - before < 8 << 20)
            #expect(writer.waitForOutput("over"))
            let held = writer.output.split(separator: "\n").filter { $0.hasPrefix("held back") && $0.hasSuffix("True") }
            #expect(held.count == 4, "\(writer.output)")
            let reading = try bed.audit { $0.ends.count == 5 }
            #expect(reading.ends("reset").count == 4, "\(reading.ends)")
        }
    }

    @Test("a gibibyte passes, and the record counts every byte of it")
    func bulk() throws {
        try DaemonBed.with { bed in
            let before = try bed.residentBytes()
            let result = try bed.agent(
                """
                s = dial("203.0.113.7", 7010, 60); s.sendall(b"\\0go")
                room, total = bytearray(1 << 20), 0
                while count := s.recv_into(room): total += count
                print(total)
                """,
                seconds: 90
            )
            #expect(result == "\(1 << 30)\n")
            let ended = try bed.audit { $0.ends.count == 1 }
            let end = try #require(ended.ends.first)
            #expect(end.number("bytes_down") == 1 << 30 && end.number("bytes_up") == 3, "\(end)")
            #expect(try bed.residentBytes() - before < 8 << 20)
        }
    }
}
