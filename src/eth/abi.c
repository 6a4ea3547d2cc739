/* Nothing here trusts an offset or a length: the bytes come from a contract, through a node. */
#include "eth/abi.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static const uint8_t ERROR_SELECTOR[ABI_SELECTOR_BYTES] = { 0x08, 0xc3, 0x79, 0xa0 }; /* Error(string) */
static const uint8_t PANIC_SELECTOR[ABI_SELECTOR_BYTES] = { 0x4e, 0x48, 0x7b, 0x71 }; /* Panic(uint256) */

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
