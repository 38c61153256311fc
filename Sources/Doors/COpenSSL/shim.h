// The door to OpenSSL. Only libcrypto so far: digests.
#ifndef PENSTOCK_COPENSSL_SHIM_H
#define PENSTOCK_COPENSSL_SHIM_H

#include <openssl/err.h>
#include <openssl/evp.h>

#endif
