import AuditTrail
import Testing

/// Gives each secret a hash by which the test knows it.
private struct Echo: SecretHashing {
    func hash(of secret: borrowing Span<UInt8>) -> String {
        var text = ""
        for index in secret.indices { text.unicodeScalars.append(Unicode.Scalar(secret[index])) }
        return "<\(text)>"
    }
}

/// How a message's secrets are told.
private func told(_ secrets: [MaskedSecret]) -> [String] {
    secrets.map { "\($0.place.rawValue) \($0.name ?? "-") \($0.hash)" }
}

@Suite struct MaskedSecretTests {
    @Test(
        "each value of a query is masked, and a name is kept only where it can be nothing but a name",
        arguments: [
            ("token=abc&page=2", ["query token <abc>", "query page <2>"]),
            ("a[b]=1", ["query a[b] <1>"]),
            ("", []), ("&&", []),
            ("opensesame", ["query - <opensesame>"]),
            ("token=", ["query - <token=>"]),
            ("c2VjcmV0==", ["query - <c2VjcmV0==>"]),
            ("c2VjcmV0=", ["query - <c2VjcmV0=>"]),
            ("a=b=c", ["query a <b=c>"]),
            ("=x", ["query - <=x>"]),
            ("p%61ss=x", ["query - <p%61ss=x>"]),
            (String(repeating: "n", count: 41) + "=x", ["query - <\(String(repeating: "n", count: 41))=x>"]),
            ("a=1;token=x", ["query a <1;token=x>"]),
        ]
    )
    func query(text: String, expected: [String]) {
        var secrets: [MaskedSecret] = []
        secrets.add(query: text, hashing: Echo())
        #expect(told(secrets) == expected)
    }

    @Test("a token has one hash, with and without a scheme; cookies are told apart")
    func fields() {
        var secrets: [MaskedSecret] = []
        func add(_ name: String, _ value: String) {
            secrets.add(field: name, value: ArraySlice(value.utf8), hashing: Echo())
        }
        add("authorization", "Bearer  abc")
        add("x-api-key", "abc")
        add("authorization", "p4ss word")
        secrets.add(cookies: ArraySlice("session=s3; theme=dark;bare".utf8), hashing: Echo())
        #expect(
            told(secrets) == [
                "header authorization <abc>", "header x-api-key <abc>", "header authorization <p4ss word>",
                "cookie session <s3>", "cookie theme <dark>", "cookie - <bare>",
            ]
        )
    }

    @Test("G05, G07: however many there are, no more than sixteen are told, and none of them is hashed in vain")
    func bounded() {
        var secrets: [MaskedSecret] = []
        secrets.add(query: String(repeating: "a=b&", count: 10_000), hashing: Echo())
        secrets.add(field: "authorization", value: [1], hashing: Echo())
        #expect(secrets.count == RecordLimits.standard.listItems)
    }
}
