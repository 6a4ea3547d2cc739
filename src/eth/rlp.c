/* RLP encoding and strict decoding. Every value has exactly one accepted form, so that decode and encode are inverse.
 */
#include "eth/rlp.h"

#include <string.h>

#define STRING_OFFSET 0x80u /* 0x80 + length, then the bytes */
#define LIST_OFFSET 0xc0u   /* 0xc0 + length, then the items */
#define SHORT_MAX_BYTES 55  /* longer: offset + 55 + length of length, then the length, big-endian */

static size_t big_endian(uint64_t value, uint8_t ret[8])
{
    size_t count = 0;
    for (int shift = 56; shift >= 0; shift -= 8) {
        if (count || value >> shift)
            ret[count++] = (uint8_t)(value >> shift);
    }
    return count;
}

static bool append_header(struct buf *out, unsigned offset, size_t length_bytes)
{
    uint8_t header[RLP_HEADER_MAX_BYTES];
    if (length_bytes <= SHORT_MAX_BYTES) {
        header[0] = (uint8_t)(offset + length_bytes);
        return buf_append(out, header, 1);
    }
    size_t count = big_endian(length_bytes, header + 1);
    header[0] = (uint8_t)(offset + SHORT_MAX_BYTES + count);
    return buf_append(out, header, 1 + count);
}

bool rlp_append_string(struct buf *out, const uint8_t *bytes, size_t length_bytes)
{
    if (length_bytes == 1 && bytes[0] < STRING_OFFSET)
        return buf_append(out, bytes, 1);
    return append_header(out, STRING_OFFSET, length_bytes) && buf_append(out, bytes, length_bytes);
}

bool rlp_append_u64(struct buf *out, uint64_t value)
{
    uint8_t bytes[8];
    return rlp_append_string(out, bytes, big_endian(value, bytes));
}

bool rlp_append_integer(struct buf *out, const uint8_t *bytes, size_t length_bytes)
{
    while (length_bytes && bytes[0] == 0) {
        bytes++;
        length_bytes--;
    }
    return rlp_append_string(out, bytes, length_bytes);
}

bool rlp_append_list_header(struct buf *out, size_t payload_bytes)
{
    return append_header(out, LIST_OFFSET, payload_bytes);
}

/* The length that `count` bytes spell; false unless it needs the long form and is written without leading zeros. */
static bool read_long_length(const struct rlp_reader *reader, size_t count, size_t *ret)
{
    if (count > sizeof *ret || reader->left_bytes < 1 + count || reader->at[1] == 0)
        return false;
    size_t length = 0;
    for (size_t i = 1; i <= count; i++)
        length = length << 8 | reader->at[i];
    if (length <= SHORT_MAX_BYTES)
        return false;
    *ret = length;
    return true;
}

/* Reads an item whose header starts at `offset` (string or list), but for single bytes. */
static bool read_item(struct rlp_reader *reader, unsigned offset, const uint8_t **ret, size_t *ret_bytes)
{
    if (reader->left_bytes == 0 || reader->at[0] < offset || reader->at[0] > offset + 63)
        return false;
    size_t header_bytes = 1, length = reader->at[0] - offset;
    if (length > SHORT_MAX_BYTES) {
        size_t count = length - SHORT_MAX_BYTES;
        if (!read_long_length(reader, count, &length))
            return false;
        header_bytes += count;
    }
    if (length > reader->left_bytes - header_bytes)
        return false;
    *ret = reader->at + header_bytes;
    *ret_bytes = length;
    reader->at += header_bytes + length;
    reader->left_bytes -= header_bytes + length;
    return true;
}

bool rlp_read_string(struct rlp_reader *reader, const uint8_t **ret, size_t *ret_bytes)
{
    if (reader->left_bytes == 0)
        return false;
    if (reader->at[0] < STRING_OFFSET) {
        *ret = reader->at++;
        *ret_bytes = 1;
        reader->left_bytes--;
        return true;
    }
    struct rlp_reader next = *reader;
    const uint8_t *bytes;
    size_t length;
    if (!read_item(&next, STRING_OFFSET, &bytes, &length))
        return false;
    if (length == 1 && bytes[0] < STRING_OFFSET) /* is its own encoding, without a header */
        return false;
    *reader = next;
    *ret = bytes;
    *ret_bytes = length;
    return true;
}

bool rlp_read_list(struct rlp_reader *reader, struct rlp_reader *ret_items)
{
    return read_item(reader, LIST_OFFSET, &ret_items->at, &ret_items->left_bytes);
}

bool rlp_read_fixed(struct rlp_reader *reader, uint8_t *ret, size_t length_bytes)
{
    struct rlp_reader next = *reader;
    const uint8_t *bytes;
    size_t length;
    if (!rlp_read_string(&next, &bytes, &length) || length != length_bytes)
        return false;
    if (length)
        memcpy(ret, bytes, length);
    *reader = next;
    return true;
}

bool rlp_read_integer(struct rlp_reader *reader, uint8_t *ret, size_t length_bytes)
{
    struct rlp_reader next = *reader;
    const uint8_t *bytes;
    size_t length;
    if (!rlp_read_string(&next, &bytes, &length) || length > length_bytes || (length && bytes[0] == 0))
        return false;
    memset(ret, 0, length_bytes - length);
    if (length)
        memcpy(ret + length_bytes - length, bytes, length);
    *reader = next;
    return true;
}

bool rlp_read_u64(struct rlp_reader *reader, uint64_t *ret)
{
    uint8_t bytes[8];
    if (!rlp_read_integer(reader, bytes, sizeof bytes))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        value = value << 8 | bytes[i];
    *ret = value;
    return true;
}
