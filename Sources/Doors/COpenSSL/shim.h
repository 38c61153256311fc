// The door to OpenSSL. Only libcrypto so far: SHA-256 and Ed25519.
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

#endif
