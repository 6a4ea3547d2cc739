/* The planner's decisions, each from plain values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "eth/abi.h"
#include "eth/keccak.h"
#include "executor/planner.h"

#define GWEI 1000000000ull

static struct bursar_amount wei(uint64_t value)
{
    return bursar_amount_from_u64(value);
}

static struct bursar_hash hash_of(uint8_t byte)
{
    struct bursar_hash hash;
    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

static struct treasury a_treasury(void)
{
    return (struct treasury){ .id = 1,
                              .chain_id = 31337,
                              .is_pinned = true,
                              .genesis_hash = hash_of(1),
                              .first_nonce = 5,
                              .anchor = { 100, hash_of(2) } };
}

static struct chain_view a_view(void)
{
    return (struct chain_view){ .chain_id = 31337,
                                .genesis_hash = hash_of(1),
                                .latest = { .block = { 200, hash_of(9) } },
                                .has_final = true,
                                .final = { .block = { 136, hash_of(8) }, .timestamp_s = 7200 },
                                .has_anchor_block = true,
                                .anchor_hash = hash_of(2),
                                .nonce_latest = 5,
                                .nonce_final = 5,
                                .nonce_pending = 5,
                                .next_base_fee_per_gas_wei = 10 * GWEI,
                                .suggested_priority_fee_per_gas_wei = GWEI };
}

static void the_right_chain_is_recognised(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_false(verdict.holds);
}

static void another_chain_id_halts_without_latching(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.chain_id = 1;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_WRONG_CHAIN);
    assert_false(halt_latches(verdict.halt));
}

static void another_genesis_or_anchor_hash_latches(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.genesis_hash = hash_of(77);
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_GENESIS_MISMATCH);
    assert_true(halt_latches(verdict.halt));
    view = a_view();
    view.anchor_hash = hash_of(77);
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_ANCHOR_MISMATCH);
    assert_true(halt_latches(verdict.halt));
}

static void a_missing_anchor_block_only_holds(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.has_anchor_block = false;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
}

/* A node that lags may be on a branch that the others have left: what it has there was never final to it. */
static void another_hash_of_a_node_to_which_the_anchor_is_not_final_only_holds(void **state)
{
    (void)state;
    struct treasury treasury = a_treasury();
    struct chain_view view = a_view();
    struct verdict verdict;
    view.anchor_hash = hash_of(77);
    view.final.block.number = treasury.anchor.number - 1;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    view.has_final = false;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    view.has_final = true;
    view.final.block.number = treasury.anchor.number;
    plan_identity(&treasury, &view, &verdict);
    assert_int_equal(verdict.halt, HALT_ANCHOR_MISMATCH);
}

static void an_account_with_unrecorded_history_is_not_adopted(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct signing_log_extent log = { 0 };
    struct verdict verdict;
    view.nonce_latest = 0;
    view.nonce_pending = 1;
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_ACCOUNT_HISTORY);
    log = (struct signing_log_extent){ .entries = 1, .first_nonce = 0, .next_nonce = 1 };
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    view.nonce_pending = 0;
    log = (struct signing_log_extent){ 0 };
    plan_adoption(&view, &log, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
}

struct nonce_case {
    struct treasury treasury;
    struct lane lane;
    struct signing_log_extent log;
    struct chain_view view;
    struct flight flights[3];
};

/* Nonces 5, 6, 7 bound and signed, none included. */
static struct nonce_case three_in_flight(void)
{
    struct nonce_case c = {
        .treasury = a_treasury(),
        .lane = { .has_intents = true, .lowest_unfinished_nonce = 5, .next_nonce = 8, .in_flight = 3 },
        .log = { .entries = 3, .first_nonce = 5, .next_nonce = 8 },
        .view = a_view()
    };
    for (size_t i = 0; i < 3; i++)
        c.flights[i] =
            (struct flight){ .intent = (int64_t)i + 1, .nonce = 5 + i, .kind = INTENT_PAYMENT, .has_attempt = true };
    c.view.nonce_pending = 8;
    return c;
}

static struct verdict judged(const struct nonce_case *c, bool is_current)
{
    struct verdict verdict;
    plan_nonces(&c->treasury, &c->lane, &c->log, &c->view, is_current, c->flights, 3, &verdict);
    return verdict;
}

static void payments_waiting_in_the_pool_hold_nothing_up(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_false(verdict.holds);
}

static void a_signature_the_store_does_not_know_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.log.next_nonce = 9;
    assert_int_equal(judged(&c, true).halt, HALT_STORE_BEHIND_LOG);
    c = three_in_flight();
    c.log.first_nonce = 4;
    assert_int_equal(judged(&c, true).halt, HALT_STORE_BEHIND_LOG);
}

static void a_gap_below_what_is_in_flight_is_named(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.treasury.first_nonce = 5;
    c.view.nonce_latest = c.view.nonce_final = 3;
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    assert_non_null(strstr(verdict.reason, "nonces 3 to 4 of the account are not used"));
    c.treasury.first_nonce = 0;
    assert_true(judged(&c, true).holds);
}

static void a_chain_that_knows_more_nonces_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = 9;
    c.view.nonce_pending = 5;
    assert_int_equal(judged(&c, false).halt, HALT_STORE_BEHIND_CHAIN);
}

static void a_used_nonce_without_our_transaction_holds_until_it_is_final_then_halts(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = 6;
    struct verdict verdict = judged(&c, true);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
    c.view.nonce_final = 6;
    assert_int_equal(judged(&c, true).halt, HALT_FOREIGN_NONCE);
}

static void a_nonce_refused_as_low_or_underpriced_holds_what_is_above(void **state)
{
    (void)state;
    static const enum submit_verdict contested[] = { SUBMIT_NONCE_TOO_LOW, SUBMIT_UNDERPRICED, SUBMIT_CONTESTED };
    for (size_t i = 0; i < sizeof contested / sizeof contested[0]; i++) {
        struct nonce_case c = three_in_flight();
        c.flights[1].verdict = contested[i];
        struct verdict verdict = judged(&c, true);
        assert_int_equal(verdict.halt, HALT_NONE);
        assert_true(verdict.holds);
        c.flights[1].verdict = SUBMIT_KNOWN;
        assert_false(judged(&c, true).holds);
    }
}

static void nothing_is_called_foreign_before_all_blocks_are_read(void **state)
{
    (void)state;
    struct nonce_case c = three_in_flight();
    c.view.nonce_latest = c.view.nonce_final = 6;
    struct verdict verdict = judged(&c, false);
    assert_int_equal(verdict.halt, HALT_NONE);
    assert_true(verdict.holds);
}

static void a_stored_attempt_that_the_signing_log_lacks_means_the_log_was_lost(void **state)
{
    (void)state;
    struct intent_record intent = { .nonce = 5, .kind = INTENT_PAYMENT, .has_attempt = true, .value = wei(7) };
    struct signed_payload payload = { 0 };
    struct verdict verdict;
    plan_signature_known(&intent, false, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_SIGNING_LOG_LOST);
    intent.has_attempt = false;
    plan_signature_known(&intent, false, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
}

static void another_payload_in_the_signing_log_halts(void **state)
{
    (void)state;
    struct intent_record intent = { .nonce = 5, .kind = INTENT_PAYMENT, .has_attempt = false, .value = wei(7) };
    struct signed_payload payload = { .nonce = 5, .has_payment = true, .value = wei(7) };
    struct verdict verdict;
    keccak256("", 0, &payload.data_hash);
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_NONE);
    intent.data.length_bytes = 1;
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
    intent.data.length_bytes = 0;
    payload.value = wei(8);
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
    payload.value = wei(7);
    payload.to.bytes[19] = 1;
    plan_signature_known(&intent, true, &payload, &verdict);
    assert_int_equal(verdict.halt, HALT_STORE_BEHIND_LOG);
}

static void fees_leave_room_for_the_base_fee_to_double_and_never_exceed_the_caps(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct fee_caps caps = { 200 * GWEI, 2 * GWEI };
    struct fees fees;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 21 * GWEI);
    assert_true(fees.max_priority_fee_per_gas_wei == GWEI);
    assert_false(fees.above_cap);

    view.suggested_priority_fee_per_gas_wei = 50 * GWEI;
    view.next_base_fee_per_gas_wei = 150 * GWEI;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);
    assert_true(fees.max_priority_fee_per_gas_wei == 2 * GWEI);
    assert_false(fees.above_cap);

    view.next_base_fee_per_gas_wei = 200 * GWEI + 1;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.above_cap);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);

    view.next_base_fee_per_gas_wei = UINT64_MAX;
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_fee_per_gas_wei == 200 * GWEI);

    caps = (struct fee_caps){ GWEI, 2 * GWEI };
    plan_fees(&view, &caps, &fees);
    assert_true(fees.max_priority_fee_per_gas_wei <= fees.max_fee_per_gas_wei);
}

static void everything_in_flight_is_reserved_at_its_worst_case(void **state)
{
    (void)state;
    struct flight flights[2] = {
        { .nonce = 5, .value = wei(1000), .gas_limit = 21000, .has_attempt = true, .max_fee_per_gas_wei = 3 },
        { .nonce = 6, .value = wei(500), .gas_limit = 21000, .has_attempt = false },
    };
    struct bursar_amount balance = wei(1000 + 63000 + 500 + 21000 * 7 + 42), available;
    plan_available(&balance, flights, 2, 7, &available);
    assert_int_equal(bursar_amount_compare(available, wei(42)), 0);
    balance = wei(1000);
    plan_available(&balance, flights, 2, 7, &available);
    assert_true(bursar_amount_is_zero(available));
}

static void affordable_rows_go_on_behind_unaffordable_ones(void **state)
{
    (void)state;
    struct due_row rows[4] = { { .id = 1, .version = 1, .amount = wei(100) },
                               { .id = 2, .version = 1, .amount = wei(1000000) },
                               { .id = 3, .version = 4, .amount = wei(100) },
                               { .id = 4, .version = 1, .amount = wei(101) } };
    struct outlook outlooks[4] = { 0 };
    struct binding bindings[4];
    struct block_decision blocks[4];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = {
        .next_nonce = 9, .head_number = 50, .max_fee_per_gas_wei = 1, .available = wei(2 * (21000 + 100) + 21000 + 100)
    };
    plan_spending(rows, outlooks, 4, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_int_equal(bindings[0].disbursement, 1);
    assert_int_equal(bindings[0].nonce, 9);
    assert_int_equal(bindings[1].disbursement, 3);
    assert_int_equal(bindings[1].version, 4);
    assert_int_equal(bindings[1].nonce, 10);
    assert_int_equal(plan.block_count, 2);
    assert_int_equal(blocks[0].disbursement, 2);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].recheck_number, 0); /* money wakes it */
    assert_int_equal(blocks[1].disbursement, 4);
    assert_int_equal(bursar_amount_compare(plan.available, wei(21100)), 0);
}

static struct outlook estimated(enum estimate_outcome outcome, uint64_t gas)
{
    return (struct outlook){ .kind = OUTLOOK_ESTIMATED,
                             .estimate = { .outcome = outcome, .gas = gas, .words = "because" } };
}

static void what_is_refused_is_passed_over_and_costs_nothing(void **state)
{
    (void)state;
    struct due_row rows[7] = {
        { .id = 1 }, { .id = 2, .looks = 2 }, { .id = 3, .looks = 60 }, { .id = 4 }, { .id = 5 }, { .id = 6 },
        { .id = 7 }
    };
    struct outlook outlooks[7] = { estimated(ESTIMATE_REVERTS, 0), estimated(ESTIMATE_UNKNOWN, 0),
                                   estimated(ESTIMATE_EXCEEDS, 0), { .kind = OUTLOOK_IMPOSSIBLE },
                                   { .kind = OUTLOOK_LATER },      { .kind = OUTLOOK_UNFUNDED },
                                   { .kind = OUTLOOK_TRANSFER } };
    static const struct block_decision wanted[] = { { 1, 0, BLOCK_REVERTS, 1005, 0, "because" },
                                                    { 2, 0, BLOCK_UNESTIMATED, 1004, 0, "because" },
                                                    { 3, 0, BLOCK_GAS, 1320, 0, "because" },
                                                    { 4, 0, BLOCK_DESTINATION_CODE, 0, 0, NULL },
                                                    { 6, 0, BLOCK_FUNDS, 1005, 0, NULL } };
    struct binding bindings[7];
    struct block_decision blocks[7];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 1000, .max_fee_per_gas_wei = 1, .available = wei(21000)
    };
    plan_spending(rows, outlooks, 7, &terms, &plan);
    assert_int_equal(plan.block_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(blocks[i].disbursement, wanted[i].disbursement);
        assert_int_equal(blocks[i].code, wanted[i].code);
        assert_int_equal(blocks[i].recheck_number, wanted[i].recheck_number);
        assert_string_equal(blocks[i].note ? blocks[i].note : "", wanted[i].note ? wanted[i].note : "");
    }
    assert_int_equal(plan.binding_count, 1);
    assert_int_equal(bindings[0].disbursement, 7);
    assert_int_equal(bindings[0].gas_limit, 21000);
}

static void a_contract_is_bound_with_more_gas_than_was_estimated_and_pays_for_it(void **state)
{
    (void)state;
    struct due_row rows[2] = { { .id = 1, .amount = wei(7) }, { .id = 2, .amount = wei(7) } };
    struct outlook outlooks[2] = { estimated(ESTIMATE_GAS, 30000), estimated(ESTIMATE_GAS, 200000) };
    struct binding bindings[2];
    struct block_decision blocks[2];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    struct spending_terms terms = { .next_nonce = 0,
                                    .head_number = 1000,
                                    .max_fee_per_gas_wei = 2,
                                    .available = wei(7 + 2 * 50000 + 7 + 2 * 250000 - 1) };
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 1);
    assert_int_equal(bindings[0].gas_limit, 50000);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].gas_limit, 250000);
    assert_int_equal(blocks[0].recheck_number, 1005);
    terms.available = wei(7 + 2 * 50000 + 7 + 2 * 250000);
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_true(bursar_amount_is_zero(plan.available));
}

static void no_gas_limit_is_above_the_highest(void **state)
{
    (void)state;
    assert_int_equal(plan_gas_limit(1), GAS_MARGIN_MIN + 1);
    assert_int_equal(plan_gas_limit(400000), 500000);
    assert_int_equal(plan_gas_limit(900000), GAS_LIMIT_MAX);
    assert_int_equal(plan_gas_limit(UINT64_MAX), GAS_LIMIT_MAX);
    struct due_row row = { .id = 1 };
    struct outlook outlook = estimated(ESTIMATE_GAS, GAS_LIMIT_MAX + 1);
    struct binding binding;
    struct block_decision block;
    struct spending_plan plan = { .bindings = &binding, .blocks = &block };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 0, .max_fee_per_gas_wei = 0, .available = wei(1)
    };
    plan_spending(&row, &outlook, 1, &terms, &plan);
    assert_int_equal(plan.binding_count, 0);
    assert_int_equal(block.code, BLOCK_GAS);
}

static void only_what_holds_code_and_is_funded_is_tried_out(void **state)
{
    (void)state;
    const struct due_row rows[5] = {
        { .amount = wei(1) }, { .amount = wei(2) }, { .amount = wei(1) }, { .amount = wei(1) }, { .amount = wei(1) }
    };
    const bool has_code[5] = { false, true, true, true, true };
    const struct bursar_amount available = wei(21001);
    struct outlook got[5];
    plan_outlooks(rows, has_code, 5, true, 2, 1, &available, NULL, 0, got);
    const enum outlook_kind wanted[] = { OUTLOOK_TRANSFER, OUTLOOK_UNFUNDED, OUTLOOK_ESTIMATED, OUTLOOK_ESTIMATED,
                                         OUTLOOK_LATER };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(got[i].kind, wanted[i]);
    plan_outlooks(rows, has_code, 5, false, 2, 1, &available, NULL, 0, got);
    assert_int_equal(got[1].kind, OUTLOOK_IMPOSSIBLE);
}

#define TOKEN_A                                                                                                        \
    {                                                                                                                  \
        .is_token = true, .token = { { 0xa0 } }                                                                        \
    }
#define TOKEN_B                                                                                                        \
    {                                                                                                                  \
        .is_token = true, .token = { { 0xb0 } }                                                                        \
    }

static void a_token_is_told_to_move_what_is_owed(void **state)
{
    (void)state;
    const struct due_row row = { .asset = TOKEN_A, .destination = { { 7 } }, .amount = wei(500) };
    struct bursar_address to, recipient;
    struct bursar_amount value, amount;
    struct call_data data;
    plan_payment(&row, false, &to, &value, &data);
    assert_int_equal(to.bytes[0], 0xa0);
    assert_true(bursar_amount_is_zero(value));
    assert_true(abi_transfer_decode(data.bytes, data.length_bytes, &recipient, &amount));
    assert_int_equal(recipient.bytes[0], 7);
    assert_int_equal(bursar_amount_compare(amount, wei(500)), 0);
}

static void a_tag_follows_what_is_paid_and_takes_its_gas(void **state)
{
    (void)state;
    struct due_row rows[2] = {
        { .id = 1, .destination = { { 7 } }, .amount = wei(500), .content_hash = { { 0xcc, 1 } } },
        { .id = 2, .destination = { { 7 } }, .amount = wei(500), .content_hash = { { 0xcc, 2 } } }
    };
    struct bursar_address to;
    struct bursar_amount value;
    struct call_data data;
    plan_payment(&rows[0], true, &to, &value, &data);
    assert_int_equal(data.length_bytes, TAG_BYTES);
    assert_memory_equal(data.bytes, rows[0].content_hash.bytes, TAG_BYTES);
    struct outlook outlooks[2] = { { .kind = OUTLOOK_TRANSFER }, { .kind = OUTLOOK_TRANSFER } };
    struct binding bindings[2];
    struct block_decision blocks[2];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct spending_terms terms = { .max_fee_per_gas_wei = 1, .available = wei(100000), .tags = true };
    plan_spending(rows, outlooks, 2, &terms, &plan);
    assert_int_equal(plan.binding_count, 2);
    assert_int_equal(bindings[1].gas_limit, TRANSFER_GAS + TAG_GAS);
    assert_int_equal(bindings[1].data.bytes[1], 2);
    rows[0].asset = (struct asset)TOKEN_A;
    plan_payment(&rows[0], true, &to, &value, &data);
    assert_int_equal(data.length_bytes, ABI_TRANSFER_BYTES + TAG_BYTES);
    assert_memory_equal(data.bytes + ABI_TRANSFER_BYTES, rows[0].content_hash.bytes, TAG_BYTES);
}

static void each_token_has_a_purse_of_its_own_and_all_need_coins_for_gas(void **state)
{
    (void)state;
    const struct due_row rows[6] = {
        { .id = 1, .asset = TOKEN_A, .amount = wei(60) },
        { .id = 2, .asset = TOKEN_A, .amount = wei(60) },
        { .id = 3, .asset = TOKEN_B, .amount = wei(60) },
        { .id = 4, .asset = TOKEN_A, .amount = wei(40) },
        { .id = 5, .amount = wei(60) },
        { .id = 6, .asset = TOKEN_A, .amount = wei(101) },
    };
    const bool has_code[6] = { false };
    const struct flight flight = { .to = { { 0xb0 } } };
    struct purse purses[PURSES_MAX_COUNT];
    struct outlook outlooks[6];
    struct binding bindings[6];
    struct block_decision blocks[6];
    struct spending_plan plan = { .bindings = bindings, .blocks = blocks };
    const struct bursar_amount balance = wei(100);
    assert_int_equal(plan_purses(rows, 6, purses), 2);
    plan_purse_available(&purses[0], &balance, &flight, 1);
    struct spending_terms terms = { .next_nonce = 3,
                                    .head_number = 70,
                                    .max_fee_per_gas_wei = 1,
                                    .available = wei(2 * 70000 + 21000 + 60),
                                    .purses = purses,
                                    .purse_count = 2 };
    plan_outlooks(rows, has_code, 6, true, 9, 1, &terms.available, purses, 2, outlooks);
    assert_int_equal(outlooks[2].kind, OUTLOOK_UNKNOWN); /* its balance was not told */
    assert_int_equal(outlooks[4].kind, OUTLOOK_TRANSFER);
    assert_int_equal(outlooks[5].kind, OUTLOOK_NO_TOKENS);
    for (size_t i = 0; i < 6; i++) {
        if (outlooks[i].kind == OUTLOOK_ESTIMATED)
            outlooks[i].estimate = (struct chain_estimate){ .outcome = ESTIMATE_GAS, .gas = 50000 };
    }
    plan_spending(rows, outlooks, 6, &terms, &plan);
    assert_int_equal(plan.binding_count, 3); /* 60 + 40 of A, and the coins */
    assert_int_equal(bindings[0].disbursement, 1);
    assert_int_equal(bindings[0].to.bytes[0], 0xa0);
    assert_int_equal(bindings[0].data.length_bytes, ABI_TRANSFER_BYTES);
    assert_int_equal(bindings[1].disbursement, 4);
    assert_int_equal(bindings[2].disbursement, 5);
    assert_int_equal(bindings[2].data.length_bytes, 0);
    assert_int_equal(bindings[2].nonce, 5);
    assert_int_equal(plan.block_count, 3);
    assert_int_equal(blocks[0].disbursement, 2);
    assert_int_equal(blocks[0].code, BLOCK_FUNDS);
    assert_int_equal(blocks[0].recheck_number, 0);
    assert_string_equal(blocks[0].note, "20");
    assert_int_equal(blocks[1].code, BLOCK_UNESTIMATED);
    assert_int_equal(blocks[2].code, BLOCK_FUNDS);
    assert_int_equal(blocks[2].recheck_number, 0); /* woken by tokens */
    assert_string_equal(blocks[2].note, "1");      /* is missing */
    assert_true(bursar_amount_is_zero(plan.available));
    plan_outlooks(rows, has_code, 6, false, 9, 1, &balance, purses, 2, outlooks);
    plan_spending(rows, outlooks, 1, &terms, &plan);
    assert_int_equal(blocks[0].code, BLOCK_TOKEN); /* this chain can't try it out */
}

static void tokens_in_flight_are_reserved(void **state)
{
    (void)state;
    struct flight flights[3] = { { .to = { { 0xa0 } } },
                                 { .to = { { 0xb0 } } },
                                 { .to = { { 0xa0 } }, .value = wei(9) } };
    struct purse purse = { .token = { { 0xa0 } } };
    const struct bursar_address anybody = { { 1 } };
    struct bursar_amount balance = wei(100);
    for (size_t i = 0; i < 2; i++) {
        abi_transfer_encode(&anybody, wei(30), flights[i].data.bytes);
        flights[i].data.length_bytes = ABI_TRANSFER_BYTES;
    }
    plan_purse_available(&purse, &balance, flights, 3);
    assert_int_equal(bursar_amount_compare(purse.available, wei(70)), 0);
    balance = wei(29);
    plan_purse_available(&purse, &balance, flights, 3);
    assert_true(bursar_amount_is_zero(purse.available));
}

static struct final_attempt final_of(uint64_t moved, bool succeeded, bool has_more)
{
    const struct bursar_address to = { { 7 } };
    struct included_attempt included = { .purpose = SIGN_PAYMENT, .to = { { 0xa0 } } };
    struct chain_receipt receipt = { .is_present = true,
                                     .succeeded = succeeded,
                                     .transfers = { { { { 9 } }, wei(5000) }, { to, wei(moved) } },
                                     .transfer_count = moved ? 2 : 1,
                                     .has_more_transfers = has_more };
    struct final_attempt final;
    abi_transfer_encode(&to, wei(500), included.data.bytes);
    included.data.length_bytes = ABI_TRANSFER_BYTES;
    plan_final(&included, &receipt, &final);
    return final;
}

static void of_a_token_the_logs_say_what_was_paid(void **state)
{
    (void)state;
    struct final_attempt final = final_of(500, true, false);
    assert_true(final.succeeded && !final.is_short && !final.is_unpaid);
    final = final_of(495, true, false);
    assert_true(final.succeeded && final.is_short && !final.is_unpaid);
    assert_int_equal(bursar_amount_compare(final.short_by, wei(5)), 0);
    final = final_of(0, true, false);
    assert_true(final.is_unpaid && !final.is_short);
    final = final_of(0, true, true); /* may have been among the others: nobody pays it again unasked */
    assert_true(final.is_short && !final.is_unpaid);
    final = final_of(0, false, false);
    assert_true(!final.succeeded && !final.is_short && !final.is_unpaid);
}

static void an_amount_near_256_bits_is_unaffordable_not_wrapped_around(void **state)
{
    (void)state;
    struct due_row row = { .id = 1, .amount = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } } };
    struct outlook outlook = { .kind = OUTLOOK_TRANSFER };
    struct binding binding;
    struct block_decision block;
    struct spending_plan plan = { .bindings = &binding, .blocks = &block };
    const struct spending_terms terms = {
        .next_nonce = 0, .head_number = 0, .max_fee_per_gas_wei = 1, .available = row.amount
    };
    plan_spending(&row, &outlook, 1, &terms, &plan);
    assert_int_equal(plan.binding_count, 0);
    assert_int_equal(block.code, BLOCK_FUNDS);
}

static void bytes_are_handed_over_again_only_when_a_pool_lacks_them_or_after_long(void **state)
{
    (void)state;
    struct flight flight = { .nonce = 5, .has_attempt = false };
    const uint64_t now_ms = 10000000;
    assert_false(plan_broadcast(&flight, 5, now_ms));
    flight.has_attempt = true;
    assert_true(plan_broadcast(&flight, 5, now_ms));
    flight.sends = 1;
    flight.last_sent_ms = now_ms - REBROADCAST_GRACE_MS + 1;
    assert_false(plan_broadcast(&flight, 5, now_ms));
    flight.last_sent_ms = now_ms - REBROADCAST_GRACE_MS;
    assert_true(plan_broadcast(&flight, 5, now_ms));
    assert_false(plan_broadcast(&flight, 6, now_ms));
    flight.last_sent_ms = now_ms - REBROADCAST_MS;
    assert_true(plan_broadcast(&flight, 6, now_ms));
    flight.last_sent_ms = now_ms + 5000; /* the wall clock jumped back */
    assert_true(plan_broadcast(&flight, 6, now_ms));
}

static void flights_are_found_by_their_hash(void **state)
{
    (void)state;
    struct flight flights[5];
    struct watched watched[5];
    static const uint8_t bytes[5] = { 9, 3, 7, 1, 5 };
    for (size_t i = 0; i < 5; i++) {
        flights[i] = (struct flight){ .nonce = i, .hash = hash_of(bytes[i]) };
        watched[i] = (struct watched){ .hash = flights[i].hash, .flight = &flights[i] };
    }
    plan_sort_watched(watched, 5);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(plan_find_watched(watched, 5, &flights[i].hash)->flight, &flights[i]);
    struct bursar_hash other = hash_of(4);
    assert_null(plan_find_watched(watched, 5, &other));
    assert_null(plan_find_watched(watched, 0, &other));
}

/* Stuck since block 100 at 1000 / 10 wei per gas, and now it is block 110. */
struct stuck {
    struct flight flight;
    struct patience patience;
    struct chain_view view;
    struct fee_caps caps;
    struct fees fees;
};

static struct stuck a_stuck_flight(void)
{
    return (struct stuck){ .flight = { .nonce = 5,
                                       .has_attempt = true,
                                       .seq = 1,
                                       .purpose = SIGN_PAYMENT,
                                       .max_fee_per_gas_wei = 1000,
                                       .max_priority_fee_per_gas_wei = 10,
                                       .head_number = 100,
                                       .verdict = SUBMIT_ACCEPTED },
                           .patience = { .after_blocks = 10, .is_lowest = true },
                           .view = { .latest.block.number = 110,
                                     .nonce_latest = 5,
                                     .next_base_fee_per_gas_wei = 100,
                                     .suggested_priority_fee_per_gas_wei = 4 },
                           .caps = { 5000, 10 } };
}

static enum replacement decide(struct stuck *stuck)
{
    return plan_replacement(&stuck->flight, &stuck->patience, &stuck->view, &stuck->caps, &stuck->fees);
}

static void what_is_not_mined_in_time_is_replaced_with_both_fees_a_tenth_higher(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 1100);
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 11); /* above its cap, as far as the bump demands */
    stuck.flight.max_fee_per_gas_wei = 1001;
    stuck.flight.max_priority_fee_per_gas_wei = 0;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 1102); /* rounded up */
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 4);
    stuck.view.next_base_fee_per_gas_wei = 2000; /* what it would take now is more than the bump */
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 4004);
}

static void what_may_still_be_mined_is_given_time(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.view.latest.block.number = 109;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.progress_number = 105; /* others of ours were mined meanwhile */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.is_lowest = false; /* it waits for a lower nonce, not for fees */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.view.next_base_fee_per_gas_wei = 1001; /* for fees as well */
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck = a_stuck_flight();
    stuck.view.nonce_latest = 6; /* used: one of its attempts is in a block, or somebody else's is */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.patience.after_blocks = 0;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck = a_stuck_flight();
    stuck.view.latest.block.number = 90; /* a node that lags */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

static void nothing_is_offered_above_the_cap(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.caps.max_fee_per_gas_wei = 1100;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck.caps.max_fee_per_gas_wei = 1099;
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
    stuck = a_stuck_flight();
    stuck.view.next_base_fee_per_gas_wei = 5001; /* it would not be mined either */
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
    stuck = a_stuck_flight();
    stuck.flight.max_fee_per_gas_wei = UINT64_MAX - 5;
    stuck.caps.max_fee_per_gas_wei = UINT64_MAX;
    assert_int_equal(decide(&stuck), REPLACE_AT_CAP);
}

static void a_replacement_that_was_called_underpriced_is_doubled_at_the_next_block(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.flight.seq = 2;
    stuck.flight.verdict = SUBMIT_UNDERPRICED;
    stuck.view.latest.block.number = 101;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    assert_int_equal(stuck.fees.max_fee_per_gas_wei, 2000);
    assert_int_equal(stuck.fees.max_priority_fee_per_gas_wei, 20);
    stuck.flight.head_number = 101;
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.flight.head_number = 100;
    stuck.flight.seq = 1; /* the first one: not ours is what holds the nonce */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

static void what_a_person_wants_cancelled_is_replaced_at_once(void **state)
{
    (void)state;
    struct stuck stuck = a_stuck_flight();
    stuck.view.latest.block.number = 100;
    stuck.patience.is_lowest = false;
    stuck.flight.cancel_wanted = true;
    assert_int_equal(decide(&stuck), REPLACE_NOW);
    stuck.flight.purpose = SIGN_SELF; /* it is: from now on it waits like any other */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
    stuck.flight.purpose = SIGN_PAYMENT;
    stuck.view.nonce_latest = 6; /* too late */
    assert_int_equal(decide(&stuck), REPLACE_NOT);
}

static void epochs_count_final_blocks_or_final_time(void **state)
{
    (void)state;
    struct chain_view view = a_view();
    struct epoch_source blocks = { EPOCH_BLOCK, 10 }, time = { EPOCH_TIME, 3600 };
    assert_int_equal(plan_epoch(&blocks, &view.final), 13);
    assert_int_equal(plan_epoch(&time, &view.final), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_chain_is_recognised),
        cmocka_unit_test(another_chain_id_halts_without_latching),
        cmocka_unit_test(another_genesis_or_anchor_hash_latches),
        cmocka_unit_test(a_missing_anchor_block_only_holds),
        cmocka_unit_test(another_hash_of_a_node_to_which_the_anchor_is_not_final_only_holds),
        cmocka_unit_test(an_account_with_unrecorded_history_is_not_adopted),
        cmocka_unit_test(payments_waiting_in_the_pool_hold_nothing_up),
        cmocka_unit_test(a_signature_the_store_does_not_know_halts),
        cmocka_unit_test(a_gap_below_what_is_in_flight_is_named),
        cmocka_unit_test(a_chain_that_knows_more_nonces_halts),
        cmocka_unit_test(a_used_nonce_without_our_transaction_holds_until_it_is_final_then_halts),
        cmocka_unit_test(a_nonce_refused_as_low_or_underpriced_holds_what_is_above),
        cmocka_unit_test(nothing_is_called_foreign_before_all_blocks_are_read),
        cmocka_unit_test(a_stored_attempt_that_the_signing_log_lacks_means_the_log_was_lost),
        cmocka_unit_test(another_payload_in_the_signing_log_halts),
        cmocka_unit_test(fees_leave_room_for_the_base_fee_to_double_and_never_exceed_the_caps),
        cmocka_unit_test(everything_in_flight_is_reserved_at_its_worst_case),
        cmocka_unit_test(affordable_rows_go_on_behind_unaffordable_ones),
        cmocka_unit_test(what_is_refused_is_passed_over_and_costs_nothing),
        cmocka_unit_test(a_contract_is_bound_with_more_gas_than_was_estimated_and_pays_for_it),
        cmocka_unit_test(no_gas_limit_is_above_the_highest),
        cmocka_unit_test(only_what_holds_code_and_is_funded_is_tried_out),
        cmocka_unit_test(a_token_is_told_to_move_what_is_owed),
        cmocka_unit_test(a_tag_follows_what_is_paid_and_takes_its_gas),
        cmocka_unit_test(each_token_has_a_purse_of_its_own_and_all_need_coins_for_gas),
        cmocka_unit_test(tokens_in_flight_are_reserved),
        cmocka_unit_test(of_a_token_the_logs_say_what_was_paid),
        cmocka_unit_test(an_amount_near_256_bits_is_unaffordable_not_wrapped_around),
        cmocka_unit_test(bytes_are_handed_over_again_only_when_a_pool_lacks_them_or_after_long),
        cmocka_unit_test(flights_are_found_by_their_hash),
        cmocka_unit_test(what_is_not_mined_in_time_is_replaced_with_both_fees_a_tenth_higher),
        cmocka_unit_test(what_may_still_be_mined_is_given_time),
        cmocka_unit_test(nothing_is_offered_above_the_cap),
        cmocka_unit_test(a_replacement_that_was_called_underpriced_is_doubled_at_the_next_block),
        cmocka_unit_test(what_a_person_wants_cancelled_is_replaced_at_once),
        cmocka_unit_test(epochs_count_final_blocks_or_final_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
