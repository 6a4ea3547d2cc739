/* A Keccak-256 sponge over nettle's permutation: nettle itself only offers FIPS 202's padding. */
#include "eth/keccak.h"

#include <nettle/sha3.h>

#include <string.h>

#define RATE_BYTES 136
#define LANE_BYTES 8

static uint64_t load_le64(const uint8_t *bytes)
{
    uint64_t lane = 0;
    for (int i = LANE_BYTES - 1; i >= 0; i--)
        lane = lane << 8 | bytes[i];
    return lane;
}

static void absorb(struct sha3_state *state, const uint8_t block[RATE_BYTES])
{
    for (size_t i = 0; i < RATE_BYTES / LANE_BYTES; i++)
        state->a[i] ^= load_le64(block + i * LANE_BYTES);
    sha3_permute(state);
}

void keccak256(const void *bytes, size_t length_bytes, struct bursar_hash *ret)
{
    struct sha3_state state = { { 0 } };
    const uint8_t *at = bytes;
    for (; length_bytes >= RATE_BYTES; at += RATE_BYTES, length_bytes -= RATE_BYTES)
        absorb(&state, at);

    uint8_t last[RATE_BYTES] = { 0 };
    if (length_bytes)
        memcpy(last, at, length_bytes);
    last[length_bytes] = 0x01; /* FIPS 202 would put 0x06 here */
    last[RATE_BYTES - 1] |= 0x80;
    absorb(&state, last);

    for (size_t i = 0; i < BURSAR_HASH_BYTES; i++)
        ret->bytes[i] = (uint8_t)(state.a[i / LANE_BYTES] >> (8 * (i % LANE_BYTES)));
    /* Inputs may be secret (a keystore's MAC key): leave nothing on the stack. */
    explicit_bzero(last, sizeof last);
    explicit_bzero(&state, sizeof state);
}
