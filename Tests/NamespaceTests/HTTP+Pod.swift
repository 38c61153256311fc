import Foundation
import Testing

/// A guarded pod, and an `HTTPOrigin` on port 8080 of every address of the world.
struct HTTPPod {
    let pod: GuardedPod
    let origin: HTTPOrigin

    /// Rules for names on port 8080, and for one block by address.
    static let rules = """
          - name: denied-names
            match: { hosts: [denied.example, "*.denied.example"] }
            action: deny
          - name: allowed-names
            match: { hosts: [allowed.example, "*.allowed.example"], ports: [80, 8080] }
            action: allow
          - name: by-address
            match: { cidrs: [203.0.113.30/32, "2001:db8:113::30/128"] }
            action: allow
        """

    /// Makes one, hands it to `body`, and takes it down.
    static func with<Result>(
        _ rules: String = rules,
        settings: String = "",
        drainSeconds: Int = 1,
        names: [String: [String]] = [:],
        _ body: (HTTPPod) throws -> Result
    ) throws -> Result {
        try GuardedPod.with(rules, settings: settings, drainSeconds: drainSeconds, names: names) { pod in
            try body(HTTPPod(pod: pod, origin: try HTTPOrigin(pod)))
        }
    }

    /// Runs a Python program as the agent, with `kit` at hand; what it printed, line by line.
    func agent(_ program: String, as user: RunAs = .agent, seconds: Double = 90) throws -> [String] {
        let result = try pod.python(Self.kit + program, as: user, seconds: seconds)
        if !result.errors.isEmpty { print(result.errors) }
        return result.output.split(separator: "\n").map(String.init)
    }

    /// Starts such a program; it has printed `ready`.
    func startAgent(_ program: String) throws -> BackgroundProcess {
        let process = try pod.startAgent(["python3", "-c", EgressClients.kit + Self.kit + program])
        guard process.waitForOutput("ready") else {
            throw EgressWorld.Failed(what: "the agent is not ready: \(process.output) \(process.errors)")
        }
        return process
    }

    /// How much memory of its own the daemon holds, in octets, or with `atMost` the most that it had of all.
    func daemonMemory(atMost: Bool = false) throws -> Int {
        // The agent's own namespace has no pid namespace: the daemon is found by its name.
        let pids = try NetworkNamespace.must(["pgrep", "-f", pod.folder.path + "/bin/penstockd --config"])
        let pid = try #require(pids.split(separator: "\n").first)
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(atMost ? "VmHWM:" : "RssAnon:") }
        let kibibytes = line?.split(separator: " ").compactMap { Int($0) }.first
        return try #require(kibibytes) * 1024
    }

    /// What the audit says of all requests: waits until there are `count`, and the allowed ones are over.
    func requests(_ count: Int, seconds: Double = 60) throws -> [HTTPRequestRecords] {
        var found: [HTTPRequestRecords] = []
        _ = BackgroundProcess.poll(seconds: seconds) {
            let records = (try? pod.auditRecords()) ?? []
            let ends = records.filter { $0["kind"] == "request_end" }
            found = records.filter { $0["kind"] == "request" }.map { decision in
                HTTPRequestRecords(decision: decision, end: ends.first { $0["id"] == decision["id"] })
            }
            return found.count >= count && found.allSatisfy { $0["decision"] == "deny" || $0.end != nil }
        }
        return found
    }

    /// Python functions for clients that look closely.
    static let kit = """
        import hashlib
        def dial(address="203.0.113.10", port=8080, timeout=10):
            s = socket.create_connection(target(address, port)[:2], timeout); s.settimeout(timeout)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Client(s)

        class Client:
            def __init__(self, s): self.s, self.held = s, b""
            def send(self, *lines, body=b"", end="\\r\\n"):
                self.raw("".join(line + end for line in lines).encode("latin-1") + end.encode() + body)
            def raw(self, data): self.s.sendall(data)
            def more(self):
                data = self.s.recv(65536)
                if not data: raise EOFError
                self.held += data
            def until(self, mark):
                while mark not in self.held: self.more()
                head, _, self.held = self.held.partition(mark)
                return head
            def take(self, n):
                while len(self.held) < n: self.more()
                data, self.held = self.held[:n], self.held[n:]
                return data
            def read(self, to="GET"):
                # One answer: status, fields in lower case, body.
                line, *fields = self.until(b"\\r\\n\\r\\n").decode("latin-1").split("\\r\\n")
                status = int(line.split(" ")[1])
                head = {k.lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)}
                if to == "HEAD" or status < 200 or status in (204, 304): return status, head, b""
                if "content-length" in head: return status, head, self.take(int(head["content-length"]))
                if "transfer-encoding" in head:
                    whole = b""
                    while size := int(self.until(b"\\r\\n"), 16):
                        whole += self.take(size); self.take(2)
                    while line := self.until(b"\\r\\n"): head["trailer"] = line.decode()
                    return status, head, whole
                try:
                    while True: self.more()
                except EOFError: return status, head, self.held
            def ask(self, *lines, body=b"", to="GET"):
                self.send(*lines, body=body); return self.read(to)
            def end(self):
                # What becomes of the connection when nothing more is asked.
                try:
                    data = self.held + self.s.recv(65536)
                    return "closed" if not data else data.decode("latin-1")
                except OSError as error: return name_of(error)

        def get(path, host="allowed.example:8080", method="GET", version="1.1"):
            return (method + " " + path + " HTTP/" + version, "Host: " + host)

        def why(answer):
            # The status, and of a refusal its reason.
            status, head, body = answer
            if head.get("content-type") != "application/problem+json": return str(status)
            problem = json.loads(body)
            assert set(problem) >= {"type", "title", "status", "detail", "reason", "rule"}, problem
            assert problem["status"] == status and problem["type"].endswith(problem["reason"]), problem
            return "%d %s" % (status, problem["reason"])

        """ + "\n"
}

/// What the audit says of one request.
struct HTTPRequestRecords: CustomStringConvertible {
    let decision: EgressRecord
    let end: EgressRecord?

    subscript(path: String) -> String? { decision[path] }

    /// `allow rule_allow RULE`, `deny default_deny -`.
    var verdict: String { "\(self["decision"] ?? "?") \(self["reason"] ?? "?") \(self["rule"] ?? "-")" }
    var description: String { "[\(decision) | \(end.map(\.description) ?? "no end")]" }
}
