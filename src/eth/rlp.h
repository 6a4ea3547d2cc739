/* RLP, Ethereum's serialisation: appending items to a buffer, and a strict reader that walks without recursion. Pure.
 */
#ifndef ETH_RLP_H
#define ETH_RLP_H

#include "base/bytes.h"

#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest header: one byte and eight of length. */
#define RLP_HEADER_MAX_BYTES 9

/* All append functions return false when `out` is at its limit or memory is short. */
BURSAR_MUST_CHECK bool rlp_append_string(struct buf *out, const uint8_t *bytes, size_t length_bytes);
/* An unsigned integer: the string of its big-endian bytes without leading zeros (0 is the empty string). */
BURSAR_MUST_CHECK bool rlp_append_u64(struct buf *out, uint64_t value);
BURSAR_MUST_CHECK bool rlp_append_integer(struct buf *out, const uint8_t *big_endian, size_t length_bytes);
/* A list's header; the `payload_bytes` of its items follow. */
BURSAR_MUST_CHECK bool rlp_append_list_header(struct buf *out, size_t payload_bytes);

/* What is left to read of a list's items (or of a whole input). Borrows the bytes. */
struct rlp_reader {
    const uint8_t *at;
    size_t left_bytes;
};

/* Each reads the next item and moves on. False, and nothing moved or written, when it is cut short, not of that kind,
 * or not in the one canonical form (a longer header than needed, an integer with leading zeros). */
BURSAR_MUST_CHECK bool rlp_read_string(struct rlp_reader *reader, const uint8_t **ret, size_t *ret_bytes);
BURSAR_MUST_CHECK bool rlp_read_list(struct rlp_reader *reader, struct rlp_reader *ret_items);
BURSAR_MUST_CHECK bool rlp_read_u64(struct rlp_reader *reader, uint64_t *ret);
/* A string of exactly `length_bytes`. */
BURSAR_MUST_CHECK bool rlp_read_fixed(struct rlp_reader *reader, uint8_t *ret, size_t length_bytes);
/* An integer of at most `length_bytes`, padded on the left with zeros. */
BURSAR_MUST_CHECK bool rlp_read_integer(struct rlp_reader *reader, uint8_t *ret, size_t length_bytes);

#endif
