// The door to libzstd.
#ifndef PENSTOCK_CZSTD_SHIM_H
#define PENSTOCK_CZSTD_SHIM_H

#include <zstd.h>
#include <zstd_errors.h>

#endif
