import LinuxBindings
import OpenSSLBindings

extension Authority {
    /// Makes an authority in a folder, which is made if need be (mode 0700); its parent must be there.
    ///
    /// - Throws: `.alreadyThere` where there is one, or a part of one: nothing is overwritten.
    @discardableResult
    package static func create(
        in path: String,
        _ wish: AuthorityWish,
        at now: Int64
    ) throws(AuthorityError) -> Authority {
        do throws(SystemCallError) {
            try makeDirectory(path, mode: 0o700)
        } catch {
            throw error.isMissing ? .noParent(path) : .unwritable(path, error)
        }
        let folder = try AuthorityFolder(path)
        try folder.lock()
        try folder.refuseKeyAlone()
        if try folder.status(AuthorityFolder.certificate) != nil {
            guard try folder.status(AuthorityFolder.key) != nil else { throw .certificateAlone(path) }
            throw .alreadyThere(folder.place(AuthorityFolder.certificate))
        }
        let (certificate, key) = try wish.root(at: now)
        try folder.put(certificate, key, replacing: false)
        return Authority(certificate, key: key)
    }

    /// Puts a new root, with a new key, in the place of the one that is there.
    ///
    /// It takes over the subject and the name constraints. The root before stays among those that clients are to trust.
    ///
    /// - Parameters:
    ///   - path: The folder, whose files must be this process's user's.
    ///   - days: How long the new root is valid.
    ///   - overlapDays: How long the old root, and those before it, are still to be trusted at most; 0 for no longer.
    ///   - now: Seconds since 1970-01-01T00:00:00Z.
    /// - Returns: the new authority.
    /// - Throws: why nothing was changed, or not all.
    @discardableResult
    package static func rotate(
        in path: String,
        days: Int64,
        overlapDays: Int64,
        at now: Int64
    ) throws(AuthorityError) -> Authority {
        let folder = try AuthorityFolder(path)
        try folder.lock()
        let old = try AuthorityParts(folder)
        try old.checkIsSettled()
        // The old key is not used, but who may not have it may not replace it, nor is the key of another root lost.
        guard old.certificate.belongs(to: try folder.readKey()) else { throw .mismatch(path) }
        guard old.certificate.isAuthority else { throw .notAnAuthority(folder.place(AuthorityFolder.certificate)) }
        let end = now + overlapDays * secondsOfADay
        let retired = [RetiredRoot(old.certificate, until: old.certificate.notAfter)] + old.previous
        let previous = retired.map { RetiredRoot($0.certificate, until: min($0.until, end)) }.filter { $0.until > now }
        let certificate: Certificate
        let key: P256PrivateKey
        let text: [UInt8]
        do throws(CertificateError) {
            key = try P256PrivateKey()
            certificate = try old.certificate.successor(
                notBefore: now - AuthorityWish.skewSeconds,
                notAfter: now + days * secondsOfADay,
                key: key
            )
            text = try RetiredRoot.text(of: previous)
        } catch {
            throw .failed(error)
        }
        try folder.prepare(AuthorityFolder.previous, text, mode: 0o644)
        // First: a root too many is trusted for a moment, never one too few.
        try folder.take(AuthorityFolder.previous, replacing: true)
        try folder.put(certificate, key, replacing: true)
        return Authority(certificate, key: key, previous: previous)
    }
}

extension AuthorityFolder {
    /// Writes the pair: both are on the disk before either is in its place.
    fileprivate borrowing func put(
        _ certificate: Certificate,
        _ key: P256PrivateKey,
        replacing: Bool
    ) throws(AuthorityError) {
        let texts: (key: [UInt8], certificate: [UInt8])
        do throws(CertificateError) {
            texts = (try key.pem(), try certificate.pem())
        } catch {
            throw .failed(error)
        }
        try prepare(Self.key, texts.key, mode: 0o600)
        try prepare(Self.certificate, texts.certificate, mode: 0o644)
        try take(Self.key, replacing: replacing)
        try take(Self.certificate, replacing: replacing)
    }
}
