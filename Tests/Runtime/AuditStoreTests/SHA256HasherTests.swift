import OpenSSLBindings
import Testing

@Suite struct SHA256HasherTests {
    /// From FIPS 180-4's examples.
    static let known = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test("known texts have their known hashes, one after the other from one hasher")
    func knownHashes() throws {
        var hasher = try SHA256Hasher()
        for (text, expected) in Self.known + Self.known {
            let bytes = Array(text.utf8)
            let digest = try hasher.hash(bytes.span)
            #expect(digest.description == "sha256:" + expected)
            #expect(digest.bytes.count == SHA256Digest.byteCount)
        }
    }

    @Test("pieces have the hash of the whole, and one that was begun and dropped does not matter")
    func pieces() throws {
        var hasher = try SHA256Hasher()
        try hasher.start()
        let dropped: [UInt8] = [1, 2, 3]
        try hasher.update(dropped.span)
        try hasher.start()
        for piece in ["a", "", "bc"] {
            let bytes = Array(piece.utf8)
            try hasher.update(bytes.span)
        }
        #expect(try hasher.finish().description == "sha256:" + Self.known[1].1)
    }
}
