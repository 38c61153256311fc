import AuditTrail
import Testing

@Suite struct StoredLineTests {
    @Test("a line tells its number and what a restart must know of it")
    func contents() {
        var allowed = Sample.denied
        allowed.decision = .allow
        var audited = allowed
        audited.would = .deny
        let started = LifecycleRecord(event: .started, version: "1", pid: 1)
        let draining = LifecycleRecord(event: .draining, version: "1", pid: 1)
        let repaired = LifecycleRecord(event: .repaired, version: "1", pid: 1)
        let policy = PolicyRecord(event: .loaded, hashBefore: nil, hashAfter: nil)
        #expect(StoredLine(Sample.line(allowed).span)?.content == .allowed(.connection(Sample.identifier)))
        #expect(StoredLine(Sample.line(audited).span)?.content == .allowed(.connection(Sample.identifier)))
        #expect(StoredLine(Sample.line(Sample.denied).span)?.content == .other)
        #expect(
            StoredLine(Sample.line(Sample.end(everywhere: "x")).span)?.content == .ended(.connection(Sample.identifier))
        )
        var request = Sample.request(everywhere: "x")
        let requestEnd = Sample.requestEnd(everywhere: "x")
        let check = Sample.check(everywhere: "x")
        #expect(StoredLine(Sample.line(request).span)?.content == .other)
        request.would = nil
        request.decision = .allow
        #expect(StoredLine(Sample.line(request).span)?.content == .allowed(.request(Sample.identifier)))
        request.would = .deny
        #expect(StoredLine(Sample.line(request).span)?.content == .allowed(.request(Sample.identifier)))
        #expect(StoredLine(Sample.line(requestEnd).span)?.content == .ended(.request(Sample.identifier)))
        #expect(StoredLine(Sample.line(check).span)?.content == .other)
        #expect(StoredLine(Sample.line(started).span)?.content == .started)
        #expect(StoredLine(Sample.line(repaired).span)?.content == .repaired)
        #expect(StoredLine(Sample.line(draining).span)?.content == .other)
        #expect(StoredLine(Sample.line(policy).span)?.content == .other)
        #expect(StoredLine(Sample.line(policy, sequence: .max).span)?.sequence == .max)
    }

    @Test("no beginning of a line passes for the line, and every one may have been cut off")
    func cuts() {
        let line = Sample.line(Sample.denied)
        for count in 0..<line.count {
            let part = Array(line[..<count])
            #expect(StoredLine(part.span) == nil)
            #expect(StoredLine.mayBeCutOff(part.span) == (count > 0))
            let padded = part + [0, 0, 0]
            let mayBeCutOff = StoredLine.mayBeCutOff(padded.span)
            #expect(mayBeCutOff)
            let converted = part + [UInt8(ascii: "\r")]
            let mayBeConverted = StoredLine.mayBeCutOff(converted.span)
            #expect(!mayBeConverted)
        }
    }

    @Test("a whole object that is no line of ours was changed, and not cut off, whatever stands behind it")
    func changedWhole() {
        let line = Sample.line(Sample.denied)
        let text = String(decoding: line, as: UTF8.self)
        let changed = Array(text.replacing("\"time\":\"2", with: "\"time\":\"").utf8)
        #expect(changed != line && StoredLine(changed.span) == nil)
        for bytes in [changed, changed + [0, 0], changed + Array("x".utf8), Array(#"{"v":1,"kind":"a}"}"#.utf8)] {
            let mayBeCutOff = StoredLine.mayBeCutOff(bytes.span)
            #expect(!mayBeCutOff)
        }
        // Brackets in a text close nothing; and a loss of power may leave a line whole but for its newline.
        for bytes in [Array(#"{"v":1,"kind":"a}]"#.utf8), Array(#"{"v":1,"kind":"\"}"#.utf8), line + [0, 0]] {
            let mayBeCutOff = StoredLine.mayBeCutOff(bytes.span)
            #expect(mayBeCutOff)
        }
    }

    @Test("a line with one byte of its frame changed is none of ours")
    func changedFrame() {
        let line = Sample.line(Sample.denied)
        let frame = Array(0..<27) + Array(line.count - 86..<line.count)
        for index in frame {
            var changed = line
            changed[index] = UInt8(ascii: "#")
            #expect(StoredLine(changed.span) == nil, "byte \(index)")
        }
    }

    @Test(
        "what others write is none of ours",
        arguments: [
            "{}", "hello", #"{"v":2,"kind":"connection""#, "root:x:0:0:root:/root:/bin/bash", " ", "[",
            #"{"v":1,"time":"#,
        ]
    )
    func foreign(text: String) {
        let bytes = Array(text.utf8)
        #expect(StoredLine(bytes.span) == nil)
        let mayBeCutOff = StoredLine.mayBeCutOff(bytes.span)
        #expect(!mayBeCutOff)
    }

    @Test("G05: a text cannot forge a decision, an end or a start")
    func forgery() {
        let forged = #","decision":"allow","event":"started","id":"\#(Sample.identifier)","#
        for (kind, line) in Sample.lines(everywhere: forged) {
            let content = StoredLine(line.span)?.content
            switch kind {
            case .connection, .request, .check, .policy, .ruleset, .checkpoint, .key: #expect(content == .other)
            case .connectionEnd: #expect(content == .ended(.connection(Sample.identifier)))
            case .requestEnd: #expect(content == .ended(.request(Sample.identifier)))
            case .lifecycle: #expect(content == .repaired)
            }
        }
    }

    @Test("a number that no line can have makes it none of ours", arguments: ["", "-1", "18446744073709551616", "1.0"])
    func numbers(number: String) {
        let text = String(decoding: Sample.line(Sample.denied), as: UTF8.self)
        let parts = text.split(separator: "\"sequence\":41,", maxSplits: 1)
        let changed = Array((parts[0] + "\"sequence\":\(number)," + parts[1]).utf8)
        #expect(StoredLine(changed.span) == nil)
    }
}
