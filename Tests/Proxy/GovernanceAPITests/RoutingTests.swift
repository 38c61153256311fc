import GovernanceAPI
import HTTPExchange
import Testing

@Suite struct RoutingTests {
    @Test(
        "what there is not is 404, and a trailing slash leads to what there is",
        arguments: [
            ("/", 404, nil), ("/nope", 404, nil), ("/api/v1/check-policy/x", 404, nil),
            ("//api/v1/check-policy", 404, nil),
            ("/api/v1/check%2Dpolicy", 404, nil), ("/API/v1/check-policy", 404, nil),
            ("/api/v1/policy/evaluate", 404, nil),
            ("/api/v1/execute", 404, nil), ("/api/v1/check-policy//", 404, nil),
            ("/api/v1/check-policy/", 307, "http://127.0.0.1:8081/api/v1/check-policy"),
            ("/health/", 307, "http://127.0.0.1:8081/health"),
        ] as [(String, Int, String?)]
    )
    func paths(path: String, status: Int, location: String?) {
        let answer = Asking().answer("{}", path: path)
        #expect(answer.message.status == status)
        #expect(answer.field("Location") == location)
        #expect(answer.text == (status == 404 ? #"{"detail":"Not Found"}"# : ""))
        #expect(answer.check == nil)
        let line = "HTTP/1.1 " + (status == 404 ? "404 Not Found\r\n" : "307 Temporary Redirect\r\n")
        #expect(answer.message.octets(closes: false).starts(with: line.utf8))
    }

    @Test(
        "another method is 405 and says which one there is",
        arguments: [
            ("GET", "/api/v1/check-policy", "POST"), ("HEAD", "/api/v1/check-policy", "POST"),
            ("PUT", "/api/v1/check-policy", "POST"), ("post", "/api/v1/check-policy", "POST"),
            ("OPTIONS", "/api/v1/check-policy", "POST"), ("HEAD", "/health", "GET"), ("POST", "/ready", "GET"),
        ]
    )
    func methods(method: String, path: String, allowed: String) {
        let answer = Asking().answer("", method: method, path: path)
        #expect(answer.message.status == 405)
        #expect(answer.field("Allow") == allowed)
        #expect(answer.text == #"{"detail":"Method Not Allowed"}"#)
    }

    @Test("health is told in the words of both servers that probes know", arguments: ["/health", "/healthz"])
    func health(path: String) {
        let answer = Asking(policy: nil, isReady: false).answer("", contentType: nil, method: "GET", path: path)
        #expect(answer.message.status == 200)
        #expect(answer.field("Content-Type") == "application/json")
        let expected =
            #"{"status":"ok","component":"governance-sidecar","components":{"proxy":"healthy"},"#
            + #""timestamp":"2026-11-21T10:15:04.123456Z"}"#
        #expect(answer.text == expected)
    }

    @Test("it is ready when the daemon is, and not before", arguments: ["/ready", "/readyz"])
    func ready(path: String) {
        let ready = Asking().answer("", contentType: nil, method: "GET", path: path)
        #expect(ready.message.status == 200)
        #expect(
            ready.text
                == #"{"ready":true,"status":"ready","component":"governance-sidecar","policies_loaded":1}"#
        )
        let waiting = Asking(policy: nil, isReady: false).answer("", contentType: nil, method: "GET", path: path)
        #expect(waiting.message.status == 503)
        #expect(
            waiting.text
                == #"{"ready":false,"status":"not_ready","component":"governance-sidecar","policies_loaded":0}"#
        )
    }
}
