import OpenSSLBindings
import Testing

@Suite struct SHA256DigestTests {
    /// From FIPS 180-4's examples.
    static let known = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test("known texts have their known hashes", arguments: known)
    func knownHashes(text: String, expected: String) {
        let bytes = Array(text.utf8)
        let digest = SHA256Digest(of: bytes.span)
        #expect(digest.description == "sha256:" + expected)
        #expect(digest.bytes.count == SHA256Digest.byteCount)
    }

    @Test("a million octets have the hash that FIPS 180-4's examples give")
    func longMessage() {
        let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(
            SHA256Digest(of: bytes.span).description
                == "sha256:cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }
}
