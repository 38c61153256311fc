import TestSupport
import Testing
import WireFormats

@Suite("Server-sent events") struct ServerSentEventTests {
    @Test(
        "events are found, whatever their lines end with",
        arguments: ["\n", "\r", "\r\n"]
    )
    func lineEnds(end: String) throws {
        let text = [
            "event: delta", "data: one", "data:two", "data", "", ": comment", "id: 7", "retry: 3", "data:  x", "", "",
        ]
        .joined(separator: end)
        let events = try read(text, cuts: [])
        #expect(events == [event("delta", "one\ntwo\n"), event("", " x")])
    }

    @Test(
        "what is no event is none",
        arguments: [
            ("\u{feff}data: a\n\n", ["a"]), ("data: a\n\n\u{feff}data: b\n\n", ["a"]),
            ("event: only\n\ndata: a\n\n", ["a"]),
            ("Data: a\ndata : b\ndata: c\n\n", ["c"]), ("\n\n\r\r\n\n", []), ("data\n\n", [""]),
            ("data:\ndata:\n\n", ["\n"]),
        ]
    )
    func corners(text: String, data: [String]) throws {
        #expect(try read(text, cuts: []).map(\.data) == data.map { Array($0.utf8) })
    }

    @Test("an event that no empty line has ended is told of at the end")
    func end() throws {
        var reader = ServerSentEventReader(eventBytes: 100)
        let text = Array("data: secret".utf8)
        let step = try reader.read(text.span)
        #expect(step == ServerSentEventStep(consumed: 12, event: nil))
        #expect(!reader.isBetweenEvents)
        #expect(try reader.end() == event("", "secret"))
        #expect(try reader.end() == nil)
    }

    @Test("a line, and the data of an event, are read up to the limit and no further", arguments: [0, 1])
    func limits(more: Int) throws {
        let line = "data:" + String(repeating: "x", count: 11 + more)
        let data = "data:12345678\ndata:1234567" + String(repeating: "8", count: more)
        if more == 0 {
            #expect(try read(line + "\n\n", cuts: [], limit: 16).count == 1)
            #expect(try read(data + "\n\n", cuts: [], limit: 17).count == 1)
        } else {
            #expect(throws: ServerSentEventViolation.lineTooLong) { try read(line + "\n\n", cuts: [], limit: 16) }
            #expect(throws: ServerSentEventViolation.eventTooLong) { try read(data + "\n\n", cuts: [], limit: 16) }
        }
    }

    @Test("F06: the same events are found wherever the octets are split", arguments: 0..<50)
    func splits(seed: UInt64) throws {
        var random = Seeded(seed)
        let pieces = [
            "data", ":", " ", "x", "\r", "\n", "\r\n", "event: e", "\n\n", "\u{feff}", "data: y\n", "é", "id",
        ]
        let text = (0..<60).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        let whole = try read(text, cuts: [])
        let count = text.utf8.count
        #expect(try read(text, cuts: Array(0...count)) == whole)
        let cuts = (0..<5).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
        #expect(try read(text, cuts: cuts) == whole)
    }
}

private func event(_ type: String, _ data: String) -> ServerSentEvent {
    ServerSentEvent(type: Array(type.utf8), data: Array(data.utf8))
}

private func read(_ text: String, cuts: [Int], limit: Int = 4096) throws -> [ServerSentEvent] {
    let bytes = Array(text.utf8)
    var reader = ServerSentEventReader(eventBytes: limit)
    var events: [ServerSentEvent] = []
    var start = 0
    for end in cuts + [bytes.count] {
        while start < end {
            let step = try reader.read(bytes.span.extracting(start..<end))
            start += step.consumed
            if let event = step.event { events.append(event) }
        }
    }
    return events
}
