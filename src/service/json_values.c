/* Values as the program's JSON has them. */
#include "service/json_values.h"

#include "base/bytes.h"
#include "base/time.h"
#include "eth/address.h"

#include <stdlib.h>
#include <string.h>

json_t *output_json_text(const char *text)
{
    size_t length = strlen(text);
    if (utf8_is_valid(text, length))
        return json_stringn(text, length);
    char *plain = malloc(length + 1);
    if (!plain)
        return NULL;
    for (size_t i = 0; i <= length; i++)
        plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    json_t *value = json_string(plain);
    free(plain);
    return value;
}

json_t *output_json_amount(struct bursar_amount amount)
{
    char text[BURSAR_AMOUNT_TEXT_BYTES];
    bursar_amount_to_text(amount, text);
    return json_string(text);
}

json_t *output_json_address(const struct bursar_address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    address_to_text(address, text);
    return json_string(text);
}

json_t *output_json_hash(const struct bursar_hash *hash)
{
    char text[HASH_TEXT_BYTES];
    hash_to_text(hash, text);
    return json_string(text);
}

json_t *output_json_ms(uint64_t wall_ms)
{
    char text[RFC3339_TEXT_BYTES];
    if (wall_ms == 0)
        return json_null();
    rfc3339_from_seconds(wall_ms / 1000, text);
    return json_string(text);
}
