// The door to libbrotlidec.
#ifndef PENSTOCK_CBROTLI_SHIM_H
#define PENSTOCK_CBROTLI_SHIM_H

#include <brotli/decode.h>
#include <malloc.h>
#include <stdlib.h>

// Allocation that counts, in octets, at `count`.
static inline void *cbrotli_allocate(void *count, size_t size) {
    void *place = malloc(size);
    *(long *)count += (long)malloc_usable_size(place);
    return place;
}
static inline void cbrotli_free(void *count, void *place) {
    *(long *)count -= (long)malloc_usable_size(place);
    free(place);
}

#endif
