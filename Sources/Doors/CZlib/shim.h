// The door to zlib.
#ifndef PENSTOCK_CZLIB_SHIM_H
#define PENSTOCK_CZLIB_SHIM_H

#include <zlib.h>

// Stands for the macro inflateInit2, which takes the library's version and the size of its stream along.
static inline int cz_inflate_init(z_streamp stream, int window_bits) { return inflateInit2(stream, window_bits); }

#endif
