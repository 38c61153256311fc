// The door to OpenSSL. Only libcrypto so far: SHA-256, Ed25519, and certificates under P-256.
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

// EVP_EC_gen is a macro over a function with variable arguments.
static inline EVP_PKEY *copenssl_generate_p256(void) { return EVP_EC_gen("P-256"); }

// A macro over other macros.
static const unsigned long copenssl_rfc2253 = XN_FLAG_RFC2253;

// These are macros that cast.
static inline void copenssl_free_bags(STACK_OF(PKCS12_SAFEBAG) *bags) {
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
static inline void copenssl_free_safes(STACK_OF(PKCS7) *safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }

#endif
