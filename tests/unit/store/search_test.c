/* What people look for: disbursements, page by page however many are passed over; the log; what the account held. */
#include "store_fixture.h"

struct found {
    int64_t ids[64];
    size_t count;
};

static enum bursar_status take(void *ctx, const struct disbursement_record *record)
{
    struct found *found = ctx;
    assert_true(found->count < 64);
    found->ids[found->count++] = record->id;
    return BURSAR_OK;
}

static void rows_are_found_from_either_end(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    int64_t next = -1, first = import_many(f, "r", 5, NULL);
    struct search_filter filter = { .limit = 2, .newest_first = true };
    OK(f, search, f->treasury, &filter, take, &found, &next);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.ids[0], first + 4);
    filter.cursor = found.ids[1];
    filter.limit = 64;
    OK(f, search, f->treasury, &filter, take, &found, &next);
    assert_int_equal(found.count, 5);
    assert_int_equal(found.ids[4], first);
    assert_int_equal(next, 0);
    filter = (struct search_filter){ .limit = 64, .cursor = first + 3 };
    found.count = 0;
    OK(f, search, f->treasury, &filter, take, &found, &next);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.ids[0], first + 4);
}

/* Rows are put far apart instead of putting many between them. */
static void a_call_looks_at_a_bounded_number_of_rows(void **state)
{
    struct fixture *f = *state;
    struct found found = { 0 };
    int64_t next = -1, first = import_one(f, "near");
    raw_run(f,
            "INSERT INTO disbursement (id, treasury, state, schedule, schedule_value, ref, content_hash, destination, "
            "amount, memo) SELECT 250000, treasury, 3, 0, 0, 'far', content_hash, destination, amount, '' "
            "FROM disbursement");
    struct search_filter filter = { .limit = 64, .ref_prefix = "far" };
    int calls = 0;
    for (next = -1; next != 0; calls++) {
        OK(f, search, f->treasury, &filter, take, &found, &next);
        filter.cursor = next;
    }
    assert_int_equal(found.count, 1);
    assert_int_equal(calls, 3);
    filter = (struct search_filter){ .limit = 64, .ref_prefix = "near", .newest_first = true };
    found.count = 0;
    for (calls = 0, next = -1; next != 0; calls++) {
        OK(f, search, f->treasury, &filter, take, &found, &next);
        filter.cursor = next;
    }
    assert_int_equal(found.count, 1);
    assert_int_equal(found.ids[0], first);
    assert_int_equal(calls, 3);
}

struct log {
    uint64_t last_seq;
    size_t count;
};

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct log *log = ctx;
    assert_true(event->seq > log->last_seq);
    assert_non_null(event->ref);
    log->last_seq = event->seq;
    log->count++;
    return BURSAR_OK;
}

static void the_log_is_read_on_from_any_event(void **state)
{
    struct fixture *f = *state;
    struct log log = { 0 };
    uint64_t newest = 4711;
    OK(f, event_newest, &newest);
    assert_int_equal(newest, 0);
    import_many(f, "r", 5, NULL);
    OK(f, event_newest, &newest);
    assert_int_equal(newest, 5);
    OK(f, events, 0, 2, take_event, &log);
    assert_int_equal(log.count, 2);
    OK(f, events, log.last_seq, 100, take_event, &log);
    assert_int_equal(log.count, 5);
    assert_int_equal(log.last_seq, newest);
}

static enum bursar_status take_treasury_event(void *ctx, const struct event_record *event)
{
    struct log *log = ctx;
    assert_int_equal(event->disbursement, 0);
    assert_true(log->last_seq == 0 || event->seq < log->last_seq);
    log->last_seq = event->seq;
    log->count++;
    return BURSAR_OK;
}

static void a_treasury_has_a_history_of_its_own_the_newest_first(void **state)
{
    struct fixture *f = *state;
    const struct decision decision = { "a person", "a reason", NOW_MS };
    struct log log = { 0 };
    import_many(f, "r", 5, NULL);
    for (int i = 0; i < 3; i++)
        OK(f, breaker_force, f->treasury, i % 2 ? BREAKER_COMMAND_CLOSE : BREAKER_COMMAND_OPEN, 0, &decision);
    OK(f, treasury_events, f->treasury, 0, 2, take_treasury_event, &log);
    assert_int_equal(log.count, 2);
    OK(f, treasury_events, f->treasury, log.last_seq, 100, take_treasury_event, &log);
    assert_int_equal(log.count, 3);
}

static void see_balance(struct fixture *f, uint64_t wei)
{
    struct snapshot snapshot = {
        .has_balance = true, .balance = bursar_amount_from_u64(wei), .balance_block = 7, .balance_ms = NOW_MS
    };
    OK(f, snapshot_save, f->fence, &snapshot, HALT_NONE, "");
}

static enum bursar_status take_balance(void *ctx, const struct balance_record *record)
{
    struct log *log = ctx;
    struct bursar_amount before = bursar_amount_from_u64(record->seq - 1);
    assert_int_equal(bursar_amount_compare(record->balance, bursar_amount_from_u64(record->seq)), 0);
    assert_true(!record->has_before || bursar_amount_compare(record->before, before) == 0);
    log->last_seq = record->seq;
    log->count++;
    return BURSAR_OK;
}

static void a_balance_is_kept_when_it_has_changed(void **state)
{
    struct fixture *f = *state;
    struct log log = { 0 };
    struct snapshot unseen = { 0 };
    OK(f, snapshot_save, f->fence, &unseen, HALT_NONE, "");
    for (uint64_t wei = 1; wei <= 4; wei++) {
        see_balance(f, wei);
        see_balance(f, wei);
    }
    OK(f, balances, f->treasury, 0, 100, take_balance, &log);
    assert_int_equal(log.count, 4);
    assert_int_equal(log.last_seq, 1);
    OK(f, balances, f->treasury, 2, 100, take_balance, &log);
    assert_int_equal(log.count, 5);
}

static void only_the_newest_balances_are_kept(void **state)
{
    struct fixture *f = *state;
    see_balance(f, 1);
    see_balance(f, 2);
    see_balance(f, 3);
    raw_run(f, "UPDATE balance SET seq = seq + 100000 - 3 WHERE seq > 1"); /* 1, 99999, 100000 */
    see_balance(f, 4);
    see_balance(f, 5);
    assert_int_equal(raw_number(f, "SELECT min(seq) FROM balance"), 99999);
    assert_int_equal(raw_number(f, "SELECT max(seq) FROM balance"), 100002);
}

struct spent {
    int64_t ids[8];
    size_t count;
};

static enum bursar_status take_spent(void *ctx, int64_t disbursement, const char *ref)
{
    struct spent *spent = ctx;
    assert_true(*ref == 'r' && spent->count < COUNT_OF(spent->ids));
    spent->ids[spent->count++] = disbursement;
    return BURSAR_OK;
}

static struct spent spent_of(struct fixture *f, uint64_t after_block, uint64_t up_to_block, size_t limit)
{
    struct spent spent = { 0 };
    OK(f, spent_between, f->treasury, after_block, up_to_block, limit, take_spent, &spent);
    return spent;
}

static void what_was_mined_between_two_blocks_is_named_final_or_not(void **state)
{
    struct fixture *f = *state;
    int64_t first = import_many(f, "r", 5, NULL);
    (void)pay_row(f, first, true);
    (void)pay_row(f, first + 1, false); /* reverted: it has cost a fee */
    struct new_attempt cancel = attempt_of(bind_row(f, first + 2), 70);
    cancel.purpose = PURPOSE_SELF_TRANSFER;
    OK(f, attempts_add, f->fence, NOW_MS, &cancel, 1);
    int64_t attempt = raw_number(f, "SELECT max(id) FROM attempt");
    struct included_attempt included = {
        .attempt = attempt, .intent = cancel.intent, .purpose = PURPOSE_SELF_TRANSFER, .block = mark_at(102, 0)
    };
    const struct settlement settlement = { .included = &included, .included_count = 1 };
    OK(f, settle, f->fence, NOW_MS, &settlement); /* pays nobody */
    include_attempt(f, sign_intent(f, bind_row(f, first + 3), 71), mark_at(103, 0));
    (void)sign_intent(f, bind_row(f, first + 4), 72);
    struct spent spent = spent_of(f, 100, 200, 10);
    assert_int_equal(spent.count, 3);
    assert_int_equal(spent.ids[0], first);
    assert_int_equal(spent.ids[1], first + 1);
    assert_int_equal(spent.ids[2], first + 3);
    assert_int_equal(spent_of(f, 101, 103, 10).count, 1);
    assert_int_equal(spent_of(f, 100, 102, 10).count, 2);
    assert_int_equal(spent_of(f, 100, 200, 1).count, 1);
    assert_int_equal(spent_of(f, 103, 200, 10).count, 0);
}

static enum bursar_status take_due(void *ctx, const struct balance_record *record)
{
    struct log *log = ctx;
    uint64_t due = 0;
    assert_true(record->has_due && bursar_amount_to_u64(record->due, &due));
    log->count++;
    log->last_seq = due;
    return BURSAR_OK;
}

static void what_was_due_is_kept_with_the_balance_and_when_it_alone_has_changed(void **state)
{
    struct fixture *f = *state;
    struct log log = { 0 };
    see_balance(f, 1);
    (void)import_rows(f, &(struct row){ .ref = "r", .amount_wei = 5 }, 1);
    see_balance(f, 1);
    see_balance(f, 1);
    OK(f, balances, f->treasury, 0, 1, take_due, &log);
    assert_int_equal(log.last_seq, 5);
    OK(f, balances, f->treasury, 2, 10, take_due, &log);
    assert_int_equal(log.last_seq, 0);
    assert_int_equal(log.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_are_found_from_either_end, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_call_looks_at_a_bounded_number_of_rows, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_read_on_from_any_event, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_treasury_has_a_history_of_its_own_the_newest_first, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_balance_is_kept_when_it_has_changed, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(only_the_newest_balances_are_kept, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_was_mined_between_two_blocks_is_named_final_or_not, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_due_is_kept_with_the_balance_and_when_it_alone_has_changed,
                                        set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store search", tests, NULL, NULL);
}
