import OpenSSLBindings

/// What of an authority is no secret: the root and those before it.
package struct AuthorityParts: Sendable {
    package let certificate: Certificate
    package let previous: [RetiredRoot]
    private let path: String
    /// The new root is not in its place: a rotation was cut off, or is under way.
    private let unsettled: AuthorityError?

    /// Reads the certificates of a folder, and not the key.
    package init(folder path: String) throws(AuthorityError) {
        try self.init(AuthorityFolder(path, forReading: true))
    }

    init(_ folder: borrowing AuthorityFolder) throws(AuthorityError) {
        path = folder.place(AuthorityFolder.certificate)
        try folder.refuseKeyAlone()
        unsettled = try folder.unsettled
        let bytes = try folder.read(AuthorityFolder.certificate)
        do throws(CertificateError) {
            certificate = try Certificate(pem: bytes)
        } catch {
            throw .badCertificate(path, error)
        }
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
    /// - Throws: `.cutOff`; `.inUse` while somebody is at it.
    package func checkIsSettled() throws(AuthorityError) {
        if let unsettled { throw unsettled }
    }

    /// What clients are to trust now: the root, then those before it whose time is not over.
    package func trusted(at now: Int64) -> [Certificate] {
        [certificate] + previous.filter { $0.until >= now }.map(\.certificate)
    }
}
