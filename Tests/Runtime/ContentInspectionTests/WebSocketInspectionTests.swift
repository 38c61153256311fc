import ContentInspection
import PolicyEngine
import Testing
import WireFormats

@Suite("WebSocket messages under inspection") struct WebSocketInspectionTests {
    private let unreadable = Denial(.unreadableContent)

    @Test("messages of both sides are seen unmasked, fragments as one, control frames between them")
    func messages() throws {
        let inspector = ScriptedInspector()
        let (up, down) = try both(inspector)
        let said = up.see(frame(1, "hello", mask: true))
        #expect(said == .open(held: 0))
        _ = down.see((frame(1, "one ", isFinal: false) + frame(9, "ping") + frame(0, "two")))
        _ = down.see(frame(2, ""))
        #expect(inspector.messages == ["hello", "one two", ""])
        #expect(inspector.kinds == [.text, .text, .binary])
    }

    @Test("a message that is needed whole waits for its last frame, and is denied before any of it goes")
    func whole() throws {
        let (up, down) = try both(ScriptedInspector(wholeMessages: true))
        let first = frame(1, "one ", isFinal: false)
        #expect(down.see(first) == .open(held: first.count))
        #expect(down.see(frame(0, "two")) == .open(held: 0))
        #expect(down.see(frame(9, "")) == .open(held: 0))
        #expect(up.see(frame(1, "a sec", isFinal: false, mask: true)) == .open(held: 11))
        #expect(up.see(frame(0, "ret", mask: true)) == .denied(ScriptedInspector.denial))
    }

    @Test("where a frame of ours may stand is known of each direction, whoever looks at it")
    func boundaries() throws {
        let (up, down) = try both(ScriptedInspector())
        #expect(up.hasPassedWholeFrames && down.hasPassedWholeFrames)
        let message = frame(1, "one two")
        _ = down.see(Array(message.prefix(5)))
        #expect(!down.hasPassedWholeFrames)
        _ = down.see(Array(message.dropFirst(5)))
        #expect(down.hasPassedWholeFrames)
        _ = down.see(frame(1, "more of it", isFinal: false))
        #expect(down.hasPassedWholeFrames)
        _ = down.see([0x00])
        #expect(!down.hasPassedWholeFrames)
        // Whole messages go with their last frame: what is held is nothing that went.
        let whole = try both(ScriptedInspector(wholeMessages: true)).down
        _ = whole.see(frame(1, "one", isFinal: false) + [0x00])
        #expect(whole.hasPassedWholeFrames)
        #expect(whole.see([0x06] + Array("second".utf8)) == .open(held: 13))
        #expect(whole.hasPassedWholeFrames)
    }

    @Test("B08: what is masked the wrong way, or breaks another rule, goes no further")
    func malformed() throws {
        let fault = Passage.denied(Denial(.unreadableContent, detail: "websocket_malformed"))
        #expect(try both(ScriptedInspector()).up.see(frame(1, "x")) == fault)
        #expect(try both(ScriptedInspector()).down.see(frame(1, "x", mask: true)) == fault)
        #expect(try both(ScriptedInspector()).down.see([0xc1, 0]) == fault)
    }

    @Test("compressed messages are seen inflated, with the context that their sender keeps, or without")
    func compressed() throws {
        let inspector = ScriptedInspector()
        let keeping = try both(inspector, "permessage-deflate").down
        _ = keeping.see((frame(0x41, Samples.firstMessage) + frame(0x41, Samples.secondMessage)))
        #expect(inspector.messages == ["Hello, Hello, Hello", "Hello, Hello, Hello"])
        let forgetting = try both(inspector, "permessage-deflate; server_no_context_takeover").down
        #expect(forgetting.see(frame(0x41, Samples.firstMessage)) == .open(held: 0))
        #expect(forgetting.see(frame(0x41, Samples.firstMessage)) == .open(held: 0))
        #expect(inspector.messages.count == 4)
        // The second message leans on the first, which is forgotten.
        let fault = Passage.denied(Denial(.unreadableContent, detail: "damaged_coding"))
        #expect(forgetting.see(frame(0x41, Samples.secondMessage)) == fault)
    }

    @Test("a compressed message may be in fragments, and split anywhere")
    func compressedFragments() throws {
        let inspector = ScriptedInspector()
        let down = try both(inspector, "permessage-deflate").down
        let half = Samples.firstMessage.count / 2
        let bytes =
            frame(0x41, Array(Samples.firstMessage[..<half]), isFinal: false)
            + frame(0, Array(Samples.firstMessage[half...]))
        for index in bytes.indices { _ = down.see([bytes[index]]) }
        #expect(inspector.messages == ["Hello, Hello, Hello"])
    }

    @Test("an extension that is not known is refused by name before anything passes")
    func unknownExtension() throws {
        let fault = Passage.denied(Denial(.unreadableContent, detail: "websocket_extension"))
        let (up, down) = try both(ScriptedInspector(), "x-other")
        #expect(up.see([]) == fault)
        #expect(down.see([]) == fault)
        #expect(down.holdsHead)
    }

    @Test("each message has the size limit for itself")
    func sizes() throws {
        let denial = Denial(.responseTooLarge)
        let panel = InspectorPanel([SizeLimit(10, denial: denial, isEnforced: true)], unreadable: unreadable)
        let fields = try fields([])
        let limits = InspectionLimits()
        let both = WebSocketInspection.both(offer: fields, answer: fields, up: nil, down: panel, limits: limits)
        #expect(both.up?.see(frame(2, "0123456789x", mask: true)) == .open(held: 0))
        let ten = frame(2, "0123456789")
        #expect(both.down?.see((ten + ten)) == .open(held: 0))
        #expect(both.down?.see((frame(2, "01234", isFinal: false) + frame(0, "567890"))) == .denied(denial))
    }

    @Test("a compressed message of blocks that make nothing is bounded by what is sent")
    func emptyBlocks() throws {
        let denial = Denial(.requestTooLarge)
        let panel = InspectorPanel([SizeLimit(1024, denial: denial, isEnforced: true)], unreadable: unreadable)
        let fields = try fields(["Sec-WebSocket-Extensions: permessage-deflate"])
        let limits = InspectionLimits()
        let both = WebSocketInspection.both(offer: fields, answer: fields, up: panel, down: nil, limits: limits)
        let up = try #require(both.up)
        // Stored blocks of no octets.
        let blocks = [[UInt8]](repeating: [0, 0, 0, 0xFF, 0xFF], count: 24).flatMap(\.self)
        let seen = (0..<18).map { up.see(frame($0 == 0 ? 0x41 : 0, blocks, isFinal: false, mask: true)) }
        // 1 KiB, a 64th of it, and 1 KiB.
        #expect(seen == Array(repeating: .open(held: 0), count: 17) + [.denied(denial)])
    }

    private func both(
        _ inspector: ScriptedInspector,
        _ agreed: String? = nil
    ) throws -> (up: WebSocketInspection, down: WebSocketInspection) {
        let both = WebSocketInspection.both(
            offer: try fields(["Sec-WebSocket-Extensions: permessage-deflate"]),
            answer: try fields(agreed.map { ["Sec-WebSocket-Extensions: \($0)"] } ?? []),
            up: InspectorPanel([inspector], unreadable: unreadable),
            down: InspectorPanel([inspector], unreadable: unreadable),
            limits: InspectionLimits()
        )
        return (try #require(both.up), try #require(both.down))
    }
}

/// A frame of this opcode, perhaps with the bit of compression, masked or not.
private func frame(_ opcode: UInt8, _ text: String, isFinal: Bool = true, mask: Bool = false) -> [UInt8] {
    frame(opcode, Array(text.utf8), isFinal: isFinal, mask: mask)
}

private func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, mask: Bool = false) -> [UInt8] {
    let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    let head = [(isFinal ? 0x80 : 0) | opcode, (mask ? 0x80 : 0) | UInt8(payload.count)]
    guard mask else { return head + payload }
    return head + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}
