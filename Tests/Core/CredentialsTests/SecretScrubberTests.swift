import Credentials
import PolicyEngine
import Testing

/// Overwrites all places of all texts in octets that are all there, the slow way.
private func naivelyScrubbed(_ octets: [UInt8], _ texts: [[UInt8]]) -> [UInt8] {
    var result = octets
    for text in texts where text.count >= 2 && text.count <= octets.count {
        for start in 0...(octets.count - text.count) where Array(octets[start..<start + text.count]) == text {
            for index in start..<start + text.count { result[index] = UInt8(ascii: "*") }
        }
    }
    return result
}

/// What comes out of a scrubber in pieces that end at these places; and the most that it held back.
private func scrubbed(_ octets: [UInt8], _ needles: Needles, ends: [Int]) -> (octets: [UInt8], mostHeld: Int) {
    var scrubber = SecretScrubber(needles)
    var result: [UInt8] = []
    var mostHeld = 0
    var start = 0
    for end in ends + [octets.count] {
        var piece = Array(octets[start..<end])
        scrubber.pass(&piece)
        result += piece
        start = end
        mostHeld = max(mostHeld, end - result.count)
    }
    return (result + scrubber.finish(), mostHeld)
}

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("Secrets in answers")
struct SecretScrubberTests {
    @Test(
        "F04: whatever the pieces, every octet of every text is overwritten and no other, and no more is held than may be one"
    )
    func property() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4000 {
            // Few letters, so that texts overlap each other and themselves.
            let letters = Int.random(in: 1...3, using: &random)
            func text(_ lengths: ClosedRange<Int>) -> [UInt8] {
                (0..<Int.random(in: lengths, using: &random)).map { _ in
                    UInt8(ascii: "a") + UInt8(Int.random(in: 0..<letters, using: &random))
                }
            }
            let texts = (0..<Int.random(in: 1...4, using: &random)).map { _ in text(2...9) }
            let body = text(0...60)
            let ends = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                Int.random(in: 0...body.count, using: &random)
            }
            let needles = Needles(texts)
            let result = scrubbed(body, needles, ends: ends.sorted())
            var expected = naivelyScrubbed(body, texts)
            for text in texts {
                for length in 8..<max(8, text.count) where body.suffix(length) == text.prefix(length) {
                    for index in expected.indices.suffix(length) { expected[index] = UInt8(ascii: "*") }
                }
            }
            #expect(result.octets == expected, "\(texts) in \(body) cut at \(ends.sorted())")
            #expect(result.mostHeld < needles.longest)
        }
    }

    @Test("F04: a secret is found in each of its forms, at every place where an answer can be cut")
    func forms() throws {
        let secret = try Secret(fileContent: octets("sk-live/Ab+9?\"x\n"))
        let vault = CredentialVault([try #require(.init("one")): secret], placeholders: [])
        let forms = [
            "sk-live/Ab+9?\"x", #"sk-live/Ab+9?\"x"#, #"sk-live\/Ab+9?\"x"#, "sk-live%2FAb%2B9%3F%22x",
            "sk-live%2fAb%2b9%3f%22x",
            "c2stbGl2ZS9BYis5PyJ4", "dXNlcjpzay1saXZlL0FiKzk/Ing=", "dXNlcjpzay1saXZlL0FiKzk_Ing",
            "dTpzay1saXZlL0FiKzk/Ing=",
        ]
        for form in forms {
            let body = octets("before \(form) behind")
            for end in 0...body.count {
                let result = scrubbed(body, vault.needles, ends: [end]).octets
                let text = String(decoding: result, as: UTF8.self)
                #expect(result.count == body.count)
                #expect(text.hasPrefix("before ") && text.hasSuffix(" behind") && text.contains("*******"), "\(text)")
            }
        }
    }

    @Test("F04: all three ways in which base 64 can begin inside a secret are known", arguments: 0..<6)
    func base64(offset: Int) throws {
        let secret = try Secret(fileContent: octets("0123456789abcdefghij"))
        let vault = CredentialVault([try #require(.init("one")): secret], placeholders: [])
        // RFC 4648's alphabet, by hand: twelve digits of the middle must be gone.
        let plain = [UInt8](repeating: UInt8(ascii: "."), count: offset) + secret.octets + octets("....")
        var coded = octets(base64Text(plain))
        let count = vault.needles.overwrite(&coded)
        #expect(count == 1)
        #expect(coded.count { $0 == UInt8(ascii: "*") } >= 26)
    }

    @Test("what begins no secret is not held back: an event stream passes as it comes")
    func streams() throws {
        let secret = try Secret(fileContent: octets("sk-0123456789"))
        let vault = CredentialVault([try #require(.init("one")): secret], placeholders: [])
        var scrubber = SecretScrubber(vault.needles)
        var event = octets("data: tasks\n\n")
        scrubber.pass(&event)
        #expect(event == octets("data: tasks\n\n"))
        var open = octets("data: sk-01")
        scrubber.pass(&open)
        #expect(open == octets("data: "))
        var rest = octets("23456789\n\n")
        scrubber.pass(&rest)
        #expect(rest == octets("*************\n\n"))
        #expect(scrubber.finds == 1)
        #expect(scrubber.finish().isEmpty)
    }

    @Test("a beginning that nothing follows is passed on in the end")
    func unfinished() throws {
        let vault = CredentialVault(
            [try #require(.init("one")): try Secret(fileContent: octets("sk-0123456789"))],
            placeholders: []
        )
        var scrubber = SecretScrubber(vault.needles)
        var open = octets("sk-0123")
        scrubber.pass(&open)
        #expect(open.isEmpty)
        #expect(scrubber.finish() == octets("sk-0123"))
        #expect(scrubber.finds == 0)
    }

    @Test(
        "F04: an answer that ends within a secret does not give away its beginning, from eight octets on",
        arguments: [
            ("x sk-01234", "x ********"), ("x sk-012345678", "x ************"), ("sk%2D01234", "**********"),
            (#"sk-0123456\u00"#, "**************"), ("c2stMDEyMzQ", "***********"), ("sk-0123456x", "sk-0123456x"),
        ]
    )
    func cutSecret(body: String, expected: String) throws {
        let vault = CredentialVault(
            [try #require(.init("one")): try Secret(fileContent: octets("sk-0123456789"))],
            placeholders: []
        )
        var scrubber = SecretScrubber(vault.needles)
        var passed = octets(body)
        scrubber.pass(&passed)
        let all = String(decoding: passed + scrubber.finish(), as: UTF8.self)
        #expect(all == expected)
        #expect(scrubber.finds == (body == expected ? 0 : 1))
    }

    @Test("without secrets nothing is touched")
    func none() {
        var scrubber = SecretScrubber(CredentialVault.empty.needles)
        var body = octets("anything")
        scrubber.pass(&body)
        #expect(body == octets("anything"))
    }

    private func base64Text(_ plain: [UInt8]) -> String {
        let digits = octets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bits = plain.flatMap { octet in (0..<8).map { octet >> (7 - UInt8($0)) & 1 } }
        return String(
            decoding: stride(from: 0, to: bits.count, by: 6).map { start in
                digits[(0..<6).reduce(0) { $0 << 1 | Int(start + $1 < bits.count ? bits[start + $1] : 0) }]
            },
            as: UTF8.self
        )
    }
}
