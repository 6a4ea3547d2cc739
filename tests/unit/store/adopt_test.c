/* Adopting: a store takes over what it did not know of its own past, in one transaction, and binds nothing twice. */
#include "store_fixture.h"

static const struct decision BY_ALICE = { .actor = "alice", .reason = "restored from Tuesday", .at_ms = NOW_MS + 5 };

static uint64_t version_of(struct fixture *f, int64_t id)
{
    return (uint64_t)raw_number_of(f, "SELECT version FROM disbursement WHERE id = ?1", id);
}

/* A payment that is final, of a nonce that the store does not have. */
static struct adopted_nonce final_payment(struct fixture *f, uint64_t nonce, int64_t disbursement)
{
    static const uint8_t raw[] = { 2, 1 };
    return (struct adopted_nonce){ .nonce = nonce,
                                   .kind = INTENT_PAYMENT,
                                   .gas_limit = 21000,
                                   .value = bursar_amount_from_u64(1000),
                                   .disbursement = disbursement,
                                   .from_state = state_of(f, disbursement),
                                   .version = version_of(f, disbursement),
                                   .has_transaction = true,
                                   .hash = hash_of(nonce),
                                   .is_new = true,
                                   .purpose = 1,
                                   .raw = raw,
                                   .raw_bytes = sizeof raw,
                                   .is_final = true,
                                   .block = mark_at(101, 0),
                                   .succeeded = true,
                                   .gas_used = 21000,
                                   .effective_gas_price_wei = 3,
                                   .detail = "adopted in a test" };
}

static struct adoption adoption_of(const struct adopted_nonce *nonces, size_t count)
{
    return (struct adoption){ .nonces = nonces, .count = count, .first_nonce = FIRST_NONCE };
}

static void what_was_paid_is_paid_and_its_history_says_how_it_is_known(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    const struct adopted_nonce nonce = final_payment(f, FIRST_NONCE, id);
    struct adoption adoption = adoption_of(&nonce, 1);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    assert_int_equal(next_nonce_of(f), FIRST_NONCE + 1);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent_item WHERE live = 1 AND outcome = 7"), 1);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE disbursement = 1 AND actor = 'alice' AND detail "
                                   "= 'adopted in a test' AND cause IN (4, 5, 7)"),
                     3);
    (void)check_event_chain(f);
}

static void a_reverted_one_has_failed_and_a_waiting_one_waits_no_more(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "first" }, { .ref = "second", .depends_on = { "first" } } };
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    struct adopted_nonce nonces[] = { final_payment(f, FIRST_NONCE, first),
                                      final_payment(f, FIRST_NONCE + 1, first + 1) };
    nonces[0].succeeded = false;
    struct adoption adoption = adoption_of(nonces, 2);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    assert_int_equal(state_of(f, first), STATE_FAILED);
    assert_int_equal(state_of(f, first + 1), STATE_FINALIZED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM disbursement WHERE waits_on IS NOT NULL"), 0);
    OK(f, retry, f->treasury, first, &BY_ALICE); /* it has given up its nonce */
}

static void what_is_in_flight_is_signed_or_will_be(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    struct adopted_nonce nonces[] = { final_payment(f, FIRST_NONCE, id), final_payment(f, FIRST_NONCE + 1, id + 1) };
    nonces[0].is_final = false;
    nonces[1].is_final = nonces[1].has_transaction = false;
    struct adoption adoption = adoption_of(nonces, 2);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    struct flight flights[4];
    size_t count = 0;
    OK(f, flights_select, f->treasury, 0, 4, flights, &count);
    assert_int_equal(count, 2);
    assert_true(flights[0].has_attempt);
    assert_false(flights[1].has_attempt);
    assert_int_equal(state_of(f, id), STATE_STAGED);
    assert_int_equal(state_of(f, id + 1), STATE_STAGED);
}

static void a_stranger_frees_what_its_nonce_was_bound_to(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id);
    int64_t attempt = sign_intent(f, intent, 42);
    struct adopted_nonce nonce = final_payment(f, FIRST_NONCE, id);
    include_attempt(f, attempt, mark_at(105, 0)); /* as the store had seen it */
    nonce.intent = intent;
    nonce.purpose = PURPOSE_FOREIGN;
    nonce.raw_bytes = 0;
    struct adoption adoption = adoption_of(&nonce, 1);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_QUEUED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent_item WHERE live = 0 AND outcome = 10"), 1);
    assert_int_equal(raw_number(f, "SELECT status FROM intent"), INTENT_FINAL);
    assert_int_equal(next_nonce_of(f), FIRST_NONCE + 1);
    (void)pay_row(f, id, true); /* with a nonce of its own */
}

static void a_bound_nonce_is_its_payment_whatever_the_hash(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a"), intent = bind_row(f, id);
    struct adopted_nonce nonce = final_payment(f, FIRST_NONCE, id);
    (void)sign_intent(f, intent, 42);
    nonce.intent = intent;
    struct adoption adoption = adoption_of(&nonce, 1);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    assert_int_equal(state_of(f, id), STATE_FINALIZED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent"), 1);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM attempt"), 2);
}

/* -- what an executor has seen of single nonces -- */

static struct adopted_nonce seen_at(struct fixture *f, uint64_t nonce, int64_t intent, int purpose)
{
    struct adopted_nonce seen = final_payment(f, nonce, 1);
    seen.disbursement = 0;
    seen.intent = intent;
    seen.purpose = purpose;
    seen.raw_bytes = 0;
    seen.hash = hash_of(9000 + nonce);
    return seen;
}

static void what_was_exhibited_ends_the_intents_of_its_nonces_at_once(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 3, NULL);
    int64_t intents[3] = { bind_row(f, id), bind_row(f, id + 1), bind_row(f, id + 2) };
    (void)sign_intent(f, intents[0], 42);
    int64_t own = sign_intent(f, intents[2], 44);
    struct adopted_nonce seen[] = { seen_at(f, FIRST_NONCE, intents[0], PURPOSE_FOREIGN),
                                    seen_at(f, FIRST_NONCE + 1, intents[1], PURPOSE_FOUND), /* never signed here */
                                    seen_at(f, FIRST_NONCE + 2, intents[2], 1) };
    seen[2].is_new = false;
    seen[2].hash = hash_of(44);
    OK(f, exhibited, f->fence, NOW_MS, seen, 3);
    assert_int_equal(state_of(f, id), STATE_QUEUED);
    assert_int_equal(state_of(f, id + 1), STATE_FINALIZED);
    assert_int_equal(state_of(f, id + 2), STATE_FINALIZED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM intent WHERE status = 4"), 3);
    assert_int_equal(raw_number_of(f, "SELECT status FROM attempt WHERE id = ?1", own), ATTEMPT_FINAL);
    struct foreign_uses uses;
    OK(f, foreign_uses, f->treasury, &uses);
    assert_int_equal(uses.count, 1);
    assert_int_equal(uses.nonce, FIRST_NONCE);
    (void)check_event_chain(f);
    (void)pay_row(f, id, true); /* with a nonce of its own */
}

static void what_was_exhibited_is_written_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    int64_t intents[2] = { bind_row(f, id), bind_row(f, id + 1) };
    struct adopted_nonce seen[] = { seen_at(f, FIRST_NONCE, intents[0], PURPOSE_FOREIGN),
                                    seen_at(f, FIRST_NONCE + 1, intents[0], PURPOSE_FOREIGN) }; /* not its nonce */
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, exhibited, f->fence, NOW_MS, seen, 2);
    seen[1] = seen_at(f, FIRST_NONCE + 1, 0, PURPOSE_FOREIGN); /* not bound */
    EXPECT(f, BURSAR_EINTERNAL, exhibited, f->fence, NOW_MS, seen, 2);
    seen[1] = seen_at(f, FIRST_NONCE + 1, intents[1], PURPOSE_FOREIGN);
    seen[1].is_final = false;
    EXPECT(f, BURSAR_EINTERNAL, exhibited, f->fence, NOW_MS, seen, 2);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* What an adoption must leave exactly as it was. */
static void refused_unchanged(struct fixture *f, enum bursar_status status, struct fence fence,
                              const struct adoption *adoption)
{
    char *before = dump(f);
    EXPECT(f, status, adopt, &fence, adoption, &BY_ALICE);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void a_nonce_left_out_undoes_all_of_it(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    struct adopted_nonce nonces[] = { final_payment(f, FIRST_NONCE, id), final_payment(f, FIRST_NONCE + 2, id + 1) };
    struct adoption adoption = adoption_of(nonces, 2);
    refused_unchanged(f, BURSAR_EINTERNAL, f->fence, &adoption);
    nonces[1].nonce = FIRST_NONCE; /* nor the same nonce twice */
    nonces[1].hash = hash_of(99);
    refused_unchanged(f, BURSAR_ESTORAGE, f->fence, &adoption);
}

static void one_disbursement_is_never_given_two_transactions(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    const struct adopted_nonce nonces[] = { final_payment(f, FIRST_NONCE, id), final_payment(f, FIRST_NONCE + 1, id) };
    struct adoption adoption = adoption_of(nonces, 2);
    refused_unchanged(f, BURSAR_ESTALE, f->fence, &adoption); /* it is queued no more */
}

static void who_lost_the_lease_adopts_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    const struct adopted_nonce nonce = final_payment(f, FIRST_NONCE, id);
    struct adoption adoption = adoption_of(&nonce, 1);
    struct fence old = f->fence;
    old.lease_epoch--;
    refused_unchanged(f, BURSAR_EFENCED, old, &adoption);
}

static void what_changed_meanwhile_is_not_overwritten(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    const struct adopted_nonce nonce = final_payment(f, FIRST_NONCE, id);
    struct adoption adoption = adoption_of(&nonce, 1);
    OK(f, cancel, f->treasury, id, &BY_ALICE);
    refused_unchanged(f, BURSAR_ESTALE, f->fence, &adoption);
}

static void the_halt_ends_and_the_next_lease_is_above_the_one_signed_for(void **state)
{
    struct fixture *f = *state;
    struct treasury treasury;
    struct adoption adoption = adoption_of(NULL, 0);
    raw_run(f, "UPDATE treasury SET halt_code = 3, halt_reason = 'gone'");
    adoption.lease_epoch = 41;
    adoption.first_nonce = FIRST_NONCE - 2;
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_int_equal(treasury.halt, HALT_NONE);
    assert_string_equal(treasury.halt_reason, "");
    assert_int_equal(treasury.first_nonce, FIRST_NONCE - 2);
    assert_int_equal(f->fence.lease_epoch, 41);
    OK(f, lease_release, f->fence);
    OK(f, lease_take, f->treasury, "me", 1000, NOW_MS, &f->fence);
    assert_int_equal(f->fence.lease_epoch, 42);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE cause = 20 AND actor = 'alice' AND detail = "
                                   "'restored from Tuesday' AND disbursement IS NULL"),
                     1);
}

static void blocks_above_the_mark_are_read_again(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_one(f, "a");
    struct treasury treasury;
    int64_t attempt = sign_intent(f, bind_row(f, id), 42);
    include_attempt(f, attempt, mark_at(105, 0));
    struct adoption adoption = adoption_of(NULL, 0);
    adoption.rewinds = true;
    adoption.scan = mark_at(102, 0);
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_int_equal(treasury.scan.number, 102);
    assert_int_equal(state_of(f, id), STATE_STAGED);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM block WHERE number > 102"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_leased, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_paid_is_paid_and_its_history_says_how_it_is_known),
        TEST(a_reverted_one_has_failed_and_a_waiting_one_waits_no_more),
        TEST(what_is_in_flight_is_signed_or_will_be),
        TEST(a_stranger_frees_what_its_nonce_was_bound_to),
        TEST(a_bound_nonce_is_its_payment_whatever_the_hash),
        TEST(what_was_exhibited_ends_the_intents_of_its_nonces_at_once),
        TEST(what_was_exhibited_is_written_whole_or_not_at_all),
        TEST(a_nonce_left_out_undoes_all_of_it),
        TEST(one_disbursement_is_never_given_two_transactions),
        TEST(who_lost_the_lease_adopts_nothing),
        TEST(what_changed_meanwhile_is_not_overwritten),
        TEST(the_halt_ends_and_the_next_lease_is_above_the_one_signed_for),
        TEST(blocks_above_the_mark_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
