/* Keccak-256 as Ethereum uses it: the original padding (0x01), not FIPS 202's. */
#ifndef ETH_KECCAK_H
#define ETH_KECCAK_H

#include <bursar/types.h>

#include <stddef.h>
#include <stdint.h>

void keccak256(const void *bytes, size_t length_bytes, struct bursar_hash *ret);

#endif
