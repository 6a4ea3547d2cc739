/* Store and signing log that were lost, or put back from an older copy: whichever of store, log and chain knows less
 * than the others, nothing is bound, and nobody is paid twice (INV-12). */
#include "world.h"

#include "base/bytes.h"
#include "executor/planner.h"

#include <unistd.h>

#define ROWS 6

static int set_up(void **state)
{
    struct world *world = world_new();
    world->config.batch_size = 3;
    world->config.max_in_flight = 3;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static void restart(struct world *world)
{
    process_stop(&world->first);
    process_start(&world->first, world, "first again");
}

/* Half of the rows are bound, signed and out; none is mined. */
static void pay_half(struct world *world)
{
    world_add_many(world, ROWS);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_STAGED), 3);
}

/* Whatever is run now: nothing is signed, nothing new is bound. */
static void check_halted(struct world *world, enum halt_code halt)
{
    uint64_t nonce = memory_chain_nonce(world->chain);
    int64_t intents = world_number(world, "SELECT count(*) FROM intent");
    for (int times = 0; times < 2; times++) {
        world_run(world, 15);
        assert_int_equal(world->first.report.halt, halt);
        assert_int_equal(world_number(world, "SELECT halt_code FROM treasury"), halt);
        assert_false(world->first.report.is_idle);
        restart(world);
    }
    assert_int_equal(memory_chain_nonce(world->chain), nonce);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent"), intents);
}

/* No oracle about the store here: it is an old one. The chain alone tells. */
static void check_paid_once(struct world *world, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        struct bursar_address destination = destination_of(row);
        assert_int_equal(memory_chain_payments_to(world->chain, &destination), 1);
    }
}

static void an_older_copy_of_the_store_is_behind_the_signing_log(void **state)
{
    struct world *world = *state;
    pay_half(world);
    world_keep_store(world, "early");
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "early");
    check_halted(world, HALT_STORE_BEHIND_LOG);
    check_paid_once(world, ROWS);
}

static void a_store_from_before_the_first_payment_is_behind_the_signing_log(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    world_keep_store(world, "early");
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "early");
    check_halted(world, HALT_STORE_BEHIND_LOG);
    check_paid_once(world, ROWS);
}

static void an_older_copy_of_store_and_log_together_is_behind_the_chain(void **state)
{
    struct world *world = *state;
    pay_half(world);
    world_keep_store(world, "early");
    world_keep_log(world, "early");
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "early");
    world_put_back_log(world, "early");
    check_halted(world, HALT_STORE_BEHIND_CHAIN);
    check_paid_once(world, ROWS);
}

static void an_older_copy_of_store_and_log_is_behind_what_still_waits_in_the_pool(void **state)
{
    struct world *world = *state;
    pay_half(world);
    memory_chain_mine(world->chain, 1);
    world_keep_store(world, "early");
    world_keep_log(world, "early");
    world_settle(world); /* the other half is out and nothing of it is mined */
    assert_int_equal(memory_chain_pooled(world->chain), 3);
    process_stop(&world->first);
    world_put_back_store(world, "early");
    world_put_back_log(world, "early");
    for (uint64_t until_ms = world->monotonic_ms + PENDING_SETTLES_MS; world->monotonic_ms <= until_ms;) {
        world_step(world);
        assert_int_equal(rows_in(world, STATE_QUEUED), 3);
    }
    assert_int_equal(world->first.report.halt, HALT_STORE_BEHIND_CHAIN);
    assert_int_equal(rows_in(world, STATE_QUEUED), 3);
}

static void a_copy_that_only_lacks_what_the_chain_tells_again_goes_on(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    world_settle(world);
    world_keep_store(world, "early"); /* all is signed; nothing is mined yet */
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "early");
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

/* The store was copied when rows were bound and their bytes not stored yet; then they were signed, sent and mined. */
static void a_copy_without_bytes_that_were_sent_pays_nobody_twice(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    process_start(&world->first, world, "first");
    world->first.signer.fail_at = 1;
    world_step(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent WHERE status = 1"), 3);
    world_keep_store(world, "unsigned");
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "unsigned");
    world->chain->base_fee_wei = 20; /* signed again, the bytes would be others */
    world_run_until_idle(world, 40);
    assert_int_equal(memory_chain_nonce(world->chain), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE purpose = 5"), 3); /* found in blocks */
    world_check_all_paid(world);
}

static void our_own_bytes_in_a_block_that_counts_as_read_are_found_there(void **state)
{
    struct world *world = *state;
    world_add_many(world, 3);
    world_step(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE status = 1"), 3);
    world_keep_store(world, "sent");
    world_run_until_idle(world, 40);
    process_stop(&world->first);
    world_put_back_store(world, "sent");
    const uint64_t head = memory_chain_head(world->chain);
    char sql[200], hash[2 * BURSAR_HASH_BYTES + 1];
    hex_encode(world->chain->blocks[head].hash.bytes, BURSAR_HASH_BYTES, hash);
    (void)snprintf(sql, sizeof sql, "UPDATE treasury SET scan_no = %llu, scan_hash = x'%s'", (unsigned long long)head,
                   hash);
    world_sql(world, sql);
    world_run_until_idle(world, 40);
    assert_int_equal(memory_chain_nonce(world->chain), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt WHERE purpose = 1 AND status = 3"), 3);
    world_check_all_paid(world);
}

/* Two stores from one copy, one log: for a nonce that the second has bound, the first had another payment signed. */
static void a_copy_that_bound_its_nonces_to_other_rows_halts(void **state)
{
    struct world *world = *state;
    world_add_many(world, ROWS);
    process_start(&world->first, world, "first");
    world->first.signer.fail_at = 1;
    world_step(world); /* nonces 0 to 2 are bound, to rows 0 to 2 */
    world_keep_store(world, "bound");
    process_stop(&world->first);
    /* The store that gets signed from has another row at nonce 0. */
    world_sql(world, "DROP TRIGGER intent_bound_for_life; UPDATE intent SET value = (SELECT amount FROM disbursement "
                     "WHERE id = 6), to_address = (SELECT destination FROM disbursement WHERE id = 6) WHERE nonce = 0");
    world_step(world);
    process_stop(&world->first);
    world_put_back_store(world, "bound");
    world_run(world, 10);
    assert_int_equal(world->first.report.halt, HALT_STORE_BEHIND_LOG);
    struct bursar_address destination = destination_of(0);
    assert_int_equal(memory_chain_payments_to(world->chain, &destination), 0);
    assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 0);
}

/* -- the signing log ------------------------------------------------------------------------------------- */

static void a_lost_signing_log_halts_until_it_is_back(void **state)
{
    struct world *world = *state;
    pay_half(world);
    process_stop(&world->first);
    world_keep_log(world, "safe");
    assert_int_equal(unlink(world->log_path), 0);
    world_run(world, 15);
    assert_int_equal(world->first.report.halt, HALT_SIGNING_LOG_LOST);
    assert_int_equal(rows_in(world, STATE_QUEUED), 3);
    assert_int_equal(rows_in(world, STATE_FINALIZED), 3); /* observing goes on */
    world_put_back_log(world, "safe");
    world_run_until_idle(world, 40);
    assert_int_equal(world_number(world, "SELECT halt_code FROM treasury"), HALT_NONE);
    world_check_all_paid(world);
}

static void an_empty_log_in_its_place_is_a_lost_log(void **state)
{
    struct world *world = *state;
    pay_half(world);
    process_stop(&world->first);
    assert_int_equal(unlink(world->log_path), 0);
    assert_int_equal(signing_log_create(world->log_path, WORLD_CHAIN_ID, &world->account, NULL), BURSAR_OK);
    world_run(world, 15);
    assert_int_equal(world->first.report.halt, HALT_SIGNING_LOG_LOST);
    restart(world); /* all of the store is final by now, and it still does not match */
    world_run(world, 15);
    assert_int_equal(world->first.report.halt, HALT_SIGNING_LOG_LOST);
    assert_int_equal(rows_in(world, STATE_QUEUED), 3);
    world_check(world);
}

static void an_older_copy_of_the_log_is_a_lost_log(void **state)
{
    struct world *world = *state;
    pay_half(world);
    world_keep_log(world, "early");
    memory_chain_mine(world->chain, 1);
    world_settle(world);
    assert_int_equal(rows_in(world, STATE_QUEUED), 0);
    process_stop(&world->first);
    world_put_back_log(world, "early");
    world_add_many(world, 2);
    world_run(world, 15);
    assert_int_equal(world->first.report.halt, HALT_SIGNING_LOG_LOST);
    assert_int_equal(rows_in(world, STATE_QUEUED), 2);
    world_check(world);
}

static void a_damaged_log_halts_until_it_is_repaired(void **state)
{
    struct world *world = *state;
    pay_half(world);
    process_stop(&world->first);
    world_keep_log(world, "safe");
    FILE *file = fopen(world->log_path, "r+b");
    assert_non_null(file);
    assert_int_equal(fputc('X', file), 'X');
    assert_int_equal(fclose(file), 0);
    world_run(world, 5);
    assert_int_equal(world->first.report.halt, HALT_SIGNER);
    assert_int_equal(rows_in(world, STATE_QUEUED), 3);
    world_put_back_log(world, "safe");
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

static void a_log_that_cannot_be_read_halts_as_long_as_that_lasts(void **state)
{
    struct world *world = *state;
    pay_half(world);
    process_stop(&world->first);
    process_start(&world->first, world, "first");
    world->first.signer.finds_that_fail = 3;
    for (int i = 0; i < 3; i++) {
        world_step(world);
        assert_int_equal(world->first.report.halt, HALT_SIGNER);
        assert_int_equal(rows_in(world, STATE_QUEUED), 3);
    }
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

static void a_log_that_cannot_be_written_for_a_moment_costs_a_moment(void **state)
{
    (void)state;
    for (uint64_t batch = 1; batch <= 3; batch++) {
        for (int after = 0; after < 2; after++) {
            struct world *world = world_new();
            world->config.batch_size = 2;
            world_add_many(world, ROWS);
            process_start(&world->first, world, "first");
            world->first.signer.fail_at = batch;
            world->first.signer.fail_after = after;
            world_run_until_idle(world, 40);
            assert_true(world->first.signer.batches > 3);
            world_check_all_paid(world);
            world_free(world);
        }
    }
}

static void one_refused_signature_stops_no_neighbour_and_nothing_goes_out_above_it(void **state)
{
    struct world *world = *state;
    world->config.batch_size = 4;
    world->config.max_in_flight = 64;
    world_add_many(world, ROWS);
    process_start(&world->first, world, "first");
    world->first.signer.refused_nonce = 2;
    world->first.signer.refusals = 3;
    for (int i = 0; i < 3; i++) {
        world_step(world);
        assert_int_equal(world_number(world, "SELECT count(*) FROM attempt"), 3);
        assert_int_equal(world_number(world, "SELECT count(*) FROM intent"), 4); /* and nothing is bound above */
        assert_int_equal(memory_chain_pooled(world->chain), 2);
    }
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

static void bound_rows_without_bytes_keep_others_from_being_bound(void **state)
{
    struct world *world = *state;
    world->config.max_in_flight = 64;
    world_add_many(world, ROWS);
    process_start(&world->first, world, "first");
    world->first.signer.fail_at = 1;
    world_step(world);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent"), 3);
    assert_int_equal(world->chain->calls[CALL_SUBMIT], 0);
    world_run_until_idle(world, 40);
    world_check_all_paid(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_older_copy_of_the_store_is_behind_the_signing_log),
        TEST(a_store_from_before_the_first_payment_is_behind_the_signing_log),
        TEST(an_older_copy_of_store_and_log_together_is_behind_the_chain),
        TEST(an_older_copy_of_store_and_log_is_behind_what_still_waits_in_the_pool),
        TEST(a_copy_that_only_lacks_what_the_chain_tells_again_goes_on),
        TEST(a_copy_without_bytes_that_were_sent_pays_nobody_twice),
        TEST(our_own_bytes_in_a_block_that_counts_as_read_are_found_there),
        TEST(a_copy_that_bound_its_nonces_to_other_rows_halts),
        TEST(a_lost_signing_log_halts_until_it_is_back),
        TEST(an_empty_log_in_its_place_is_a_lost_log),
        TEST(an_older_copy_of_the_log_is_a_lost_log),
        TEST(a_damaged_log_halts_until_it_is_repaired),
        TEST(a_log_that_cannot_be_read_halts_as_long_as_that_lasts),
        cmocka_unit_test(a_log_that_cannot_be_written_for_a_moment_costs_a_moment),
        TEST(one_refused_signature_stops_no_neighbour_and_nothing_goes_out_above_it),
        TEST(bound_rows_without_bytes_keep_others_from_being_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
