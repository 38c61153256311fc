import EventLoops
import LinuxBindings
import NetworkTypes
import OpenSSLBindings

/// What TLS is ended with on both sides.
///
/// All workers share one; any thread may use it.
package final class Interceptor: Sendable {
    package let mint: LeafMint
    private let serving: TLSServerContext
    private let asking: TLSClientContext
    private let identities: [ClientIdentity]

    /// - Parameters:
    ///   - mint: Makes what clients are shown.
    ///   - roots: The authorities that upstream certificates are verified by.
    ///   - identities: What is shown to servers that ask for a certificate; the first that is for the host.
    /// - Throws: `.failed`.
    package init(_ mint: LeafMint, trusting roots: [Certificate], identities: [ClientIdentity]) throws(TLSFailure) {
        self.mint = mint
        self.identities = identities
        serving = try TLSServerContext()
        asking = try TLSClientContext(trusting: roots)
    }

    /// Has a client's socket speak TLS with us in the place of `name`; `unread` was read from it before.
    package func serve(
        _ name: CertifiedName,
        _ leaf: Leaf,
        _ socket: StreamSocket,
        unread: [UInt8]
    ) throws(LeafMintError) -> TLSCipher {
        do throws(TLSFailure) {
            let session = try TLSSession(
                serving: serving,
                showing: leaf.certificate,
                key: leaf.key,
                // Tickets are good for the name that they were given for, and under the root of then.
                scope: SHA256Digest(of: Array("\(name) ".utf8 + leaf.authority.der).span).bytes,
                socket: socket.descriptor.number,
                sending: socket.outlet,
                unread: unread
            )
            return TLSCipher(session)
        } catch {
            throw .failed
        }
    }

    /// Has an upstream's socket speak TLS, inside that of a proxy where it speaks TLS already; the certificate that it shows has
    /// to be whom `terms` name.
    package func ask(
        _ terms: UpstreamTLSTerms,
        ticket: TLSTicket?,
        _ socket: StreamSocket
    ) throws(TLSFailure) -> TLSCipher {
        let session = try TLSSession(
            asking: asking,
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

    package init(_ name: CertifiedName, port: UInt16, oldest: OldestTLS) {
        self.name = name
        self.port = port
        self.oldest = oldest
    }
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
