import COpenSSL
import NetworkTypes

/// What a new root is to say of itself.
package struct RootDescription: Hashable, Sendable {
    /// The common name: 1 to 64 characters.
    package var name: String
    /// Each stands for itself and everything below it; empty: any name and any address.
    package var permitted: [HostName]
    /// The first second of its time, since 1970-01-01T00:00:00Z.
    package var notBefore: Int64
    /// The last second of its time.
    package var notAfter: Int64

    package init(name: String, permitted: [HostName] = [], notBefore: Int64, notAfter: Int64) {
        self.name = name
        self.permitted = permitted
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

extension Certificate {
    /// The longest common name, in characters (`ub-common-name`, RFC 5280, appendix A).
    package static let commonNameLimit = 64

    /// Makes a root: self-signed, CA:TRUE, no authority below it, for signing certificates only.
    ///
    /// With permitted domains, addresses are excluded: constraints of one form of name say nothing of the other.
    package static func root(
        _ description: RootDescription,
        key: P256PrivateKey
    ) throws(CertificateError) -> Certificate {
        let draft = try CertificateDraft(
            validFrom: description.notBefore,
            through: description.notAfter,
            for: key
        )
        try draft.setSubject("CN", description.name)
        if !description.permitted.isEmpty {
            let names = description.permitted.map { "permitted;DNS:\($0.text)" }
            let addresses = [
                "excluded;IP:0.0.0.0/0.0.0.0", "excluded;IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
            ]
            try draft.add(NID_name_constraints, (["critical"] + names + addresses).joined(separator: ","))
        }
        return try draft.signedAsRoot(with: key)
    }

    /// Makes a root that takes over from this one: its subject and its name constraints, another key and another time.
    package func successor(
        notBefore: Int64,
        notAfter: Int64,
        key: P256PrivateKey
    ) throws(CertificateError) -> Certificate {
        let draft = try CertificateDraft(validFrom: notBefore, through: notAfter, for: key)
        try draft.takeSubject(of: self)
        try draft.takeExtension(NID_name_constraints, of: self)
        return try draft.signedAsRoot(with: key)
    }

    /// Signs a server's certificate with this authority.
    ///
    /// - Parameters:
    ///   - name: Its one subject alternative name.
    ///   - start: The first second of its time; not before the authority's own.
    ///   - end: The last second of its time; cut to the authority's own.
    ///   - key: The server's.
    ///   - authorityKey: The key of this certificate.
    /// - Returns: the certificate, signed.
    /// - Throws: `.notPermitted`, `.outlived`, `.failed`.
    package func leaf(
        for name: CertifiedName,
        notBefore start: Int64,
        notAfter end: Int64,
        key: P256PrivateKey,
        signedWith authorityKey: P256PrivateKey
    ) throws(CertificateError) -> Certificate {
        let start = max(start, notBefore)
        let end = min(end, notAfter)
        guard start < end else { throw .outlived }
        let draft = try CertificateDraft(validFrom: start, through: end, for: key)
        let commonName = name.commonName
        try draft.setSubject(commonName == nil ? "O" : "CN", commonName ?? "Penstock")
        try draft.add(NID_basic_constraints, "critical,CA:FALSE")
        try draft.add(NID_key_usage, "critical,digitalSignature")
        try draft.add(NID_ext_key_usage, "serverAuth")
        try draft.add(NID_subject_alt_name, name.extensionValue)
        if hasKeyIdentifier { try draft.add(NID_authority_key_identifier, "keyid:always", issuer: self) }
        let leaf = try draft.sign(by: self, with: authorityKey)
        guard try leaf.isPermitted(by: self) else { throw .notPermitted }
        return leaf
    }
}

extension CertifiedName {
    /// The subject is for people: clients compare the alternative name (RFC 9525, section 6.3).
    ///
    /// But OpenSSL holds a common name of a leaf without a DNS name against the name constraints for DNS, an address too.
    fileprivate var commonName: String? {
        switch self {
        case .host(let name): name.text.utf8.count <= Certificate.commonNameLimit ? name.text : nil
        case .address: nil
        }
    }
}

extension CertificateDraft {
    fileprivate func signedAsRoot(with key: P256PrivateKey) throws(CertificateError) -> Certificate {
        try add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        try add(NID_key_usage, "critical,keyCertSign,cRLSign")
        try add(NID_subject_key_identifier, "hash")
        return try sign(by: nil, with: key)
    }
}
