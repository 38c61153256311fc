import EventLoops
import LinuxBindings
import NetworkTypes
import OpenSSLBindings

/// How a proxy that leads out is spoken to in TLS.
///
/// Any thread may use it.
package struct ProxyTLS: Sendable {
    /// Whom its certificate has to stand for.
    package let name: CertifiedName
    private let context: TLSClientContext

    /// - Parameters:
    ///   - name: Whom the proxy's certificate has to stand for.
    ///   - roots: The authorities that it is verified by.
    /// - Throws: `.failed`.
    package init(_ name: CertifiedName, trusting roots: [Certificate]) throws(TLSFailure) {
        self.name = name
        context = try TLSClientContext(trusting: roots)
    }

    /// Has a proxy's socket speak TLS.
    package func ask(_ socket: StreamSocket) throws(TLSFailure) -> TLSCipher {
        TLSCipher(
            try TLSSession(
                asking: context,
                name,
                oldest: .tls12,
                identity: nil,
                ticket: nil,
                socket: socket.descriptor.number,
                sending: socket.outlet
            )
        )
    }
}
