import OpenSSLBindings

/// A root that another took over from, and that is still to be trusted for a while.
package struct RetiredRoot: Hashable, Sendable {
    package var certificate: Certificate
    /// The last second of its being trusted, since 1970-01-01T00:00:00Z.
    package var until: Int64

    package init(_ certificate: Certificate, until: Int64) {
        self.certificate = certificate
        self.until = until
    }

    /// What stands before the PEM of each; OpenSSL passes over it.
    private static let opening = "until "

    /// Reads `previous.pem`.
    static func all(in text: [UInt8]) throws(CertificateError) -> [RetiredRoot] {
        var found: [RetiredRoot] = []
        var until: Int64?
        var block: [UInt8] = []
        // One more line of that kind ends the last block.
        let lines = text.split(separator: UInt8(ascii: "\n")) + [ArraySlice(Array(opening.utf8))]
        for line in lines {
            guard line.starts(with: opening.utf8) else {
                block += line + [UInt8(ascii: "\n")]
                continue
            }
            if let until { found.append(RetiredRoot(try Certificate(pem: block), until: until)) }
            if until == nil, !block.isEmpty { throw .damaged(found.count + 1) }
            until = Int64(String(decoding: line.dropFirst(opening.utf8.count), as: UTF8.self))
            block = []
        }
        return found
    }

    /// What `previous.pem` holds.
    static func text(of roots: [RetiredRoot]) throws(CertificateError) -> [UInt8] {
        var text: [UInt8] = []
        for root in roots { text += Array("\(opening)\(root.until)\n".utf8) + (try root.certificate.pem()) }
        return text
    }
}
