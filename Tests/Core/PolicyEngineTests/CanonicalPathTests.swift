import PolicyEngine
import Testing

/// The canonical text, or the reason why there is none.
private func canonical(_ octets: [UInt8]) -> String {
    do throws(PathAmbiguity) {
        return try CanonicalPath(octets.span).text
    } catch {
        return "! \(error.rawValue)"
    }
}

@Suite struct CanonicalPathTests {
    @Test(
        "B09: a path has one form, which keeps what servers read alike and tells apart what they do not",
        arguments: [
            ("/", "/"),
            ("/v1/messages", "/v1/messages"),
            ("/v1/messages/", "/v1/messages/"),
            // Case counts.
            ("/V1/Messages", "/V1/Messages"),
            // Encodings of what may stand for itself, and of what may not.
            ("/%76%31/%6Dessages", "/v1/messages"),
            ("/file%2etxt", "/file.txt"),
            ("/users/a%40b.example", "/users/a@b.example"),
            ("/v1/users%3adelete", "/v1/users:delete"),
            ("/%7euser", "/~user"),
            ("/a%20b", "/a%20b"),
            ("/100%25", "/100%25"),
            ("/a%3fb%23c", "/a%3Fb%23c"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/%e2%82%ac", "/%E2%82%AC"),
            // What clients send although they should encode it.
            ("/a|b[1]{2}^\"<>`", "/a%7Cb%5B1%5D%7B2%7D%5E%22%3C%3E%60"),
            ("/a%7cb", "/a%7Cb"),
            // Decoded once: a percent sign that is meant stays one.
            ("/a%2541", "/a%2541"),
            ("/a%25", "/a%25"),
            // Parameters are part of their segment.
            ("/a;v=1/b", "/a;v=1/b"),
            ("/a%3Bv=1/b", "/a;v=1/b"),
            // Dots that are no dot segment.
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/a..b", "/a..b"),
            ("/..a", "/..a"),
            // Empty segments are told apart, and left to the policy.
            ("//", "//"),
            ("/a//b", "/a//b"),
        ]
    )
    func canonicalForm(path: String, expected: String) throws {
        #expect(canonical(Array(path.utf8)) == expected)
        #expect(canonical(Array(expected.utf8)) == expected, "it is no form of itself")
    }

    @Test(
        "B09: a path that servers read differently is refused, and the reason is named",
        arguments: [
            ("", "no_leading_slash"),
            ("v1", "no_leading_slash"),
            ("*", "no_leading_slash"),
            ("http://x.example/", "no_leading_slash"),
            ("%2Fa", "no_leading_slash"),
            ("/a%2Fb", "encoded_slash"),
            ("/a%2fb", "encoded_slash"),
            ("/a\\b", "backslash"),
            ("/a%5Cb", "backslash"),
            ("/a%5cb", "backslash"),
            ("/.", "dot_segment"),
            ("/..", "dot_segment"),
            ("/./a", "dot_segment"),
            ("/../a", "dot_segment"),
            ("/a/..", "dot_segment"),
            ("/a/../b", "dot_segment"),
            ("/a/./b", "dot_segment"),
            ("/%2e%2e/a", "dot_segment"),
            ("/%2E./a", "dot_segment"),
            ("/.%2e", "dot_segment"),
            ("/%2e", "dot_segment"),
            // Servers that know path parameters drop them and climb.
            ("/a/..;/b", "dot_segment"),
            ("/a/.;v=1/b", "dot_segment"),
            ("/a/%2e%2e%3b/b", "dot_segment"),
            ("/a%252fb", "double_encoding"),
            ("/a/%252e%252e/b", "double_encoding"),
            ("/a%255Cb", "double_encoding"),
            ("/a%25252fb", "double_encoding"),
            ("/a%25%32%66b", "double_encoding"),
            ("/a%", "broken_encoding"),
            ("/a%4", "broken_encoding"),
            ("/a%zz", "broken_encoding"),
            ("/a%4g", "broken_encoding"),
            ("/%u002e", "broken_encoding"),
            // Overlong forms of a slash and of a dot, a lone continuation, a surrogate, what lies above Unicode.
            ("/%c0%af", "invalid_utf8"),
            ("/%c0%ae%c0%ae/", "invalid_utf8"),
            ("/%e0%80%af", "invalid_utf8"),
            ("/%f0%80%80%af", "invalid_utf8"),
            ("/%80", "invalid_utf8"),
            ("/%c3", "invalid_utf8"),
            ("/%c3/%a9", "invalid_utf8"),
            ("/%ed%a0%80", "invalid_utf8"),
            ("/%f4%90%80%80", "invalid_utf8"),
            ("/%ff", "invalid_utf8"),
            ("/a%00", "control_octet"),
            ("/a%0d%0aHost:%20x", "control_octet"),
            ("/a%09", "control_octet"),
            ("/a%7f", "control_octet"),
            ("/a\0b", "control_octet"),
            ("/a b", "control_octet"),
            ("/a\tb", "control_octet"),
            ("/a#b", "fragment"),
            ("/a?b", "query"),
            ("/caf\u{e9}", "not_ascii"),
        ]
    )
    func ambiguities(path: String, expected: String) {
        #expect(canonical(Array(path.utf8)) == "! \(expected)")
    }

    @Test("B09: every octet, raw and encoded, is refused or has one form, which means the same")
    func everyOctet() {
        for octet in UInt8.min...UInt8.max {
            let digits = String(octet, radix: 16)
            let encoded = "/a%" + (digits.count == 1 ? "0" : "") + digits
            let fromEncoded = canonical(Array(encoded.utf8))
            let fromRaw = canonical([UInt8(ascii: "/"), UInt8(ascii: "a"), octet])
            for form in [fromRaw, fromEncoded] where !form.hasPrefix("!") {
                #expect(canonical(Array(form.utf8)) == form, "\(octet)")
            }
            if !fromRaw.hasPrefix("!"), !fromEncoded.hasPrefix("!") { #expect(fromRaw == fromEncoded, "\(octet)") }
        }
        #expect(canonical(Array("/a%20".utf8)) == "/a%20")
    }

    @Test("no octets whatever make it trap, and what it lets through is a form of itself")
    func anyOctets() {
        var state: UInt64 = 9
        // Made of what paths stumble over.
        let pieces = ["/", ".", "..", "%", "2", "5", "e", "f", "c", "0", ";", "\\", "a", "%2e", "%25", "\u{e9}", "//"]
        for _ in 0..<20_000 {
            var text = "/"
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(truncatingIfNeeded: state >> 33) % pieces.count]
            }
            let form = canonical(Array(text.utf8))
            guard !form.hasPrefix("!") else { continue }
            #expect(canonical(Array(form.utf8)) == form, "\(text)")
            let climbs = form.split(separator: "/").contains { $0 == "." || $0 == ".." }
            #expect(!climbs, "\(text)")
        }
    }

    @Test("an empty segment is noted, a slash at the end is none")
    func emptySegments() throws {
        for path in ["//", "/a//b", "/a//", "//a"] { #expect(try CanonicalPath(path).hasEmptySegment, "\(path)") }
        for path in ["/", "/a", "/a/", "/a/b/"] { #expect(try !CanonicalPath(path).hasEmptySegment, "\(path)") }
    }

    @Test(
        "a prefix ends at a slash",
        arguments: [
            ("/v1/", true), ("/v1/a", true), ("/v1/a/b", true), ("/v1/%61", true), ("/v1", false), ("/v10/a", false),
            ("/V1/a", false), ("/", false), ("/a/v1/b", false),
        ]
    )
    func prefixes(path: String, expected: Bool) throws {
        #expect(try PathPattern.below(CanonicalPath("/v1/")).matches(CanonicalPath(path)) == expected)
    }

    @Test("OPTIONS for the server as a whole has no path that a policy names")
    func serverAsAWhole() throws {
        #expect(try !PathPattern.below(CanonicalPath("/")).matches(.server))
        #expect(try !PathPattern.exact(CanonicalPath("/*")).matches(.server))
    }
}
