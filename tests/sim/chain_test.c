/* The simulated chain, seen through the real EVM driver, with really signed bytes. */
#include "chain_fixture.h"

#include <time.h>

static void a_payment_is_pooled_then_mined_then_final(void **state)
{
    struct fixture *f = *state;
    struct bursar_address to = fixture_address(0);
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    assert_int_equal(fixture_observe(f).nonce_pending, 1);
    struct chain_transaction tx = fixture_transaction(f, &hash);
    assert_true(tx.is_present && !tx.is_mined && tx.has_to);
    assert_true(address_equal(&tx.from, &f->account) && address_equal(&tx.to, &to));
    assert_false(fixture_receipt(f, &hash).is_present);

    sim_chain_mine(f->sim, 1);
    assert_true(fixture_transaction(f, &hash).is_mined);
    struct chain_receipt receipt = fixture_receipt(f, &hash);
    assert_true(receipt.is_present && receipt.succeeded);
    assert_int_equal(receipt.block.number, 1);
    assert_int_equal(receipt.gas_used, 21000);
    assert_int_equal(receipt.effective_gas_price_wei, FIXTURE_BASE_FEE_WEI + 100);
    uint64_t number = 1;
    struct chain_block block;
    assert_int_equal(f->chain.blocks(f->chain.ctx, &number, 1, &block, &f->err), BURSAR_OK);
    assert_int_equal(block.transaction_count, 1);
    assert_true(hash_equal(&block.transactions[0], &hash));
    chain_blocks_clear(&block, 1);

    struct chain_view view = fixture_observe(f);
    struct bursar_amount left = bursar_amount_from_u64(1000000000 * GWEI - GWEI - 21000 * (FIXTURE_BASE_FEE_WEI + 100));
    assert_int_equal(bursar_amount_compare(view.balance, left), 0);
    assert_int_equal(sim_chain_payments_to(f->sim, &to), 1);
    assert_int_equal(bursar_amount_compare(sim_chain_account(f->sim, sim_chain_head(f->sim), &to).balance,
                                           bursar_amount_from_u64(GWEI)),
                     0);
    assert_int_equal(sim_chain_pooled(f->sim, 0) + sim_chain_pooled(f->sim, 1), 0);
}

static void bytes_that_no_chain_takes_are_refused_and_counted(void **state)
{
    struct fixture *f = *state;
    struct payment payment = payment_new(0);
    payment.tx.chain_id++;
    payment_sign(f, &payment);
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_REFUSED);
    payment.tx.chain_id--;
    payment_sign(f, &payment);
    payment.signed_bytes.length_bytes--;
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_REFUSED);
    assert_int_equal(sim_chain_counts(f->sim)->malformed, 2);
    assert_int_equal(sim_chain_transaction_count(f->sim), 0);
    payment_free(&payment);
}

/* The strict decoder of the program and this one are two readings of the same rules. */
static void each_changed_byte_is_judged_as_the_programs_own_decoder_judges_it(void **state)
{
    struct fixture *f = *state;
    struct payment payment = payment_new(300);
    static const uint8_t data[] = "a memo";
    payment.tx.data = data;
    payment.tx.data_bytes = sizeof data;
    payment.tx.gas_limit = 30000;
    payment_sign(f, &payment);
    size_t accepted = 0, length = payment.raw.length_bytes;
    const struct sim_pool_rules rules = { .pool = 1, .head = sim_chain_head(f->sim) };
    for (size_t at = 0; at < length; at++) {
        for (int change = 1; change < 256; change += 7) {
            struct eth_transaction tx;
            struct eth_signature signature;
            struct bursar_hash hash;
            uint8_t *raw = malloc(length); /* of that size, so that reading beyond it shows */
            assert_non_null(raw);
            memcpy(raw, payment.raw.data, length);
            raw[at] ^= (uint8_t)change;
            bool is_good = eth_transaction_decode(raw, length, &tx, &signature, &f->err) == BURSAR_OK;
            enum sim_pool_verdict verdict = sim_chain_submit(f->sim, &rules, raw, length, &hash);
            free(raw);
            if (is_good && tx.chain_id != FIXTURE_CHAIN_ID)
                assert_int_equal(verdict, SIM_POOL_WRONG_CHAIN);
            else if (!is_good)
                assert_true(verdict == SIM_POOL_MALFORMED || verdict == SIM_POOL_BAD_SIGNATURE ||
                            (verdict == SIM_POOL_WRONG_CHAIN));
            else /* well-formed: whoever that signature makes the sender has nothing */
                assert_true(verdict == SIM_POOL_NO_FUNDS || verdict == SIM_POOL_BAD_SIGNATURE ||
                            verdict == SIM_POOL_GAS_TOO_LOW);
            accepted += is_good;
        }
        uint8_t *cut = malloc(at + 1);
        struct bursar_hash hash;
        assert_non_null(cut);
        memcpy(cut, payment.raw.data, at);
        assert_int_equal(sim_chain_submit(f->sim, &rules, cut, at, &hash), SIM_POOL_MALFORMED);
        free(cut);
    }
    assert_true(accepted > 100);
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_ACCEPTED);
    payment_free(&payment);
}

static void a_number_written_longer_than_needed_is_refused(void **state)
{
    struct fixture *f = *state;
    struct payment payment = payment_new(5);
    payment_sign(f, &payment);
    /* 02, f8 <length>, 82 7a 69 (chain id), 05 (nonce), which as 81 05 would be the same number. */
    uint8_t raw[256];
    size_t length = payment.raw.length_bytes, nonce_at = 6;
    assert_true(length < sizeof raw);
    memcpy(raw, payment.raw.data, nonce_at);
    memcpy(raw + nonce_at + 1, payment.raw.data + nonce_at, length - nonce_at);
    assert_int_equal(raw[nonce_at + 1], 5);
    raw[nonce_at] = 0x81;
    raw[2]++;
    payment.signed_bytes = (struct raw_transaction){ .bytes = raw, .length_bytes = length + 1 };
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_REFUSED);
    assert_int_equal(sim_chain_counts(f->sim)->malformed, 1);
    payment_free(&payment);
}

static void a_replacement_needs_both_fees_a_tenth_higher(void **state)
{
    struct fixture *f = *state;
    struct payment payment = payment_new(0);
    struct bursar_hash first = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    payment.tx.max_fee_per_gas_wei = 11 * FIXTURE_BASE_FEE_WEI;
    payment.tx.max_priority_fee_per_gas_wei = 109;
    payment_sign(f, &payment);
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_UNDERPRICED);
    payment.tx.max_fee_per_gas_wei--;
    payment.tx.max_priority_fee_per_gas_wei = 110;
    payment_sign(f, &payment);
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_UNDERPRICED);
    payment.tx.max_fee_per_gas_wei++;
    payment_sign(f, &payment);
    assert_int_equal(fixture_submit(f, &payment), SUBMIT_ACCEPTED);
    assert_false(fixture_transaction(f, &first).is_present);
    (void)fixture_pay(f, 0, SUBMIT_UNDERPRICED);
    sim_chain_mine(f->sim, 1);
    assert_true(fixture_receipt(f, &payment.signed_bytes.hash).is_present);
    assert_int_equal(sim_chain_payments_to(f->sim, &payment.tx.to), 1);
    payment_free(&payment);
}

static void a_destination_reverts_and_its_sender_pays_for_the_gas_alone(void **state)
{
    struct fixture *f = *state;
    struct bursar_address to = fixture_address(0), with_code = fixture_address(1);
    sim_chain_set_reverting(f->sim, &to, true);
    sim_chain_put_code(f->sim, &with_code);
    sim_chain_mine(f->sim, 1);
    struct bursar_hash first = fixture_pay(f, 0, SUBMIT_ACCEPTED), second = fixture_pay(f, 1, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 1);
    struct chain_receipt receipt = fixture_receipt(f, &first);
    assert_true(receipt.is_present && !receipt.succeeded);
    assert_false(fixture_receipt(f, &second).succeeded); /* 21000 gas do not run any code */
    assert_int_equal(sim_chain_payments_to(f->sim, &to) + sim_chain_payments_to(f->sim, &with_code), 0);
    assert_int_equal(fixture_observe(f).nonce_latest, 2);
    assert_int_equal(sim_chain_counts(f->sim)->reverted, 2);
}

static void a_reorg_takes_back_and_orphans_return_as_asked(void **state)
{
    struct fixture *f = *state;
    for (size_t orphans = SIM_ORPHANS_DROPPED; orphans <= SIM_ORPHANS_REPOOLED; orphans++) {
        struct bursar_address to = fixture_address(orphans);
        struct bursar_hash hash = fixture_pay(f, orphans, SUBMIT_ACCEPTED);
        sim_chain_mine(f->sim, 3);
        struct chain_view before = fixture_observe(f);
        assert_int_equal(sim_chain_reorg(f->sim, 3, (enum sim_orphans)orphans, false), 3);
        struct chain_view view = fixture_observe(f);
        assert_int_equal(view.latest.block.number, before.latest.block.number + 1);
        assert_int_equal(view.nonce_latest, orphans);
        assert_int_equal(sim_chain_payments_to(f->sim, &to), 0);
        assert_false(fixture_receipt(f, &hash).is_present);
        assert_int_equal(fixture_transaction(f, &hash).is_present, orphans == SIM_ORPHANS_REPOOLED);
        assert_true(sim_chain_conserves(f->sim));
        if (orphans == SIM_ORPHANS_DROPPED)
            (void)fixture_pay(f, orphans, SUBMIT_ACCEPTED);
        sim_chain_mine(f->sim, 1);
        assert_int_equal(sim_chain_payments_to(f->sim, &to), 1);
        assert_true(fixture_receipt(f, &hash).is_present);
    }
}

static void what_is_final_is_never_taken_back(void **state)
{
    struct fixture *f = *state;
    sim_chain_mine(f->sim, 20);
    struct chain_view before = fixture_observe(f);
    assert_int_equal(before.final.block.number, 20 - FIXTURE_DEPTH);
    assert_int_equal(sim_chain_lose(f->sim, 100, SIM_ORPHANS_DROPPED), FIXTURE_DEPTH);
    sim_chain_mine(f->sim, 1);
    struct chain_view view = fixture_observe(f);
    assert_memory_equal(&view.final, &before.final, sizeof view.final);
    assert_int_equal(view.latest.block.number, 20 - FIXTURE_DEPTH + 1);
    assert_int_equal(sim_chain_lose(f->sim, 100, SIM_ORPHANS_DROPPED), 1);
    assert_int_equal(sim_chain_lose(f->sim, 100, SIM_ORPHANS_DROPPED), 0);
}

static void deposits_and_code_come_again_after_a_reorg(void **state)
{
    struct fixture *f = *state;
    struct bursar_address rich = fixture_address(5);
    sim_chain_mine(f->sim, 2);
    sim_chain_deposit(f->sim, &rich, bursar_amount_from_u64(77));
    sim_chain_put_code(f->sim, &rich);
    assert_false(sim_chain_account(f->sim, sim_chain_head(f->sim), &rich).has_code);
    sim_chain_mine(f->sim, 1);
    uint32_t orphan = sim_chain_head(f->sim);
    assert_int_equal(sim_chain_lose(f->sim, 1, SIM_ORPHANS_DROPPED), 1);
    assert_false(sim_chain_account(f->sim, sim_chain_head(f->sim), &rich).has_code);
    assert_true(sim_chain_account(f->sim, orphan, &rich).has_code);
    assert_true(sim_chain_conserves(f->sim));
    sim_chain_mine(f->sim, 1);
    struct sim_account_state now = sim_chain_account(f->sim, sim_chain_head(f->sim), &rich);
    assert_true(now.has_code);
    assert_int_equal(now.balance.limb[0], 77);
}

static void what_is_taken_by_no_transaction_is_missing_from_that_block_on(void **state)
{
    struct fixture *f = *state;
    sim_chain_mine(f->sim, 2);
    struct chain_view before = fixture_observe(f);
    sim_chain_take(f->sim, &f->account, bursar_amount_from_u64(77));
    sim_chain_mine(f->sim, 1);
    assert_int_equal(sim_chain_lose(f->sim, 1, SIM_ORPHANS_DROPPED), 1);
    assert_int_equal(bursar_amount_compare(fixture_observe(f).balance, before.balance), 0);
    sim_chain_mine(f->sim, FIXTURE_DEPTH);
    struct chain_view view = fixture_observe(f);
    assert_int_equal(bursar_amount_compare(view.balance_final, before.balance), 0);
    assert_int_equal(before.balance.limb[0] - view.balance.limb[0], 77);
    sim_chain_mine(f->sim, 1);
    view = fixture_observe(f);
    assert_int_equal(before.balance.limb[0] - view.balance_final.limb[0], 77);
    assert_int_equal(view.nonce_final, before.nonce_latest);
    sim_chain_take(f->sim, &f->account, before.balance);
    sim_chain_mine(f->sim, 1);
    assert_true(bursar_amount_is_zero(fixture_observe(f).balance));
    assert_true(sim_chain_conserves(f->sim));
}

static void pools_that_do_not_gossip_differ(void **state)
{
    struct fixture *f = *state;
    sim_chain_set_gossip(f->sim, 1, false);
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 2);
    assert_false(fixture_receipt(f, &hash).is_present);
    assert_true(fixture_transaction(f, &hash).is_present);
    fixture_use_node(f, SIM_NODE_GETH, 2);
    assert_false(fixture_transaction(f, &hash).is_present);
    assert_int_equal(fixture_observe(f).nonce_pending, 0);
    sim_chain_set_gossip(f->sim, 1, true);
    assert_int_equal(fixture_observe(f).nonce_pending, 1);
    sim_chain_mine(f->sim, 1);
    assert_true(fixture_receipt(f, &hash).is_present);
}

static void pools_forget_what_they_are_told_to(void **state)
{
    struct fixture *f = *state;
    for (uint64_t nonce = 0; nonce < 40; nonce++)
        (void)fixture_pay(f, nonce, SUBMIT_ACCEPTED);
    sim_chain_evict_tail(f->sim, SIM_ALL_POOLS, &f->account, 10);
    assert_int_equal(sim_chain_pooled(f->sim, 0), 30);
    assert_int_equal(fixture_observe(f).nonce_pending, 30);
    sim_chain_evict(f->sim, SIM_ALL_POOLS, &f->account, 1, 3);
    size_t left = sim_chain_pooled(f->sim, 1);
    assert_int_equal(sim_chain_pooled(f->sim, 0), left);
    assert_in_range(left, 10, 29);
    uint64_t pending = fixture_observe(f).nonce_pending;
    assert_true(pending < 30);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, pending); /* up to the first gap */
    for (uint64_t nonce = pending; nonce < 40; nonce++) {
        struct payment payment = payment_new(nonce);
        payment_sign(f, &payment);
        enum submit_verdict verdict = fixture_submit(f, &payment);
        assert_true(verdict == SUBMIT_ACCEPTED || verdict == SUBMIT_KNOWN);
        payment_free(&payment);
    }
    sim_chain_drop_pools(f->sim, 1u << SIM_POOL_MINER);
    assert_int_equal(sim_chain_pooled(f->sim, 0), 0);
    assert_int_equal(sim_chain_pooled(f->sim, 1), 40 - pending);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, pending);
}

static void somebody_else_uses_the_key_in_the_open_or_unseen(void **state)
{
    struct fixture *f = *state;
    struct sim_foreign foreign = { .from = f->account,
                                   .to = fixture_address(1000),
                                   .value = bursar_amount_from_u64(5),
                                   .max_fee_per_gas_wei = 1000000,
                                   .max_priority_fee_per_gas_wei = 1 };
    struct bursar_hash ours = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    uint32_t index = sim_chain_send_foreign(f->sim, &foreign, 1u << SIM_POOL_MINER);
    struct bursar_hash theirs = sim_chain_transaction(f->sim, index)->hash;
    assert_true(fixture_transaction(f, &ours).is_present);
    assert_false(fixture_transaction(f, &theirs).is_present);
    sim_chain_mine(f->sim, 1);
    assert_false(fixture_receipt(f, &ours).is_present);
    assert_false(fixture_transaction(f, &ours).is_present);
    assert_true(fixture_receipt(f, &theirs).succeeded);
    foreign.nonce = 1;
    index = sim_chain_send_foreign(f->sim, &foreign, SIM_ALL_POOLS);
    theirs = sim_chain_transaction(f->sim, index)->hash;
    (void)fixture_pay(f, 1, SUBMIT_UNDERPRICED);
    struct chain_transaction tx = fixture_transaction(f, &theirs);
    assert_true(tx.is_present && address_equal(&tx.from, &f->account) && tx.nonce == 1);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, 2);
    assert_int_equal(sim_chain_payments_to(f->sim, &foreign.to), 2);
}

static void the_base_fee_moves_by_an_eighth_and_shuts_out_who_offers_less(void **state)
{
    struct fixture *f = *state;
    sim_chain_set_base_fee_target(f->sim, 20 * FIXTURE_BASE_FEE_WEI);
    sim_chain_mine(f->sim, 30);
    uint64_t before = FIXTURE_BASE_FEE_WEI;
    for (uint64_t number = 1; number <= 30; number++) {
        const struct sim_block *block = sim_chain_block(f->sim, sim_chain_at(f->sim, sim_chain_head(f->sim), number));
        assert_true(block->base_fee_per_gas_wei <= before + before / 8);
        before = block->base_fee_per_gas_wei;
    }
    assert_int_equal(before, 20 * FIXTURE_BASE_FEE_WEI);
    assert_int_equal(fixture_observe(f).next_base_fee_per_gas_wei, before);
    struct bursar_hash hash = fixture_pay(f, 0, SUBMIT_ACCEPTED);
    sim_chain_mine(f->sim, 1);
    assert_false(fixture_receipt(f, &hash).is_present);
    sim_chain_set_base_fee_target(f->sim, FIXTURE_BASE_FEE_WEI);
    sim_chain_mine(f->sim, 30);
    assert_true(fixture_receipt(f, &hash).is_present);
}

static void blocks_take_no_more_than_their_capacity(void **state)
{
    struct fixture *f = *state;
    for (uint64_t nonce = 0; nonce < 10; nonce++)
        (void)fixture_pay(f, nonce, SUBMIT_ACCEPTED);
    sim_chain_set_capacity(f->sim, 0);
    sim_chain_mine(f->sim, 1);
    assert_int_equal(fixture_observe(f).nonce_latest, 0);
    sim_chain_set_capacity(f->sim, 4);
    sim_chain_mine(f->sim, 2);
    assert_int_equal(fixture_observe(f).nonce_latest, 8);
    assert_int_equal(fixture_observe(f).nonce_pending, 10);
}

/* What became of the same script; the fixture's key and times never change. */
static struct bursar_hash run_script(struct fixture *f)
{
    for (uint64_t round = 0; round < 30; round++) {
        for (uint64_t i = 0; i < 5; i++) {
            struct payment payment = payment_new(fixture_observe(f).nonce_pending + i);
            payment_sign(f, &payment);
            (void)fixture_submit(f, &payment);
            payment_free(&payment);
        }
        if (round % 3 == 1)
            sim_chain_evict(f->sim, SIM_ALL_POOLS, &f->account, round, 2);
        sim_chain_set_base_fee_target(f->sim, 500 * (round % 7));
        sim_chain_mine(f->sim, 1);
        (void)sim_chain_reorg(f->sim, round % 4, (enum sim_orphans)(round % 3), round % 2);
        assert_true(sim_chain_conserves(f->sim));
    }
    return fixture_observe(f).latest.block.hash;
}

static void the_same_script_makes_the_same_chain(void **state)
{
    struct fixture *f = *state;
    void *other = NULL;
    assert_int_equal(fixture_set_up(&other), 0);
    struct bursar_hash first = run_script(f), second = run_script(other);
    assert_memory_equal(&first, &second, sizeof first);
    assert_memory_equal(sim_chain_counts(f->sim), sim_chain_counts(((struct fixture *)other)->sim),
                        sizeof(struct sim_chain_counts));
    assert_int_equal(sim_chain_transaction_count(f->sim), sim_chain_transaction_count(((struct fixture *)other)->sim));
    assert_true(sim_chain_counts(f->sim)->orphaned > 0 && sim_chain_counts(f->sim)->dropped > 0);
    assert_int_equal(fixture_tear_down(&other), 0);
}

/* 100 at a time, with receipts and blocks read, and reorgs on the way. Prints; slow machines do not fail. */
static void tens_of_thousands_of_transactions_stay_fast(void **state)
{
    enum { BATCHES = 100, SIZE = 100 };
    struct fixture *f = *state;
    static struct payment payments[SIZE];
    static struct raw_transaction list[SIZE];
    static struct submit_result results[SIZE];
    static struct chain_receipt receipts[SIZE];
    static struct bursar_hash hashes[SIZE];
    double signing = 0, rest = 0;
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        clock_t start = clock();
        for (uint64_t i = 0; i < SIZE; i++) {
            payments[i] = payment_new(batch * SIZE + i);
            payments[i].tx.value_wei = bursar_amount_from_u64(1);
            payment_sign(f, &payments[i]);
            list[i] = payments[i].signed_bytes;
            hashes[i] = list[i].hash;
        }
        signing += (double)(clock() - start);
        start = clock();
        assert_int_equal(f->chain.submit(f->chain.ctx, list, SIZE, results, &f->err), BURSAR_OK);
        sim_chain_mine(f->sim, 2);
        if (batch % 5 == 0)
            assert_int_equal(sim_chain_reorg(f->sim, 2, SIM_ORPHANS_REPOOLED, true), 2);
        (void)fixture_observe(f);
        uint64_t number = sim_chain_height(f->sim);
        struct chain_block block;
        assert_int_equal(f->chain.blocks(f->chain.ctx, &number, 1, &block, &f->err), BURSAR_OK);
        chain_blocks_clear(&block, 1);
        assert_int_equal(f->chain.receipts(f->chain.ctx, hashes, SIZE, receipts, &f->err), BURSAR_OK);
        for (size_t i = 0; i < SIZE; i++) {
            assert_true(receipts[i].is_present);
            payment_free(&payments[i]);
        }
        rest += (double)(clock() - start);
    }
    assert_int_equal(fixture_observe(f).nonce_latest, BATCHES * SIZE);
    print_message("%d payments: signing %.1f us each, all else %.1f us each\n", BATCHES * SIZE,
                  signing / CLOCKS_PER_SEC * 1e6 / (BATCHES * SIZE), rest / CLOCKS_PER_SEC * 1e6 / (BATCHES * SIZE));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_payment_is_pooled_then_mined_then_final),
        TEST(bytes_that_no_chain_takes_are_refused_and_counted),
        TEST(each_changed_byte_is_judged_as_the_programs_own_decoder_judges_it),
        TEST(a_number_written_longer_than_needed_is_refused),
        TEST(a_replacement_needs_both_fees_a_tenth_higher),
        TEST(a_destination_reverts_and_its_sender_pays_for_the_gas_alone),
        TEST(a_reorg_takes_back_and_orphans_return_as_asked),
        TEST(what_is_final_is_never_taken_back),
        TEST(deposits_and_code_come_again_after_a_reorg),
        TEST(what_is_taken_by_no_transaction_is_missing_from_that_block_on),
        TEST(pools_that_do_not_gossip_differ),
        TEST(pools_forget_what_they_are_told_to),
        TEST(somebody_else_uses_the_key_in_the_open_or_unseen),
        TEST(the_base_fee_moves_by_an_eighth_and_shuts_out_who_offers_less),
        TEST(blocks_take_no_more_than_their_capacity),
        TEST(the_same_script_makes_the_same_chain),
        TEST(tens_of_thousands_of_transactions_stay_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
