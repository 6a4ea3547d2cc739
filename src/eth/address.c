/* Address text and EIP-55: the checksum is the case of the letters, from the Keccak of the lower-case digits. */
#include "eth/address.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS (2 * BURSAR_ADDRESS_BYTES)

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'f';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'F';
}

void address_to_text(const struct bursar_address *address, char ret[ADDRESS_TEXT_BYTES])
{
    struct bursar_hash hash;
    ret[0] = '0';
    ret[1] = 'x';
    hex_encode(address->bytes, sizeof address->bytes, ret + 2);
    keccak256(ret + 2, DIGITS, &hash);
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned nibble = (unsigned)hash.bytes[i / 2] >> (i % 2 ? 0 : 4) & 15u;
        if (nibble >= 8 && is_lower(ret[2 + i]))
            ret[2 + i] = (char)(ret[2 + i] - 'a' + 'A');
    }
}

enum bursar_status address_from_text(const char *text, size_t length, struct bursar_address *ret,
                                     struct bursar_error *err)
{
    struct bursar_address address;
    if (length != ADDRESS_TEXT_BYTES - 1 || text[0] != '0' || text[1] != 'x' ||
        !hex_decode(text + 2, DIGITS, address.bytes, sizeof address.bytes))
        return bursar_fail(err, BURSAR_EINVAL, "is not an address: expected 0x and %d hexadecimal digits", DIGITS);

    bool lower = false, upper = false;
    for (size_t i = 2; i < length; i++) {
        lower |= is_lower(text[i]);
        upper |= is_upper(text[i]);
    }
    if (lower && upper) {
        char expected[ADDRESS_TEXT_BYTES];
        address_to_text(&address, expected);
        if (memcmp(text, expected, length) != 0)
            return bursar_fail(err, BURSAR_EINVAL,
                               "fails its EIP-55 checksum: a digit or the case of a letter is wrong; compare it with "
                               "its source");
    }
    *ret = address;
    return BURSAR_OK;
}

void address_from_public_key(const uint8_t public_key[64], struct bursar_address *ret)
{
    struct bursar_hash hash;
    keccak256(public_key, 64, &hash);
    memcpy(ret->bytes, hash.bytes + BURSAR_HASH_BYTES - BURSAR_ADDRESS_BYTES, BURSAR_ADDRESS_BYTES);
}
