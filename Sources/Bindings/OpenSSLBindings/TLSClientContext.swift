import COpenSSL

/// What the sessions with servers have in common: whom they trust, TLS 1.2 at least, HTTP/1.1 alone.
///
/// Several threads may use one.
@safe package final class TLSClientContext: Sendable {
    /// OpenSSL counts and guards what sessions take from it.
    nonisolated(unsafe) let context: OpaquePointer

    /// Makes a context that trusts `roots` and no other.
    ///
    /// - Throws: `.failed`.
    package init(trusting roots: [Certificate]) throws(TLSFailure) {
        let context = try unsafe TLSContext.make(TLS_client_method())
        unsafe self.context = context
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe copenssl_stop_without_certificate(context)
        unsafe copenssl_cache_sessions(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        let protocols: [UInt8] = [8] + Array("http/1.1".utf8)
        guard unsafe SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0,
            let store = unsafe SSL_CTX_get_cert_store(context)
        else { throw .failed }
        for root in roots {
            guard unsafe X509_STORE_add_cert(store, root.handle.certificate) == 1 else {
                ERR_clear_error()
                throw .failed
            }
        }
    }

    deinit { unsafe SSL_CTX_free(context) }
}
