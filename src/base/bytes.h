/* Bytes: hexadecimal text, and a growing buffer with a hard limit. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <bursar/status.h>
#include <bursar/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * length_bytes lower-case digits and a NUL. */
void hex_encode(const uint8_t *bytes, size_t length_bytes, char *ret_text);
/* Exactly 2 * length_bytes digits of either case, without "0x". */
BURSAR_MUST_CHECK bool hex_decode(const char *text, size_t text_length, uint8_t *ret_bytes, size_t length_bytes);

/* "0x" + 64 digits + NUL. */
#define HASH_TEXT_BYTES 67
void hash_to_text(const struct bursar_hash *hash, char ret[HASH_TEXT_BYTES]);
/* Needs the "0x". */
BURSAR_MUST_CHECK bool hash_from_text(const char *text, struct bursar_hash *ret);
bool hash_equal(const struct bursar_hash *a, const struct bursar_hash *b);
bool address_equal(const struct bursar_address *a, const struct bursar_address *b);

/* A buffer that grows up to limit_bytes (0: 16 MiB). Zero-initialise, free with buf_free. The data is always followed
 * by a NUL that is not counted. Appending fails (false) on the limit or lack of memory and then changes nothing. */
struct buf {
    char *data;
    size_t length_bytes;
    size_t capacity_bytes;
    size_t limit_bytes;
};
BURSAR_MUST_CHECK bool buf_append(struct buf *buf, const void *bytes, size_t length_bytes);
BURSAR_MUST_CHECK bool buf_append_text(struct buf *buf, const char *text);
BURSAR_MUST_CHECK bool buf_append_format(struct buf *buf, const char *format, ...) BURSAR_PRINTF(2, 3);
void buf_clear(struct buf *buf); /* keeps the memory */
void buf_free(struct buf *buf);  /* safe on a zeroed buffer; leaves it zeroed but for its limit */

/* Unsigned decimal text, `length` characters, no sign or space, within [minimum, maximum]. */
BURSAR_MUST_CHECK bool u64_from_text(const char *text, size_t length, uint64_t minimum, uint64_t maximum,
                                     uint64_t *ret);

/* True when every byte belongs to well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_is_valid(const char *text, size_t length_bytes);

#endif
