import Foundation
import Testing

@Suite("Secrets in requests")
struct HTTPSecretsTests {
    /// The hashes of a record, by where they stand.
    private func hashes(_ record: EgressRecord) -> [String: String] {
        let masked = record.members["masked"] as? [[String: Any]] ?? []
        let pairs = masked.map { entry in
            ("\(entry["in"] ?? "") \(entry["name"] as? String ?? "-")", entry["hash"] as? String ?? "")
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test(
        "G05, G13: no secret of a request is in the trail, and equal ones have equal hashes there, over a restart too"
    )
    func masked() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                print(c.ask(*get("/a?token=hunter2secret&page=4711seven"), "Authorization: Bearer hunter2secret")[0])
                print(c.ask(*get("/b"), "X-Api-Key: hunter2secret", "Cookie: session=cookie9monster; hunter2secret")[0])
                print(c.ask(*get("/c?opensesame99"))[0])
                print(c.ask(*get("/d"))[0])
                print(c.ask(*get("/denied?key=hunter2secret", host="denied.example:8080"))[0])
                # User information: refused, and told to nobody.
                print(dial().ask("GET http://me:pass4word@allowed.example:8080/ HTTP/1.1", "Host: allowed.example:8080")[0])
                print(dial().ask("GET / HTTP/1.1", "Host: me:pass4word@allowed.example:8080")[0])
                """
            )
            #expect(said.prefix(5) == ["200", "200", "200", "200", "403"], "\(said)")
            let requests = try bed.requests(5).prefix(5).map { $0.decision }
            let all = requests.map { hashes($0) }
            let token = try #require(all[0]["query token"])
            #expect(token.count == 16)
            #expect(all[0]["header authorization"] == token && all[1]["header x-api-key"] == token)
            #expect(all[1]["cookie -"] == token && all[4]["query key"] == token)
            let different = Set(all.flatMap { $0.values })
            #expect(different.count == 4)
            #expect(Set(all[2].keys) == ["query -"])
            #expect(all[3].isEmpty && requests[3].members["query"] == nil && requests[3].members["masked"] == nil)
            let files = try FileManager.default.contentsOfDirectory(atPath: bed.pod.folder.path + "/audit")
            #expect(files.contains("mask.key"))
            for file in files {
                let bytes = try Data(contentsOf: bed.pod.folder.appending(path: "audit/" + file))
                let text = String(decoding: bytes, as: UTF8.self)
                for secret in ["hunter2secret", "cookie9monster", "opensesame99", "4711seven", "pass4word"] {
                    #expect(!text.contains(secret), "\(secret) is in \(file)")
                }
            }
        }
    }
}
