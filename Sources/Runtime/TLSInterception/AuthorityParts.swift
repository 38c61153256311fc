import OpenSSLBindings

/// What of an authority is no secret: the root and those before it.
package struct AuthorityParts: Sendable {
    package let certificate: Certificate
    package let previous: [RetiredRoot]
    private let path: String
    /// A rotation was cut off: the new root is not in its place.
    private let isCutOff: Bool

    /// Reads the certificates of a folder, and not the key.
    package init(folder path: String) throws(AuthorityError) {
        try self.init(AuthorityFolder(path))
    }

    init(_ folder: borrowing AuthorityFolder) throws(AuthorityError) {
        path = folder.place(AuthorityFolder.certificate)
        try folder.refuseKeyAlone()
        let bytes = try folder.read(AuthorityFolder.certificate)
        do throws(CertificateError) {
            certificate = try Certificate(pem: bytes)
        } catch {
            throw .badCertificate(path, error)
        }
        isCutOff = try folder.status(AuthorityFolder.certificate + AuthorityFolder.part) != nil
        let before = try folder.readIfThere(AuthorityFolder.previous)
        do throws(CertificateError) {
            previous = try before.map(RetiredRoot.all) ?? []
        } catch {
            throw .badCertificate(folder.place(AuthorityFolder.previous), error)
        }
    }

    /// Whether it can be used as an authority now.
    ///
    /// - Parameter now: Seconds since 1970-01-01T00:00:00Z.
    /// - Throws: what keeps it from that.
    package func check(at now: Int64) throws(AuthorityError) {
        guard certificate.isAuthority else { throw .notAnAuthority(path) }
        guard certificate.isForServers else { throw .notForServers(path) }
        guard certificate.isSelfSigned else { throw .notARoot(path) }
        guard certificate.notAfter >= now else { throw .expired(path, certificate.notAfter) }
        guard certificate.notBefore <= now else { throw .notYetValid(path, certificate.notBefore) }
    }

    /// Whether what agents are given of it can be written: another root may be about to take its place.
    ///
    /// - Throws: `.cutOff`.
    package func checkIsSettled() throws(AuthorityError) {
        guard !isCutOff else { throw .cutOff(path) }
    }

    /// What clients are to trust now: the root, then those before it whose time is not over.
    package func trusted(at now: Int64) -> [Certificate] {
        [certificate] + previous.filter { $0.until >= now }.map(\.certificate)
    }
}
