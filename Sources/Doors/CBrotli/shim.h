// The door to libbrotlidec.
#ifndef PENSTOCK_CBROTLI_SHIM_H
#define PENSTOCK_CBROTLI_SHIM_H

#include <brotli/decode.h>

#endif
