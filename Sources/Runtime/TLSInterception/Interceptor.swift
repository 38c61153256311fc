import EventLoops
import LinuxBindings
import OpenSSLBindings

/// What clients' TLS is ended with.
///
/// All workers share one; any thread may use it.
package final class Interceptor: Sendable {
    package let mint: LeafMint
    private let serving: TLSServerContext

    /// - Parameter mint: Makes what clients are shown.
    /// - Throws: `.failed`.
    package init(_ mint: LeafMint) throws(TLSFailure) {
        self.mint = mint
        serving = try TLSServerContext()
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
}
