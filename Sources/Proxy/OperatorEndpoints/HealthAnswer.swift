/// What the health port answers.
///
/// The text is plain, one line a reason.
package struct HealthAnswer: Hashable, Sendable {
    package var status: Int
    package var contentType = "text/plain; charset=utf-8"
    package var body: String

    package init(status: Int, contentType: String = "text/plain; charset=utf-8", body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// The message as it is sent; the connection is closed after it.
    func bytes(headOnly: Bool) -> [UInt8] {
        let phrase =
            switch status {
            case 200: "OK"
            case 400: "Bad Request"
            case 404: "Not Found"
            case 405: "Method Not Allowed"
            default: "Service Unavailable"
            }
        var text = "HTTP/1.1 \(status) \(phrase)\r\nContent-Type: \(contentType)\r\n"
        text += "Content-Length: \(body.utf8.count)\r\nCache-Control: no-store\r\nConnection: close\r\n"
        if status == 405 { text += "Allow: GET, HEAD\r\n" }
        text += "\r\n"
        return Array(text.utf8) + (headOnly ? [] : Array(body.utf8))
    }
}

/// What the health port asks the daemon.
package protocol HealthSource: Sendable {
    /// Why the daemon should be sent no traffic; empty where it should.
    func readinessProblems() -> [String]
    /// All metrics in the Prometheus text format.
    func metrics() -> String
    /// What is known of the boundary, as JSON; nil where nothing is known yet.
    func posture() -> [UInt8]?
}

extension HealthSource {
    func answer(_ request: HealthRequest) -> HealthAnswer {
        switch request {
        case .malformed: return HealthAnswer(status: 400, body: "not a request this port reads\n")
        case .otherMethod: return HealthAnswer(status: 405, body: "only GET and HEAD\n")
        case .detail: return detail
        case .get("/healthz", _): return HealthAnswer(status: 200, body: "alive\n")
        case .get("/readyz", _):
            let problems = readinessProblems()
            guard !problems.isEmpty else { return HealthAnswer(status: 200, body: "ready\n") }
            return HealthAnswer(status: 503, body: problems.map { "not ready: \($0)\n" }.joined())
        case .get("/metrics", _):
            return HealthAnswer(
                status: 200,
                contentType: "text/plain; version=0.0.4; charset=utf-8",
                body: metrics()
            )
        case .get: return HealthAnswer(status: 404, body: "there is /healthz, /readyz and /metrics\n")
        }
    }

    private var detail: HealthAnswer {
        let status = readinessProblems().isEmpty ? 200 : 503
        let body = posture().map { String(decoding: $0, as: UTF8.self) } ?? "null"
        return HealthAnswer(status: status, contentType: "application/json", body: body + "\n")
    }
}
