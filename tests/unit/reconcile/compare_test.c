/* One intent against signing log and chain: what agrees, and every single thing that must not. */
#include "eth/keccak.h"
#include "reconcile/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A final payment that agrees in all points; each test bends one of them. */
struct scene {
    struct intent_record intent;
    struct chain_transaction transaction;
    struct chain_receipt receipt;
    struct intent_sight sight;
    char what[DIFFERENCE_MAX_BYTES];
};

static struct scene final_payment(void)
{
    struct bursar_hash no_data;
    keccak256("", 0, &no_data);
    struct bursar_address account = { { 0xaa } }, to = { { 0xbb } };
    struct block_mark block = { .number = 100, .hash = { { 0xcc } } };
    struct scene scene = {
        .intent = { .intent = 1,
                    .nonce = 7,
                    .kind = INTENT_PAYMENT,
                    .status = INTENT_FINAL,
                    .to = to,
                    .value = bursar_amount_from_u64(500),
                    .disbursement = 3,
                    .state = STATE_FINALIZED,
                    .is_live = true,
                    .is_newest = true,
                    .outcome = CAUSE_FINAL_SUCCESS,
                    .has_attempt = true,
                    .hash = { { 0xdd } },
                    .has_block = true,
                    .block = block,
                    .has_fee = true,
                    .gas_used = 21000,
                    .effective_gas_price_wei = 9 },
        .transaction = { .is_present = true,
                         .is_mined = true,
                         .from = account,
                         .nonce = 7,
                         .has_to = true,
                         .to = to,
                         .value = bursar_amount_from_u64(500),
                         .data_hash = no_data,
                         .block = { .number = 100, .hash = { { 0xcc } } } },
        .receipt = { .is_present = true,
                     .succeeded = true,
                     .block = { .number = 100, .hash = { { 0xcc } } },
                     .gas_used = 21000,
                     .effective_gas_price_wei = 9 },
    };
    scene.sight = (struct intent_sight){ .account = account,
                                         .is_logged = true,
                                         .logged = { .nonce = 7,
                                                     .to = to,
                                                     .value = bursar_amount_from_u64(500),
                                                     .data_hash = no_data,
                                                     .has_payment = true },
                                         .log_has_transaction = true,
                                         .has_canonical_block = true,
                                         .canonical_hash = { { 0xcc } },
                                         .nonce_latest = 8 };
    return scene;
}

static struct scene signed_payment(void)
{
    struct scene scene = final_payment();
    scene.intent.status = INTENT_SIGNED;
    scene.intent.state = STATE_STAGED;
    scene.intent.outcome = 0;
    scene.intent.has_block = scene.intent.has_fee = false;
    scene.transaction = (struct chain_transaction){ 0 };
    scene.receipt = (struct chain_receipt){ 0 };
    scene.sight.has_canonical_block = false;
    scene.sight.nonce_latest = 7;
    return scene;
}

static struct scene reverted_payment(void)
{
    struct scene scene = final_payment();
    scene.receipt.succeeded = false;
    scene.intent.state = STATE_FAILED;
    scene.intent.is_live = false;
    scene.intent.outcome = CAUSE_FINAL_REVERT;
    return scene;
}

static enum intent_verdict judge(struct scene *scene)
{
    scene->sight.intent = &scene->intent;
    scene->sight.transaction = scene->intent.has_attempt ? &scene->transaction : NULL;
    scene->sight.receipt = &scene->receipt;
    return intent_compare(&scene->sight, scene->what);
}

static void assert_differs(struct scene scene, const char *named)
{
    assert_int_equal(judge(&scene), INTENT_DIFFERS);
    if (!strstr(scene.what, named))
        fail_msg("'%s' does not name '%s'", scene.what, named);
}

static void a_final_payment_agrees(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    assert_int_equal(judge(&scene), INTENT_AGREES);
    scene.intent.status = INTENT_INCLUDED;
    scene.intent.state = STATE_EXECUTED;
    scene.intent.outcome = 0;
    scene.intent.has_fee = false;
    assert_int_equal(judge(&scene), INTENT_AGREES);
}

static void a_final_revert_agrees_only_as_failed(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.receipt.succeeded = false;
    assert_differs(scene, "failed");
    scene = reverted_payment();
    assert_int_equal(judge(&scene), INTENT_AGREES);
    scene.receipt.succeeded = true;
    assert_differs(scene, "finalized");
}

static void what_was_retried_agrees_wherever_the_disbursement_is_by_now(void **state)
{
    (void)state;
    struct scene scene = reverted_payment();
    scene.intent.state = STATE_QUEUED; /* not bound again yet */
    assert_int_equal(judge(&scene), INTENT_AGREES);
    scene.intent.state = STATE_CANCELLED; /* retried, then cancelled */
    assert_int_equal(judge(&scene), INTENT_AGREES);
    scene.intent.state = STATE_FINALIZED; /* by which intent? */
    assert_differs(scene, "failed");
    scene.intent.is_newest = false;
    for (int now = STATE_QUEUED; now <= STATE_FAILED; now++) {
        scene.intent.state = (enum disbursement_state)now;
        assert_int_equal(judge(&scene), INTENT_AGREES);
    }
    scene.receipt.succeeded = true; /* given up in the store, and yet it paid: the worst there is */
    scene.intent.state = STATE_FINALIZED;
    assert_differs(scene, "given up");
}

static void how_an_intent_ended_must_fit_its_receipt(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.intent.is_live = false;
    assert_differs(scene, "given up");
    scene = final_payment();
    scene.intent.outcome = 0;
    assert_differs(scene, "not ended");
    scene = reverted_payment();
    scene.intent.is_live = true;
    assert_differs(scene, "its payment");
    scene = signed_payment();
    scene.intent.is_live = false;
    assert_differs(scene, "given up");
    scene = signed_payment();
    scene.intent.outcome = CAUSE_FINAL_REVERT;
    assert_differs(scene, "final_revert");
}

static void in_flight_agrees_whether_the_pool_knows_it_or_not(void **state)
{
    (void)state;
    struct scene scene = signed_payment();
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
    scene.transaction = final_payment().transaction;
    scene.transaction.is_mined = false;
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
    scene.transaction.is_mined = true; /* mined, the executor has not looked yet */
    scene.sight.nonce_latest = 8;
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
}

static void bound_without_bytes_is_in_flight(void **state)
{
    (void)state;
    struct scene scene = signed_payment();
    scene.intent.status = INTENT_BOUND;
    scene.intent.has_attempt = false;
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
    scene.sight.is_logged = scene.sight.log_has_transaction = false; /* not signed yet */
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
}

static void a_nonce_used_by_another_transaction_differs(void **state)
{
    (void)state;
    struct scene scene = signed_payment();
    scene.sight.nonce_latest = 8;
    assert_differs(scene, "none of our transactions");
    scene.sight.other_attempt_mined = true;
    assert_int_equal(judge(&scene), INTENT_IN_FLIGHT);
}

static void a_log_that_lacks_or_contradicts_the_store_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.sight.is_logged = false;
    assert_differs(scene, "signing log");
    scene = final_payment();
    scene.sight.log_has_transaction = false;
    assert_differs(scene, "signing log");
    scene = final_payment();
    scene.sight.logged.to.bytes[19] ^= 1;
    assert_differs(scene, "signing log");
    scene = final_payment();
    scene.sight.logged.value = bursar_amount_from_u64(501);
    assert_differs(scene, "signing log");
    scene = final_payment();
    scene.sight.logged.data_hash.bytes[0] ^= 1;
    assert_differs(scene, "signing log");
    scene = signed_payment();
    scene.intent.status = INTENT_BOUND;
    scene.intent.has_attempt = false;
    scene.sight.logged.value = bursar_amount_from_u64(501);
    assert_differs(scene, "signing log");
}

static void another_transaction_on_the_chain_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.transaction.from.bytes[0] ^= 1;
    assert_differs(scene, "another account");
    scene = final_payment();
    scene.transaction.nonce = 8;
    assert_differs(scene, "nonce 8");
    scene = final_payment();
    scene.transaction.to.bytes[0] ^= 1;
    assert_differs(scene, "destination");
    scene = final_payment();
    scene.transaction.has_to = false;
    assert_differs(scene, "destination");
    scene = final_payment();
    scene.transaction.value = bursar_amount_from_u64(499);
    assert_differs(scene, "amount");
    scene = final_payment();
    scene.transaction.data_hash.bytes[0] ^= 1;
    assert_differs(scene, "data");
}

static void a_payment_the_chain_does_not_show_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.transaction.is_present = false;
    assert_differs(scene, "not on the chain");
    scene = final_payment();
    scene.transaction.is_mined = false;
    assert_differs(scene, "in no block");
    scene = final_payment();
    scene.receipt.is_present = false;
    assert_differs(scene, "in no block");
}

static void another_block_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.receipt.block.number = 101;
    assert_differs(scene, "block 101");
    scene = final_payment();
    scene.receipt.block.hash.bytes[0] ^= 1;
    assert_differs(scene, "another hash");
    scene = final_payment();
    scene.sight.canonical_hash.bytes[0] ^= 1;
    assert_differs(scene, "not part of the chain");
    scene = final_payment();
    scene.sight.has_canonical_block = false;
    assert_differs(scene, "not part of the chain");
}

static void another_fee_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.receipt.gas_used = 21001;
    assert_differs(scene, "21001");
    scene = final_payment();
    scene.receipt.effective_gas_price_wei = 10;
    assert_differs(scene, "10 wei");
    scene = final_payment();
    scene.intent.has_fee = false;
    assert_differs(scene, "without its fee");
}

static void a_state_that_does_not_fit_differs(void **state)
{
    (void)state;
    struct scene scene = final_payment();
    scene.intent.state = STATE_QUEUED;
    assert_differs(scene, "queued");
    scene = signed_payment();
    scene.intent.state = STATE_QUEUED;
    assert_differs(scene, "queued");
    scene = signed_payment();
    scene.intent.disbursement = 0;
    assert_differs(scene, "without a disbursement");
    scene = signed_payment();
    scene.intent.has_attempt = false;
    assert_differs(scene, "no transaction");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_final_payment_agrees),
        cmocka_unit_test(a_final_revert_agrees_only_as_failed),
        cmocka_unit_test(what_was_retried_agrees_wherever_the_disbursement_is_by_now),
        cmocka_unit_test(how_an_intent_ended_must_fit_its_receipt),
        cmocka_unit_test(in_flight_agrees_whether_the_pool_knows_it_or_not),
        cmocka_unit_test(bound_without_bytes_is_in_flight),
        cmocka_unit_test(a_nonce_used_by_another_transaction_differs),
        cmocka_unit_test(a_log_that_lacks_or_contradicts_the_store_differs),
        cmocka_unit_test(another_transaction_on_the_chain_differs),
        cmocka_unit_test(a_payment_the_chain_does_not_show_differs),
        cmocka_unit_test(another_block_differs),
        cmocka_unit_test(another_fee_differs),
        cmocka_unit_test(a_state_that_does_not_fit_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
