/* Hexadecimal text, growing buffers, small text checks. */
#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_DEFAULT_LIMIT_BYTES ((size_t)16 * 1024 * 1024)
#define BUF_FIRST_BYTES 256

void hex_encode(const uint8_t *bytes, size_t length_bytes, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length_bytes; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * length_bytes] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, size_t text_length, uint8_t *ret_bytes, size_t length_bytes)
{
    if (text_length != 2 * length_bytes)
        return false;
    for (size_t i = 0; i < text_length; i++) {
        if (hex_digit(text[i]) < 0)
            return false;
    }
    for (size_t i = 0; i < length_bytes; i++)
        ret_bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return true;
}

void hash_to_text(const struct bursar_hash *hash, char ret[HASH_TEXT_BYTES])
{
    ret[0] = '0';
    ret[1] = 'x';
    hex_encode(hash->bytes, sizeof hash->bytes, ret + 2);
}

bool hash_from_text(const char *text, struct bursar_hash *ret)
{
    return text && text[0] == '0' && text[1] == 'x' &&
           hex_decode(text + 2, strlen(text + 2), ret->bytes, sizeof ret->bytes);
}

bool hash_equal(const struct bursar_hash *a, const struct bursar_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_equal(const struct bursar_address *a, const struct bursar_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool buf_reserve(struct buf *buf, size_t more_bytes)
{
    size_t limit = buf->limit_bytes ? buf->limit_bytes : BUF_DEFAULT_LIMIT_BYTES;
    if (more_bytes > limit || buf->length_bytes > limit - more_bytes)
        return false;
    size_t needed = buf->length_bytes + more_bytes + 1;
    if (needed <= buf->capacity_bytes)
        return true;
    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes : BUF_FIRST_BYTES;
    while (capacity < needed)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data)
        return false;
    buf->data = data;
    buf->capacity_bytes = capacity;
    return true;
}

bool buf_append(struct buf *buf, const void *bytes, size_t length_bytes)
{
    if (!buf_reserve(buf, length_bytes))
        return false;
    if (length_bytes)
        memcpy(buf->data + buf->length_bytes, bytes, length_bytes);
    buf->length_bytes += length_bytes;
    buf->data[buf->length_bytes] = '\0';
    return true;
}

bool buf_append_text(struct buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

bool buf_append_format(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    bool ok = length >= 0 && buf_reserve(buf, (size_t)length);
    if (ok) {
        (void)vsnprintf(buf->data + buf->length_bytes, (size_t)length + 1, format, again);
        buf->length_bytes += (size_t)length;
    }
    va_end(again);
    return ok;
}

void buf_clear(struct buf *buf)
{
    buf->length_bytes = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){ .limit_bytes = buf->limit_bytes };
}

bool u64_from_text(const char *text, size_t length, uint64_t minimum, uint64_t maximum, uint64_t *ret)
{
    uint64_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return false;
    }
    if (value < minimum || value > maximum)
        return false;
    *ret = value;
    return true;
}

bool utf8_is_valid(const char *text, size_t length_bytes)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + length_bytes;
    while (at < end) {
        size_t more;
        uint8_t low = 0x80, high = 0xbf; /* allowed range of the second byte */
        if (*at < 0x80) {
            at++;
            continue;
        } else if (*at >= 0xc2 && *at <= 0xdf) {
            more = 1;
        } else if (*at >= 0xe0 && *at <= 0xef) {
            more = 2;
            low = *at == 0xe0 ? 0xa0 : 0x80;
            high = *at == 0xed ? 0x9f : 0xbf;
        } else if (*at >= 0xf0 && *at <= 0xf4) {
            more = 3;
            low = *at == 0xf0 ? 0x90 : 0x80;
            high = *at == 0xf4 ? 0x8f : 0xbf;
        } else {
            return false;
        }
        if ((size_t)(end - at) <= more || at[1] < low || at[1] > high)
            return false;
        for (size_t i = 2; i <= more; i++) {
            if (at[i] < 0x80 || at[i] > 0xbf)
                return false;
        }
        at += more + 1;
    }
    return true;
}
