/* What the tokens do. */
#include "sim_token.h"

#include <string.h>

#define FEE_ONE_IN 100
#define WORD_BYTES 32
#define TRANSFER_BYTES (4 + 2 * WORD_BYTES)

struct bursar_address sim_token_address(enum sim_token token)
{
    return (struct bursar_address){ { 0x70, (uint8_t)token } };
}

enum sim_token sim_token_at(const struct bursar_address *address)
{
    for (enum sim_token token = SIM_TOKEN_HONEST; token < SIM_TOKENS; token++) {
        const struct bursar_address here = sim_token_address(token);
        if (memcmp(here.bytes, address->bytes, sizeof here.bytes) == 0)
            return token;
    }
    return SIM_TOKEN_NONE;
}

bool sim_token_reads(const uint8_t *data, size_t data_bytes, struct bursar_address *ret_to,
                     struct bursar_amount *ret_amount)
{
    static const uint8_t start[4 + 12] = { 0xa9, 0x05, 0x9c, 0xbb };
    if (data_bytes != TRANSFER_BYTES || memcmp(data, start, sizeof start) != 0)
        return false;
    memcpy(ret_to->bytes, data + sizeof start, sizeof ret_to->bytes);
    *ret_amount = bursar_amount_from_be(data + 4 + WORD_BYTES);
    return true;
}

struct bursar_amount sim_token_moves(enum sim_token token, bool refuses, struct bursar_amount amount)
{
    uint64_t all = 0;
    switch (token) {
    case SIM_TOKEN_FALSE:
        return refuses ? (struct bursar_amount){ 0 } : amount;
    case SIM_TOKEN_FEE: /* what is owed here is small */
        return bursar_amount_to_u64(amount, &all) ? bursar_amount_from_u64(all - all / FEE_ONE_IN) : amount;
    case SIM_TOKEN_HONEST:
    case SIM_TOKEN_NONE:
    case SIM_TOKENS:
        return amount;
    }
    return amount;
}
