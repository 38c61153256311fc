import Foundation
import Testing

/// Programs as people use them, each told by its one documented variable whom to trust, and nothing else.
@Suite("Unmodified clients inside TLS")
struct InterceptionClientsTests {
    /// A client's command, and the end of what it prints.
    struct Client: Sendable, CustomTestStringConvertible {
        var name: String
        /// Of those that `penstock ca env` prints.
        var variable: String
        var command: [String]
        var prints: String

        var testDescription: String { name }
    }

    private static let page = "GET /a"
    static let url = "https://allowed.example:8443/a"
    private static let python = InterceptedPod.python

    static let clients: [Client] = [
        Client(
            name: "curl",
            variable: "CURL_CA_BUNDLE",
            command: ["curl", "-sS", "-m", "20", url, url],
            prints: page + page
        ),
        Client(
            name: "requests",
            variable: "REQUESTS_CA_BUNDLE",
            command: [
                python, "-c",
                """
                import requests
                with requests.Session() as s:
                    print(s.get("\(url)").text, s.post("https://allowed.example:8443/count", data=b"x" * 300000).text[:6],
                          s.get("https://allowed.example:8443/denied/x").json()["rule"])
                """,
            ],
            prints: page + " 300000 denied-paths\n"
        ),
        Client(
            name: "httpx",
            variable: "SSL_CERT_FILE",
            command: [
                python, "-c",
                """
                import httpx
                with httpx.Client() as c:
                    print(c.get("\(url)").text, c.post("https://allowed.example:8443/echo", content=iter([b"ab", b"cd"])).json()["body"])
                """,
            ],
            prints: page + " abcd\n"
        ),
        Client(
            name: "aiohttp",
            variable: "SSL_CERT_FILE",
            command: [
                python, "-c",
                """
                import aiohttp, asyncio
                async def main():
                    async with aiohttp.ClientSession() as s:
                        async with s.get("\(url)") as a, s.get("https://allowed.example:8443/chunked") as b:
                            print(await a.text(), await b.text())
                asyncio.run(main())
                """,
            ],
            prints: page + " hello world\n"
        ),
        Client(
            name: "websockets",
            variable: "SSL_CERT_FILE",
            command: [
                python, "-c",
                """
                import asyncio, websockets
                async def talk():
                    async with websockets.connect("wss://allowed.example:8601/echo", max_size=None) as c:
                        await c.send("hello"); first = await c.recv()
                        await c.send(b"x" * 3000000); second = await c.recv()
                        await (await c.ping()); await c.send("there")
                        print(first, len(second), await c.recv(), [e.name for e in c.protocol.extensions])
                asyncio.run(talk())
                """,
            ],
            prints: "hello 3000000 there ['permessage-deflate']\n"
        ),
        Client(
            name: "node fetch",
            variable: "NODE_EXTRA_CA_CERTS",
            command: [
                "node", "-e",
                """
                fetch("\(url)").then(a => a.text()).then(t => process.stdout.write(t))
                """,
            ],
            prints: page
        ),
        Client(
            name: "node ws",
            variable: "NODE_EXTRA_CA_CERTS",
            command: [
                "node", "-e",
                """
                const { WebSocket } = require("/usr/share/nodejs/ws");
                const c = new WebSocket("wss://allowed.example:8601/echo", { perMessageDeflate: true });
                c.on("open", () => c.send("x".repeat(200000)));
                c.on("message", m => { console.log(m.length, c.extensions.slice(0, 18)); c.close(); });
                """,
            ],
            prints: "200000 permessage-deflate\n"
        ),
        Client(
            name: "Java's HttpClient",
            variable: "JAVA_TOOL_OPTIONS",
            command: [
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && cat > Ask.java <<'END'
                import java.net.URI; import java.net.http.*;
                public class Ask {
                    public static void main(String[] words) throws Exception {
                        var answer = HttpClient.newHttpClient().send(
                            HttpRequest.newBuilder(URI.create("\(url)")).build(), HttpResponse.BodyHandlers.ofString());
                        System.out.print(answer.statusCode() + " " + answer.body());
                    }
                }
                END
                java -Djava.io.tmpdir=$place Ask.java; rm -rf $place
                """,
            ],
            prints: "200 " + page
        ),
        Client(
            name: "git",
            variable: "GIT_SSL_CAINFO",
            command: [
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && HOME=$place git clone -q https://allowed.example/files/work.git copy \
                  && cat copy/word; rm -rf $place
                """,
            ],
            prints: "cloned\n"
        ),
        Client(
            name: "pip",
            variable: "PIP_CERT",
            command: [
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && HOME=$place /usr/bin/python3 -m pip download -q --no-deps \
                  --no-cache-dir --disable-pip-version-check \
                  --index-url https://allowed.example/files/simple/ smallest && ls; rm -rf $place
                """,
            ],
            prints: "smallest-1.0-py3-none-any.whl\n"
        ),
        Client(
            name: "the OpenAI SDK, streaming",
            variable: "SSL_CERT_FILE",
            command: [
                python, "-c",
                acknowledging + """
                    import openai
                    client = openai.OpenAI(api_key="k", base_url="https://allowed.example:8600/v1", max_retries=0)
                    words = []
                    for chunk in client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True):
                        if word := chunk.choices[0].delta.content: words.append(word); acknowledge()
                    print("".join(words))
                    """,
            ],
            prints: "one two three\n"
        ),
        Client(
            name: "the Anthropic SDK, streaming",
            variable: "SSL_CERT_FILE",
            command: [
                python, "-c",
                acknowledging + """
                    import anthropic
                    client = anthropic.Anthropic(api_key="k", base_url="https://allowed.example:8600", max_retries=0)
                    words = []
                    with client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream:
                        for word in stream.text_stream: words.append(word); acknowledge()
                    print("".join(words))
                    """,
            ],
            prints: "one two three\n"
        ),
    ]

    /// The server sends the next event only when this one was acknowledged, on another connection.
    private static let acknowledging = """
        import ssl, urllib.request
        def acknowledge(): urllib.request.urlopen("https://allowed.example:8600/ack", timeout=20).read()

        """ + "\n"

    static let uploads: [Client] = [
        Client(
            name: "curl",
            variable: "CURL_CA_BUNDLE",
            command: [
                "sh", "-c",
                """
                for i in 1 2 3 4; do head -c 12000000 /dev/zero | \
                  curl -sS -m 20 -o /dev/null -w '%{http_code} ' --data-binary @- \(refusing) ; done
                """,
            ],
            prints: "403 403 403 403 "
        ),
        Client(
            name: "requests",
            variable: "REQUESTS_CA_BUNDLE",
            command: [
                python, "-c",
                """
                import requests
                for i in range(4): print(requests.post("\(refusing)", data=b"x" * 12000000).status_code, end=" ")
                """,
            ],
            prints: "403 403 403 403 "
        ),
        Client(
            name: "node fetch",
            variable: "NODE_EXTRA_CA_CERTS",
            command: [
                "node", "-e",
                """
                (async () => { for (let i = 0; i < 4; i++) {
                    const a = await fetch("\(refusing)", { method: "POST", body: Buffer.alloc(12000000) });
                    process.stdout.write(a.status + " ");
                } })()
                """,
            ],
            prints: "403 403 403 403 "
        ),
    ]

    private static let refusing = "https://allowed.example:8443/denied/x"

    @Test("a refused upload is told why, however much of it comes before the client looks", arguments: uploads)
    func refusedUploads(client: Client) throws {
        try #require(
            FileManager.default.fileExists(atPath: InterceptedPod.python),
            "the clients from PyPI are not there: make venv"
        )
        try InterceptedPod.with { bed in
            let result = try bed.agent(client.command, variable: client.variable, seconds: 90)
            #expect(result.output == client.prints, "\(result)")
            let verdicts = try bed.requests(4).map(\.verdict)
            #expect(Set(verdicts) == ["deny rule_deny denied-paths"])
        }
    }

    @Test("each works, and each of its requests is judged and written down once", arguments: clients)
    func works(client: Client) throws {
        try #require(
            FileManager.default.fileExists(atPath: InterceptedPod.python),
            "the clients from PyPI are not there: make venv"
        )
        try InterceptedPod.with { bed in
            try bed.serveFiles()
            let servers = [try bed.serveWebSockets(), try bed.serveModel()]
            let result = try bed.agent(client.command, variable: client.variable, seconds: 90)
            #expect(result.output.hasSuffix(client.prints), "\(result)")
            let connections = try bed.pod.connections(1)
            #expect(connections.values("treatment") == ["inspect"], "\(connections)")
            let requests = try bed.requests(1)
            let outcomes = Set(requests.map { "\($0["rule"] ?? "-") \($0.end?["outcome"] ?? "-")" })
            #expect(outcomes.isSubset(of: ["allowed-names closed", "denied-paths -"]), "\(requests)")
            withExtendedLifetime(servers) {}
        }
    }

    @Test("curl is served in HTTP/1.0 as well, which it offers alone")
    func oldVersion() throws {
        try InterceptedPod.with { bed in
            #expect(try bed.curl("--http1.0", "https://allowed.example:8443/a") == "GET /a<200>")
            let chunked = try bed.curl("--http1.0", "https://allowed.example:8443/chunked")
            #expect(chunked == "hello world<200>")
            #expect(try bed.requests(2).count == 2)
        }
    }

    @Test("a client that trusts nothing of ours is turned away, whatever runs", arguments: ["curl", "node fetch"])
    func untold(name: String) throws {
        let client = try #require(Self.clients.first { $0.name == name })
        try InterceptedPod.with { bed in
            let result = try bed.pod.startAgent(client.command, trusting: [:]).wait(seconds: 60)
            #expect(!result.output.contains(Self.page), "\(result)")
            #expect(bed.origin.requests().isEmpty)
            let connections = try bed.pod.connections(1)
            #expect(connections.endValues("outcome") == ["client_rejected_interception"], "\(connections)")
        }
    }

    @Test("what comes through the explicit proxy is looked into, too")
    func explicit() throws {
        try InterceptedPod.with { bed in
            let said = try bed.curl("-x", HTTPProxyTests.proxy, Self.url, "https://allowed.example:8443/denied/b")
            #expect(said.hasPrefix("GET /a<200>") && said.hasSuffix("<403>"), "\(said)")
            let requests = try bed.requests(2)
            let rules = requests.compactMap { $0["rule"] }
            #expect(rules.suffix(2) == ["allowed-names", "denied-paths"], "\(requests)")
        }
    }
}
