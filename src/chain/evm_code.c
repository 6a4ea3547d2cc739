/* Which addresses hold code. A few are asked about one by one; many by a program that the node runs for us (eth_call):
 * a node that has moved on to the next block pays dearly for each look into an older one, and one look is enough. Where
 * a node does not run it, it is asked one by one as well. */
#include "chain/evm_code.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm_codec.h"

#define ONE_BY_ONE_MAX_COUNT 8

/* For each of the 20-byte addresses behind this program: 1 if it holds code, else 0; returns them as one byte each.
 *
 *     push1 0                                               i = 0
 *  2: jumpdest; dup1; push1 20; mul; push1 45; add          offset = 45 + 20 * i
 *     dup1; codesize; gt; iszero; push1 40; jumpi           while offset < codesize
 *     push1 20; swap1; push1 12; codecopy                       memory[12..32) = the address
 *     push1 0; mload; extcodesize; iszero; iszero
 *     dup2; push1 32; add; mstore8                              memory[32 + i] = extcodesize != 0
 *     push1 1; add; push1 2; jump                               i++
 * 40: jumpdest; pop; push1 32; return                       memory[32..32 + i)
 *
 * A delegation (EIP-7702) has a size as well. */
static const uint8_t PROGRAM[45] = {
    0x60, 0x00, 0x5b, 0x80, 0x60, 0x14, 0x02, 0x60, 0x2d, 0x01, 0x80, 0x38, 0x11, 0x15, 0x60,
    0x28, 0x57, 0x60, 0x14, 0x90, 0x60, 0x0c, 0x39, 0x60, 0x00, 0x51, 0x3b, 0x15, 0x15, 0x81,
    0x60, 0x20, 0x01, 0x53, 0x60, 0x01, 0x01, 0x60, 0x02, 0x56, 0x5b, 0x50, 0x60, 0x20, 0xf3,
};

/* *ret_fell_back: nothing was read, try again. */
static enum bursar_status ask_each(struct evm_chain *chain, const struct chain_block_ref *at,
                                   const struct bursar_address *addresses, size_t count, bool *ret, bool *ret_fell_back,
                                   struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    enum bursar_status status = evm_batch_reserve(&batch, count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        (void)evm_batch_add(&batch, "eth_getCode",
                            json_pack("[oo]", evm_write_address(&addresses[i]), evm_pin_parameter(chain, at)));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status != BURSAR_OK)
        return status;
    *ret_fell_back = evm_pin_fell_back(chain, &batch.replies[0]);
    for (size_t i = 0; i < count && status == BURSAR_OK && !*ret_fell_back; i++) {
        const json_t *value;
        status = evm_pin_result(&batch, i, &value, err);
        if (status == BURSAR_OK)
            status = evm_read_has_code(value, &ret[i], err);
    }
    return status;
}

static enum bursar_status ask_one_by_one(struct evm_chain *chain, const struct chain_block_ref *at,
                                         const struct bursar_address *addresses, size_t count, bool *ret,
                                         struct bursar_error *err)
{
    bool fell_back = false;
    enum bursar_status status = ask_each(chain, at, addresses, count, ret, &fell_back, err);
    return status == BURSAR_OK && fell_back ? ask_each(chain, at, addresses, count, ret, &fell_back, err) : status;
}

/* [{"data": "0x<program><addresses>"}, block]; NULL when out of memory. */
static json_t *write_program(const struct evm_chain *chain, const struct chain_block_ref *at,
                             const struct bursar_address *addresses, size_t count)
{
    size_t length = sizeof PROGRAM + count * BURSAR_ADDRESS_BYTES;
    char *text = malloc(2 + 2 * length + 1);
    if (!text)
        return NULL;
    text[0] = '0';
    text[1] = 'x';
    hex_encode(PROGRAM, sizeof PROGRAM, text + 2);
    for (size_t i = 0; i < count; i++)
        hex_encode(addresses[i].bytes, BURSAR_ADDRESS_BYTES,
                   text + 2 + 2 * (sizeof PROGRAM + i * BURSAR_ADDRESS_BYTES));
    json_t *params =
        json_pack("[{s:o}o]", "data", json_stringn_nocheck(text, 2 + 2 * length), evm_pin_parameter(chain, at));
    free(text);
    return params;
}

/* Exactly one byte an address, each 0 or 1: anything else did not come from the program. */
static bool read_flags(const json_t *value, size_t count, bool *ret)
{
    uint8_t flags[CHAIN_ITEMS_MAX_COUNT];
    const char *text = json_string_value(value);
    if (!text || strncmp(text, "0x", 2) != 0 || !hex_decode(text + 2, json_string_length(value) - 2, flags, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (flags[i] > 1)
            return false;
    }
    for (size_t i = 0; i < count; i++)
        ret[i] = flags[i] == 1;
    return true;
}

/* *ret_ran false: this node does not run it. */
static enum bursar_status ask_program(struct evm_chain *chain, const struct chain_block_ref *at,
                                      const struct bursar_address *addresses, size_t count, bool *ret, bool *ret_ran,
                                      struct bursar_error *err)
{
    cleanup(evm_batch_free) struct evm_batch batch = { 0 };
    const json_t *value;
    enum bursar_status status = evm_batch_reserve(&batch, 1, err);
    if (status != BURSAR_OK)
        return status;
    size_t index = evm_batch_add(&batch, "eth_call", write_program(chain, at, addresses, count));
    status = evm_batch_read(&batch, &chain->rpc, err);
    if (status != BURSAR_OK)
        return status;
    status = evm_pin_result(&batch, index, &value, err);
    if (status == BURSAR_ESTALE)
        return status;
    *ret_ran = status == BURSAR_OK && read_flags(value, count, ret);
    return BURSAR_OK;
}

enum bursar_status evm_has_code(struct evm_chain *chain, const struct chain_block_ref *at,
                                const struct bursar_address *addresses, size_t count, bool *ret,
                                struct bursar_error *err)
{
    bool ran = false;
    enum bursar_status status = BURSAR_OK;
    if (count > ONE_BY_ONE_MAX_COUNT && !chain->runs_no_programs) {
        status = ask_program(chain, at, addresses, count, ret, &ran, err);
        chain->runs_no_programs = status == BURSAR_OK && !ran;
    }
    if (status == BURSAR_OK && !ran)
        status = ask_one_by_one(chain, at, addresses, count, ret, err);
    if (status == BURSAR_OK && chain->pins_by_number)
        status = evm_pin_confirm(chain, at, 1, err);
    return status;
}
