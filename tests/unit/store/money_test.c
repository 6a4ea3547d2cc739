/* The money breaker's row, and what it is judged by: nothing opens or closes it unseen, nobody spends past a change of
 * it, and what went wrong is written with what showed it. */
#include "store_fixture.h"

static const struct decision BY_ALICE = { .actor = "alice", .reason = "looked at it", .at_ms = NOW_MS + 5000 };
static const struct asset COIN = { 0 }, TOKEN = { .is_token = true, .token = { { 0x70, 0x6b } } };

static struct money_record loaded(struct fixture *f)
{
    struct money_record record;
    OK(f, money_load, f->treasury, &record);
    return record;
}

static struct money_incidents incidents_since(struct fixture *f, uint64_t since_ms)
{
    struct money_incidents incidents;
    OK(f, money_incidents, f->treasury, since_ms, &incidents);
    return incidents;
}

static uint64_t incidents_of(struct fixture *f, enum money_cause cause)
{
    return incidents_since(f, 0).count[cause];
}

static void trip(struct fixture *f, enum money_cause cause, const char *detail)
{
    f->fence.money_version = loaded(f).version;
    OK(f, money_trip, f->fence, NOW_MS + 7, cause, detail, &f->fence.money_version);
}

static void force(struct fixture *f, bool opens)
{
    OK(f, money_force, f->treasury, opens, &BY_ALICE);
}

static void assert_amount(struct bursar_amount amount, uint64_t units)
{
    assert_int_equal(bursar_amount_compare(amount, bursar_amount_from_u64(units)), 0);
}

static void assert_unchanged(struct fixture *f, char *before)
{
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* -- open and closed ------------------------------------------------------------------------------------- */

static void a_new_treasury_has_a_closed_one_at_version_1(void **state)
{
    struct fixture *f = *state;
    struct money_record record = loaded(f);
    assert_int_equal(record.version, 1);
    assert_int_equal(record.cause, MONEY_NONE);
    assert_string_equal(record.detail, "");
    assert_string_equal(record.actor, "");
    assert_int_equal(record.changed_ms, 0);
    assert_false(record.has_mark);
    assert_amount(record.paid, 0);
    EXPECT(f, BURSAR_ENOTFOUND, money_load, f->treasury + 1, &record);
}

static void an_executor_opens_it_and_it_stays_open_over_a_restart(void **state)
{
    struct fixture *f = *state;
    trip(f, MONEY_SPENDING_RATE, "too much at once");
    assert_int_equal(f->fence.money_version, 2);
    struct fixture again = open_again(f, SQLITE_MODE_READ);
    struct money_record record = loaded(&again);
    assert_int_equal(record.version, 2);
    assert_int_equal(record.cause, MONEY_SPENDING_RATE);
    assert_string_equal(record.detail, "too much at once");
    assert_string_equal(record.actor, "tester");
    assert_int_equal(record.changed_ms, NOW_MS + 7);
    close_again(&again);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE cause = 21 AND disbursement IS NULL AND "
                                   "from_state = 0 AND to_state = 0 AND actor = 'tester' AND "
                                   "detail = 'spending_rate: too much at once' AND treasury = 1"),
                     1);
    assert_string_equal(lifecycle_cause_name((enum lifecycle_cause)21), "money_breaker_opened");
    assert_int_equal(check_event_chain(f), 1);
}

static void who_lost_the_lease_or_has_seen_another_version_opens_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t version = 4711;
    char *before = dump(f);
    struct fence late = f->fence, blind = f->fence, ahead = f->fence;
    late.lease_epoch--;
    late.money_version = 1;
    EXPECT(f, BURSAR_EFENCED, money_trip, late, NOW_MS, MONEY_REVERTS, "x", &version);
    EXPECT(f, BURSAR_ESTALE, money_trip, blind, NOW_MS, MONEY_REVERTS, "x", &version); /* never loaded: no version */
    ahead.money_version = 2;
    EXPECT(f, BURSAR_ESTALE, money_trip, ahead, NOW_MS, MONEY_REVERTS, "x", &version);
    assert_unchanged(f, before);
    trip(f, MONEY_REVERTS, "two");
    before = dump(f);
    f->fence.money_version = 1;
    EXPECT(f, BURSAR_ESTALE, money_trip, f->fence, NOW_MS, MONEY_FOREIGN_NONCE, "x", &version);
    assert_unchanged(f, before);
    assert_int_equal(version, 4711);
}

static void a_person_opens_and_closes_it_with_a_name_and_a_reason(void **state)
{
    struct fixture *f = *state;
    force(f, true);
    struct fixture again = open_again(f, SQLITE_MODE_READ);
    struct money_record record = loaded(&again);
    assert_int_equal(record.cause, MONEY_PERSON);
    assert_string_equal(record.actor, "alice");
    assert_string_equal(record.detail, "looked at it");
    assert_int_equal(record.changed_ms, NOW_MS + 5000);
    close_again(&again);
    force(f, false);
    record = loaded(f);
    assert_int_equal(record.version, 3);
    assert_int_equal(record.cause, MONEY_NONE);
    assert_string_equal(record.actor, "alice");
    assert_string_equal(record.detail, "looked at it");
    force(f, false); /* what is closed is closed, and forgotten, anew */
    assert_int_equal(loaded(f).version, 4);
    assert_int_equal(raw_number(f, "SELECT group_concat(cause || detail) = '21person: looked at it,22looked at it,"
                                   "22looked at it' FROM (SELECT cause, detail FROM event ORDER BY seq)"),
                     1);
    assert_int_equal(check_event_chain(f), 3);
    const struct decision nobody = { .actor = "alice", .reason = "", .at_ms = NOW_MS };
    char *before = dump(f);
    EXPECT(f, BURSAR_EINVAL, money_force, f->treasury, true, &nobody);
    EXPECT(f, BURSAR_ENOTFOUND, money_force, f->treasury + 1, true, &BY_ALICE);
    assert_unchanged(f, before);
}

static void the_longest_reason_is_kept_whole(void **state)
{
    struct fixture *f = *state;
    char reason[REASON_MAX_BYTES + 1], actor[ACTOR_MAX_BYTES];
    memset(reason, 'r', sizeof reason);
    memset(actor, 'a', sizeof actor);
    reason[sizeof reason - 1] = actor[sizeof actor - 1] = '\0';
    const struct decision longest = { .actor = actor, .reason = reason, .at_ms = NOW_MS };
    OK(f, money_force, f->treasury, true, &longest);
    assert_string_equal(loaded(f).detail, reason);
    assert_string_equal(loaded(f).actor, actor);
    assert_int_equal(raw_number(f, "SELECT length(detail) FROM event WHERE cause = 21"),
                     strlen("person: ") + REASON_MAX_BYTES);
}

/* INV-6 */
static void nothing_is_bound_or_staged_once_it_was_changed(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    f->fence.money_version = loaded(f).version;
    int64_t intent = bind_row(f, id);
    struct new_attempt attempt = attempt_of(intent, 42);
    struct binding binding = binding_of(f, id + 1, FIRST_NONCE + 1);
    for (int opens = 1; opens >= 0; opens--) {
        force(f, opens);
        char *before = dump(f);
        EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
        assert_contains(f->err.message, "money breaker");
        EXPECT(f, BURSAR_ESTALE, attempts_add, f->fence, NOW_MS, &attempt, 1);
        assert_unchanged(f, before);
    }
    const struct settlement nothing = { 0 };
    OK(f, settle, f->fence, NOW_MS, &nothing); /* INV-10: observing goes on */
    OK(f, lease_renew, f->fence, NOW_MS);
    f->fence.money_version = loaded(f).version;
    OK(f, attempts_add, f->fence, NOW_MS, &attempt, 1);
    f->fence.money_version = 0; /* who has none to compare compares nothing */
    force(f, true);
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
}

static void each_breaker_is_compared_by_itself(void **state)
{
    struct fixture *f = *state;
    struct binding binding = binding_of(f, import_one(f, "a"), FIRST_NONCE);
    f->fence.breaker_version = f->fence.money_version = 1;
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    assert_contains(f->err.message, "circuit breaker");
    f->fence.breaker_version = 0;
    force(f, true);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    assert_contains(f->err.message, "money breaker");
    f->fence.breaker_version = 2;
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    f->fence.money_version = 0;
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
    struct new_attempt attempt = attempt_of(1, 42);
    f->fence.breaker_version = 0;
    f->fence.money_version = 2;
    OK(f, attempts_add, f->fence, NOW_MS, &attempt, 1);
}

static void the_database_itself_keeps_the_row_and_its_versions(void **state)
{
    struct fixture *f = *state;
    raw_refused(f, "DELETE FROM money_breaker", "never deleted");
    raw_refused(f, "UPDATE money_breaker SET cause = 1", "new version");
    raw_refused(f, "UPDATE money_breaker SET version = version + 2, cause = 1", "new version");
    raw_refused(f, "UPDATE money_breaker SET version = version + 1, cause = 6", "CHECK");
    raw_refused(f, "UPDATE money_breaker SET mark_no = 3", "CHECK");
    raw_refused(f, "INSERT INTO money_incident VALUES (1, 5, 1, 1, '')", "CHECK");
}

/* -- what went wrong ------------------------------------------------------------------------------------- */

static void finish_at(struct fixture *f, int64_t attempt, uint64_t now_ms, struct final_attempt final)
{
    final.attempt = attempt;
    final.intent = intent_of(f, attempt);
    final.gas_used = 21000;
    final.effective_gas_price_wei = 9;
    struct settlement settlement = { .final = &final, .final_count = 1 };
    OK(f, settle, f->fence, now_ms, &settlement);
}

static int64_t included_row(struct fixture *f, int64_t id)
{
    int64_t attempt = sign_intent(f, bind_row(f, id), 5000 + (uint64_t)id);
    include_attempt(f, attempt, mark_at(ANCHOR_NUMBER + 1, 0));
    return attempt;
}

static void payments_that_moved_nothing_are_incidents_and_no_others_are(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 5, NULL), attempts[5];
    for (int i = 0; i < 5; i++)
        attempts[i] = included_row(f, id + i);
    finish_at(f, attempts[0], NOW_MS, (struct final_attempt){ .succeeded = true });
    finish_at(f, attempts[1], NOW_MS,
              (struct final_attempt){ .succeeded = true, .is_short = true, .short_by = bursar_amount_from_u64(1) });
    finish_at(f, attempts[2], NOW_MS, (struct final_attempt){ .purpose = PURPOSE_SELF_TRANSFER }); /* a cancel */
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 0);
    finish_at(f, attempts[3], NOW_MS, (struct final_attempt){ .nonce = FIRST_NONCE + 3 });
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1);
    assert_contains(incidents_since(f, 0).latest[MONEY_REVERTS], "nonce 10: its transaction reverted");
    finish_at(f, attempts[4], NOW_MS,
              (struct final_attempt){ .nonce = FIRST_NONCE + 4, .succeeded = true, .is_unpaid = true });
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 2);
    assert_contains(incidents_since(f, 0).latest[MONEY_REVERTS], "nonce 11: its transaction went through");
    assert_int_equal(state_of(f, id + 4), STATE_FAILED);
}

static void an_incident_is_written_with_what_showed_it_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    int64_t attempt = included_row(f, id), other = sign_intent(f, bind_row(f, id + 1), 77); /* in no block */
    const struct final_attempt final[] = { { .attempt = attempt, .intent = intent_of(f, attempt) },
                                           { .attempt = other, .intent = intent_of(f, other) } };
    const struct settlement settlement = { .final = final, .final_count = 2, .missing = "5 wei" };
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, settle, f->fence, NOW_MS, &settlement);
    assert_unchanged(f, before);
    const struct settlement one = { .final = final, .final_count = 1, .missing = "5 wei" };
    OK(f, settle, f->fence, NOW_MS, &one);
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1);
    assert_int_equal(incidents_of(f, MONEY_BALANCE_MISMATCH), 1);
    assert_string_equal(incidents_since(f, NOW_MS + 1).latest[MONEY_BALANCE_MISMATCH], "5 wei"); /* of any age */
    assert_int_equal(state_of(f, id), STATE_FAILED);
}

static struct adopted_nonce seen_at(uint64_t nonce, int64_t intent, int purpose)
{
    return (struct adopted_nonce){ .nonce = nonce,
                                   .intent = intent,
                                   .has_transaction = true,
                                   .hash = hash_of(9000 + nonce),
                                   .is_new = true,
                                   .purpose = purpose,
                                   .is_final = true,
                                   .block = mark_at(ANCHOR_NUMBER + 1, 0),
                                   .succeeded = true,
                                   .gas_used = 21000,
                                   .effective_gas_price_wei = 9,
                                   .detail = "used by 0xee" };
}

static void an_exhibited_stranger_is_an_incident_and_our_own_payment_is_none(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 3, NULL), foreign, own, reverted;
    foreign = bind_row(f, id);
    own = bind_row(f, id + 1);
    reverted = bind_row(f, id + 2);
    struct adopted_nonce seen = seen_at(FIRST_NONCE + 1, own, PURPOSE_FOUND);
    OK(f, exhibited, f->fence, NOW_MS, &seen, 1);
    assert_int_equal(incidents_of(f, MONEY_FOREIGN_NONCE), 0);
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 0);
    struct adopted_nonce two[] = { seen_at(FIRST_NONCE, foreign, PURPOSE_FOREIGN),
                                   seen_at(FIRST_NONCE + 2, foreign, PURPOSE_FOREIGN) }; /* not its nonce */
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, exhibited, f->fence, NOW_MS, two, 2);
    assert_unchanged(f, before);
    OK(f, exhibited, f->fence, NOW_MS, two, 1);
    assert_int_equal(incidents_of(f, MONEY_FOREIGN_NONCE), 1);
    assert_string_equal(incidents_since(f, NOW_MS + 1).latest[MONEY_FOREIGN_NONCE], "used by 0xee");
    seen = seen_at(FIRST_NONCE + 2, reverted, PURPOSE_FOUND);
    seen.succeeded = false;
    OK(f, exhibited, f->fence, NOW_MS, &seen, 1);
    assert_int_equal(state_of(f, id + 2), STATE_FAILED);
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1); /* whoever has seen it */
}

static void of_reverts_only_those_since_then_count(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 3, NULL);
    for (int i = 0; i < 3; i++)
        finish_at(f, included_row(f, id + i), NOW_MS + 1000 * (uint64_t)i,
                  (struct final_attempt){ .nonce = FIRST_NONCE + (uint64_t)i });
    assert_int_equal(incidents_since(f, NOW_MS).count[MONEY_REVERTS], 3);
    assert_int_equal(incidents_since(f, NOW_MS + 1).count[MONEY_REVERTS], 2);
    assert_int_equal(incidents_since(f, NOW_MS + 2000).count[MONEY_REVERTS], 1);
    assert_contains(incidents_since(f, NOW_MS).latest[MONEY_REVERTS], "nonce 9:");
    assert_int_equal(incidents_since(f, NOW_MS + 2001).count[MONEY_REVERTS], 0);
    assert_string_equal(incidents_since(f, NOW_MS + 2001).latest[MONEY_REVERTS], "");
}

static void of_each_cause_the_newest_thousand_are_kept(void **state)
{
    struct fixture *f = *state;
    char text[16] = "the first";
    const struct settlement missing = { .missing = text };
    pay_row(f, import_one(f, "a"), false);
    for (int i = 0; i <= MONEY_INCIDENTS_KEPT_COUNT; i++) {
        OK(f, settle, f->fence, NOW_MS, &missing);
        (void)snprintf(text, sizeof text, "%d", i);
    }
    assert_int_equal(incidents_of(f, MONEY_BALANCE_MISMATCH), MONEY_INCIDENTS_KEPT_COUNT);
    assert_string_equal(incidents_since(f, 0).latest[MONEY_BALANCE_MISMATCH], "999");
    assert_int_equal(raw_number(f, "SELECT count(*) FROM money_incident WHERE detail = 'the first'"), 0);
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1);
}

/* -- what was bound -------------------------------------------------------------------------------------- */

struct spend {
    struct asset asset;
    uint64_t amount_wei;
};

/* One bind of all of these. */
static void bind_spends(struct fixture *f, uint64_t now_ms, const struct spend *spends, size_t count)
{
    static int imports;
    struct binding bindings[8];
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "spend-%d-", imports++);
    int64_t id = import_many(f, prefix, count, NULL);
    uint64_t nonce = next_nonce_of(f);
    for (size_t i = 0; i < count; i++) {
        bindings[i] = binding_of(f, id + (int64_t)i, nonce + i);
        bindings[i].asset = spends[i].asset;
        bindings[i].amount = bursar_amount_from_u64(spends[i].amount_wei);
    }
    OK(f, bind, f->fence, now_ms, bindings, count);
}

static struct bursar_amount spent_since(struct fixture *f, const struct asset *asset, uint64_t since_ms)
{
    struct bursar_amount spent;
    OK(f, money_spent, f->treasury, asset, since_ms, &spent);
    return spent;
}

static uint64_t payments_since(struct fixture *f, uint64_t since_ms)
{
    uint64_t payments;
    OK(f, money_payments, f->treasury, since_ms, &payments);
    return payments;
}

static void what_is_bound_is_summed_by_asset_and_counted_in_all(void **state)
{
    struct fixture *f = *state;
    const struct asset other = { .is_token = true, .token = { { 0x70, 0x6c } } };
    const struct spend mixed[] = { { COIN, 1 }, { COIN, 2 }, { TOKEN, 30 }, { COIN, 4 }, { TOKEN, 0 } };
    bind_spends(f, NOW_MS, mixed, COUNT_OF(mixed));
    bind_spends(f, NOW_MS + MONEY_SLICE_MS, &(struct spend){ TOKEN, 500 }, 1);
    assert_amount(spent_since(f, &COIN, NOW_MS), 7);
    assert_amount(spent_since(f, &TOKEN, NOW_MS), 530);
    assert_amount(spent_since(f, &other, NOW_MS), 0);
    assert_int_equal(payments_since(f, NOW_MS), 6);
}

static void it_counts_for_an_hour_and_not_much_longer(void **state)
{
    struct fixture *f = *state;
    const uint64_t starts_ms = NOW_MS - NOW_MS % MONEY_SLICE_MS; /* of a slice: the edges of what may round */
    const uint64_t at_ms[] = { starts_ms, starts_ms + MONEY_SLICE_MS - 1 };
    for (int i = 0; i < 2; i++) {
        bind_spends(f, at_ms[i], &(struct spend){ COIN, 5 }, 1);
        assert_int_equal(payments_since(f, at_ms[i]), 1); /* an hour later, to the millisecond, it counts */
        assert_amount(spent_since(f, &COIN, at_ms[i]), 5);
        assert_int_equal(payments_since(f, at_ms[i] + MONEY_SLICE_MS), 0);
        assert_amount(spent_since(f, &COIN, at_ms[i] + MONEY_SLICE_MS), 0);
        force(f, false);
    }
    bind_spends(f, NOW_MS, &(struct spend){ COIN, 5 }, 1);
    bind_spends(f, NOW_MS + MONEY_HOUR_MS, &(struct spend){ COIN, 5 }, 1); /* which drops nothing that counts */
    assert_int_equal(payments_since(f, NOW_MS), 2);
    force(f, false);
    bind_spends(f, 5, &(struct spend){ COIN, 5 }, 1); /* a clock that nobody has set */
    assert_int_equal(payments_since(f, 0), 1);
    assert_amount(spent_since(f, &COIN, 0), 5);
}

static void a_clock_that_goes_back_forgets_nothing(void **state)
{
    struct fixture *f = *state;
    bind_spends(f, NOW_MS, &(struct spend){ COIN, 5 }, 1);
    bind_spends(f, NOW_MS - 7 * MONEY_HOUR_MS, &(struct spend){ COIN, 6 }, 1);
    assert_amount(spent_since(f, &COIN, NOW_MS - 8 * MONEY_HOUR_MS), 11);
    assert_int_equal(payments_since(f, NOW_MS - 8 * MONEY_HOUR_MS), 2);
}

static void what_nobody_asks_for_any_more_is_dropped(void **state)
{
    struct fixture *f = *state;
    for (uint64_t hour = 0; hour < 30; hour++) {
        bind_spends(f, NOW_MS + hour * MONEY_HOUR_MS, &(struct spend){ COIN, 5 }, 1);
        assert_int_equal(payments_since(f, NOW_MS + hour * MONEY_HOUR_MS), 1);
    }
    assert_true(raw_number(f, "SELECT count(*) FROM money_spent") <= 3);
}

static void a_sum_that_no_amount_can_hold_is_the_largest_there_is(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    struct binding bindings[] = { binding_of(f, id, FIRST_NONCE), binding_of(f, id + 1, FIRST_NONCE + 1) };
    struct bursar_amount largest;
    memset(&largest, 0xff, sizeof largest);
    bindings[0].amount = bindings[1].amount = largest;
    OK(f, bind, f->fence, NOW_MS, bindings, 2);
    bind_spends(f, NOW_MS + MONEY_SLICE_MS, &(struct spend){ COIN, 5 }, 1);
    assert_int_equal(bursar_amount_compare(spent_since(f, &COIN, NOW_MS), largest), 0);
}

static void what_could_not_be_bound_is_not_counted(void **state)
{
    struct fixture *f = *state;
    struct binding binding = binding_of(f, import_one(f, "a"), FIRST_NONCE + 1); /* a hole */
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    assert_int_equal(payments_since(f, 0), 0);
}

/* -- what the account had -------------------------------------------------------------------------------- */

static void set_mark(struct fixture *f, uint64_t number, uint64_t balance_wei)
{
    const struct settlement settlement = { .has_anchor = true,
                                           .anchor = mark_at(number, 0),
                                           .has_balance = true,
                                           .balance = bursar_amount_from_u64(balance_wei) };
    OK(f, settle, f->fence, NOW_MS, &settlement);
}

static void pay(struct fixture *f, int64_t id, uint64_t paid_wei, bool succeeded)
{
    finish_at(f, included_row(f, id), NOW_MS,
              (struct final_attempt){ .succeeded = succeeded, .paid = bursar_amount_from_u64(paid_wei) });
}

static void what_final_transactions_took_is_summed_from_the_mark_on(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 4, NULL);
    pay(f, id, 1000, true);
    assert_amount(loaded(f).paid, 0); /* there is nothing to compare with */
    set_mark(f, ANCHOR_NUMBER + 2, 90000);
    pay(f, id + 1, 300, true);
    pay(f, id + 2, 21, false);
    struct fixture again = open_again(f, SQLITE_MODE_READ);
    struct money_record record = loaded(&again);
    assert_true(record.has_mark);
    assert_int_equal(record.mark_number, ANCHOR_NUMBER + 2);
    assert_amount(record.mark_balance, 90000);
    assert_amount(record.paid, 321);
    assert_int_equal(record.version, 1); /* no word of anybody's */
    close_again(&again);
    set_mark(f, ANCHOR_NUMBER + 5, 89000);
    assert_int_equal(loaded(f).mark_number, ANCHOR_NUMBER + 5);
    assert_amount(loaded(f).paid, 0);
    const struct settlement anchor = { .has_anchor = true, .anchor = mark_at(ANCHOR_NUMBER + 6, 0) };
    OK(f, settle, f->fence, NOW_MS, &anchor); /* with an unknown balance */
    assert_int_equal(loaded(f).mark_number, ANCHOR_NUMBER + 5);
    pay(f, id + 3, 7, true);
    assert_amount(loaded(f).paid, 7);
}

static void assert_no_mark(struct fixture *f)
{
    struct money_record record = loaded(f);
    assert_false(record.has_mark);
    assert_amount(record.paid, 0);
}

static void what_is_not_known_to_the_wei_leaves_nothing_to_compare_with(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    set_mark(f, ANCHOR_NUMBER + 2, 90000);
    pay(f, id, 300, true);
    const struct adopted_nonce seen = seen_at(FIRST_NONCE + 1, bind_row(f, id + 1), PURPOSE_FOREIGN);
    OK(f, exhibited, f->fence, NOW_MS, &seen, 1);
    assert_no_mark(f);
    set_mark(f, ANCHOR_NUMBER + 3, 90000);
    const struct adoption adoption = { .first_nonce = FIRST_NONCE };
    OK(f, adopt, &f->fence, &adoption, &BY_ALICE);
    assert_no_mark(f);
}

static void closing_forgets_what_it_was_judged_by_and_opening_does_not(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    set_mark(f, ANCHOR_NUMBER + 2, 90000);
    pay(f, id, 300, false);
    bind_spends(f, NOW_MS, &(struct spend){ TOKEN, 5 }, 1);
    const struct settlement missing = { .missing = "5 wei" };
    OK(f, settle, f->fence, NOW_MS, &missing);
    force(f, true);
    assert_true(loaded(f).has_mark);
    assert_amount(loaded(f).paid, 300);
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1);
    assert_int_equal(payments_since(f, 0), 2);
    force(f, false);
    assert_no_mark(f);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM money_incident"), 0);
    assert_int_equal(payments_since(f, 0), 0);
    assert_amount(spent_since(f, &TOKEN, 0), 0);
    finish_at(f, included_row(f, id + 1), NOW_MS, (struct final_attempt){ .nonce = FIRST_NONCE + 2 });
    assert_int_equal(incidents_of(f, MONEY_REVERTS), 1); /* it is judged anew from here */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_leased, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_treasury_has_a_closed_one_at_version_1),
        TEST(an_executor_opens_it_and_it_stays_open_over_a_restart),
        TEST(who_lost_the_lease_or_has_seen_another_version_opens_nothing),
        TEST(a_person_opens_and_closes_it_with_a_name_and_a_reason),
        TEST(the_longest_reason_is_kept_whole),
        TEST(nothing_is_bound_or_staged_once_it_was_changed),
        TEST(each_breaker_is_compared_by_itself),
        TEST(the_database_itself_keeps_the_row_and_its_versions),
        TEST(payments_that_moved_nothing_are_incidents_and_no_others_are),
        TEST(an_incident_is_written_with_what_showed_it_or_not_at_all),
        TEST(an_exhibited_stranger_is_an_incident_and_our_own_payment_is_none),
        TEST(of_reverts_only_those_since_then_count),
        TEST(of_each_cause_the_newest_thousand_are_kept),
        TEST(what_is_bound_is_summed_by_asset_and_counted_in_all),
        TEST(it_counts_for_an_hour_and_not_much_longer),
        TEST(a_clock_that_goes_back_forgets_nothing),
        TEST(what_nobody_asks_for_any_more_is_dropped),
        TEST(a_sum_that_no_amount_can_hold_is_the_largest_there_is),
        TEST(what_could_not_be_bound_is_not_counted),
        TEST(what_final_transactions_took_is_summed_from_the_mark_on),
        TEST(what_is_not_known_to_the_wei_leaves_nothing_to_compare_with),
        TEST(closing_forgets_what_it_was_judged_by_and_opening_does_not),
    };
    return cmocka_run_group_tests_name("store money", tests, NULL, NULL);
}
