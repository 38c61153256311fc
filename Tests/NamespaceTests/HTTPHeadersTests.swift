import Foundation
import Testing

@Suite("Headers that a rule changes")
struct HTTPHeadersTests {
    @Test("what is set stands in the place of all that came, what is removed does not go up, and nothing else changes")
    func changing() throws {
        let rules = """
              - name: changed
                match: { hosts: [allowed.example], ports: [8080], protocols: [http], http: { paths: ["/echo"] } }
                action: allow
                headers: { set: { X-Team: research }, remove: [Cookie, X-Forwarded-For] }
              - name: unchanged
                match: { hosts: [allowed.example], ports: [8080] }
                action: allow
            """
        try HTTPPod.with(rules) { bed in
            let said = try bed.agent(
                """
                c = dial()
                def go(path, *more):
                    status, head, body = c.ask(*get(path), *more)
                    fields = [f for f in json.loads(body)["fields"] if not f.lower().startswith(("host", "accept"))] if path == "/echo" else ""
                    print(status, fields)
                go("/echo", "X-Team: a", "Cookie: a=1", "x-team: b", "x-forwarded-for: 1.2.3.4", "X-Other: kept", "cookie: b=2")
                go("/echo", "X-Other: kept")
                go("/a", "Cookie: a=1")
                """
            )
            let changed = "200 ['X-Other: kept', 'X-Team: research']"
            #expect(said == [changed, changed, "200 "], "\(said)")
            let rules = try bed.requests(3).map { $0["rule"] }
            #expect(rules == ["changed", "changed", "unchanged"])
        }
    }
}
