import Foundation
import Testing

/// Programs as people use them, none of them told more than a proxy, against a real nginx and a real WebSocket server.
@Suite("Unmodified clients over plain HTTP")
struct EgressHTTPClientsTests {
    static let rules = """
          - name: read-only
            match: { hosts: [allowed.example], protocols: [http], http: { methods: [DELETE, PUT] } }
            action: deny
          - name: web
            match: { hosts: [allowed.example], ports: [80, 8080] }
            action: allow
        """

    /// How a client comes to the daemon.
    enum Way: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// It does not know.
        case transparent
        /// It was told a proxy.
        case explicit

        var testDescription: String { rawValue }

        /// What stands before a command.
        var prefix: [String] {
            let proxy = "http://127.0.0.1:15881"
            return switch self {
            case .transparent: []
            case .explicit: ["env", "http_proxy=\(proxy)", "HTTP_PROXY=\(proxy)", "https_proxy=\(proxy)"]
            }
        }
    }

    /// A client's command, and the end of what it prints.
    struct Client: Sendable, CustomTestStringConvertible {
        var name: String
        var command: [String]
        var prints: String
        /// Where it is another for a proxy.
        var explicitCommand: [String]?
        /// True where what it asks does not stand in nginx's log.
        var asksOthers = false

        var testDescription: String { name }

        func command(_ way: Way) -> [String] {
            way.prefix + (way == .explicit ? explicitCommand ?? command : command)
        }
    }

    private static let page = "allowed.example at 203.0.113.10\n"
    private static let python = "/usr/bin/python3"

    static let clients: [Client] = [
        Client(
            name: "curl, one connection for three",
            command: ["curl", "-4sS", "-m", "15"] + Array(repeating: "http://allowed.example/", count: 3),
            prints: page + page + page
        ),
        Client(
            name: "curl, a large upload that asks before it sends",
            command: [
                "sh", "-c",
                "head -c 3000000 /dev/zero | curl -4sS -m 15 -H 'Expect: 100-continue' -T - http://allowed.example/ "
                    + "-X POST -o /dev/null -w '%{http_code}\n'",
            ],
            prints: "200\n"
        ),
        Client(
            name: "wget",
            command: ["wget", "-4", "-q", "-T", "15", "-O", "-", "http://allowed.example/"],
            prints: page
        ),
        Client(
            name: "requests",
            command: [
                python, "-c",
                """
                import requests
                with requests.Session() as session:
                    print(session.get("http://allowed.example/", timeout=15).text, end="")
                    print(session.post("http://allowed.example/form", data={"a": "b" * 5000}, timeout=15).status_code)
                    parts = session.post("http://allowed.example/parts", data=iter([b"x" * 7000] * 9), timeout=15)
                    print(parts.status_code, session.head("http://allowed.example/", timeout=15).status_code)
                """,
            ],
            prints: page + "200\n200 200\n"
        ),
        Client(
            name: "node",
            command: [
                "node", "-e",
                """
                fetch("http://allowed.example/").then(answer => answer.text()).then(text => process.stdout.write(text))
                """,
            ],
            prints: page,
            // Node's own client knows no proxy variables in this version: it is told as its documentation says.
            explicitCommand: [
                "node", "-e",
                """
                require("http").get({ host: "127.0.0.1", port: 15881, path: "http://allowed.example/",
                    headers: { Host: "allowed.example" } }, answer => answer.pipe(process.stdout))
                """,
            ]
        ),
        Client(
            name: "git",
            command: [
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && HOME=$place git clone -q http://allowed.example/files/work.git copy \
                  && cat copy/word; rm -rf $place
                """,
            ],
            prints: "cloned\n"
        ),
        Client(
            name: "pip",
            command: [
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && HOME=$place /usr/bin/python3 -m pip download -q --no-deps \
                  --no-cache-dir --disable-pip-version-check --trusted-host allowed.example \
                  --index-url http://allowed.example/files/simple/ smallest && ls; rm -rf $place
                """,
            ],
            prints: "smallest-1.0-py3-none-any.whl\n"
        ),
        Client(
            name: "websockets",
            command: [python, "-c", webSocket + "asyncio.run(talk())"],
            prints: "hello 300000 there\n",
            explicitCommand: [
                python, "-c",
                webSocket + """
                    import http.client
                    proxy = http.client.HTTPConnection("127.0.0.1", 15881, timeout=15)
                    proxy.set_tunnel("allowed.example", 8080)
                    proxy.connect()
                    asyncio.run(talk(sock=proxy.sock))
                    """,
            ],
            asksOthers: true
        ),
    ]

    private static let webSocket = """
        import asyncio, websockets
        async def talk(**options):
            async with websockets.connect("ws://allowed.example:8080/echo", max_size=None, **options) as connection:
                await connection.send("hello"); first = await connection.recv()
                await connection.send(b"x" * 300000); second = await connection.recv()
                await connection.ping(); await connection.send("there")
                print(first, len(second), await connection.recv())

        """ + "\n"

    @Test("each works, and each of its requests is judged and written down once", arguments: clients, Way.allCases)
    func works(client: Client, way: Way) throws {
        let names = ["allowed.example": ["203.0.113.10"]]
        try GuardedPod.with(Self.rules, names: names) { guarded in
            try Self.serve(guarded)
            let result = try guarded.agent(client.command(way), seconds: 60)
            #expect(result.output.hasSuffix(client.prints), "\(result)")
            let connections = try guarded.connections(1)
            #expect(connections.values("capture") == [way.rawValue], "\(connections)")
            #expect(connections.values("treatment") == ["http"], "\(connections)")
            let records = try Self.settled(guarded)
            let requests = records.filter { $0["kind"] == "request" }
            let verdicts = Set(requests.map { "\($0["decision"] ?? "?") \($0["rule"] ?? "-")" })
            #expect(verdicts == ["allow web"], "\(requests)")
            let ends = records.filter { $0["kind"] == "request_end" }
            #expect(ends.count == requests.count, "\(ends)")
            if !client.asksOthers {
                #expect(requests.count == guarded.world.requests.count, "\(guarded.world.requests) \(requests)")
            }
        }
    }

    @Test("what policy denies is answered 403 with the reason, and never arrives", arguments: Way.allCases)
    func denied(way: Way) throws {
        try GuardedPod.with(Self.rules, names: ["allowed.example": ["203.0.113.10"]]) { guarded in
            let curl = ["curl", "-4sS", "-m", "15", "-w", "%{http_code} %{content_type}\n"]
            let result = try guarded.agent(
                way.prefix + curl + ["-X", "DELETE", "http://allowed.example/files/1", "http://denied.example/"]
            )
            let answers = result.output.split(separator: "}")
            #expect(result.output.components(separatedBy: "403 application/problem+json").count == 3, "\(result)")
            #expect(answers.first?.contains(#""reason":"rule_deny""#) == true, "\(result)")
            #expect(answers.first?.contains(#""rule":"read-only""#) == true, "\(result)")
            #expect(guarded.world.requests.isEmpty, "\(guarded.world.requests)")
            let requests = try Self.settled(guarded).filter { $0["kind"] == "request" }
            let verdicts = requests.map { "\($0["decision"] ?? "?") \($0["reason"] ?? "?") \($0["rule"] ?? "-")" }
            #expect(verdicts == ["deny rule_deny read-only", "deny default_deny -"], "\(requests)")
            let identifiers = Set(requests.map { $0["id"] ?? "none" })
            let named = identifiers.filter { result.output.contains($0) }
            #expect(named.count == 2, "the answer names its record: \(result)")
        }
    }

    /// All records, once every allowed request has its end.
    private static func settled(_ guarded: GuardedPod) throws -> [EgressRecord] {
        var records: [EgressRecord] = []
        _ = BackgroundProcess.poll(seconds: 60) {
            records = (try? guarded.auditRecords()) ?? []
            let allowed = records.count { $0["kind"] == "request" && $0["decision"] == "allow" }
            return allowed == records.count { $0["kind"] == "request_end" }
        }
        return records
    }

    /// Puts a repository and a package index where nginx finds them, and starts a WebSocket server.
    private static func serve(_ guarded: GuardedPod) throws {
        try writeFiles(below: guarded.world.folder.path)
        // Debian's own Python, which has the package; another may be first on PATH.
        let server = try guarded.net.world.start(["/usr/bin/python3", "-u", "-c", webSocketServer])
        guard server.waitForOutput("ready") else { throw EgressWorld.Failed(what: "websockets: \(server.errors)") }
    }

    /// Writes a bare repository, and an index of one package, where nginx of a world in this folder finds them.
    static func writeFiles(below place: String) throws {
        try NetworkNamespace.must([
            "sh", "-ec",
            """
            mkdir -p \(place)/files/simple/smallest \(place)/work && cd \(place)/work
            export HOME=\(place) GIT_CONFIG_NOSYSTEM=1
            git init -q -b main . && echo cloned > word && git add word
            git -c user.name=a -c user.email=a@b commit -qm word
            git clone -q --bare . \(place)/files/work.git && cd \(place)/files/work.git && git update-server-info
            cd \(place)/files/simple/smallest && /usr/bin/python3 - <<'END'
            import zipfile
            with zipfile.ZipFile("smallest-1.0-py3-none-any.whl", "w") as wheel:
                wheel.writestr("smallest.py", "")
                wheel.writestr("smallest-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: smallest\\nVersion: 1.0\\n")
                wheel.writestr("smallest-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                wheel.writestr("smallest-1.0.dist-info/RECORD", "")
            END
            chmod -R a+rX \(place)/files
            """,
        ])
    }

    private static let webSocketServer = """
        import asyncio, websockets
        async def echo(connection, path=None):
            async for message in connection: await connection.send(message)
        async def main():
            async with websockets.serve(echo, ["0.0.0.0", "::"], 8080, max_size=None):
                print("ready", flush=True); await asyncio.Future()
        asyncio.run(main())
        """
}
