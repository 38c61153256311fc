import NetworkTypes
import PolicyEngine
import SourceDocuments

/// How TLS is ended here.
package struct InterceptionSettings: Hashable, Sendable {
    package var authority: AuthoritySource
    /// A directory that agents read: what they are to trust is written there at the start, and when the authority changes.
    ///
    /// `nil`: somebody else sees to that.
    package var publish: String?
    /// What is shown to servers that ask for a certificate.
    package var clientCertificates: [ClientCertificate] = []

    /// Where the certificate authority is.
    package enum AuthoritySource: Hashable, Sendable {
        /// A directory with `ca.pem` and `ca.key`.
        case directory(String)
        /// In memory: made at the start, and gone with the process.
        case ephemeral
    }

    /// A certificate of ours, and whom it is shown to.
    package struct ClientCertificate: Hashable, Sendable {
        package var hosts: [HostPattern]
        /// A PEM file: the certificate, and those behind it.
        package var certificate: String
        /// A PEM file with its key, not encrypted.
        package var key: String
    }
}

extension InterceptionSettings {
    static func read(_ reader: inout MappingReader) -> InterceptionSettings? {
        let authority = reader.value("authority", .required) { node, subject throws(SourceProblem) in
            if case .string("ephemeral") = node.content { return AuthoritySource.ephemeral }
            return .directory(try node.absolutePath(subject, expected: "`ephemeral` or an absolute path"))
        }
        let publish = reader.path("publish")
        let certificates = reader.mappings("client_certificates") { ClientCertificate.read(&$0) }
        guard let authority else { return nil }
        if authority == .ephemeral, publish == nil {
            reader.note(
                SourceProblem(
                    "`authority: ephemeral` without `publish`: no agent could ever trust it",
                    at: reader.location(of: "authority"),
                    remedy: "give `publish` a directory that the agent reads"
                )
            )
            return nil
        }
        if case .directory(let path) = authority, publish == path {
            reader.note(
                SourceProblem(
                    "`publish` is the authority's own directory, whose key no agent may read",
                    at: reader.location(of: "publish"),
                    remedy: "name another directory"
                )
            )
            return nil
        }
        return InterceptionSettings(authority: authority, publish: publish, clientCertificates: certificates ?? [])
    }
}

extension InterceptionSettings.ClientCertificate {
    fileprivate static func read(_ reader: inout MappingReader) -> Self? {
        let place = reader.location(of: "hosts")
        var isEmpty = true
        let hosts = reader.list("hosts", .required, of: "host patterns") { node, subject throws(SourceProblem) in
            isEmpty = false
            return try readHostPattern(node, subject, isOfRule: false)
        }
        let certificate = reader.value("certificate", .required) { node, subject throws(SourceProblem) in
            try node.absolutePath(subject)
        }
        let key = reader.value("key", .required) { node, subject throws(SourceProblem) in
            try node.absolutePath(subject)
        }
        if hosts != nil, isEmpty {
            reader.note(SourceProblem("`hosts` is empty, expected whom it is shown to", at: place))
        }
        guard let hosts, !hosts.isEmpty, let certificate, let key else { return nil }
        return Self(hosts: hosts, certificate: certificate, key: key)
    }
}
