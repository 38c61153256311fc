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
}
