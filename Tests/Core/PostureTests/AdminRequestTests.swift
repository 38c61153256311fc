import Posture
import Testing

@Suite("The lines of the admin socket")
struct AdminRequestTests {
    private static let report = RulesetReport(
        table: "penstock",
        differences: ["chain \"a\"\nis missing", "\u{202e}x"],
        weaknesses: [PlanWeakness(.gatewayInterface, "--gateway br-1"), PlanWeakness(.other, "what is new")],
        gateway: ["agents0", "br-1"],
        cgroups: ["a.slice/b.service"],
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
        "a weakness whose kind is missing or unknown is one all the same, of no kind",
        arguments: ["", ",\"weakness_kinds\":[]", ",\"weakness_kinds\":[\"exemption\",\"of_tomorrow\"]"]
    )
    func unknownWeaknesses(kinds: String) throws {
        let line =
            "{\"v\":1,\"kind\":\"ruleset\",\"table\":\"t\",\"differences\":[],\"weaknesses\":[\"a\",\"--gateway x\"]\(kinds),"
            + "\"daemon\":\"1:1\",\"port\":1,\"every_ms\":1000}"
        guard case .ruleset(let report) = try AdminRequest(line: Array(line.utf8)) else {
            Issue.record("no report")
            return
        }
        #expect(report.weaknesses.map(\.text) == ["a", "--gateway x"])
        #expect(report.weaknesses.first?.kind == (kinds.contains("exemption") ? .exemption : .other))
        #expect(report.weaknesses.last?.kind == .other)
        #expect(report.cgroups.isEmpty)
    }

    @Test("each kind but that of a gateway's interface has a remedy of its own")
    func remedies() {
        let remedies = PlanWeakness.Kind.allCases.map(\.remedy)
        #expect(Set(remedies).count == remedies.count)
        #expect(PlanWeakness.Kind.gatewayInterface.remedy == nil)
    }

    @Test("a daemon of before can read the plain report, in which nothing is less weak; its refusal is known")
    func plainReport() throws {
        let plain = Self.report.plain
        #expect(plain.weaknesses.map(\.text) == Self.report.weaknesses.map(\.text))
        let line = String(decoding: AdminRequest.ruleset(plain).line, as: UTF8.self)
        #expect(!line.contains("weakness_kinds") && !line.contains("cgroups"))
        #expect(String(decoding: AdminRequest.ruleset(Self.report).line, as: UTF8.self).contains("\"weakness_kinds\""))
        let refusal = AdminAnswer.refusal(AdminFault.unknownMember("weakness_kinds").description)
        #expect(AdminAnswer.refusesMember(refusal))
        for other in [AdminAnswer.done, AdminAnswer.refusal(AdminFault.malformed.description), []] {
            #expect(!AdminAnswer.refusesMember(other))
        }
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

    @Test("sixteen cgroups are taken, and no more")
    func cgroups() throws {
        func line(_ count: Int) -> [UInt8] {
            let names = Array(repeating: "\"a\"", count: count).joined(separator: ",")
            let begin = #"{"v":1,"kind":"ruleset","table":"t","differences":[],"weaknesses":[],"daemon":"1:1","#
            return Array((begin + #""port":1,"every_ms":1000,"cgroups":[\#(names)]}"#).utf8)
        }
        guard case .ruleset(let report) = try AdminRequest(line: line(16)) else { return #expect(Bool(false)) }
        #expect(report.cgroups.count == 16)
        #expect(throws: AdminFault.malformed) { try AdminRequest(line: line(17)) }
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
            cgroups: ["a.slice/b.service"],
            checks: [PostureCheck("a", .ok, "fine"), PostureCheck("b", .note, "odd", remedy: "look")]
        )
        #expect(report.isStrong && report.reasons.isEmpty && !report.isReady)
        #expect(try PostureReport(json: report.json) == report)
        report.checks.append(PostureCheck("c", .weak, "open"))
        #expect(report.boundary == "weak" && report.reasons == ["c: open"])
    }
}
