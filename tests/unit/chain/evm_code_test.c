/* The EVM driver asked whether addresses have code: one by one, and many in one call. */
#include "evm_fixture.h"

static void code_is_asked_for_at_the_given_block(void **state)
{
    struct fixture *f = *state;
    struct chain_block_ref at = { .number = 8 };
    struct bursar_address addresses[2];
    bool codes[2] = { true, false };
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    memset(addresses[0].bytes, 0x44, sizeof addresses[0].bytes);
    memset(addresses[1].bytes, 0x55, sizeof addresses[1].bytes);
    script_result(&f->script, "eth_getCode", NULL, "\"0xef0100aa\"");
    script_result(&f->script, "eth_getCode", AT("e"), "\"0x\"");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_OK);
    assert_false(codes[0]);
    assert_true(codes[1]);
    script_result(&f->script, "eth_getCode", AT("e"), "null");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_EPROTOCOL);
    script_error(&f->script, "eth_getCode", AT("e"), -32001, "Resource not found");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, addresses, 2, codes, &f->err), BURSAR_ESTALE);
}

static void code_read_by_number_counts_only_while_the_number_names_the_block(void **state)
{
    struct fixture *f = *state;
    struct chain_block_ref at = { .number = 8 };
    bool code = true;
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    script_error(&f->script, "eth_getCode", AT("e"), -32602, "invalid params");
    script_result(&f->script, "eth_getCode", AT_NUMBER("0x8"), "\"0x\"");
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, &f->query.account, 1, &code, &f->err), BURSAR_OK);
    assert_false(code);
    memset(at.hash.bytes, 0xff, sizeof at.hash.bytes);
    assert_int_equal(f->chain.has_code(f->chain.ctx, &at, &f->query.account, 1, &code, &f->err), BURSAR_EPROTOCOL);
}

#define MANY 10
#define MANY_FLAGS "\"0x00010000000000000001\""

static enum bursar_status look_for_code_of_many(struct fixture *f, bool ret[MANY])
{
    struct chain_block_ref at = { .number = 8 };
    struct bursar_address addresses[MANY];
    memset(at.hash.bytes, 0xee, sizeof at.hash.bytes);
    memset(addresses, 0x44, sizeof addresses);
    for (size_t i = 0; i < MANY; i++)
        ret[i] = false;
    f->err = (struct bursar_error){ 0 };
    return f->chain.has_code(f->chain.ctx, &at, addresses, MANY, ret, &f->err);
}

static void code_of_many_is_asked_for_in_one_call(void **state)
{
    struct fixture *f = *state;
    bool codes[MANY];
    script_result(&f->script, "eth_call", NULL, MANY_FLAGS);
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(codes[i], i == 1 || i == MANY - 1);
    assert_int_equal(f->script.calls, 1);
    assert_non_null(strstr(f->script.log, "4444\"},{\"blockHash\":" HASH("e") "}]"));
}

static void a_node_that_does_not_run_the_program_is_asked_one_by_one(void **state)
{
    (void)state;
    static const char *const answers[] = { "\"0x\"",
                                           "null",
                                           "true",
                                           "\"0x0000000000000000000\"",
                                           "\"0x000000000000000000\"",
                                           "\"0x0000000000000000000000\"",
                                           "\"0x00000000000000000002\"",
                                           "\"1x00000000000000000000\"",
                                           NULL };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct fixture *f;
        bool codes[MANY];
        assert_int_equal(set_up((void **)&f), 0);
        script_result(&f->script, "eth_getCode", AT("e"), "\"0xef0100aa\"");
        if (answers[i])
            script_result(&f->script, "eth_call", NULL, answers[i]);
        assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
        for (size_t k = 0; k < MANY; k++)
            assert_true(codes[k]);
        assert_int_equal(f->script.calls, 1 + MANY);
        assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK);
        assert_int_equal(f->script.calls, 1 + 2 * MANY); /* it is remembered */
        assert_int_equal(tear_down((void **)&f), 0);
    }
}

static void code_of_many_at_a_block_that_is_gone_is_stale(void **state)
{
    struct fixture *f = *state;
    bool codes[MANY];
    script_error(&f->script, "eth_call", NULL, -32000, "header for hash not found");
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_ESTALE);
    script_result(&f->script, "eth_call", NULL, MANY_FLAGS);
    assert_int_equal(look_for_code_of_many(f, codes), BURSAR_OK); /* such a node is still asked by program */
    assert_true(codes[1]);
}

#define LOOK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOK(code_is_asked_for_at_the_given_block),
        LOOK(code_read_by_number_counts_only_while_the_number_names_the_block),
        LOOK(code_of_many_is_asked_for_in_one_call),
        LOOK(a_node_that_does_not_run_the_program_is_asked_one_by_one),
        LOOK(code_of_many_at_a_block_that_is_gone_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
