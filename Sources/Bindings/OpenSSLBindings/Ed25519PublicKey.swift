import COpenSSL

/// A public key of Ed25519 (RFC 8032), as its SubjectPublicKeyInfo in DER (RFC 8410, section 4).
package struct Ed25519PublicKey: Hashable, Sendable {
    /// What stands before the 32 bytes of the key: there is one way only to write it.
    private static let opening: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]

    /// 44 bytes.
    package let subjectPublicKeyInfo: [UInt8]

    /// Takes a SubjectPublicKeyInfo in DER; nil where it is none of Ed25519.
    package init?(subjectPublicKeyInfo: [UInt8]) {
        guard subjectPublicKeyInfo.count == Self.opening.count + 32, subjectPublicKeyInfo.starts(with: Self.opening)
        else { return nil }
        self.subjectPublicKeyInfo = subjectPublicKeyInfo
    }

    /// Reads the first PUBLIC KEY of a PEM text.
    package init(pem text: [UInt8]) throws(SigningError) {
        let handle = try unsafe KeyHandle.reading(pem: text) { source in
            unsafe PEM_read_bio_PUBKEY(source, nil, nil, nil)
        }
        try self.init(of: handle)
    }

    /// Reads every PUBLIC KEY of a PEM text; there must be one at least.
    package static func all(pem text: [UInt8]) throws(SigningError) -> [Ed25519PublicKey] {
        let opening = Array("-----BEGIN PUBLIC KEY-----".utf8)
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let starts = lines.indices.filter { lines[$0].starts(with: opening) }
        guard !starts.isEmpty else { throw .notAKey }
        var keys: [Ed25519PublicKey] = []
        for start in starts {
            let block = lines[start...].joined(separator: [UInt8(ascii: "\n")])
            keys.append(try Ed25519PublicKey(pem: Array(block)))
        }
        return keys
    }

    /// The public half of a key.
    init(of handle: KeyHandle) throws(SigningError) {
        var raw = [UInt8](repeating: 0, count: 32)
        var count = raw.count
        guard unsafe EVP_PKEY_get_raw_public_key(handle.key, &raw, &count) == 1, count == raw.count else {
            throw .failed
        }
        subjectPublicKeyInfo = Self.opening + raw
    }

    /// The key as a PEM text.
    package func pem() throws(SigningError) -> [UInt8] {
        let handle = try self.handle()
        return try unsafe KeyHandle.collecting { unsafe PEM_write_bio_PUBKEY($0, handle.key) }
    }

    /// Whether `signature` is this key's for `message`.
    package func isValid(_ signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == 64, let handle = try? handle(), let context = unsafe EVP_MD_CTX_new() else {
            return false
        }
        defer {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, handle.key) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private func handle() throws(SigningError) -> KeyHandle {
        KeyHandle.prepare()
        let raw = Array(subjectPublicKeyInfo.dropFirst(Self.opening.count))
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count) else {
            throw .failed
        }
        return unsafe KeyHandle(adopting: key)
    }
}
