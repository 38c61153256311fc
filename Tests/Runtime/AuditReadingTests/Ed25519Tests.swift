import OpenSSLBindings
import Testing

@Suite struct Ed25519Tests {
    /// The example of RFC 8410, section 10.3, and its public half from section 10.1.
    private static let privatePEM = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
        -----END PRIVATE KEY-----

        """
    private static let publicPEM = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
        -----END PUBLIC KEY-----

        """

    @Test("the keys of RFC 8410 are read, belong together, and are written as they were")
    func knownKeys() throws {
        let secret = try Ed25519PrivateKey(pem: Array(Self.privatePEM.utf8))
        let open = try Ed25519PublicKey(pem: Array(Self.publicPEM.utf8))
        #expect(secret.publicKey == open)
        #expect(try secret.pem() == Array(Self.privatePEM.utf8))
        #expect(try open.pem() == Array(Self.publicPEM.utf8))
        #expect(Ed25519PublicKey(subjectPublicKeyInfo: open.subjectPublicKeyInfo) == open)
    }

    @Test("a signature is the same each time, and is valid for its message and its key only")
    func signatures() throws {
        let key = try Ed25519PrivateKey(pem: Array(Self.privatePEM.utf8))
        let message = Array("message".utf8)
        let signature = try key.signature(for: message)
        #expect(signature.count == 64)
        #expect(try key.signature(for: message) == signature)
        #expect(key.publicKey.isValid(signature, for: message))
        #expect(!key.publicKey.isValid(signature, for: message + [0]))
        #expect(try !Ed25519PrivateKey().publicKey.isValid(signature, for: message))
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            let isValid = key.publicKey.isValid(changed, for: message)
            #expect(!isValid)
        }
        #expect(!key.publicKey.isValid(Array(signature.dropLast()), for: message))
        #expect(!key.publicKey.isValid([], for: []))
    }

    @Test("the signature of RFC 8032, section 7.1, test 2")
    func knownSignature() throws {
        func bytes(_ text: String) -> [UInt8] {
            let digits = Array(text)
            return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
        }
        let information = bytes("302a300506032b6570032100")
        let raw = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let key = try #require(Ed25519PublicKey(subjectPublicKeyInfo: information + raw))
        let signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        )
        #expect(key.isValid(signature, for: [0x72]))
    }

    @Test("several public keys are read from one text, with comments between; a private one is none of them")
    func severalKeys() throws {
        let other = try Ed25519PrivateKey().publicKey
        let text = try Array("# first\n\(Self.publicPEM)# second\n".utf8) + other.pem()
        #expect(try Ed25519PublicKey.all(pem: text).last == other)
        #expect(try Ed25519PublicKey.all(pem: text).count == 2)
        #expect(throws: SigningError.notAKey) { try Ed25519PublicKey.all(pem: Array(Self.privatePEM.utf8)) }
    }

    @Test(
        "what is no Ed25519 key in PEM is refused",
        arguments: [
            ("", .notAKey), ("hello", .notAKey), ("-----BEGIN PUBLIC KEY-----\n", .notAKey),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", .notAKey),
            // X25519 (RFC 8410, section 4): the same length, another algorithm.
            (
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
                    + "-----END PUBLIC KEY-----\n", .otherAlgorithm
            ),
        ] as [(String, SigningError)]
    )
    func notKeys(text: String, error: SigningError) {
        #expect(throws: error) { try Ed25519PublicKey(pem: Array(text.utf8)) }
        #expect(throws: SigningError.self) { try Ed25519PrivateKey(pem: Array(text.utf8)) }
        #expect(Ed25519PublicKey(subjectPublicKeyInfo: Array(text.utf8)) == nil)
    }
}
