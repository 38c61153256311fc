import ContentInspection
import PolicyEngine
import Testing
import WireFormats

@Suite("Bodies under inspection") struct BodyInspectionTests {
    private static let unreadable = Denial(.unreadableContent, rule: RuleName("scripted"))

    @Test("what an inspector releases may go, what it holds may not, and what it denies never does")
    func verdicts() throws {
        let body = try body(ScriptedInspector())
        #expect(
            body.see("plain ", "hold this ", "still ", "go", " on") == [open(0), open(10), open(16), open(0), open(0)]
        )
        #expect(body.see("a sec") == [open(3)])
        #expect(body.see("ond") == [open(0)])
        #expect(body.see(" a sec", "ret") == [open(3), .denied(ScriptedInspector.denial)])
        #expect(body.see("more") == [.denied(ScriptedInspector.denial)])
        #expect(body.seeEnd() == .denied(ScriptedInspector.denial))
    }

    @Test("who needs the whole sees it whole before any of it goes, and nothing is held at its end")
    func whole() throws {
        let inspector = ScriptedInspector(wholeMessages: true)
        let panel = InspectorPanel([inspector, ScriptedInspector()], unreadable: Self.unreadable)
        let body = try body(panel)
        #expect(body.holdsHead)
        #expect(body.see("one ", "two") == [open(4), open(7)])
        #expect(body.seeEnd() == open(0))
        let held = try self.body(ScriptedInspector())
        #expect(held.see("hold") == [open(4)])
        #expect(held.seeEnd() == .denied(unreadable("held_too_much")))
    }

    @Test("what is held is bounded", arguments: [0, 1])
    func bound(more: Int) throws {
        var limits = InspectionLimits()
        limits.heldBytes = 10
        let body = try body(ScriptedInspector(wholeMessages: true), limits: limits)
        let text = String(repeating: "x", count: 10 + more)
        #expect(body.see(text) == [more == 0 ? open(10) : .denied(unreadable("held_too_much"))])
    }

    @Test(
        "F03: content is seen decoded, held as it came, and its type changes nothing",
        arguments: [
            ("gzip", Samples.gzip), ("x-gzip", Samples.twoMembers), ("deflate", Samples.raw), ("br", Samples.brotli),
            ("zstd", Samples.zstd), ("br, gzip", Samples.gzipOverBrotli),
            ("zstd,gzip , BR", Samples.brotliOverGzipOverZstd),
        ]
    )
    func coded(coding: String, bytes: [UInt8]) throws {
        let inspector = ScriptedInspector(wholeMessages: true)
        let body = try body(inspector, "Content-Encoding: \(coding)", "Content-Type: image/png")
        for index in bytes.indices {
            #expect(body.see([bytes[index]]) == open(index + 1))
        }
        #expect(body.seeEnd() == open(0))
        #expect(inspector.messages == [String(decoding: Samples.text, as: UTF8.self)])
        #expect(inspector.kinds == [.body])
    }

    @Test(
        "F03: what cannot be decoded is refused by name, or noted where the rule is on trial",
        arguments: [
            ("compress", [UInt8(1)], "unknown_coding"), ("gzip, gzip, gzip, gzip", [1], "too_many_codings"),
            ("gzip", Samples.text, "damaged_coding"), ("gzip, gzip", Samples.gzipBomb, "expansion"),
            ("br", Samples.brotli + [0], "octets_behind_coding"),
            ("br", Array(Samples.brotli.dropLast()), "coding_cut_short"),
        ]
    )
    func unreadable(coding: String, bytes: [UInt8], fault: String) throws {
        let strict = try body(ScriptedInspector(), "Content-Encoding: \(coding)")
        _ = strict.see(bytes)
        #expect(strict.seeEnd() == .denied(unreadable(fault)))
        let panel = InspectorPanel([ScriptedInspector()], unreadable: nil)
        let lenient = try body(panel, "Content-Encoding: \(coding)")
        _ = lenient.see(bytes)
        #expect(lenient.seeEnd() == open(0))
        #expect(panel.findings.notes == [fault])
    }

    @Test("F03: a secret behind more than anybody holds is found all the same")
    func oversizeThenSecret() throws {
        let inspector = ScriptedInspector()
        let body = try body(inspector)
        let much = [UInt8](repeating: 0x41, count: 65536)
        for _ in 0..<64 { #expect(body.see(much) == open(0)) }
        #expect(body.see(" the secret") == [.denied(ScriptedInspector.denial)])
    }

    @Test(
        "a body of more than is allowed is denied before it comes, where it says so, and else on its way",
        arguments: [
            (HTTP1Framing.length(11), true), (.length(10), false), (.chunked, false),
        ]
    )
    func sizes(framing: HTTP1Framing, isKnown: Bool) throws {
        let denial = Denial(.requestTooLarge)
        let panel = InspectorPanel([SizeLimit(10, denial: denial, isEnforced: true)], unreadable: Self.unreadable)
        let body = try body(panel, framing: framing)
        #expect(body.denial == (isKnown ? denial : nil))
        guard !isKnown else { return }
        #expect(body.see("0123456789") == [open(0)])
        #expect(body.see("x") == [.denied(denial)])
    }

    @Test(
        "a body that is judged as a whole is judged once, decoded, and one that is too large is not",
        arguments: [0, 1]
    )
    func wholeBody(less: Int) throws {
        let tooLarge = Denial(.requestTooLarge)
        var judged: [String] = []
        let whole = WholeBody(atMost: Samples.text.count - less, tooLarge: tooLarge) { octets, findings in
            judged.append(String(decoding: octets, as: UTF8.self))
            return .deny(
                Denial(.ruleDeny, answer: .init(status: 200, contentType: "application/json", body: [0x7b, 0x7d]))
            )
        }
        let body = try body(InspectorPanel([whole], unreadable: Self.unreadable), "Content-Encoding: br")
        let seen = body.see(Samples.brotli)
        guard less == 0 else {
            #expect(seen == .denied(tooLarge))
            return
        }
        #expect(seen == open(Samples.brotli.count))
        guard case .denied(let denial) = body.seeEnd() else { throw NoHead() }
        #expect(denial.answer?.body == [0x7b, 0x7d])
        #expect(judged == [String(decoding: Samples.text, as: UTF8.self)])
    }

    @Test(
        "codings that carry octets and make none are bounded by what is sent: empty frames of zstd, names of gzip's members",
        arguments: ["zstd", "gzip"]
    )
    func emptyFrames(coding: String) throws {
        let denial = Denial(.requestTooLarge)
        let isZstd = coding == "zstd"
        let first = isZstd ? [0x28, 0xB5, 0x2F, 0xFD, 0x20, 1, 9, 0, 0, 0x78] : Samples.gzip
        // A skippable frame of 1,000 octets; an empty member with a name of 996.
        let stored: [UInt8] = [1, 0, 0, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 8)
        let name = [UInt8](repeating: 0x61, count: 995) + [0]
        let more: [UInt8] =
            isZstd
            ? [0x50, 0x2A, 0x4D, 0x18, 0xE8, 3, 0, 0] + [UInt8](repeating: 0x61, count: 1000)
            : [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3] + name + stored
        for isEnforced in [true, false] {
            let limit = SizeLimit(64 << 10, denial: denial, isEnforced: isEnforced)
            let panel = InspectorPanel([limit], unreadable: Self.unreadable)
            let body = try body(panel, "Content-Encoding: \(coding)")
            #expect(body.see(first) == open(0))
            let seen = (0..<80).map { _ in body.see(more) }
            // 64 KiB, a 64th of them, and 1 KiB.
            let passed = seen.prefix { $0 == open(0) }.count
            #expect(passed == (isEnforced ? isZstd ? 67 : 66 : 80))
            #expect(panel.findings.notes == (isEnforced ? [] : ["request_too_large"]))
        }
    }

    @Test("on trial, what is too large is noted once")
    func trial() throws {
        let limit = SizeLimit(10, denial: Denial(.requestTooLarge), isEnforced: false)
        let panel = InspectorPanel([limit], unreadable: nil)
        let body = try body(panel, framing: .length(20))
        #expect(body.denial == nil)
        #expect(body.see("0123456789", "0123456789") == [open(0), open(0)])
        #expect(panel.findings.notes == ["request_too_large"])
    }

    // MARK: Events

    @Test("F06: events are seen one by one, and one that has begun waits where it is needed whole")
    func events() throws {
        let inspector = ScriptedInspector(wholeMessages: true, events: true)
        let body = try body(inspector, "Content-Type: text/event-stream")
        #expect(!body.holdsHead)
        #expect(
            body.see("event: a\ndata: on", "e\n\n", ": comment\n", "data: two\n\ndata: th") == [
                open(17), open(0), open(0), open(8),
            ]
        )
        #expect(inspector.messages == ["one", "two"])
        #expect(inspector.kinds == [.event(type: Array("a".utf8)), .event(type: [])])
        #expect(
            body.see("ree\n\n", "data: a sec\ndata: ret secret\n\n") == [open(0), .denied(ScriptedInspector.denial)]
        )
    }

    @Test("events are held until one releases them, and a last one without an end is seen, too")
    func heldEvents() throws {
        let inspector = ScriptedInspector(events: true)
        let body = try body(inspector, "Content-Type: text/event-stream")
        #expect(
            body.see("data: a\n\n", "data: hold\n\n", "data: b\n\n", "data: go\n\n") == [
                open(0), open(12), open(21), open(0),
            ]
        )
        #expect(body.see("data: the secret") == [open(0)])
        #expect(body.seeEnd() == .denied(ScriptedInspector.denial))
    }

    @Test("F03: what calls itself a stream of events is a body to whoever wants no events")
    func lyingType() throws {
        let inspector = ScriptedInspector()
        let body = try body(inspector, "Content-Type: text/event-stream")
        #expect(body.see("no event, the sec", "ret") == [open(3), .denied(ScriptedInspector.denial)])
        #expect(inspector.kinds == [.body])
    }

    @Test("events within a coding are seen and held by what they are in it")
    func codedEvents() throws {
        let inspector = ScriptedInspector(events: true)
        let panel = InspectorPanel(
            [inspector, SizeLimit(1 << 20, denial: Denial(.responseTooLarge), isEnforced: true)],
            unreadable: Self.unreadable
        )
        let body = try body(panel, "Content-Encoding: gzip", "Content-Type: text/event-stream")
        let bytes = Samples.gzip
        #expect(body.see(bytes) == open(0))
        #expect(body.seeEnd() == open(0))
        #expect(inspector.messages.isEmpty)
    }

    // MARK: What they are made of

    private func body(
        _ inspector: ScriptedInspector,
        _ lines: String...,
        limits: InspectionLimits = InspectionLimits()
    ) throws -> BodyInspection {
        let panel = InspectorPanel([inspector], unreadable: Self.unreadable)
        return BodyInspection(of: try fields(lines), .chunked, .down, by: panel, limits: limits)
    }

    private func body(
        _ panel: InspectorPanel,
        _ lines: String...,
        framing: HTTP1Framing = .chunked
    ) throws -> BodyInspection {
        BodyInspection(of: try fields(lines), framing, .down, by: panel, limits: InspectionLimits())
    }

    private func unreadable(_ fault: String) -> Denial {
        Denial(.unreadableContent, rule: RuleName("scripted"), detail: fault)
    }

    private func open(_ held: Int) -> Passage { .open(held: held) }
}
