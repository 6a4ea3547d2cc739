/* Tokens asked for their decimals through a scripted node: whatever they and it answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "chain/evm.h"
#include "scripted_rpc.h"

#include <stdlib.h>
#include <string.h>

#define X4(c) c c c c
#define X64(c) X4(X4(X4(c)))
#define AT_HASH "{\"blockHash\":\"0x" X64("e") "\"}"
#define TOKEN "\"0x4444444444444444444444444444444444444444\""
#define OTHER "\"0x5555555555555555555555555555555555555555\""
#define DECIMALS_OF(token, at) "[{\"to\":" token ",\"data\":\"0x313ce567\"}," at "]"
#define ZEROS_30 "000000000000000000000000000000000000000000000000000000000000"
#define WORD(last_two) "\"0x" ZEROS_30 last_two "\""

struct fixture {
    struct scripted_rpc script;
    struct evm_chain *evm;
    struct chain chain;
    struct chain_block_ref at;
    struct bursar_address tokens[2];
    struct chain_token found[2];
    struct bursar_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    memset(&f->tokens[0], 0x44, sizeof f->tokens[0]);
    memset(&f->tokens[1], 0x55, sizeof f->tokens[1]);
    f->at.number = 8;
    memset(f->at.hash.bytes, 0xee, sizeof f->at.hash.bytes);
    script_result(&f->script, "eth_getCode", NULL, "\"0x6001\"");
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

static enum bursar_status look(struct fixture *f, size_t count)
{
    f->err = (struct bursar_error){ 0 };
    for (size_t i = 0; i < count; i++)
        f->found[i] = (struct chain_token){ .decimals = 99 };
    return f->chain.tokens(f->chain.ctx, &f->at, f->tokens, count, f->found, &f->err);
}

static void decimals_are_read_at_the_given_block(void **state)
{
    struct fixture *f = *state;
    script_result(&f->script, "eth_call", DECIMALS_OF(TOKEN, AT_HASH), WORD("0006"));
    script_result(&f->script, "eth_call", DECIMALS_OF(OTHER, AT_HASH), WORD("00ff"));
    assert_int_equal(look(f, 2), BURSAR_OK);
    assert_true(f->found[0].has_code && f->found[0].has_decimals && f->found[1].has_decimals);
    assert_int_equal(f->found[0].decimals, 6);
    assert_int_equal(f->found[1].decimals, 255);
    assert_int_equal(look(f, 0), BURSAR_OK);
}

static void an_address_without_code_is_not_even_asked(void **state)
{
    struct fixture *f = *state;
    script_result(&f->script, "eth_getCode", "[" TOKEN "," AT_HASH "]", "\"0x\"");
    script_result(&f->script, "eth_call", DECIMALS_OF(OTHER, AT_HASH), WORD("0012"));
    assert_int_equal(look(f, 2), BURSAR_OK);
    assert_false(f->found[0].has_code || f->found[0].has_decimals);
    assert_int_equal(f->found[1].decimals, 18);
    assert_int_equal(look(f, 1), BURSAR_OK);
    assert_false(f->found[0].has_code);
}

static void what_is_no_uint8_is_no_number_of_decimals(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "\"0x\"",
        "\"0x12\"",
        "\"12\"",
        WORD("0112"),   /* 274 */
        WORD("001212"), /* longer than a word */
        "\"0x1" ZEROS_30 "012\"",
        "\"0x" ZEROS_30 "00zz\"",
    };
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct fixture *f;
        assert_int_equal(set_up((void **)&f), 0);
        script_result(&f->script, "eth_call", NULL, answers[i]);
        assert_int_equal(look(f, 1), BURSAR_OK);
        assert_true(f->found[0].has_code);
        assert_false(f->found[0].has_decimals);
        assert_int_equal(tear_down((void **)&f), 0);
    }
}

static void a_contract_that_refuses_has_none_and_a_node_that_fails_says_nothing(void **state)
{
    struct fixture *f = *state;
    script_error(&f->script, "eth_call", NULL, 3, "execution reverted");
    assert_int_equal(look(f, 1), BURSAR_OK);
    assert_true(f->found[0].has_code && !f->found[0].has_decimals);
    script_error(&f->script, "eth_call", NULL, -32000, "execution reverted: nonce too low");
    assert_int_equal(look(f, 1), BURSAR_OK);
    script_error(&f->script, "eth_call", NULL, -32005, "limit exceeded");
    assert_int_equal(look(f, 1), BURSAR_EUNREACHABLE);
    script_result(&f->script, "eth_call", NULL, "null");
    assert_int_equal(look(f, 1), BURSAR_EPROTOCOL);
    script_error(&f->script, "eth_call", NULL, -32000, "header for hash not found");
    assert_int_equal(look(f, 1), BURSAR_ESTALE);
    assert_int_equal(f->found[0].decimals, 99); /* a failed read leaves everything as it was */
}

static void a_node_that_knows_numbers_only_is_asked_by_number(void **state)
{
    struct fixture *f = *state;
    script_error(&f->script, "eth_call", DECIMALS_OF(TOKEN, AT_HASH), -32602, "invalid params");
    script_result(&f->script, "eth_call", DECIMALS_OF(TOKEN, "\"0x8\""), WORD("0006"));
    script_result(&f->script, "eth_getBlockByNumber", "[\"0x8\",false]",
                  "{\"number\":\"0x8\",\"hash\":\"0x" X64("e") "\",\"parentHash\":\"0x" X64(
                      "d") "\",\"timestamp\":\"0x88\",\"transactions\":[]}");
    assert_int_equal(look(f, 1), BURSAR_OK);
    assert_int_equal(f->found[0].decimals, 6);
    memset(f->at.hash.bytes, 0xff, sizeof f->at.hash.bytes);
    assert_int_equal(look(f, 1), BURSAR_EPROTOCOL); /* number 8 is another block by now */
}

static enum bursar_status balances(struct fixture *f, struct chain_token_balance *ret)
{
    struct bursar_address account;
    memset(account.bytes, 0xaa, sizeof account.bytes);
    f->err = (struct bursar_error){ 0 };
    return f->chain.token_balances(f->chain.ctx, &f->at, &account, f->tokens, 2, ret, &f->err);
}

#define BALANCE_OF(token)                                                                                              \
    "[{\"to\":" token                                                                                                  \
    ",\"data\":\"0x70a08231000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}," AT_HASH "]"

static void balances_are_read_at_the_given_block_and_a_token_without_one_stays_unknown(void **state)
{
    struct fixture *f = *state;
    struct chain_token_balance got[2];
    script_result(&f->script, "eth_call", BALANCE_OF(TOKEN), WORD("0007"));
    script_error(&f->script, "eth_call", BALANCE_OF(OTHER), 3, "execution reverted");
    assert_int_equal(balances(f, got), BURSAR_OK);
    assert_true(got[0].is_known);
    assert_int_equal(got[0].amount.limb[0], 7);
    assert_false(got[1].is_known);
    script_result(&f->script, "eth_call", BALANCE_OF(OTHER), "\"0x\"");
    assert_int_equal(balances(f, got), BURSAR_OK);
    assert_false(got[1].is_known);
    script_error(&f->script, "eth_call", BALANCE_OF(OTHER), -32005, "limit exceeded");
    assert_int_equal(balances(f, got), BURSAR_EUNREACHABLE); /* INV-5 */
    script_error(&f->script, "eth_call", BALANCE_OF(OTHER), -32001, "Resource not found");
    assert_int_equal(balances(f, got), BURSAR_ESTALE);
}

static enum estimate_outcome transfer(struct fixture *f, const char *returned)
{
    struct chain_trial trial = { .at = f->at, .gas_max = 1000000 };
    const uint8_t data[] = { 0xa9, 0x05, 0x9c, 0xbb };
    const struct chain_payload call = {
        .to = f->tokens[0], .data = data, .data_bytes = sizeof data, .may_return_false = true
    };
    struct chain_estimate got;
    script_result(&f->script, "eth_call", NULL, returned);
    assert_int_equal(f->chain.estimate(f->chain.ctx, &trial, &call, 1, &got, &f->err), BURSAR_OK);
    return got.outcome;
}

static void a_transfer_that_returns_false_is_refused_and_one_that_returns_nothing_is_not(void **state)
{
    struct fixture *f = *state;
    script_result(&f->script, "eth_estimateGas", NULL, "\"0xc350\"");
    assert_int_equal(transfer(f, WORD("0001")), ESTIMATE_GAS);
    assert_int_equal(transfer(f, "\"0x\""), ESTIMATE_GAS);
    assert_int_equal(transfer(f, WORD("0000")), ESTIMATE_REVERTS);
    assert_non_null(strstr(f->script.log, "\"data\":\"0xa9059cbb\""));
    script_error(&f->script, "eth_estimateGas", NULL, 3, "execution reverted");
    assert_int_equal(transfer(f, WORD("0001")), ESTIMATE_REVERTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decimals_are_read_at_the_given_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_without_code_is_not_even_asked, set_up, tear_down),
        cmocka_unit_test(what_is_no_uint8_is_no_number_of_decimals),
        cmocka_unit_test_setup_teardown(a_contract_that_refuses_has_none_and_a_node_that_fails_says_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_node_that_knows_numbers_only_is_asked_by_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(balances_are_read_at_the_given_block_and_a_token_without_one_stays_unknown,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transfer_that_returns_false_is_refused_and_one_that_returns_nothing_is_not,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
