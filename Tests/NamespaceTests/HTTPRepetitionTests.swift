import Foundation
import Testing

/// What is the same in a request as in the one before is not worked out again; nobody may see a difference.
@Suite("Requests that are asked again and again on one connection")
struct HTTPRepetitionTests {
    /// Requests of which most are like the one before, in all or in all but one thing; and how each is answered.
    private static let requests = """
        from itertools import repeat
        json_post = ("POST /echo HTTP/1.1", "Host: allowed.example:8080", "Content-Length: 2")
        asked = [
            *repeat((get("/a"), b"", "GET"), 5), *((get("/b%d" % n), b"", "GET") for n in range(4)),
            *repeat((get("/none"), b"", "GET"), 4), *repeat((get("/a"), b"", "GET"), 3),
            *repeat((get("/a?x=1"), b"", "GET"), 4), *repeat((get("/a") + ("Cookie: k=secret",), b"", "GET"), 4),
            *repeat((get("/a") + ("Authorization: Bearer abcdefghijkl",), b"", "GET"), 4),
            *repeat((get("/a", "allowed.example"), b"", "GET"), 4), *repeat((get("/a"), b"", "GET"), 3),
            *repeat((get("/a", method="HEAD"), b"", "HEAD"), 4), *repeat((get("/a"), b"", "GET"), 3),
            *repeat((get("/a", "denied.example:8080"), b"", "GET"), 2), *repeat((get("/a"), b"", "GET"), 3),
            *((json_post, body, "GET") for body in (b"{}", b"[]", b"12", b"{}")),
            *repeat((get("/chunked"), b"", "GET"), 4), *repeat((get("/hop"), b"", "GET"), 4),
            *repeat((get("/hints"), b"", "GET"), 3), *repeat((get("/a"), b"", "GET"), 3),
        ]
        def show(c, to):
            answer = c.read(to)
            while answer[0] == 103: answer = c.read(to)
            kept = sorted((k, v) for k, v in answer[1].items() if k != "date")
            print(answer[0], why(answer), kept if answer[0] != 403 else "", answer[2] if answer[0] != 403 else "")
        """ + "\n"

    @Test("each is answered and recorded as on a connection of its own, one after the other and all at once")
    func alike() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                Self.requests
                    + """
                    print(len(asked))
                    for lines, body, to in asked:
                        c = dial(); c.send(*lines, body=body); show(c, to); c.s.close()
                    c = dial()
                    for lines, body, to in asked: c.send(*lines, body=body); show(c, to)
                    c = dial()
                    for lines, body, to in asked: c.send(*lines, body=body)
                    for lines, body, to in asked: show(c, to)
                    """
            )
            let count = Int(said.first ?? "") ?? 0
            try #require(count > 0 && said.count == 1 + 3 * count, "\(said.count) \(said.suffix(3))")
            let alone = said[1...count]
            #expect(Array(said[(count + 1)...(2 * count)]) == Array(alone))
            #expect(Array(said[(2 * count + 1)...]) == Array(alone))
            let records = try bed.requests(3 * count)
            try #require(records.count == 3 * count)
            let texts = records.map(Self.lasting)
            for index in 0..<count {
                #expect(texts[count + index] == texts[index], "request \(index)")
                #expect(texts[2 * count + index] == texts[index], "request \(index)")
            }
            let identifiers = Set(records.compactMap { $0["id"] })
            #expect(identifiers.count == 3 * count)
        }
    }

    @Test("a policy that denies them denies the next, and every one that went up has its record")
    func newPolicy() throws {
        try HTTPPod.with { bed in
            let go = bed.pod.folder.appending(path: "go")
            let agent = try bed.startAgent(
                """
                import os
                # None is on its way while the policy changes: that one would be cut.
                c = dial(); n = [why(c.ask(*get("/a"))) for _ in range(5)].count("200"); print("ready", flush=True)
                while not os.path.exists("\(go.path)"): time.sleep(0.01)
                time.sleep(1)
                print(n, why(c.ask(*get("/a"))), why(c.ask(*get("/a"))), flush=True); print("over", flush=True)
                """
            )
            try bed.pod.reload(
                """
                  - name: no-more
                    match: { hosts: [allowed.example] }
                    action: deny
                """
            )
            try Data().write(to: go)
            #expect(agent.waitForOutput("over", seconds: 15), "\(agent.output) \(agent.errors)")
            let line = agent.output.split(separator: "\n").dropFirst().first ?? ""
            let allowed = Int(line.split(separator: " ").first ?? "") ?? 0
            #expect(allowed >= 5 && line.hasSuffix(" 403 rule_deny 403 rule_deny"), "\(line)")
            let records = try bed.requests(allowed + 2)
            let verdicts = records.map(\.verdict)
            let passed = verdicts.filter { $0 == "allow rule_allow allowed-names" }
            #expect(passed.count == allowed)
            #expect(verdicts.suffix(2) == ["deny rule_deny no-more", "deny rule_deny no-more"])
            #expect(bed.origin.requests(allowed).count == allowed)
            let generations = records.map { $0["policy_generation"] }
            let before = Set(generations.dropLast(2))
            #expect(before == ["1"] && generations.suffix(2) == ["2", "2"])
        }
    }

    @Test("an upstream is closed when another one is asked, and not only when that has answered")
    func closedUpstream() throws {
        try HTTPPod.with { bed in
            let agent = try bed.startAgent(
                HTTPProxyTests.kit + """
                    asked = [get("http://allowed.example:8080/peer")] * 3
                    asked.append(get("http://www.allowed.example:8080/wait?60", "www.allowed.example:8080"))
                    c = proxied()
                    # All at once: an upstream that nobody needs for a moment is lent to others.
                    c.raw("".join("\\r\\n".join(lines) + "\\r\\n\\r\\n" for lines in asked).encode())
                    for _ in range(3): c.read()
                    print("ready", flush=True); time.sleep(60)
                    """
            )
            let areAsked = BackgroundProcess.poll(seconds: 30) { bed.origin.requests().count == 4 }
            #expect(areAsked, "\(agent.errors)")
            let isClosed = BackgroundProcess.poll(seconds: 20) {
                let open = try? bed.pod.pod.must(["ss", "-Htn", "state", "established", "dport", "=", ":8080"])
                return open?.split(separator: "\n").count == 1
            }
            #expect(isClosed)
        }
    }

    /// The two records of a request, without what is each one's own.
    private static func lasting(_ records: HTTPRequestRecords) -> [String] {
        let own = #/"(time|id|connection|previous)":"[^"]*"|"(sequence|duration_ms)":[0-9]+/#
        return [records.decision, records.end].compactMap { $0?.line.replacing(own, with: "") }
    }
}
