import EventLoops
import LinuxBindings
import NetworkTypes
import OpenSSLBindings

/// What TLS with servers is begun with: whom they are verified by, and what those are shown that ask.
///
/// It is made of files, and does not change: others in their place make another one. Any thread may use it.
package final class UpstreamTLS: Sendable {
    /// Grows with each that takes the place of another.
    package let number: UInt64
    private let source: [SHA256Digest]
    private let context: TLSClientContext
    private let identities: [ClientIdentity]

    /// - Parameters:
    ///   - roots: The authorities that certificates of servers are verified by.
    ///   - identities: What is shown to servers that ask for a certificate; the first that is for the host.
    ///   - source: The hashes of the files that it is made of.
    ///   - before: Whose place it takes.
    /// - Throws: `.failed`.
    package init(
        trusting roots: [Certificate],
        identities: [ClientIdentity],
        source: [SHA256Digest],
        after before: UpstreamTLS?
    ) throws(TLSFailure) {
        self.identities = identities
        self.source = source
        number = (before?.number ?? 0) + 1
        context = try TLSClientContext(trusting: roots)
    }

    /// True where it is made of files that hold the same.
    package func isMade(of source: [SHA256Digest]) -> Bool { self.source == source }

    /// The terms of TLS with a server.
    package func terms(for name: CertifiedName, port: UInt16, oldest: OldestTLS) -> UpstreamTLSTerms {
        UpstreamTLSTerms(name: name, port: port, oldest: oldest, number: number)
    }

    /// Has an upstream's socket speak TLS, inside that of a proxy where it speaks TLS already; the certificate that it shows has
    /// to be whom `terms` name.
    package func ask(
        _ terms: UpstreamTLSTerms,
        ticket: TLSTicket?,
        _ socket: StreamSocket
    ) throws(TLSFailure) -> TLSCipher {
        let session = try TLSSession(
            asking: context,
            terms.name,
            oldest: terms.oldest,
            identity: identities.first { $0.isFor(terms.name) }?.identity,
            ticket: ticket,
            socket: socket.descriptor.number,
            sending: socket.outlet,
            inside: (socket.cipher as? TLSCipher)?.session
        )
        return TLSCipher(session)
    }
}

/// Under what terms an upstream is spoken to in TLS: sessions under the same can be gone on with.
package struct UpstreamTLSTerms: Hashable, Sendable {
    /// Whom its certificate has to stand for.
    package let name: CertifiedName
    package let port: UInt16
    /// The oldest version that is taken.
    package let oldest: OldestTLS
    /// Whose terms they are: nobody is trusted by what has lost its place.
    package let number: UInt64
}

/// A certificate of ours, and the hosts that it is shown to.
package struct ClientIdentity: Sendable {
    package let hosts: [HostPattern]
    package let identity: TLSIdentity

    package init(hosts: [HostPattern], identity: TLSIdentity) {
        self.hosts = hosts
        self.identity = identity
    }

    func isFor(_ name: CertifiedName) -> Bool {
        switch name {
        case .host(let host): hosts.contains { $0.matches(host) }
        case .address: false
        }
    }
}
