import NetworkTypes
import OpenSSLBindings

/// The authority that signs leaves: a root certificate and its key.
///
/// An immutable value: a rotation is another authority. Nothing prints the key.
package struct Authority: Sendable {
    /// The root.
    package let certificate: Certificate
    /// Roots before it that are still to be trusted.
    package let previous: [RetiredRoot]
    private let key: P256PrivateKey

    init(_ certificate: Certificate, key: P256PrivateKey, previous: [RetiredRoot] = []) {
        self.certificate = certificate
        self.key = key
        self.previous = previous
    }

    /// Reads `ca.pem` and `ca.key` of a folder.
    ///
    /// - Parameters:
    ///   - path: The folder. The key in it must be its owner's alone (such as 0600), and the owner this process's user.
    ///   - now: Seconds since 1970-01-01T00:00:00Z.
    /// - Throws: what is wrong with which file.
    package init(folder path: String, at now: Int64) throws(AuthorityError) {
        let folder = try AuthorityFolder(path)
        let parts = try AuthorityParts(folder)
        try parts.check(at: now)
        let key = try folder.readKey()
        guard parts.certificate.belongs(to: key) else { throw .mismatch(path) }
        self.init(parts.certificate, key: key, previous: parts.previous.filter { $0.until >= now })
        try signTrial(at: now, folder.place(AuthorityFolder.certificate))
    }

    /// Signs a leaf that nobody gets: what cannot be signed under is known before anybody is intercepted.
    private func signTrial(at now: Int64, _ path: String) throws(AuthorityError) {
        do throws(CertificateError) {
            let name = CertifiedName.address(.v4(IPv4Address(192, 0, 2, 1)))
            _ = try leaf(for: name, notBefore: now, notAfter: now + 60, key: try P256PrivateKey())
        } catch {
            switch error {
            // It was signed; or it is the root's last second.
            case .notPermitted, .outlived: return
            case .noCertificate, .damaged, .tooMany, .noKey, .otherKey, .otherAlgorithm, .failed:
                throw .cannotSign(path, error)
            }
        }
    }

    /// Makes an authority that is in memory only: it ends with the process, and clients trust it only if they are started
    /// with its certificate.
    package static func ephemeral(_ wish: AuthorityWish, at now: Int64) throws(AuthorityError) -> Authority {
        let (certificate, key) = try wish.root(at: now)
        return Authority(certificate, key: key)
    }

    /// Signs a leaf.
    ///
    /// - Parameters:
    ///   - name: What it stands for.
    ///   - start: The first second of its time.
    ///   - end: The last; cut to the root's own.
    ///   - leafKey: The key of the leaf.
    /// - Returns: the certificate of the leaf.
    /// - Throws: `.notPermitted`, `.outlived`, `.failed`.
    package func leaf(
        for name: CertifiedName,
        notBefore start: Int64,
        notAfter end: Int64,
        key leafKey: P256PrivateKey
    ) throws(CertificateError) -> Certificate {
        try certificate.leaf(for: name, notBefore: start, notAfter: end, key: leafKey, signedWith: key)
    }
}
