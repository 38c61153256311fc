import COpenSSL

/// What a server gave to go on with where a session before left off, without a handshake in full.
///
/// Good for the server that gave it and for nobody else.
@safe package final class TLSTicket: Sendable {
    /// OpenSSL counts who has one.
    nonisolated(unsafe) let session: OpaquePointer

    /// Takes over a session that nobody else will free.
    init(adopting session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }
}
