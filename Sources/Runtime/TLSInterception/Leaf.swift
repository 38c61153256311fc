import OpenSSLBindings

/// A server's certificate for one name, with its key, and the root that signed it.
///
/// Whoever has it keeps it: a rotation makes others, and takes none away.
package struct Leaf: Sendable {
    package let certificate: Certificate
    /// The same for all leaves of a mint.
    package let key: P256PrivateKey
    /// The root, which need not be sent: a client that trusts it has it.
    package let authority: Certificate

    /// Whether it can be shown to a client that is started now, with `margin` seconds left.
    func isFresh(at now: Int64, margin: Int64) -> Bool {
        // A root that is about to end can give no more than it has.
        let end = certificate.notAfter == authority.notAfter ? certificate.notAfter : certificate.notAfter - margin
        return certificate.notBefore <= now && now <= end
    }
}
