/* What every driver of the chain seam shares. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/chain.h"

static void every_verdict_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = SUBMIT_ACCEPTED; i <= SUBMIT_CONTESTED; i++) {
        assert_non_null(submit_verdict_name((enum submit_verdict)i));
        for (int k = SUBMIT_ACCEPTED; k < i; k++)
            assert_string_not_equal(submit_verdict_name((enum submit_verdict)i),
                                    submit_verdict_name((enum submit_verdict)k));
    }
    assert_null(submit_verdict_name((enum submit_verdict)0));
    assert_null(submit_verdict_name((enum submit_verdict)(SUBMIT_CONTESTED + 1)));
}

static void cleared_blocks_can_be_cleared_again(void **state)
{
    (void)state;
    struct chain_block blocks[2] = { { .is_present = true, .transaction_count = 1 } };
    blocks[0].transactions = calloc(1, sizeof *blocks[0].transactions);
    chain_blocks_clear(blocks, 2);
    assert_null(blocks[0].transactions);
    assert_int_equal(blocks[0].transaction_count, 0);
    chain_blocks_clear(blocks, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verdict_has_a_name_of_its_own),
        cmocka_unit_test(cleared_blocks_can_be_cleared_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
