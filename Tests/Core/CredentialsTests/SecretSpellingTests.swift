import Credentials
import PolicyEngine
import Testing

private func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The two digits of an octet, each in upper or lower case.
private func digits(_ octet: UInt8, upper: (Bool, Bool)) -> String {
    let high = String(octet >> 4, radix: 16, uppercase: upper.0)
    return high + String(octet & 15, radix: 16, uppercase: upper.1)
}

/// All spellings of an octet, written down by hand of the RFCs and not of the source.
private func spellings(_ octet: UInt8) -> [[UInt8]] {
    var result = [[octet]]
    for upper in [(false, false), (false, true), (true, false), (true, true)] {
        result.append(octets("%" + digits(octet, upper: upper)))
        result.append(octets(#"\u00"# + digits(octet, upper: upper)))
    }
    if octets(#""\/"#).contains(octet) { result.append([UInt8(ascii: "\\"), octet]) }
    if octet == UInt8(ascii: " ") { result.append([UInt8(ascii: "+")]) }
    return Array(Set(result))
}

/// Overwrites all spellings of all texts, the slow way: at each place, each octet by each of its spellings.
private func naivelyScrubbed(_ body: [UInt8], _ texts: [[UInt8]]) -> [UInt8] {
    var result = body
    for text in texts {
        for start in body.indices {
            var ends: Set<Int> = [start]
            for octet in text {
                let known = ends
                ends = []
                for end in known {
                    for spelling in spellings(octet) where body[end...].starts(with: spelling) {
                        ends.insert(end + spelling.count)
                    }
                }
            }
            for index in start..<(ends.max() ?? start) { result[index] = UInt8(ascii: "*") }
        }
    }
    return result
}

/// What comes out in pieces that end at these places, and the most that was held back.
private func scrubbed(_ body: [UInt8], _ needles: Needles, ends: [Int]) -> (octets: [UInt8], mostHeld: Int) {
    var scrubber = SecretScrubber(needles)
    var result: [UInt8] = []
    var mostHeld = 0
    for (start, end) in zip([0] + ends, ends + [body.count]) {
        var piece = Array(body[start..<end])
        scrubber.pass(&piece)
        result += piece
        mostHeld = max(mostHeld, end - result.count)
    }
    return (result + scrubber.finish(), mostHeld)
}

private func vault(_ secrets: String...) throws -> CredentialVault {
    var named: [SecretName: Secret] = [:]
    for (number, secret) in secrets.enumerated() {
        named[try #require(SecretName("s\(number)"))] = try Secret(fileContent: octets(secret))
    }
    return CredentialVault(named, placeholders: [])
}

@Suite("How secrets are spelled in answers")
struct SecretSpellingTests {
    static let secret = "sk-live/SECRET+0123456789abcdef"

    static let spelled = [
        secret,
        // Python's quote, quote_plus and JavaScript's encodeURIComponent; Java's URLEncoder does as the second.
        "sk-live/SECRET%2B0123456789abcdef", "sk-live%2FSECRET%2B0123456789abcdef",
        "sk-live%2fSECRET%2B0123456789abcdef", "sk-live%2FSECRET%2b0123456789abcdef",
        "%73%6b%2D%6C%69%76%65%2f%53%45%43%52%45%54%2b%30%31%32%33%34%35%36%37%38%39%61%62%63%64%65%66",
        // .NET's JSON; PHP's; one that escapes whatever is no letter, in either case.
        #"sk-live/SECRET\u002B0123456789abcdef"#, #"sk-live\/SECRET+0123456789abcdef"#,
        #"sk\u002dlive\u002FSECRET\u002b0123456789abcdef"#, #"sk\u002Dlive\u002fSECRET\u002B0123456789abcdef"#,
        #"\u0073\u006B-live/SECRET+0123456789abcde\u0066"#, #"\u0073\u006b-live/SECRET+0123456789abcde\u0066"#,
        // Mixes.
        #"%73k-\u006Cive\/SECRET%2b0123\u0034567%389abcde%66"#, #"sk%2Dlive\/SECRET\u002b0123456789abcdef"#,
    ]

    @Test("F04: a secret is found in each spelling, wherever the answer is cut", arguments: spelled)
    func found(spelling: String) throws {
        let needles = try vault(Self.secret).needles
        let body = octets("before \(spelling) behind")
        let expected = "before \(String(repeating: "*", count: spelling.utf8.count)) behind"
        for end in 0...body.count {
            let result = scrubbed(body, needles, ends: [end])
            #expect(String(decoding: result.octets, as: UTF8.self) == expected, "cut at \(end)")
        }
        let result = scrubbed(body, needles, ends: Array(1..<body.count))
        #expect(String(decoding: result.octets, as: UTF8.self) == expected)
        #expect(result.mostHeld < spelling.utf8.count)
    }

    @Test(
        "F04: quotes, backslashes, spaces, and what looks like a spelling and is part of the secret, are found",
        arguments: [
            (#"pass "w/x\y"#, #"pass+\"w\/x\\y"#), (#"pass "w/x\y"#, #"pass%20%22w%2fx%5Cy"#),
            (#"pass "w/x\y"#, #"pass\u0020\u0022w\u002Fx\u005cy"#), (#"pass "w/x\y"#, #"pass "w/x\y"#),
            ("100%25%sure", "100%25%sure"), ("100%25%sure", "100%2525%25sure"), ("100%25%sure", #"100\u002525%sure"#),
            (#"\u0041\\\x"#, #"\u0041\\\x"#), (#"\u0041\\\x"#, #"\\u0041\\\\\\x"#),
            (#"\u0041\\\x"#, #"\u005cu0041%5c\u005C\x"#), ("a+b c+d e", "a+b+c+d+e"),
            ("a+b c+d e", "a%2Bb+c\u{2b}d%20e"),
        ]
    )
    func awkward(secret: String, spelling: String) throws {
        let needles = try vault(secret).needles
        let body = octets("<\(spelling)>")
        let stars = "<\(String(repeating: "*", count: spelling.utf8.count))>"
        let whole = scrubbed(body, needles, ends: [])
        let single = scrubbed(body, needles, ends: Array(1..<body.count))
        #expect(String(decoding: whole.octets, as: UTF8.self) == stars)
        #expect(String(decoding: single.octets, as: UTF8.self) == stars)
    }

    @Test(
        "the digits of base 64 are spelled like anything else",
        arguments: [
            "zay1saXZlL0FiKzk/Ing+", "zay1saXZlL0FiKzk_Ing-", #"zay1saXZlL0FiKzk\/Ing+"#, "zay1saXZlL0FiKzk%2FIng%2b",
            #"zay1saXZlL0FiKzk\u002fIng\u002B"#,
        ]
    )
    func base64(digits: String) throws {
        let needles = try vault("sk-live/Ab+9?\"x>").needles
        // The first digits of `u:` and the secret are decided by what stands before it, too.
        var body = octets("dTp\(digits)")
        let count = needles.overwrite(&body)
        #expect(count == 1)
        #expect(String(decoding: body, as: UTF8.self) == "dTp" + String(repeating: "*", count: digits.utf8.count))
    }

    @Test(
        "what is nearly a secret passes as it is",
        arguments: [
            "sk-live/SECRET 0123456789abcdef", "sk-live/SECRET%2C0123456789abcdef", "sk-live/SECRET%2G0123456789abcdef",
            "sk-live/SECRET%B0123456789abcdef", "sk-live/SECRET%%2B0123456789abcdef",
            "sk-live/SECRET%252B0123456789abcdef",
            #"sk-live/SECRET\u02B0123456789abcdef"#, #"sk-live/SECRET\U002B0123456789abcdef"#,
            #"sk-live/SECRET\u012B0123456789abcdef"#, #"sk-live/SECRET\u102B0123456789abcdef"#,
            #"sk-live/SECRET\+0123456789abcdef"#, #"sk-live\\/SECRET+0123456789abcdef"#,
            "sk-live/SECRET+0123456789abcde", "sk-live/SECRET+0123456789abcde%6",
            #"sk-live/SECRET+0123456789abcde\u006"#,
            "k-live/SECRET+0123456789abcdef", "SK-LIVE/SECRET+0123456789ABCDEF", "sk-livè/SECRET+0123456789abcdef",
        ]
    )
    func nearMisses(text: String) throws {
        let needles = try vault(Self.secret).needles
        // What ends within a secret does not pass.
        let body = octets(text + " ")
        for ends in [[], Array(1..<body.count)] {
            let result = scrubbed(body, needles, ends: ends)
            #expect(result.octets == body)
        }
    }

    @Test("of two secrets of which one begins the other, both are found, and the shorter does not wait for more")
    func prefixes() throws {
        let needles = try vault("sk-live/12345", "sk-live/12345+more").needles
        var scrubber = SecretScrubber(needles)
        var text = ""
        for piece in ["<sk-live%2F1234", "5", "+mor", "E> <sk-live/12345%2bmore>"] {
            var body = octets(piece)
            scrubber.pass(&body)
            text += String(decoding: body, as: UTF8.self) + "|"
        }
        #expect(text == "<|||***************+morE> <********************>|")
        // The shorter twice, the longer once.
        #expect(scrubber.finds == 3)
        #expect(scrubber.finish().isEmpty)
    }

    @Test(
        "F04: what is known to be secret is never given back, though the answer ends within what might be a longer one"
    )
    func unfinished() throws {
        var scrubber = SecretScrubber(try vault("sk-live/12345", "sk-live/12345+more").needles)
        var body = octets(#"sk-live\u002f12345+mor"#)
        scrubber.pass(&body)
        #expect(body.isEmpty)
        #expect(scrubber.finish() == octets("**********************"))
    }

    @Test("F04: whatever the spellings and the pieces, every octet of every spelling is overwritten and no other")
    func property() {
        var random = SystemRandomNumberGenerator()
        // What spellings are made of, so that one is mistaken for another as often as can be.
        let alphabets = [#"%25\"#, #"\u005c"#, "+ %20", #"/\"2f%"#, "aA%416u0"].map(octets)
        for _ in 0..<3000 {
            let letters = alphabets[Int.random(in: alphabets.indices, using: &random)]
            func letter() -> UInt8 { letters[Int.random(in: letters.indices, using: &random)] }
            let texts = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                (0..<Int.random(in: 2...5, using: &random)).map { _ in letter() }
            }
            var body: [UInt8] = []
            while body.count < 60 {
                for octet in Bool.random(using: &random) ? texts[0].shuffled(using: &random) : texts[0] {
                    body += spellings(octet).randomElement(using: &random) ?? []
                }
                if Bool.random(using: &random) { body.append(letter()) }
            }
            let cuts = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                Int.random(in: 0...body.count, using: &random)
            }
            let needles = Needles(texts)
            let expected = naivelyScrubbed(body, texts)
            for ends in [cuts.sorted(), Array(1..<body.count)] {
                let result = scrubbed(body, needles, ends: ends)
                #expect(result.octets == expected, "\(texts) in \(body) cut at \(ends)")
                #expect(result.mostHeld < needles.longest)
            }
        }
    }

    @Test("F04: less than six octets for each of the longest text are held back, and eight for each of a secret")
    func bound() throws {
        for length in [8, 9, 10, 8192] {
            let needles = try vault(String(repeating: "x", count: length)).needles
            #expect(needles.longest <= 8 * length)
        }
        let text = octets("abcdefgh")
        let needles = Needles([text])
        #expect(needles.longest == 48)
        let longest = octets(#"\u0061\u0062\u0063\u0064\u0065\u0066\u0067\u0068"#)
        let result = scrubbed(longest, needles, ends: [47])
        #expect(result.mostHeld == 47)
        #expect(result.octets == [UInt8](repeating: UInt8(ascii: "*"), count: 48))
    }

    @Test(
        "hostile content costs the same per octet however much of it comes: what is open is bounded by the texts",
        arguments: [
            ("aaaaaaaaaaaa", "a"), ("aaaaaaaaaaaa", "%61"), ("aaaaaaaaaaaa", #"\u0061"#),
            ("aaaaaaaaaaaa", #"aaaaaaaaaaa%6"#),
            (#"\\\\\\\\\\\\"#, #"\"#), (#"\\\\\\\\\\\\"#, #"\u005c"#), ("%25%25%25%25", "%25"),
            ("%25%25%25%25", "%2525"),
            (secret, secret), (secret, String(secret.dropLast())), (secret, "%"), (secret, #"\"#), (secret, "%7"),
        ]
    )
    func hostile(secret: String, unit: String) {
        var search = NeedleSearch(Needles([octets(secret)]))
        var most = 0
        for _ in 0..<2000 {
            for octet in octets(unit) {
                _ = search.advance(over: [octet].span)
                most = max(most, search.openings)
            }
        }
        // Each beginning at most twice: as it is, and waiting for the end of a spelling.
        #expect(most <= 2 * secret.utf8.count, "\(most)")
        if secret == Self.secret { #expect(most <= 3, "\(most)") }
    }

    @Test("where nothing looks like a secret, nothing is open and nothing waits")
    func innocent() throws {
        let needles = try vault(Self.secret).needles
        var search = NeedleSearch(needles)
        var scrubber = SecretScrubber(needles)
        for _ in 0..<100 {
            var event = octets("data: {\"text\": \"to be, or not to be: 100 % sure\\n\"}\n\n")
            let count = event.count
            let places = search.advance(over: event.span)
            #expect(places.isEmpty && search.openings == 0)
            scrubber.pass(&event)
            #expect(event.count == count)
        }
    }
}
