/* Nothing here trusts an offset or a length: the bytes come from a contract, through a node. */
#include "eth/abi.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static const uint8_t ERROR_SELECTOR[ABI_SELECTOR_BYTES] = { 0x08, 0xc3, 0x79, 0xa0 }; /* Error(string) */
static const uint8_t PANIC_SELECTOR[ABI_SELECTOR_BYTES] = { 0x4e, 0x48, 0x7b, 0x71 }; /* Panic(uint256) */

static const uint8_t TRANSFER_SELECTOR[ABI_SELECTOR_BYTES] = { 0xa9, 0x05, 0x9c, 0xbb };
static const uint8_t BALANCE_OF_SELECTOR[ABI_SELECTOR_BYTES] = { 0x70, 0xa0, 0x82, 0x31 };

const uint8_t ABI_TRANSFER_TOPIC[ABI_WORD_BYTES] = { 0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                                     0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                                     0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef };

#define ADDRESS_PADDING ((size_t)(ABI_WORD_BYTES - BURSAR_ADDRESS_BYTES))

static void put_address(uint8_t word[ABI_WORD_BYTES], const struct bursar_address *address)
{
    memset(word, 0, ADDRESS_PADDING);
    memcpy(word + ADDRESS_PADDING, address->bytes, BURSAR_ADDRESS_BYTES);
}

bool abi_word_address(const uint8_t word[ABI_WORD_BYTES], struct bursar_address *ret)
{
    for (size_t i = 0; i < ADDRESS_PADDING; i++) {
        if (word[i])
            return false;
    }
    memcpy(ret->bytes, word + ADDRESS_PADDING, BURSAR_ADDRESS_BYTES);
    return true;
}

void abi_transfer_encode(const struct bursar_address *to, struct bursar_amount amount, uint8_t ret[ABI_TRANSFER_BYTES])
{
    memcpy(ret, TRANSFER_SELECTOR, ABI_SELECTOR_BYTES);
    put_address(ret + ABI_SELECTOR_BYTES, to);
    bursar_amount_to_be(amount, ret + ABI_SELECTOR_BYTES + ABI_WORD_BYTES);
}

bool abi_transfer_decode(const uint8_t *data, size_t data_bytes, struct bursar_address *ret_to,
                         struct bursar_amount *ret_amount)
{
    if ((data_bytes != ABI_TRANSFER_BYTES && data_bytes != ABI_TRANSFER_BYTES + ABI_WORD_BYTES) ||
        memcmp(data, TRANSFER_SELECTOR, ABI_SELECTOR_BYTES) != 0 ||
        !abi_word_address(data + ABI_SELECTOR_BYTES, ret_to))
        return false;
    *ret_amount = bursar_amount_from_be(data + ABI_SELECTOR_BYTES + ABI_WORD_BYTES);
    return true;
}

void abi_balance_of_encode(const struct bursar_address *account, uint8_t ret[ABI_BALANCE_OF_BYTES])
{
    memcpy(ret, BALANCE_OF_SELECTOR, ABI_SELECTOR_BYTES);
    put_address(ret + ABI_SELECTOR_BYTES, account);
}

struct panic {
    uint64_t code;
    const char *text;
};

static const struct panic panics[] = {
    { 0x01, "an assertion failed" },
    { 0x11, "arithmetic overflow" },
    { 0x12, "division by zero" },
    { 0x21, "a value outside of its enumeration" },
    { 0x22, "badly stored bytes" },
    { 0x31, "pop of an empty array" },
    { 0x32, "an index outside of its array" },
    { 0x41, "out of memory" },
    { 0x51, "a call of nothing" },
};

/* False when the word does not fit. */
static bool read_word(const uint8_t *word, uint64_t *ret)
{
    uint64_t number = 0;
    for (size_t i = 0; i < ABI_WORD_BYTES; i++) {
        if (i < ABI_WORD_BYTES - 8 && word[i])
            return false;
        number = number << 8 | word[i];
    }
    *ret = number;
    return true;
}

static void copy_clean(const uint8_t *text, size_t length, char *ret, size_t ret_bytes)
{
    size_t i = 0;
    for (; i < length && i + 1 < ret_bytes; i++)
        ret[i] = text[i] >= 0x20 && text[i] < 0x7f ? (char)text[i] : '?';
    ret[i] = '\0';
}

/* One string argument behind the selector. */
static bool read_string(const uint8_t *arguments, size_t length, char *ret, size_t ret_bytes)
{
    uint64_t offset, text_bytes;
    if (length < 2 * (size_t)ABI_WORD_BYTES || !read_word(arguments, &offset) || offset > length - ABI_WORD_BYTES ||
        !read_word(arguments + offset, &text_bytes) || text_bytes > length - ABI_WORD_BYTES - offset)
        return false;
    copy_clean(arguments + offset + ABI_WORD_BYTES, (size_t)text_bytes, ret, ret_bytes);
    return true;
}

static bool read_panic(const uint8_t *arguments, size_t length, char *ret, size_t ret_bytes)
{
    uint64_t code;
    if (length < ABI_WORD_BYTES || !read_word(arguments, &code))
        return false;
    const char *text = "an error of its compiler's";
    for (size_t i = 0; i < COUNT_OF(panics); i++) {
        if (panics[i].code == code)
            text = panics[i].text;
    }
    (void)snprintf(ret, ret_bytes, "panic 0x%02llx: %s", (unsigned long long)code, text);
    return true;
}

void abi_revert_text(const uint8_t *data, size_t data_bytes, char *ret, size_t ret_bytes)
{
    ret[0] = '\0';
    if (data_bytes < ABI_SELECTOR_BYTES)
        return;
    const uint8_t *arguments = data + ABI_SELECTOR_BYTES;
    const size_t length = data_bytes - ABI_SELECTOR_BYTES;
    if (memcmp(data, ERROR_SELECTOR, ABI_SELECTOR_BYTES) == 0 && read_string(arguments, length, ret, ret_bytes))
        return;
    if (memcmp(data, PANIC_SELECTOR, ABI_SELECTOR_BYTES) == 0 && read_panic(arguments, length, ret, ret_bytes))
        return;
    char selector[2 * ABI_SELECTOR_BYTES + 1];
    hex_encode(data, ABI_SELECTOR_BYTES, selector);
    (void)snprintf(ret, ret_bytes, "error 0x%s", selector);
}
