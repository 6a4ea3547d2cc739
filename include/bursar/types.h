/* Plain values that cross every seam: addresses and 32-byte hashes. */
#ifndef BURSAR_TYPES_H
#define BURSAR_TYPES_H

#include <stdint.h>

#define BURSAR_ADDRESS_BYTES 20
#define BURSAR_HASH_BYTES 32

struct bursar_address {
    uint8_t bytes[BURSAR_ADDRESS_BYTES];
};

struct bursar_hash {
    uint8_t bytes[BURSAR_HASH_BYTES];
};

#endif
