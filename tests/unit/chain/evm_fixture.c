/* The honest node, and the fixture's life over it. */
#include "evm_fixture.h"

static void add_honest_node(struct scripted_rpc *script)
{
    script_result(script, "eth_chainId", "[]", "\"0x7a69\"");
    script_result(script, GET_BLOCK, NULL, "null");
    script_result(script, GET_BLOCK, "[\"0x0\",false]", GENESIS);
    script_result(script, GET_BLOCK, "[\"finalized\",false]", SIX);
    script_result(script, GET_BLOCK, "[\"0x6\",false]", SIX);
    script_result(script, GET_BLOCK, "[\"latest\",false]", EIGHT);
    script_result(script, GET_BLOCK, "[\"0x8\",false]", EIGHT);
    script_result(script, GET_NONCE, AT("e"), "\"0x5\"");
    script_result(script, GET_NONCE, AT("c"), "\"0x3\"");
    script_result(script, GET_NONCE, "[" ACCOUNT ",\"pending\"]", "\"0x9\"");
    script_result(script, GET_BALANCE, AT("e"), "\"0xde0b6b3a7640000\"");
    script_result(script, GET_BALANCE, AT("c"), "\"0x1f4\"");
    script_result(script, "eth_feeHistory", "[\"0x14\",\"0x8\",[50]]",
                  "{\"oldestBlock\":\"0x7\",\"baseFeePerGas\":[\"0x7\",\"0x7\",\"0x6\"],\"gasUsedRatio\":[0.1,0.2],"
                  "\"reward\":[[\"0x2\"],[\"0x3\"]]}");
}

int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    add_honest_node(&f->script);
    memset(f->query.account.bytes, 0x44, sizeof f->query.account.bytes);
    assert_int_equal(evm_chain_new(script_interface(&f->script), &f->evm, &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
    *state = f;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *f = *state;
    evm_chain_free(f->evm);
    script_free(&f->script);
    free(f);
    return 0;
}

bool hash_is(const struct bursar_hash *hash, uint8_t byte)
{
    struct bursar_hash want;
    memset(want.bytes, byte, sizeof want.bytes);
    return hash_equal(hash, &want);
}
