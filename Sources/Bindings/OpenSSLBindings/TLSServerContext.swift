import COpenSSL

/// What the sessions with clients have in common: TLS 1.2 at least, HTTP/1.1 alone, tickets to resume by.
///
/// Several threads may use one. The key of the tickets is made with it and never leaves it.
@safe package final class TLSServerContext: Sendable {
    /// OpenSSL counts and guards what sessions take from it.
    nonisolated(unsafe) let context: OpaquePointer

    /// - Throws: `.failed`.
    package init() throws(TLSFailure) {
        let context = try unsafe TLSContext.make(TLS_server_method())
        unsafe SSL_CTX_set_options(context, copenssl_server_options)
        unsafe copenssl_choose_protocol(context)
        // Sessions are kept by the clients, in tickets; each costs a message, and one is enough.
        unsafe copenssl_cache_sessions(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, 1)
        unsafe self.context = context
    }

    deinit { unsafe SSL_CTX_free(context) }
}

enum TLSContext {
    /// A context with what holds for both sides; whoever asked for it frees it.
    static func make(_ method: OpaquePointer?) throws(TLSFailure) -> OpaquePointer {
        KeyHandle.prepare()
        OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_SSL_STRINGS), nil)
        guard let context = unsafe SSL_CTX_new(method) else {
            ERR_clear_error()
            throw .failed
        }
        guard unsafe copenssl_set_oldest(context, TLS1_2_VERSION) == 1 else {
            unsafe SSL_CTX_free(context)
            throw .failed
        }
        unsafe SSL_CTX_set_options(context, copenssl_common_options)
        // 112 bits and SHA-2 at least, whatever the distribution's OpenSSL was built with.
        unsafe SSL_CTX_set_security_level(context, 2)
        unsafe copenssl_set_mode(context, copenssl_modes)
        unsafe copenssl_read_ahead(context)
        return unsafe context
    }
}
