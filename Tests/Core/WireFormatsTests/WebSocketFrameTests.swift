import TestSupport
import Testing
import WireFormats

@Suite("WebSocket frames") struct WebSocketFrameTests {
    @Test(
        "the frames of RFC 6455, section 5.7, are read",
        arguments: [
            ("81 05 48 65 6c 6c 6f", false, ["began text", "payload Hello", "ended"]),
            ("81 85 37 fa 21 3d 7f 9f 4d 51 58", true, ["began text", "payload Hello", "ended"]),
            ("01 03 48 65 6c 80 02 6c 6f", false, ["began text", "payload Hel", "payload lo", "ended"]),
            ("89 05 48 65 6c 6c 6f", false, ["ping"]),
            ("8a 85 37 fa 21 3d 7f 9f 4d 51 58", true, ["pong"]),
            ("01 03 48 65 6c 89 00 80 02 6c 6f", false, ["began text", "payload Hel", "ping", "payload lo", "ended"]),
            ("82 00", false, ["began binary", "ended"]), ("01 00 80 00", false, ["began text", "ended"]),
            ("88 00", false, ["closed -"]), ("88 02 03 e8", false, ["closed 1000"]),
            ("88 04 0f a0 6f 6b", false, ["closed 4000"]),
            ("c1 07 f2 48 cd c9 c9 07 00", false, ["began text compressed", "payload ?", "ended"]),
        ]
    )
    func examples(hex: String, ofClient: Bool, said: [String]) throws {
        let bytes = octets(hex)
        #expect(try read(bytes, ofClient: ofClient, cuts: []) == said)
        let joined = try read(bytes, ofClient: ofClient, cuts: Array(0...bytes.count))
        #expect(joined.filter { !$0.hasPrefix("payload") } == said.filter { !$0.hasPrefix("payload") })
    }

    @Test(
        "what breaks the rules is refused by name",
        arguments: [
            ("81 85 37 fa 21 3d", false, WebSocketViolation.maskUnexpected), ("81 05", true, .maskMissing),
            ("91 00", false, .reservedBit), ("a1 00", false, .reservedBit), ("c9 00", false, .reservedBit),
            ("41 00 c0 00", false, .reservedBit), ("83 00", false, .opcode), ("8b 00", false, .opcode),
            ("81 7e 00 7d", false, .lengthNotMinimal), ("81 7f 00 00 00 00 00 00 ff ff", false, .lengthNotMinimal),
            ("81 7f 80 00 00 00 00 01 00 00", false, .lengthInvalid), ("09 00", false, .controlFragmented),
            ("89 7e 00 7e", false, .controlTooLong), ("80 00", false, .fragmentOutOfPlace),
            ("01 00 81 00", false, .fragmentOutOfPlace), ("88 01 03", false, .closeMalformed),
            ("88 02 03 ed", false, .closeMalformed), ("88 02 0b b7", false, .closeMalformed),
            ("88 03 03 e8 ff", false, .closeMalformed), ("88 00 81 00", false, .afterClose),
        ]
    )
    func refusals(hex: String, ofClient: Bool, violation: WebSocketViolation) {
        let bytes = octets(hex)
        #expect(throws: violation) { try read(bytes, ofClient: ofClient, cuts: []) }
        #expect(throws: violation) { try read(bytes, ofClient: ofClient, cuts: Array(0...bytes.count)) }
    }

    @Test("compression is read only where it was agreed on")
    func compression() {
        #expect(throws: WebSocketViolation.reservedBit) { try read(octets("c1 00"), compresses: false, cuts: []) }
    }

    @Test("lengths of 16 and 64 bits, and messages and fragments up to the limit", arguments: [126, 65535, 65536])
    func lengths(count: Int) throws {
        let length = count < 65536 ? [126, UInt8(count >> 8), UInt8(count & 255)] : [127, 0, 0, 0, 0, 0, 1, 0, 0]
        let bytes = [0x82] + length + [UInt8](repeating: 7, count: count)
        var limits = WebSocketLimits()
        limits.messageBytes = UInt64(count)
        #expect(try read(bytes, limits: limits, cuts: []).count == 3)
        limits.messageBytes -= 1
        #expect(throws: WebSocketViolation.messageTooLong) { try read(bytes, limits: limits, cuts: []) }
        limits = WebSocketLimits()
        limits.fragments = 3
        let three: [UInt8] = [1, 0, 0, 0, 0x80, 0]
        #expect(try read(three, limits: limits, cuts: []) == ["began text", "ended"])
        limits.fragments = 2
        #expect(throws: WebSocketViolation.fragmentsTooMany) { try read(three, limits: limits, cuts: []) }
    }

    @Test(
        "B08: nothing that follows a payload is taken for a part of it, wherever the octets are split",
        arguments: 0..<40
    )
    func splits(seed: UInt64) throws {
        var random = Seeded(seed)
        var bytes: [UInt8] = []
        for _ in 0..<8 {
            let mask = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
            let count = UInt8.random(in: 0...20, using: &random)
            bytes += [random.chance(30) ? 0x89 : 0x82, 0x80 | count] + mask
            bytes += (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        let whole = try payload(bytes, cuts: [])
        #expect(try payload(bytes, cuts: Array(0...bytes.count)) == whole)
        let cuts = (0..<6).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
        #expect(try payload(bytes, cuts: cuts) == whole)
    }
}

private func read(
    _ bytes: [UInt8],
    ofClient: Bool = false,
    compresses: Bool = true,
    limits: WebSocketLimits = WebSocketLimits(),
    cuts: [Int]
) throws -> [String] {
    var said: [String] = []
    try walk(bytes, ofClient, compresses, limits, cuts) { event, payload in
        switch event {
        case .began(let kind, let isCompressed): said.append("began \(kind)" + (isCompressed ? " compressed" : ""))
        case .payload: said.append("payload " + (String(validating: payload, as: UTF8.self) ?? "?"))
        case .ended: said.append("ended")
        case .control(let opcode): said.append("\(opcode)")
        case .closed(let code): said.append("closed " + (code.map { "\($0)" } ?? "-"))
        }
    }
    return said
}

private func payload(_ bytes: [UInt8], cuts: [Int]) throws -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var current: [UInt8] = []
    try walk(bytes, true, false, WebSocketLimits(), cuts) { event, payload in
        switch event {
        case .payload: current += payload
        case .ended:
            messages.append(current)
            current = []
        case .began, .control, .closed: break
        }
    }
    return messages
}

private func walk(
    _ bytes: [UInt8],
    _ ofClient: Bool,
    _ compresses: Bool,
    _ limits: WebSocketLimits,
    _ cuts: [Int],
    _ body: (WebSocketStep.Event, [UInt8]) -> Void
) throws {
    var reader = WebSocketFrameReader(ofClient: ofClient, allowsCompression: compresses, limits: limits)
    var start = 0
    for end in cuts + [bytes.count] {
        while true {
            var payload: [UInt8] = []
            let step = try reader.read(bytes.span.extracting(start..<end), into: &payload)
            start += step.consumed
            if let event = step.event { body(event, payload) }
            if start == end, step.event == nil { break }
        }
    }
}
