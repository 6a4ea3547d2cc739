/* Block bodies and signed bytes: what a node shows is kept only where it proves itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "chain/evm.h"
#include "chain/evm_bodies.h"
#include "scripted_rpc.h"

#include <stdlib.h>
#include <string.h>

/* As anvil showed one that its first account had sent, with the bytes it gave for it. */
#define HASH "0x9f9b1319fe079e2a774b41f53aa7fa674d7ed99db6d2aef1d9ca1353f182c46e"
#define RAW                                                                                                            \
    "02f86c827a6980843b9aca00843b9aca008252089460b1985c12279fe845419490946a7886379ef9be0180c001a009ebfde3d51c7ff74e66" \
    "7ca24d2e0a9ffe3627a1121cc84ae7b1b93935c3e5f9a059d3bb96350ee9e4a26f3ca31df55f4cfc145a1de0914f7dfab0960216760245"
#define BLOCK_HASH "0xe41a151b4310860190477ba760a59afc1754e014a986e5f60ce79b918b3f4e1a"
#define ACCOUNT "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define STRANGER "0x1111111111111111111111111111111111111111"
#define MEMBERS(type, value)                                                                                           \
    "\"type\":\"" type "\",\"chainId\":\"0x7a69\",\"nonce\":\"0x0\",\"gas\":\"0x5208\",\"maxFeePerGas\":"              \
    "\"0x3b9aca00\",\"maxPriorityFeePerGas\":\"0x3b9aca00\",\"to\":"                                                   \
    "\"0x60b1985c12279fe845419490946a7886379ef9be\",\"value\":\"" value "\",\"accessList\":[],\"input\":\"0x\",\"r\":" \
    "\"0x9ebfde3d51c7ff74e667ca24d2e0a9ffe3627a1121cc84ae7b1b93935c3e5f9\",\"s\":"                                     \
    "\"0x59d3bb96350ee9e4a26f3ca31df55f4cfc145a1de0914f7dfab0960216760245\",\"yParity\":\"0x1\",\"v\":\"0x1\","        \
    "\"hash\":\"" HASH "\""
#define TRANSACTION(from, block)                                                                                       \
    "{" MEMBERS("0x2", "0x1") ",\"from\":\"" from "\",\"blockHash\":\"" block "\",\"blockNumber\":\"0x1\"}"
#define BLOCK(transactions)                                                                                            \
    "{\"number\":\"0x1\",\"hash\":\"" BLOCK_HASH "\",\"parentHash\":\"" HASH "\",\"timestamp\":\"0x9\","               \
    "\"transactions\":[" transactions "]}"

struct fixture {
    struct scripted_rpc script;
    struct evm_chain *evm;
    struct chain chain;
    struct bursar_address account;
    struct bursar_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_true(hex_decode(ACCOUNT + 2, 40, f->account.bytes, sizeof f->account.bytes));
    assert_int_equal(evm_chain_new(script_interface(&f->script), &f->evm, &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    evm_chain_free(f->evm);
    script_free(&f->script);
    free(f);
    return 0;
}

static enum bursar_status read_block(struct fixture *f, const char *json, struct chain_body *ret)
{
    const uint64_t number = 1;
    script_result(&f->script, "eth_getBlockByNumber", "[\"0x1\",true]", json);
    return f->chain.bodies(f->chain.ctx, &f->account, &number, 1, ret, &f->err);
}

static void of_a_body_only_what_the_account_sent_is_kept(void **state)
{
    struct fixture *f = *state;
    struct chain_body body;
    assert_int_equal(
        read_block(f, BLOCK(TRANSACTION(STRANGER, BLOCK_HASH) "," TRANSACTION(ACCOUNT, BLOCK_HASH)), &body), BURSAR_OK);
    assert_true(body.is_present);
    assert_int_equal(body.sent_count, 1);
    assert_int_equal(body.sent[0].transaction.nonce, 0);
    assert_int_equal(bursar_amount_compare(body.sent[0].transaction.value, bursar_amount_from_u64(1)), 0);
    chain_bodies_clear(&body, 1);
    assert_int_equal(read_block(f, "null", &body), BURSAR_OK);
    assert_false(body.is_present);
}

static void a_body_that_can_not_be_right_is_refused_as_a_whole(void **state)
{
    struct fixture *f = *state;
    static const char *const bodies[] = {
        BLOCK(TRANSACTION(ACCOUNT, HASH)),    /* of another block */
        BLOCK("{" MEMBERS("0x2", "0x1") "}"), /* whose is it? */
        BLOCK("\"" HASH "\""),                /* hashes only */
        "{\"number\":\"0x2\",\"hash\":\"" BLOCK_HASH "\",\"parentHash\":\"" HASH "\",\"timestamp\":\"0x9\","
        "\"transactions\":[]}",
        "{\"number\":\"0x1\",\"hash\":\"" BLOCK_HASH "\",\"parentHash\":\"" HASH "\",\"timestamp\":\"0x9\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct chain_body body;
        assert_int_equal(read_block(f, bodies[i], &body), BURSAR_EPROTOCOL);
        assert_null(body.sent);
    }
}

static enum bursar_status read_raw(struct fixture *f, const char *json, struct chain_raw *ret)
{
    struct bursar_hash hash;
    assert_true(hash_from_text(HASH, &hash));
    script_result(&f->script, "eth_getTransactionByHash", NULL, json);
    return f->chain.raws(f->chain.ctx, &hash, 1, ret, &f->err);
}

static void signed_bytes_are_put_together_from_what_every_node_shows(void **state)
{
    struct fixture *f = *state;
    struct chain_raw raw;
    char text[512];
    assert_int_equal(read_raw(f, TRANSACTION(ACCOUNT, BLOCK_HASH), &raw), BURSAR_OK);
    assert_int_equal(raw.length_bytes, strlen(RAW) / 2);
    hex_encode(raw.bytes, raw.length_bytes, text);
    assert_string_equal(text, RAW);
    chain_raws_clear(&raw, 1);
}

static void bytes_that_do_not_hash_to_what_was_asked_for_are_none(void **state)
{
    struct fixture *f = *state;
    static const char *const shown[] = {
        "null",
        "{" MEMBERS("0x2", "0x2") "}", /* another value */
        "{" MEMBERS("0x0", "0x1") "}", /* another type */
        "{\"hash\":\"" HASH "\"}",
    };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct chain_raw raw;
        assert_int_equal(read_raw(f, shown[i], &raw), BURSAR_OK);
        assert_null(raw.bytes);
    }
}

static void a_node_that_fails_says_nothing(void **state)
{
    struct fixture *f = *state;
    const uint64_t number = 1;
    struct chain_body body;
    struct chain_raw raw;
    script_error(&f->script, "eth_getBlockByNumber", NULL, -32000, "pruned");
    assert_int_equal(f->chain.bodies(f->chain.ctx, &f->account, &number, 1, &body, &f->err), BURSAR_EUNREACHABLE);
    assert_false(body.is_present);
    script_error(&f->script, "eth_getTransactionByHash", NULL, -32000, "busy");
    struct bursar_hash hash = { { 1 } };
    assert_int_equal(f->chain.raws(f->chain.ctx, &hash, 1, &raw, &f->err), BURSAR_EUNREACHABLE);
    assert_null(raw.bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_a_body_only_what_the_account_sent_is_kept),
        TEST(a_body_that_can_not_be_right_is_refused_as_a_whole),
        TEST(signed_bytes_are_put_together_from_what_every_node_shows),
        TEST(bytes_that_do_not_hash_to_what_was_asked_for_are_none),
        TEST(a_node_that_fails_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
