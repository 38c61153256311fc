import Posture
import Testing

@Suite("The lines of the admin socket")
struct AdminRequestTests {
    private static let report = RulesetReport(
        table: "penstock",
        differences: ["chain \"a\"\nis missing", "\u{202e}x"],
        weaknesses: ["exempt 1337:1337"],
        gateway: ["agents0", "br-1"],
        daemon: "10880:10880",
        port: 15880,
        mode: .tproxy,
        everyMilliseconds: 10_000
    )

    @Test("what is written is read back", arguments: [AdminRequest.posture, .ruleset(report)])
    func roundTrip(request: AdminRequest) throws {
        let line = request.line
        #expect(line.last == UInt8(ascii: "\n") && line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try AdminRequest(line: Array(line.dropLast())) == request)
    }

    @Test(
        "G02: what is not as the protocol has it is refused",
        arguments: [
            ("", AdminFault.malformed), ("[]", .malformed), ("{}", .malformed), ("{\"v\":1}", .malformed),
            ("{\"v\":2,\"kind\":\"posture\"}", .otherVersion), ("{\"v\":1,\"kind\":\"shutdown\"}", .unknownKind),
            ("{\"v\":1,\"kind\":\"posture\",\"x\":1}", .unknownMember("x")),
            ("{\"v\":1,\"v\":1,\"kind\":\"posture\"}", .malformed),
            ("{\"v\":1,\"kind\":\"ruleset\",\"table\":\"t\"}", .malformed),
            (
                "{\"v\":1,\"kind\":\"ruleset\",\"table\":\"t\",\"differences\":[1],\"weaknesses\":[],"
                    + "\"daemon\":\"1:1\",\"port\":1,\"every_ms\":1000}", .malformed
            ),
            (
                "{\"v\":1,\"kind\":\"ruleset\",\"table\":\"t\",\"differences\":[],\"weaknesses\":[],"
                    + "\"daemon\":\"1:1\",\"port\":1,\"every_ms\":99}", .malformed
            ),
            (
                "{\"v\":1,\"kind\":\"ruleset\",\"table\":\"t\",\"differences\":[],\"weaknesses\":[],"
                    + "\"daemon\":\"1:1\",\"port\":1,\"mode\":\"nat\",\"every_ms\":1000}", .malformed
            ),
        ]
    )
    func refused(line: String, fault: AdminFault) {
        #expect(throws: fault) { try AdminRequest(line: Array(line.utf8)) }
    }

    @Test("a posture is read back, and is weak by one weak check")
    func posture() throws {
        var report = PostureReport(
            version: "1",
            user: 10880,
            group: 10881,
            problems: ["audit: full"],
            refused: 3,
            recorded: 9,
            checks: [PostureCheck("a", .ok, "fine"), PostureCheck("b", .note, "odd", remedy: "look")]
        )
        #expect(report.isStrong && report.reasons.isEmpty && !report.isReady)
        #expect(try PostureReport(json: report.json) == report)
        report.checks.append(PostureCheck("c", .weak, "open"))
        #expect(report.boundary == "weak" && report.reasons == ["c: open"])
    }
}
