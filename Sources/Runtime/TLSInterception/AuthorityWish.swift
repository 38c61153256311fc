import NetworkTypes
import OpenSSLBindings

/// What somebody wants of a new authority.
package struct AuthorityWish: Hashable, Sendable {
    /// How long before its making a certificate begins, in seconds: clocks of clients may be behind.
    package static let skewSeconds: Int64 = 600
    /// What it is called unless it is told otherwise.
    package static let usualName = "Penstock egress authority"
    /// Ten years.
    package static let usualDays: Int64 = 3650

    /// The common name: 1 to 64 characters.
    package var name: String
    /// Domains for which it may sign, each with all below it; empty: every name and address.
    package var permitted: [HostName]
    package var days: Int64

    package init(name: String = usualName, permitted: [HostName] = [], days: Int64 = usualDays) {
        self.name = name
        self.permitted = permitted
        self.days = days
    }

    func root(at now: Int64) throws(AuthorityError) -> (Certificate, P256PrivateKey) {
        do throws(CertificateError) {
            let key = try P256PrivateKey()
            let description = RootDescription(
                name: name,
                permitted: permitted,
                notBefore: now - Self.skewSeconds,
                notAfter: now + days * secondsOfADay
            )
            return (try Certificate.root(description, key: key), key)
        } catch {
            throw .failed(error)
        }
    }
}

let secondsOfADay: Int64 = 86_400
