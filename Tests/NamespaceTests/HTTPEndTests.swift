import Testing

/// Clients that end their side while they wait: one that has closed and one that still reads look the same to the kernel.
@Suite("Clients that say no more")
struct HTTPEndTests {
    @Test("the end of a client that waits is passed on, plain and inside TLS, and a server that gives up is not blamed")
    func closes() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                for after in (0, 0.3):
                    c = dial(); c.send(*get("/until-end")); time.sleep(after); c.s.close()
                # On a connection that has served before, too.
                c = dial(); print(why(c.ask(*get("/first")))); c.send(*get("/until-end")); time.sleep(0.3); c.s.close()
                """
            )
            #expect(said == ["200"])
            #expect(bed.origin.heard(3) == ["end", "end", "end"])
            #expect(try outcomes(bed.requests(4)) == ["closed -", "reset client", "reset client", "reset client"])
        }
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                for after in (0, 0.3):
                    c = inside(); c.send(*at("/until-end")); time.sleep(after); c.s.close()
                c = inside(); print(why(c.ask(*at("/first")))); c.send(*at("/until-end")); time.sleep(0.3); c.s.close()
                """
            )
            #expect(said == ["200"])
            #expect(bed.origin.heard(3) == ["end", "end", "end"])
            #expect(try outcomes(bed.requests(4)) == ["closed -", "reset client", "reset client", "reset client"])
        }
    }

    private func outcomes(_ requests: [HTTPRequestRecords]) -> [String] {
        requests.map { "\($0.end?["outcome"] ?? "-") \($0.end?["closed_by"] ?? "-")" }.sorted()
    }

    @Test("a client that ended its side alone has its answers, those to requests that it sent ahead as well")
    func reads() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial(); c.send(*get("/until-end?answer")); c.s.shutdown(socket.SHUT_WR); print(c.read()[2].decode(), c.end())
                # The end of what it says stands behind the last request, not behind the first.
                c = dial(); c.send(*get("/wait?0.3")); c.send(*get("/until-end?answer")); c.s.shutdown(socket.SHUT_WR)
                print(c.read()[2].decode(), c.read()[2].decode(), c.end())
                c = dial(); c.send(*get("/until-end?answer", method="POST"), "Content-Length: 4", body=b"body"); c.s.shutdown(socket.SHUT_WR)
                print(c.read()[2].decode(), c.end())
                # Nor is it said between the two: both go up on one connection.
                for pause in (0, 0.3):
                    c = dial(); c.send(*get("/peer")); time.sleep(pause); c.send(*get("/peer")); c.s.shutdown(socket.SHUT_WR)
                    one, two = c.read()[2].split(), c.read()[2].split(); print(one[0] == two[0], two[1].decode(), c.end())
                """
            )
            let waited = ["behind the end closed", "waited behind the end closed", "behind the end closed"]
            #expect(said == waited + ["True 2 closed", "True 2 closed"], "\(said)")
            #expect(bed.origin.heard(3) == ["end", "end", "end"])
            #expect(try outcomes(bed.requests(8)) == Array(repeating: "closed -", count: 8))
        }
    }

    /// What clients say and meet that end their side behind a request whose server then fails.
    private static func failures(_ open: String, _ line: String) -> String {
        """
        # Below TLS: Python's shutdown forgets the session.
        def half(c): socket.socket(fileno=os.dup(c.s.fileno())).shutdown(socket.SHUT_WR)
        for kept in (False, True):
            c = \(open)()
            if kept: print(why(c.ask(*\(line)("/first"))))
            c.send(*\(line)("/dead")); half(c); print(why(c.read()), c.end())
        c = \(open)(); c.send(*\(line)("/short")); half(c)
        try: print(c.read())
        except (OSError, EOFError) as error: print("cut")
        """
    }

    @Test("a client that ended its side alone is told of a server that fails, which is blamed and not asked again")
    func failures() throws {
        let told = ["502 upstream_failed closed", "200", "502 upstream_failed closed", "cut"]
        let recorded = ["closed -", "reset upstream", "upstream_failed upstream", "upstream_failed upstream"]
        try HTTPPod.with { bed in
            let said = try bed.agent(Self.failures("dial", "get"))
            #expect(said == told)
            let ends = try outcomes(bed.requests(4))
            #expect(ends == recorded)
            #expect(asked("/dead", of: bed.origin) == 2)
        }
        try InterceptedPod.with { bed in
            let said = try bed.python(Self.failures("inside", "at"))
            #expect(said == told)
            let ends = try outcomes(bed.requests(4))
            #expect(ends == recorded)
            #expect(asked("/dead", of: bed.origin) == 2)
        }
    }

    private func asked(_ path: String, of origin: HTTPOrigin) -> Int { origin.requests().count { $0.contains(path) } }

    @Test("a client that ended its side has the changed protocol that its server ends at once, which is asked for once")
    func changes() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial(); print(why(c.ask(*get("/first"))))
                c.send(*get("/upgrade?at-once"), "Connection: Upgrade", "Upgrade: test"); c.s.shutdown(socket.SHUT_WR)
                print(c.until(b"\\r\\n\\r\\n").split(b" ")[1], c.take(7), c.end())
                """
            )
            #expect(said == ["200", "b'101' b'welcome' closed"])
            #expect(try outcomes(bed.requests(2)) == ["closed -", "closed client"])
            #expect(asked("/upgrade", of: bed.origin) == 1)
        }
    }
}
