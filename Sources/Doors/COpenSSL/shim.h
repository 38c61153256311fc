// The door to OpenSSL: SHA-256, Ed25519, certificates under P-256, and TLS.
#ifndef PENSTOCK_COPENSSL_SHIM_H
#define PENSTOCK_COPENSSL_SHIM_H

// The SHA256_ functions are the ones that EVP calls underneath. EVP would first load the provider machinery and the
// configuration file: 1.9 MiB more that stays resident, a lock at each start of a digest, and OPENSSL_CONF to be steered by.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

// Ed25519 is to be had through EVP only. OPENSSL_INIT_NO_LOAD_CONFIG keeps the configuration file out.
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

// Certificates, and PKCS#12, in which Java reads a trust store.
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include <openssl/ssl.h>

// EVP_EC_gen is a macro over a function with variable arguments.
static inline EVP_PKEY *copenssl_generate_p256(void) { return EVP_EC_gen("P-256"); }

// A macro over other macros.
static const unsigned long copenssl_rfc2253 = XN_FLAG_RFC2253;

// These are macros that cast.
static inline void copenssl_free_bags(STACK_OF(PKCS12_SAFEBAG) *bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
static inline void copenssl_free_safes(STACK_OF(PKCS7) *safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }

// Macros over the functions that control a context or a session.
static inline int copenssl_set_oldest(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}
static inline int copenssl_set_oldest_of(SSL *session, int version) {
    return SSL_set_min_proto_version(session, version);
}
static inline void copenssl_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void copenssl_cache_sessions(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}
// A record's header has come, and not all of the rest.
static inline int copenssl_is_within_record(const SSL *session) { return SSL_rstate_string(session)[1] != 'H'; }
static inline void copenssl_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }
static inline int copenssl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
static inline int copenssl_set_curves(SSL_CTX *context, const char *names) {
    return (int)SSL_CTX_set1_groups_list(context, names);
}
static inline int copenssl_use_chain(SSL *session, X509 *authority) {
    return (int)SSL_add1_chain_cert(session, authority);
}
// What is spoken inside, as ALPN lists it, what is wanted most first. A client that offers others alone is told so (RFC 7301, section 3.2).
static inline int copenssl_choose_http1(SSL *session, const unsigned char **chosen, unsigned char *length,
                                        const unsigned char *offered, unsigned int count, void *nothing) {
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    (void)session;
    (void)nothing;
    return SSL_select_next_proto((unsigned char **)chosen, length, ours, sizeof ours - 1, offered, count) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}
static inline void copenssl_choose_protocol(SSL_CTX *context) {
    SSL_CTX_set_alpn_select_cb(context, copenssl_choose_http1, NULL);
}
// Stops a handshake in which the server asks for a certificate and there is none: SSL_ERROR_WANT_X509_LOOKUP.
static inline int copenssl_has_no_certificate(SSL *session, X509 **certificate, EVP_PKEY **key) {
    (void)session;
    (void)certificate;
    (void)key;
    return -1;
}
static inline void copenssl_stop_without_certificate(SSL_CTX *context) {
    SSL_CTX_set_client_cert_cb(context, copenssl_has_no_certificate);
}
// Constants that are macros with casts.
static const uint64_t copenssl_common_options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
static const uint64_t copenssl_server_options = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
static const long copenssl_modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER;

// Before 3.0.14, 3.1.6, 3.2.2 and 3.3.1, SSL_free_buffers freed what a session still read from (CVE-2024-4741).
static inline int copenssl_can_free_buffers(unsigned long version) {
    unsigned long minor = version >> 20 & 0xff, patch = version >> 4 & 0xff;
    static const unsigned long sound[] = {14, 6, 2, 1};
    if (version >> 28 != 3) return version >> 28 > 3;
    return minor > 3 || patch >= sound[minor];
}

#endif
