import Foundation
import Testing

@Suite("Captured plain HTTP, request by request")
struct HTTPCaptureTests {
    @Test(
        "B08: on one kept-alive connection each request is judged for itself, and refusals keep their place in the line",
        arguments: EgressFamily.allCases
    ) func keptAlive(family: EgressFamily) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial("\(family.allowed)")
                print(why(c.ask(*get("/a"))))
                print(why(c.ask(*get("/b", "denied.example:8080"))))
                print(why(c.ask(*get("/c?x=1"))))
                c.send(*get("/d")); c.send(*get("/e", "denied.example:8080")); c.send(*get("/f")); c.send(*get("/g", "other.example:8080"))
                for _ in range(4):
                    answer = c.read(); print(why(answer), answer[2].decode() if answer[0] == 200 else "")
                c.s.shutdown(socket.SHUT_WR); print(c.end())
                """
            )
            #expect(
                said == [
                    "200", "403 rule_deny", "200", "200 GET /d", "403 rule_deny ", "200 GET /f", "403 default_deny ",
                    "closed",
                ]
            )
            let requests = try bed.requests(7)
            try #require(requests.count == 7, "\(requests)")
            let verdicts = requests.map(\.verdict)
            let allowed = "allow rule_allow allowed-names"
            let denied = "deny rule_deny denied-names"
            #expect(verdicts == [allowed, denied, allowed, allowed, denied, allowed, "deny default_deny -"])
            let paths = requests.map { $0["path"] }
            #expect(paths == ["/a", "/b", "/c", "/d", "/e", "/f", "/g"])
            #expect(requests[0]["method"] == "GET" && requests[0]["authority"] == "allowed.example:8080")
            #expect(requests[0].end?["status"] == "200" && requests[0].end?["outcome"] == "closed", "\(requests[0])")
            #expect(!requests[2].decision.line.contains("x=1"), "a query is in the record")
            let unended = requests.filter { $0.end == nil }.map { $0["id"] }
            let refused = requests.filter { $0["decision"] == "deny" }.map { $0["id"] }
            #expect(unended == refused)
            let connections = try bed.pod.connections(1)
            #expect(connections.count == 1 && connections[0].verdict == "allow per_request -", "\(connections)")
            #expect(connections[0]["treatment"] == "http" && connections[0]["destination.name"] == "allowed.example")
            #expect(connections[0].end?["outcome"] == "closed" && connections[0].end?["closed_by"] == "client")
            let parents = Set(requests.map { $0["connection"] })
            #expect(parents == [connections[0]["id"]])
            // One connection upwards served them all, and nothing of the others came.
            #expect(
                bed.origin.requests(4) == [
                    "GET /a HTTP/1.1", "GET /c?x=1 HTTP/1.1", "GET /d HTTP/1.1", "GET /f HTTP/1.1",
                ]
            )
            #expect(bed.origin.accepts(on: 8080) == 1)
        }
    }

    @Test(
        "CONNECT, in whatever case, is no request for a captured server",
        arguments: ["CONNECT", "connect", "cONNECt"]
    )
    func connect(method: String) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                for asked in "allowed.example:8080", "/":
                    for before in 0, 1:
                        c = dial()
                        for _ in range(before): print(why(c.ask(*get("/a"))))
                        print(why(c.ask("\(method) " + asked + " HTTP/1.1", "Host: allowed.example:8080")))
                """
            )
            let capture = "403 proxy_in_capture"
            #expect(said == [capture, "200", capture, capture, "200", "400 malformed_request"], "\(said)")
            #expect(bed.origin.requests(2) == ["GET /a HTTP/1.1", "GET /a HTTP/1.1"])
        }
    }

    @Test(
        "another Host is dialled anew; a Host that is not where it goes is refused, B07",
        arguments: EgressFamily.allCases
    )
    func hostChanges(family: EgressFamily) throws {
        let names = [
            "allowed.example": [family.allowed],
            "two.allowed.example": [family.pick("203.0.113.12", "2001:db8:113::12")],
        ]
        try HTTPPod.with(names: names) { bed in
            let said = try bed.agent(
                """
                c = dial("\(family.attacker)")
                for host in ("allowed.example:8080", "two.allowed.example:8080", "ALLOWED.example.", "allowed.example"):
                    status, head, body = c.ask(*get("/echo", host)); print(status, json.loads(body)["at"])
                for host in ("allowed.example:80", "203.0.113.10:8080", "[2001:db8:113::10]"): print(why(c.ask(*get("/x", host))))
                c = dial("\(family.bare)")
                print(why(c.ask(*get("/y", "\(EgressClients.at(family.bare, 8080))"))))
                print(why(c.ask(*get("/z", "\(EgressClients.at(family.bare, 80))"))))
                print(why(c.ask("GET /old HTTP/1.0", "Connection: keep-alive")))
                """
            )
            let two = family.pick("203.0.113.12", "2001:db8:113::12")
            #expect(
                said == [
                    "200 \(family.allowed)", "200 \(two)", "200 \(family.allowed)", "200 \(family.allowed)",
                    "403 name_mismatch", "403 name_mismatch", "403 name_mismatch", "200", "403 name_mismatch", "200",
                ]
            )
            #expect(try bed.pod.world.arrivals(at: family.attacker) == 0)
        }
    }

    @Test("B09, B10, B19: methods, paths and headers are matched exactly, and what is ambiguous is refused")
    func requestRules() throws {
        let rules = """
              - name: reading
                match:
                  hosts: [allowed.example]
                  ports: [8080]
                  protocols: [http]
                  http: { methods: [GET, HEAD], paths: ["/v1/*", /exact], headers: { x-team: [red] } }
                action: allow
            """
        try HTTPPod.with(rules) { bed in
            let said = try bed.agent(
                """
                c = dial()
                def go(path, *more, method="GET"): print(path, why(c.ask(*get(path, method=method), *more, to=method)))
                red = "X-Team: red"
                for path in ("/v1/a", "/v1/", "/exact", "/exact?a=/../b", "/v1/%41"): go(path, red)
                for path in ("/v1", "/v2/a", "/exact/", "/Exact", "/v1x/a"): go(path, red)
                for path in ("/v1/../admin", "/v1/%2e%2e/admin", "/v1/a%2fb", "/v1/a%5cb", "/v1/a%00b", "/v1//a", "/v1/%c0%ae", "/v1/%zz"):
                    go(path, red)
                go("/v1/a"); go("/v1/a", "X-Team: blue"); go("/v1/a", red, "X-Team: blue"); go("/v1/a", "Connection: x-team", red)
                go("/v1/a", red, method="POST"); go("/v1/a", red, method="get"); go("/v1/a", red, method="HEAD")
                go("/v1/a", red, "X-HTTP-Method-Override: DELETE")
                """
            )
            let expected = """
                /v1/a 200
                /v1/ 200
                /exact 200
                /exact?a=/../b 200
                /v1/%41 200
                /v1 403 default_deny
                /v2/a 403 default_deny
                /exact/ 403 default_deny
                /Exact 403 default_deny
                /v1x/a 403 default_deny
                /v1/../admin 403 ambiguous_path
                /v1/%2e%2e/admin 403 ambiguous_path
                /v1/a%2fb 403 ambiguous_path
                /v1/a%5cb 403 ambiguous_path
                /v1/a%00b 403 ambiguous_path
                /v1//a 403 ambiguous_path
                /v1/%c0%ae 403 ambiguous_path
                /v1/%zz 403 ambiguous_path
                /v1/a 403 default_deny
                /v1/a 403 default_deny
                /v1/a 403 default_deny
                /v1/a 403 default_deny
                /v1/a 403 default_deny
                /v1/a 403 ambiguous_method
                /v1/a 200
                /v1/a 200
                """
            #expect(said.joined(separator: "\n") == expected)
            // What was judged is what was sent: the target as the client wrote it.
            #expect(
                bed.origin.requests(7) == [
                    "GET /v1/a HTTP/1.1", "GET /v1/ HTTP/1.1", "GET /exact HTTP/1.1", "GET /exact?a=/../b HTTP/1.1",
                    "GET /v1/%41 HTTP/1.1", "HEAD /v1/a HTTP/1.1", "GET /v1/a HTTP/1.1",
                ]
            )
        }
    }

    @Test("B11: a redirect to what is denied leads nowhere")
    func redirect() throws {
        try HTTPPod.with { bed in
            let curl = [
                "curl", "-sS", "-L", "-m", "15", "--noproxy", "*", "-o", "/dev/null", "-w",
                "%{http_code} %{num_redirects}",
            ]
            for (to, expected) in [("denied.example", "403 1"), ("www.allowed.example", "200 1")] {
                let result = try bed.pod.agent(
                    curl + ["-H", "X-To: http://\(to):8080/", "http://allowed.example:8080/away"]
                )
                #expect(result.output == expected, "\(result)")
            }
            #expect(
                try bed.pod.world.arrivals(at: "203.0.113.20") + bed.pod.world.arrivals(at: "2001:db8:113::20") == 0
            )
        }
    }

    @Test("a refused request's body is read over, or the connection ends behind the answer")
    func refusedBodies() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                denied = get("/b", "denied.example:8080", "POST")
                c = dial()
                print(why(c.ask(*denied, "Content-Length: 5", body=b"GET /")))
                print(why(c.ask(*denied, "Transfer-Encoding: chunked", body=b"4\\r\\nGET \\r\\n0\\r\\n\\r\\n")))
                print(why(c.ask(*get("/still"))))
                answer = c.ask(*denied, "Content-Length: 5", "Expect: 100-continue"); print(why(answer), answer[1]["connection"], c.end())
                c = dial()
                c.send(*denied, "Content-Length: 10000000"); c.raw(b"GET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n")
                answer = c.read(); print(why(answer), answer[1]["connection"], c.end())
                c = dial()
                c.send(*denied, "Transfer-Encoding: chunked")
                print(why(c.read()))
                for _ in range(1000): c.raw(b"8000\\r\\n" + b"x" * 0x8000 + b"\\r\\n")
                print(c.end())
                # Who says all of it before looking for an answer, and not at once.
                c = dial()
                c.send(*denied, "Content-Length: 8000000"); time.sleep(0.3); c.raw(b"x" * 8000000)
                print(why(c.read()), c.end())
                # Nobody is listened to for ever.
                c = dial()
                c.send(*denied, "Transfer-Encoding: chunked")
                print(why(c.read())); began = time.monotonic()
                try:
                    while time.monotonic() - began < 60: c.raw(b"1\\r\\nx\\r\\n"); time.sleep(0.1)
                except OSError as error: print(name_of(error) in ("reset", "EPIPE"), time.monotonic() - began > 9)
                """
            )
            #expect(
                said == [
                    "403 rule_deny", "403 rule_deny", "200", "403 rule_deny close closed", "403 rule_deny close closed",
                    "403 rule_deny", "closed", "403 rule_deny closed", "403 rule_deny", "True True",
                ]
            )
            #expect(bed.origin.requests(1) == ["GET /still HTTP/1.1"])
        }
    }

    @Test("B10: a deny of a method, a query or a header holds for other spellings, captured or by the proxy")
    func spellings() throws {
        let rules =
            HTTPPod.rules + "\n" + """
                  - name: no-delete
                    match: { hosts: [allowed.example], protocols: [http], http: { methods: [DELETE] } }
                    action: deny
                  - name: no-secret
                    match: { hosts: [allowed.example], protocols: [http], http: { query: { a: ["1"] } } }
                    action: deny
                  - name: no-override
                    match: { protocols: [http], http: { headers: { X-Method-Override: present } } }
                    action: deny
                """
        try HTTPPod.with(rules) { bed in
            let said = try bed.agent(
                HTTPProxyTests.kit + """
                    host = "allowed.example:8080"
                    for method, path in (("DELETE", "/"), ("delete", "/"), ("Delete", "/"), ("get", "/"), ("GET", "/"), ("BREW", "/"),
                                         ("GET", "/?b=1;a=1"), ("GET", "/?a=%zz"), ("GET", "/?%2561=1"), ("OPTIONS", "*")):
                        print(why(dial().ask(*get(path, method=method))))
                        whole = "http://" + host + ("" if path == "*" else path)
                        print(why(proxied().ask(method + " " + whole + " HTTP/1.1", "Host: " + host)))
                    for name in ("X-Method-Override", "X_Method_Override", "x.method-override", "X_Method", "Content_Type"):
                        print(why(dial().ask(*get("/"), name + ": DELETE")))
                        print(why(proxied().ask("GET http://" + host + "/ HTTP/1.1", "Host: " + host, name + ": DELETE")))
                    """
            )
            let answers = [
                "403 rule_deny", "403 ambiguous_method", "403 ambiguous_method", "403 ambiguous_method", "200", "200",
                "403 ambiguous_query", "403 ambiguous_query", "403 ambiguous_query", "200",
                "403 rule_deny", "403 ambiguous_field", "403 ambiguous_field", "200", "200",
            ]
            let twice = answers.flatMap { [$0, $0] }
            #expect(said == twice)
            #expect(bed.origin.requests(10).count == 10)
        }
    }

    @Test("`mode: audit` lets requests through to where they were going, and says what it would refuse")
    func auditMode() throws {
        let policy = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: watching
            mode: audit
            default: deny
            rules:
            \(HTTPPod.rules)

            """
        try HTTPPod.with(policy) { bed in
            let said = try bed.agent(
                """
                c = dial()
                for host in ("allowed.example:8080", "denied.example:8080", "other.example", "allowed.example:81"):
                    status, head, body = c.ask(*get("/echo", host)); print(status, json.loads(body)["at"])
                print(why(c.ask(*get("/a/../b"))))
                print(why(c.ask("GET / HTTP/1.1", "Host: a", "Host: b")))
                """
            )
            let here = "200 203.0.113.10"
            #expect(said == [here, here, here, here, "403 ambiguous_path", "400 malformed_request"])
            let requests = try bed.requests(6)
            try #require(requests.count == 6, "\(requests)")
            let would = requests.map { $0["would"] ?? "-" }
            #expect(would == ["-", "deny", "deny", "deny", "-", "-"], "\(requests)")
            #expect(requests[3]["reason"] == "name_mismatch" && requests[3]["detail"] == "host_port")
        }
    }

    @Test("B20: a new policy judges the next request, and cuts the one that is on its way if it is no longer allowed")
    func reload() throws {
        try HTTPPod.with { bed in
            let agent = try bed.startAgent(
                """
                kept, running, other = dial(), dial(), dial()
                print(why(kept.ask(*get("/a"))))
                running.send(*get("/wait?20")); other.send(*get("/wait?4", "www.allowed.example:8080"))
                print("ready", flush=True)
                print(running.end(), flush=True)
                print(why(other.read()))
                print(why(kept.ask(*get("/b")))); print(why(kept.ask(*get("/c", "www.allowed.example:8080"))), flush=True)
                """
            )
            #expect(bed.origin.requests(3).count == 3)
            try bed.pod.reload(
                """
                  - name: not-that
                    match: { hosts: [allowed.example] }
                    action: deny
                  - name: allowed-names
                    match: { hosts: ["*.allowed.example"], ports: [8080] }
                    action: allow
                """
            )
            let result = agent.wait()
            #expect(result.output == "200\nready\nreset\n200\n403 rule_deny\n200\n", "\(result)")
            let requests = try bed.requests(5)
            try #require(requests.count == 5, "\(requests)")
            let cut = requests.filter { $0.end?["outcome"] == "policy_changed" }
            #expect(cut.count == 1 && cut[0]["path"] == "/wait" && cut[0].end?["rule"] == "not-that", "\(requests)")
        }
    }

    @Test("told to stop, the daemon lets idle connections go at once and the others behind their answer")
    func drain() throws {
        try HTTPPod.with(drainSeconds: 20) { bed in
            let agent = try bed.startAgent(
                """
                idle, busy = dial(), dial()
                print(why(idle.ask(*get("/a"))))
                busy.send(*get("/wait?3")); print("ready", flush=True)
                print(idle.end(), not select.select([busy.s], [], [], 0)[0])
                status, head, body = busy.read(); print(status, body.decode(), head.get("connection"), busy.end(), flush=True)
                """
            )
            #expect(bed.origin.requests(2).count == 2)
            #expect(bed.pod.stop() == 0)
            let result = agent.wait()
            #expect(result.output == "200\nready\nclosed True\n200 waited close closed\n", "\(result)")
            let ends = try bed.pod.connections(2)
            #expect(ends.endValues("outcome") == ["closed"] && ends.endValues("closed_by") == ["ours"], "\(ends)")
        }
    }

    @Test("where connections run out, the one that has been idle for longest goes first")
    func idleGoFirst() throws {
        try HTTPPod.with(settings: "workers: 1\nlimits: { connections: 16 }") { bed in
            let said = try bed.agent(
                """
                all = [dial() for _ in range(16)]
                for c in all: print(why(c.ask(*get("/a"))))
                print(why(all[0].ask(*get("/b"))))
                late = dial(); print(why(late.ask(*get("/c"))))
                print(all[1].end()); print(why(all[0].ask(*get("/d")))); print(why(all[2].ask(*get("/e"))))
                """
            )
            #expect(said == Array(repeating: "200", count: 18) + ["closed", "200", "200"])
            let connections = try bed.pod.connections(17)
            let late = connections.count { $0.end?["outcome"] == "timed_out" }
            #expect(late == 1, "\(connections)")
        }
    }

    @Test("without a policy every request is refused, and says so")
    func noPolicy() throws {
        try HTTPPod.with("  - name: x\n    match: { hosts: [allowed.example], ports: [8080] }\n    action: allow") {
            bed in
            bed.pod.stop()
            try Data("nonsense".utf8).write(to: bed.pod.policyFile)
            try bed.pod.start(waiting: false)
            let ready = BackgroundProcess.poll(seconds: 60) {
                ((try? bed.agent("print(why(dial().ask(*get('/a'))))")) ?? []) == ["403 no_policy"]
            }
            #expect(ready)
            #expect(bed.origin.requests().isEmpty)
        }
    }
}
