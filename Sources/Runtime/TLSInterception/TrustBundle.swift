import OpenSSLBindings

/// What clients are given to trust, in the forms that they read.
///
/// Nothing in it is secret.
package struct TrustBundle: Sendable {
    /// Ours alone, for variables that add to a client's own roots.
    package static let added = "ca.pem"
    /// The system's roots and ours, for variables that take the place of a client's own.
    package static let whole = "bundle.pem"
    /// The same for Java, whose trust store takes the place of its own.
    package static let java = "truststore.p12"
    /// Java's custom; there is nothing to keep secret.
    package static let javaPassword = "changeit"

    /// The files with their contents, by name.
    package let files: [(name: String, bytes: [UInt8])]

    /// Puts together what is to be trusted.
    ///
    /// - Parameters:
    ///   - ours: The authority's roots.
    ///   - system: Those of the machine.
    /// - Throws: `.failed`.
    package init(ours: [Certificate], system: [Certificate]) throws(CertificateError) {
        let others = system.filter { !ours.contains($0) }
        var added: [UInt8] = []
        for certificate in ours { added += try certificate.pem() }
        var whole = added
        for certificate in others { whole += try certificate.pem() }
        // Numbered: Java tells entries apart by their names, and no two may be the same.
        let entries =
            ours.enumerated().map { ("penstock-\($0 + 1)", $1) } + others.enumerated().map { ("system-\($0 + 1)", $1) }
        files = [
            (Self.added, added), (Self.whole, whole),
            (
                Self.java,
                try TrustStore.pkcs12(entries.map { (alias: $0.0, certificate: $0.1) }, password: Self.javaPassword)
            ),
        ]
    }
}
