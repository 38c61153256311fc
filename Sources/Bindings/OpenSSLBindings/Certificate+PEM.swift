import COpenSSL

extension Certificate {
    private static let opening = Array("-----BEGIN CERTIFICATE-----".utf8)

    /// Reads the first certificate of a PEM text.
    package init(pem text: [UInt8]) throws(CertificateError) {
        guard let first = try Self.all(pem: Self.firstBlock(of: text), limit: 1).first else { throw .noCertificate }
        self = first
    }

    /// Reads every certificate of a PEM text, such as a system's roots; what stands between them is passed over.
    ///
    /// - Parameters:
    ///   - text: There must be one at least, and each must be whole.
    ///   - limit: The most certificates.
    /// - Returns: them, in their order.
    /// - Throws: `.noCertificate`, `.tooMany`, `.damaged`.
    package static func all(pem text: [UInt8], limit: Int) throws(CertificateError) -> [Certificate] {
        KeyHandle.prepare()
        defer { ERR_clear_error() }
        let blocks = blocks(of: text)
        guard !blocks.isEmpty else { throw .noCertificate }
        guard blocks.count <= limit else { throw .tooMany(limit) }
        var found: [Certificate] = []
        for block in blocks {
            guard let handle = CertificateHandle(block: block) else { throw .damaged(found.count + 1) }
            found.append(try Certificate(handle))
        }
        return found
    }

    /// The certificate as a PEM text.
    package func pem() throws(CertificateError) -> [UInt8] {
        do throws(SigningError) {
            return try unsafe KeyHandle.collecting { unsafe PEM_write_bio_X509($0, handle.certificate) }
        } catch {
            throw .failed
        }
    }

    private static func firstBlock(of text: [UInt8]) -> [UInt8] { blocks(of: text).first ?? [] }

    /// From each opening line to the next.
    private static func blocks(of text: [UInt8]) -> [[UInt8]] {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let starts = lines.indices.filter { lines[$0].starts(with: opening) }
        let ends = starts.dropFirst() + [lines.endIndex]
        return zip(starts, ends).map { Array(lines[$0..<$1].joined(separator: [UInt8(ascii: "\n")])) }
    }
}

extension CertificateHandle {
    /// Reads one PEM block.
    fileprivate convenience init?(block: [UInt8]) {
        let found = unsafe block.withUnsafeBytes { bytes in
            unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)).flatMap { source in
                defer { unsafe BIO_free(source) }
                return unsafe PEM_read_bio_X509(source, nil, { _, _, _, _ in -1 }, nil)
            }
        }
        guard let found = unsafe found else { return nil }
        unsafe self.init(adopting: found)
    }
}
