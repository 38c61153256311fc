import LinuxBindings
import OpenSSLBindings

/// The roots that this machine trusts, as distributions write them: one PEM file.
package enum SystemRoots {
    /// Where they are looked for, in this order: Debian and Alpine, Fedora, openSUSE, the BSDs and Alpine again.
    package static let places = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ]
    /// Distributions have some 150.
    private static let countLimit = 4096
    private static let byteLimit = 16 << 20

    /// The first of the places that is there; nil: this machine has no roots.
    package static func place() -> String? { places.first { (try? openForReading($0)) != nil } }

    /// Reads the certificates of a PEM file, each once, in their order.
    package static func read(_ path: String) throws(AuthorityError) -> [Certificate] {
        try certificates(of: try text(path), from: path)
    }

    /// What a PEM file holds.
    package static func text(_ path: String) throws(AuthorityError) -> [UInt8] {
        do throws(SystemCallError) {
            return try readFile(path, limit: byteLimit)
        } catch {
            throw error.isMissing ? .noRoots(path) : error.isTooLarge ? .tooLarge(path) : .unreadable(path, error)
        }
    }

    /// The certificates of what was read from a file, each once, in their order.
    package static func certificates(of text: [UInt8], from path: String) throws(AuthorityError) -> [Certificate] {
        do throws(CertificateError) {
            var seen: Set<Certificate> = []
            return try Certificate.all(pem: text, limit: countLimit).filter { seen.insert($0).inserted }
        } catch {
            throw .badCertificate(path, error)
        }
    }
}
