import Foundation
import Testing

@Suite("docs/audit.md, as an operator types it")
struct AuditDocumentationTests {
    /// The commands in the blocks of shell, and of commands of ours, one a line.
    private func commands(_ opening: String) throws -> [String] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: folder.appending(path: "../../docs/audit.md"), encoding: .utf8)
        var commands: [String] = []
        var isInBlock = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInBlock = !isInBlock && line == opening
            } else if isInBlock, !line.isEmpty {
                commands.append(String(line))
            }
        }
        return commands
    }

    @Test("every command of the documentation runs on a real trail, and finds something")
    func documentation() throws {
        var settings = DaemonSettings()
        settings.audit = ", rotate: { bytes: 1MiB }"
        try DaemonBed.with(settings) { bed in
            let said = try bed.agent(
                """
                import http.client, secrets
                api = http.client.HTTPConnection("127.0.0.1", 8081, timeout=30)
                def check(path):
                    body = json.dumps({"action": "http.request", "agent_did": "did:mesh:x", "context": {
                        "host": "203.0.113.7", "port": 80, "protocol": "http", "path": path}})
                    api.request("POST", "/api/v1/check-policy", body, {"Content-Type": "application/json"})
                    api.getresponse().read()
                for _ in range(400): check("/" + secrets.token_urlsafe(3000))
                time.sleep(0.5)
                check("/?token=abc"); check("/?key=abc")
                print(echo("203.0.113.7"), echo("203.0.113.66"))
                """
            )
            #expect(said == "ok ECONNRESET\n")
            _ = try bed.audit { !$0.ends.isEmpty }
            let place = bed.folder.auditFolder
            let waited = BackgroundProcess.poll(seconds: 60) { bed.folder.trail.contains { $0.hasSuffix(".zst") } }
            #expect(waited, "\(bed.folder.trail)")
            try NetworkNamespace.must([Built.path("penstock"), "audit", "reindex", place + "/audit.jsonl"])
            let shell = try commands("```sh")
            for tool in ["jq ", "python3 ", "sqlite3 "] {
                let uses = shell.count { $0.contains(tool) }
                #expect(uses >= 2, "\(tool)")
            }
            for command in shell {
                let said = try NetworkNamespace.must(["bash", "-ec", "set -o pipefail; cd \(place); \(command)"])
                #expect(!said.isEmpty, "\(command)")
            }
            // The chain, followed by the one line of Python.
            let followers = shell.filter { $0.contains("hashlib") }
            let follower = try #require(followers.first)
            #expect(try NetworkNamespace.must(["sh", "-ec", "cd \(place); \(follower)"]) == "True\n")
        }
    }
}
