/* What people see: lists, one row's whole story, progress, snapshots, halts, intents for reconciling. */
#include "store_fixture.h"

struct seen {
    size_t count;
    struct disbursement_record last;
    int64_t ids[64];
    enum block_code blocked[64];
    char last_ref[64], awaited_ref[64];
    char dependencies[64];
    char causes[64];
    size_t attempts;
    struct attempt_record last_attempt;
};

static enum bursar_status note_row(void *ctx, const struct disbursement_record *record)
{
    struct seen *seen = ctx;
    assert_in_range(seen->count, 0, COUNT_OF(seen->ids) - 1);
    seen->ids[seen->count] = record->id;
    seen->blocked[seen->count] = record->blocked;
    seen->last = *record;
    (void)snprintf(seen->last_ref, sizeof seen->last_ref, "%s", record->ref);
    (void)snprintf(seen->awaited_ref, sizeof seen->awaited_ref, "%s",
                   record->blocked_on_ref ? record->blocked_on_ref : "");
    seen->count++;
    return BURSAR_OK;
}

static enum bursar_status stop_at_once(void *ctx, const struct disbursement_record *record)
{
    (void)note_row(ctx, record);
    return BURSAR_ECANCELLED;
}

static void note_dependency(void *ctx, const char *text)
{
    struct seen *seen = ctx;
    size_t length = strlen(seen->dependencies);
    (void)snprintf(seen->dependencies + length, sizeof seen->dependencies - length, "%s;", text);
}

static enum bursar_status note_event(void *ctx, const struct event_record *record)
{
    struct seen *seen = ctx;
    size_t length = strlen(seen->causes);
    (void)snprintf(seen->causes + length, sizeof seen->causes - length, "%d>%d ", record->from_state, record->to_state);
    assert_string_equal(record->actor, "tester");
    assert_int_equal(record->at_ms, NOW_MS);
    return BURSAR_OK;
}

static enum bursar_status note_attempt(void *ctx, const struct attempt_record *record)
{
    struct seen *seen = ctx;
    seen->attempts++;
    seen->last_attempt = *record;
    return BURSAR_OK;
}

static struct seen list_of(struct fixture *f, struct list_filter filter)
{
    struct seen seen = { 0 };
    OK(f, list, f->treasury, &filter, note_row, &seen);
    return seen;
}

static struct seen story_of(struct fixture *f, int64_t id)
{
    struct seen seen = { 0 };
    OK(f, show, f->treasury, id, note_row, note_dependency, note_event, note_attempt, &seen);
    return seen;
}

static void lists_go_on_from_where_the_last_page_ended(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 25, NULL);
    struct seen seen = list_of(f, (struct list_filter){ .limit = 10 });
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.ids[0], first);
    seen = list_of(f, (struct list_filter){ .limit = 10, .after_id = seen.ids[9] });
    assert_int_equal(seen.ids[0], first + 10);
    seen = list_of(f, (struct list_filter){ .limit = 10, .after_id = first + 19 });
    assert_int_equal(seen.count, 5);
    (void)bind_row(f, first + 3);
    seen = list_of(f, (struct list_filter){ .limit = 10, .state = STATE_STAGED });
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.ids[0], first + 3);
    seen = list_of(f, (struct list_filter){ .limit = 10, .state = STATE_QUEUED, .after_id = first + 2 });
    assert_int_equal(seen.ids[0], first + 4);
    struct seen stopped = { 0 };
    const struct list_filter everything = { .limit = 10 };
    EXPECT(f, BURSAR_ECANCELLED, list, f->treasury, &everything, stop_at_once, &stopped);
    assert_int_equal(stopped.count, 1);
    seen = list_of(f, everything); /* and the handle works on */
    assert_int_equal(seen.count, 10);
}

static void a_row_is_shown_with_its_whole_story(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "x" },
                                { .ref = "w" },
                                { .ref = "a", .depends_on = { "w", "x" }, .content = 9 } };
    size_t woken;
    int64_t x = import_rows(f, rows, COUNT_OF(rows)), id = x + 2;
    struct seen seen = story_of(f, id);
    assert_string_equal(seen.dependencies, "w;x;");
    assert_string_equal(seen.causes, "0>3 ");
    assert_int_equal(seen.attempts, 0);
    assert_false(seen.last.has_nonce || seen.last.has_transaction || seen.last.has_block || seen.last.has_fee);
    assert_int_equal(seen.last.blocked, BLOCK_NONE); /* waiting, which is no block */
    assert_int_not_equal(strlen(seen.awaited_ref), 0);
    (void)pay_row(f, x, true);
    (void)pay_row(f, x + 1, true);
    OK(f, dependents_wake, f->fence, 10, &woken);
    int64_t intent = bind_row(f, id);
    seen = story_of(f, id);
    assert_true(seen.last.has_nonce);
    assert_int_equal(seen.last.nonce, FIRST_NONCE + 2);
    assert_string_equal(seen.awaited_ref, "");
    int64_t older = sign_intent(f, intent, 71);
    (void)sign_intent(f, intent, 72);
    const struct bursar_hash old_hash = hash_of(71), new_hash = hash_of(72), content = hash_of(9);
    seen = story_of(f, id);
    assert_true(hash_equal(&seen.last.transaction_hash, &new_hash)); /* the newest, while none is included */
    include_attempt(f, older, mark_at(123, 0));
    seen = story_of(f, id);
    assert_true(hash_equal(&seen.last.transaction_hash, &old_hash)); /* the one that counts */
    assert_true(seen.last.has_block);
    assert_int_equal(seen.last.block.number, 123);
    assert_false(seen.last.has_fee);
    finish_attempt(f, older, true);
    seen = story_of(f, id);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.last_ref, "a");
    assert_true(hash_equal(&seen.last.content_hash, &content));
    assert_int_equal(seen.last.state, STATE_FINALIZED);
    assert_int_equal(seen.last.queued_ms, NOW_MS);
    assert_true(seen.last.has_fee);
    assert_int_equal(seen.last.gas_used, 21000);
    assert_int_equal(seen.last.effective_gas_price_wei, 9);
    assert_string_equal(seen.causes, "0>3 3>4 4>5 5>6 ");
    assert_int_equal(seen.attempts, 2);
    assert_int_equal(seen.last_attempt.seq, 2);
    assert_int_equal(seen.last_attempt.status, ATTEMPT_SIGNED);
    assert_false(seen.last_attempt.has_block);
}

static void a_row_of_another_treasury_is_not_shown(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { 0 };
    int64_t id = import_one(f, "a");
    EXPECT(f, BURSAR_ENOTFOUND, show, f->treasury + 1, id, note_row, note_dependency, note_event, note_attempt, &seen);
    EXPECT(f, BURSAR_ENOTFOUND, show, f->treasury, id + 1, note_row, note_dependency, note_event, note_attempt, &seen);
    assert_int_equal(seen.count, 0);
    EXPECT(f, BURSAR_ENOTFOUND, ref_find, f->treasury, "b", &id);
}

static void what_needs_a_person_is_listed_as_blocked(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = {
        { .ref = "paid" },  { .ref = "fails" }, { .ref = "after fails", .depends_on = { "fails" } },
        { .ref = "funds" }, { .ref = "code" },  { .ref = "after funds", .depends_on = { "funds" } }
    };
    int64_t paid = import_rows(f, rows, COUNT_OF(rows));
    const struct block_decision decisions[] = {
        { .disbursement = paid + 3, .version = 1, .code = BLOCK_FUNDS },
        { .disbursement = paid + 4, .version = 1, .code = BLOCK_DESTINATION_CODE }
    };
    (void)pay_row(f, paid, true);
    (void)pay_row(f, paid + 1, false);
    OK(f, block, f->fence, decisions, 2);
    struct seen seen = list_of(f, (struct list_filter){ .limit = 10, .only_blocked = true });
    assert_int_equal(seen.count, 4);
    const int64_t ids[] = { paid + 1, paid + 2, paid + 3, paid + 4 };
    const enum block_code codes[] = { BLOCK_FAILED, BLOCK_DEPENDENCY, BLOCK_FUNDS, BLOCK_DESTINATION_CODE };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(seen.ids[i], ids[i]);
        assert_int_equal(seen.blocked[i], codes[i]);
    }
    seen = story_of(f, paid + 2);
    assert_int_equal(seen.last.blocked, BLOCK_DEPENDENCY);
    assert_string_equal(seen.awaited_ref, "fails");
    assert_int_equal(seen.last.blocked_on_state, STATE_FAILED);
    seen = list_of(f, (struct list_filter){ .limit = 2, .only_blocked = true, .after_id = paid + 1 });
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.ids[0], paid + 2);
}

static void progress_tells_done_and_stuck_from_underway(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "paid" },
                                { .ref = "fails" },
                                { .ref = "after", .depends_on = { "fails" } },
                                { .ref = "queued" },
                                { .ref = "poor" } };
    size_t finalized = 4711, stuck = 4711;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    const struct block_decision poor = { .disbursement = first + 4, .version = 1, .code = BLOCK_FUNDS };
    const int64_t ids[] = { first, first + 1, first + 2, first + 3, first + 4, 9999 };
    OK(f, progress, ids, COUNT_OF(ids), &finalized, &stuck);
    assert_int_equal(finalized + stuck, 0);
    (void)pay_row(f, first, true);
    (void)pay_row(f, first + 1, false);
    OK(f, block, f->fence, &poor, 1);
    OK(f, progress, ids, COUNT_OF(ids), &finalized, &stuck);
    assert_int_equal(finalized, 1);
    assert_int_equal(stuck, 3);
}

static void a_snapshot_comes_back_as_it_was_saved(void **state)
{
    struct fixture *f = *state;
    struct snapshot got, saved = { .last_tick_ms = 1,
                                   .last_success_ms = 2,
                                   .last_error_ms = 3,
                                   .last_error = "node down",
                                   .has_available = true,
                                   .available = { { 5, 0, 0, 7 } },
                                   .gas_cost = { { 9 } },
                                   .hold = "fees above the cap" };
    OK(f, snapshot_read, f->treasury, &got);
    assert_false(got.has_available);
    assert_string_equal(got.last_error, "");
    OK(f, snapshot_save, f->fence, &saved, HALT_NONE, NULL);
    OK(f, snapshot_read, f->treasury, &got);
    assert_int_equal(got.last_tick_ms, 1);
    assert_int_equal(got.last_success_ms, 2);
    assert_int_equal(got.last_error_ms, 3);
    assert_string_equal(got.last_error, "node down");
    assert_string_equal(got.hold, "fees above the cap");
    assert_true(got.has_available);
    assert_int_equal(bursar_amount_compare(got.available, saved.available), 0);
    assert_int_equal(bursar_amount_compare(got.gas_cost, saved.gas_cost), 0);
    saved.has_available = false;
    OK(f, snapshot_save, f->fence, &saved, HALT_NONE, "");
    OK(f, snapshot_read, f->treasury, &got);
    assert_false(got.has_available);
}

static enum halt_code halt_after(struct fixture *f, enum halt_code halt, const char *reason)
{
    struct snapshot snapshot = { 0 };
    struct treasury treasury;
    OK(f, snapshot_save, f->fence, &snapshot, halt, reason);
    OK(f, treasury_get, f->treasury, &treasury);
    if (treasury.halt == halt)
        assert_string_equal(treasury.halt_reason, reason);
    return treasury.halt;
}

static void a_latched_halt_is_kept_until_somebody_reconciles(void **state) /* INV-8 */
{
    struct fixture *f = *state;
    struct treasury treasury;
    assert_int_equal(halt_after(f, HALT_SIGNER, "no key"), HALT_SIGNER);
    assert_int_equal(halt_after(f, HALT_NONE, ""), HALT_NONE); /* derived anew */
    assert_int_equal(halt_after(f, HALT_WRONG_CHAIN, "chain 5"), HALT_WRONG_CHAIN);
    assert_int_equal(halt_after(f, HALT_ANCHOR_MISMATCH, "block 100 is another"), HALT_ANCHOR_MISMATCH);
    assert_int_equal(halt_after(f, HALT_NONE, ""), HALT_ANCHOR_MISMATCH);
    assert_int_equal(halt_after(f, HALT_GENESIS_MISMATCH, "other genesis"), HALT_ANCHOR_MISMATCH);
    OK(f, treasury_get, f->treasury, &treasury);
    assert_string_equal(treasury.halt_reason, "block 100 is another");
}

static void every_halt_has_a_name(void **state)
{
    (void)state;
    for (int code = HALT_NONE; code <= HALT_CHAIN_UNSUITABLE; code++)
        assert_non_null(halt_code_name((enum halt_code)code));
    assert_null(halt_code_name((enum halt_code)(HALT_CHAIN_UNSUITABLE + 1)));
    assert_string_equal(halt_code_name(HALT_FOREIGN_NONCE), "foreign_nonce");
}

struct intents_seen {
    size_t count;
    struct intent_record records[8];
};

static enum bursar_status note_intent(void *ctx, const struct intent_record *record)
{
    struct intents_seen *seen = ctx;
    seen->records[seen->count++] = *record;
    return BURSAR_OK;
}

static void intents_are_read_for_reconciling(void **state)
{
    struct fixture *f = *state;
    struct intents_seen seen = { 0 };
    int64_t first = import_many(f, "r", 3, NULL);
    int64_t paid = pay_row(f, first, true);
    (void)sign_intent(f, bind_row(f, first + 1), 20);
    (void)bind_row(f, first + 2);
    OK(f, intents, f->treasury, 0, 8, note_intent, &seen);
    assert_int_equal(seen.count, 3);
    const struct intent_record *record = &seen.records[0];
    assert_int_equal(record->nonce, FIRST_NONCE);
    assert_int_equal(record->intent, intent_of(f, paid));
    assert_int_equal(record->kind, INTENT_PAYMENT);
    assert_int_equal(record->status, INTENT_FINAL);
    assert_int_equal(record->disbursement, first);
    assert_int_equal(record->state, STATE_FINALIZED);
    assert_true(record->has_attempt && record->has_block && record->has_fee);
    assert_int_equal(record->block.number, ANCHOR_NUMBER + 1);
    assert_int_equal(record->gas_used, 21000);
    assert_int_equal(record->to.bytes[0], 0xd0);
    assert_int_equal(bursar_amount_compare(record->value, bursar_amount_from_u64(1000)), 0);
    record = &seen.records[1];
    assert_true(record->has_attempt && !record->has_block && !record->has_fee);
    assert_int_equal(record->status, INTENT_SIGNED);
    assert_false(seen.records[2].has_attempt);
    seen.count = 0;
    OK(f, intents, f->treasury, FIRST_NONCE + 1, 1, note_intent, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.records[0].nonce, FIRST_NONCE + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_go_on_from_where_the_last_page_ended, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_row_is_shown_with_its_whole_story, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_row_of_another_treasury_is_not_shown, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_needs_a_person_is_listed_as_blocked, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(progress_tells_done_and_stuck_from_underway, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_snapshot_comes_back_as_it_was_saved, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_latched_halt_is_kept_until_somebody_reconciles, set_up_leased, tear_down),
        cmocka_unit_test(every_halt_has_a_name),
        cmocka_unit_test_setup_teardown(intents_are_read_for_reconciling, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store shown", tests, NULL, NULL);
}
