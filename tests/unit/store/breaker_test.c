/* The circuit breaker's row: nothing is forgotten over a restart, and neither a person nor an executor overwrites what
 * the other has changed. */
#include "store_fixture.h"

static const struct decision BY_ALICE = { .actor = "alice", .reason = "the node lies", .at_ms = NOW_MS + 5000 };

static struct breaker_record loaded(struct fixture *f)
{
    struct breaker_record record;
    OK(f, breaker_load, f->treasury, &record);
    return record;
}

static struct bursar_breaker *breaker_new(void)
{
    const struct bursar_breaker_config config = BURSAR_BREAKER_DEFAULTS;
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(&config, &breaker, NULL), BURSAR_OK);
    return breaker;
}

static void fail_once(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_ticket ticket;
    assert_true(bursar_breaker_allow_request(breaker, now_ms, &ticket));
    bursar_breaker_record_failure(breaker, ticket, now_ms);
}

/* What an executor has after `failures` of them, a second apart, the last one now. */
static struct bursar_breaker_memory memory_after(uint64_t failures)
{
    struct bursar_breaker *breaker = breaker_new();
    struct bursar_breaker_memory memory;
    for (uint64_t i = failures; i > 0; i--)
        fail_once(breaker, NOW_MS - (i - 1) * 1000);
    bursar_breaker_save(breaker, NOW_MS, NOW_MS, &memory);
    bursar_breaker_free(breaker);
    return memory;
}

static void saved(struct fixture *f, const struct bursar_breaker_memory *memory)
{
    f->fence.breaker_version = loaded(f).version;
    OK(f, breaker_save, f->fence, memory, &f->fence.breaker_version);
}

static void a_new_treasury_has_a_closed_breaker(void **state)
{
    struct fixture *f = *state;
    struct breaker_record record = loaded(f);
    assert_int_equal(record.version, 1);
    assert_int_equal(record.memory.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(record.memory.failures, 0);
    assert_true(record.memory.failed_ago_ms == BURSAR_BREAKER_NEVER);
    assert_true(record.memory.changed_ago_ms == BURSAR_BREAKER_NEVER);
    assert_int_equal(record.command, BREAKER_COMMAND_NONE);
    struct bursar_breaker *breaker = breaker_new();
    assert_int_equal(bursar_breaker_restore(breaker, &record.memory, 77, NOW_MS, &f->err), BURSAR_OK);
    bursar_breaker_free(breaker);
    EXPECT(f, BURSAR_ENOTFOUND, breaker_load, f->treasury + 1, &record);
}

static void what_was_saved_comes_back_bit_by_bit(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memories[] = { memory_after(0), memory_after(3), memory_after(5) };
    struct bursar_breaker_memory half = memory_after(5), full = memory_after(0);
    half.state = BURSAR_BREAKER_HALF_OPEN;
    half.open_left_ms = 0;
    half.successes = 1;
    half.trials = 1;
    half.trial_ago_ms = 17;
    half.openings = 9;
    full.failures = BURSAR_BREAKER_THRESHOLD_MAX;
    for (uint32_t i = 0; i < full.failures; i++)
        full.failure_ago_ms[i] = BURSAR_BREAKER_DURATION_MAX_MS - i * 257;
    full.failed_ago_ms = 3;
    full.held_left_ms = 86399999;
    full.slices = BURSAR_BREAKER_SLICES;
    for (uint32_t i = 0; i < full.slices; i++)
        full.slice[i] = (struct bursar_breaker_slice){ UINT32_MAX - i * 70001, UINT32_MAX - i, i * 257 };
    for (size_t i = 0; i < COUNT_OF(memories) + 2; i++) {
        const struct bursar_breaker_memory *memory = i < COUNT_OF(memories)    ? &memories[i]
                                                     : i == COUNT_OF(memories) ? &half
                                                                               : &full;
        saved(f, memory);
        struct fixture again = open_again(f, SQLITE_MODE_READ);
        struct breaker_record record = loaded(&again);
        assert_int_equal(record.memory.state, memory->state);
        assert_int_equal(record.memory.forced, memory->forced);
        assert_int_equal(record.memory.saved_wall_ms, memory->saved_wall_ms);
        assert_int_equal(record.memory.open_left_ms, memory->open_left_ms);
        assert_true(record.memory.failed_ago_ms == memory->failed_ago_ms);
        assert_true(record.memory.changed_ago_ms == memory->changed_ago_ms);
        assert_int_equal(record.memory.trial_ago_ms, memory->trial_ago_ms);
        assert_int_equal(record.memory.successes, memory->successes);
        assert_int_equal(record.memory.trials, memory->trials);
        assert_int_equal(record.memory.failures, memory->failures);
        assert_memory_equal(record.memory.failure_ago_ms, memory->failure_ago_ms, sizeof memory->failure_ago_ms);
        assert_int_equal(record.memory.openings, memory->openings);
        assert_int_equal(record.memory.held_left_ms, memory->held_left_ms);
        assert_int_equal(record.memory.slices, memory->slices);
        assert_memory_equal(record.memory.slice, memory->slice, sizeof memory->slice);
        assert_int_equal(record.version, f->fence.breaker_version);
        close_again(&again);
    }
}

static void an_executors_change_of_state_is_history_its_counting_is_not(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory some = memory_after(3), open = memory_after(5);
    saved(f, &some);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event"), 0);
    saved(f, &open);
    saved(f, &open);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE cause = 15 AND disbursement IS NULL AND "
                                   "from_state = 0 AND to_state = 0 AND actor = 'tester' AND treasury = 1"),
                     1);
    open.state = BURSAR_BREAKER_HALF_OPEN;
    open.open_left_ms = 0;
    saved(f, &open);
    saved(f, &some);
    assert_int_equal(
        raw_number(f, "SELECT group_concat(cause) = '15,16,17' FROM (SELECT cause FROM event ORDER BY seq)"), 1);
    assert_int_equal(check_event_chain(f), 3);
}

static void an_executor_does_not_overwrite_what_a_person_changed(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(1);
    saved(f, &memory);
    uint64_t seen = f->fence.breaker_version, version = 4711;
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
    EXPECT(f, BURSAR_ESTALE, breaker_save, f->fence, &memory, &version);
    assert_int_equal(version, 4711);
    assert_true(loaded(f).memory.forced);
    f->fence.breaker_version = 0; /* never loaded: that is no version either */
    EXPECT(f, BURSAR_ESTALE, breaker_save, f->fence, &memory, &version);
    struct breaker_record record = loaded(f);
    assert_int_equal(record.version, seen + 1);
    f->fence.breaker_version = record.version;
    OK(f, breaker_save, f->fence, &record.memory, &version);
    assert_int_equal(version, seen + 2);
    assert_true(loaded(f).memory.forced);
    assert_string_equal(loaded(f).actor, "alice"); /* whose word it is stays known */
}

static void an_executor_without_the_lease_saves_nothing(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(5);
    uint64_t version = 0;
    f->fence.breaker_version = 1;
    f->fence.lease_epoch++;
    EXPECT(f, BURSAR_EFENCED, breaker_save, f->fence, &memory, &version);
    assert_int_equal(loaded(f).version, 1);
}

/* INV-6 */
static void nothing_is_bound_or_staged_once_a_person_has_changed_it(void **state)
{
    struct fixture *f = *state;
    int64_t id = import_many(f, "r", 2, NULL);
    f->fence.breaker_version = loaded(f).version;
    int64_t intent = bind_row(f, id);
    struct new_attempt attempt = attempt_of(intent, 42);
    struct binding binding = binding_of(f, id + 1, FIRST_NONCE + 1);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
    char *before = dump(f);
    EXPECT(f, BURSAR_ESTALE, bind, f->fence, NOW_MS, &binding, 1);
    EXPECT(f, BURSAR_ESTALE, attempts_add, f->fence, NOW_MS, &attempt, 1);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    const struct settlement nothing = { 0 };
    OK(f, settle, f->fence, NOW_MS, &nothing); /* INV-10: observing goes on */
    OK(f, lease_renew, f->fence, NOW_MS);
    f->fence.breaker_version = loaded(f).version; /* what it now does about it is the executor's */
    OK(f, attempts_add, f->fence, NOW_MS, &attempt, 1);
    f->fence.breaker_version = 0; /* one without a breaker compares nothing */
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
}

static void a_person_opens_it_for_good_and_failures_are_kept(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(3);
    saved(f, &memory);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
    struct breaker_record record = loaded(f);
    assert_int_equal(record.memory.state, BURSAR_BREAKER_OPEN);
    assert_true(record.memory.forced);
    assert_int_equal(record.memory.saved_wall_ms, NOW_MS + 5000);
    assert_int_equal(record.memory.failures, 3);
    assert_int_equal(record.memory.failure_ago_ms[0], 7000); /* older by the time in between */
    assert_int_equal(record.memory.failed_ago_ms, 5000);
    assert_int_equal(record.memory.changed_ago_ms, 0);
    assert_int_equal(record.command, BREAKER_COMMAND_OPEN);
    assert_string_equal(record.actor, "alice");
    assert_string_equal(record.reason, "the node lies");
    assert_int_equal(record.commanded_ms, NOW_MS + 5000);
    struct bursar_breaker *breaker = breaker_new();
    struct bursar_breaker_view view;
    assert_int_equal(bursar_breaker_restore(breaker, &record.memory, 0, NOW_MS + 5000 + 7 * 86400000u, &f->err),
                     BURSAR_OK);
    bursar_breaker_look(breaker, 0, &view);
    assert_int_equal(view.state, BURSAR_BREAKER_OPEN); /* a week later */
    bursar_breaker_free(breaker);
}

static void a_person_may_open_it_for_a_time(void **state)
{
    struct fixture *f = *state;
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 7200000, &BY_ALICE);
    struct breaker_record record = loaded(f);
    assert_true(record.memory.forced);
    assert_int_equal(record.memory.open_left_ms, 7200000);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM event WHERE detail = 'for 7200 s: the node lies'"), 1);
    char *before = dump(f);
    EXPECT(f, BURSAR_EINVAL, breaker_force, f->treasury, BREAKER_COMMAND_RESET, 1, &BY_ALICE);
    EXPECT(f, BURSAR_EINVAL, breaker_force, f->treasury, BREAKER_COMMAND_CLOSE, BURSAR_BREAKER_HELD_MAX_MS + 1,
           &BY_ALICE);
    EXPECT(f, BURSAR_EINVAL, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, BURSAR_BREAKER_FORCED_MAX_MS + 1,
           &BY_ALICE);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void a_person_closes_it_with_counters_at_zero(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(5);
    saved(f, &memory);
    assert_int_equal(loaded(f).memory.state, BURSAR_BREAKER_OPEN);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_CLOSE, 0, &BY_ALICE);
    struct breaker_record record = loaded(f);
    assert_int_equal(record.memory.state, BURSAR_BREAKER_CLOSED);
    assert_false(record.memory.forced);
    assert_int_equal(record.memory.failures, 0);
    assert_int_equal(record.memory.failed_ago_ms, 5000); /* when it last failed stays known */
    assert_int_equal(record.command, BREAKER_COMMAND_CLOSE);
}

static void a_person_holds_it_closed_for_a_time_and_the_executor_goes_on_from_there(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(5);
    saved(f, &memory);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_CLOSE, 7200000, &BY_ALICE);
    struct breaker_record record = loaded(f);
    assert_int_equal(record.memory.state, BURSAR_BREAKER_CLOSED);
    assert_false(record.memory.forced);
    assert_int_equal(record.memory.held_left_ms, 7200000);
    assert_int_equal(record.memory.failures, 0);
    assert_int_equal(record.command, BREAKER_COMMAND_CLOSE);
    assert_int_equal(
        raw_number(f, "SELECT count(*) FROM event WHERE cause = 17 AND detail = 'held for 7200 s: the node lies'"), 1);
    struct bursar_breaker *breaker = breaker_new();
    struct bursar_breaker_view view;
    assert_int_equal(bursar_breaker_restore(breaker, &record.memory, 0, NOW_MS + 5000, &f->err), BURSAR_OK);
    for (unsigned i = 0; i < 7; i++)
        fail_once(breaker, 60000);
    bursar_breaker_save(breaker, 60000, NOW_MS + 65000, &memory);
    bursar_breaker_free(breaker);
    saved(f, &memory);
    struct fixture again = open_again(f, SQLITE_MODE_READ);
    record = loaded(&again);
    close_again(&again);
    assert_int_equal(record.memory.held_left_ms, 7140000);
    assert_int_equal(record.memory.failures, 5);
    assert_string_equal(record.reason, "the node lies");
    breaker = breaker_new();
    assert_int_equal(bursar_breaker_restore(breaker, &record.memory, 0, NOW_MS + 65000, &f->err), BURSAR_OK);
    bursar_breaker_look(breaker, 7139999, &view);
    assert_true(view.forced);
    assert_int_equal(view.next_change_at_ms, 7140000);
    bursar_breaker_free(breaker);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_CLOSE, 0, &BY_ALICE); /* without a time: as ever */
    assert_int_equal(loaded(f).memory.held_left_ms, 0);
}

static void a_reset_one_is_as_new(void **state)
{
    struct fixture *f = *state;
    struct bursar_breaker_memory memory = memory_after(5);
    saved(f, &memory);
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_RESET, 0, &BY_ALICE);
    struct breaker_record record = loaded(f);
    assert_int_equal(record.memory.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(record.memory.failures, 0);
    assert_true(record.memory.failed_ago_ms == BURSAR_BREAKER_NEVER);
    assert_true(record.memory.changed_ago_ms == BURSAR_BREAKER_NEVER);
}

static void every_word_of_a_person_is_history_and_a_new_version(void **state)
{
    struct fixture *f = *state;
    static const enum breaker_command commands[] = { BREAKER_COMMAND_CLOSE, BREAKER_COMMAND_OPEN, BREAKER_COMMAND_OPEN,
                                                     BREAKER_COMMAND_RESET };
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        OK(f, breaker_force, f->treasury, commands[i], 0, &BY_ALICE);
        assert_int_equal(loaded(f).version, i + 2);
    }
    assert_int_equal(raw_number(f, "SELECT group_concat(cause) = '17,15,15,18' FROM (SELECT cause FROM event WHERE "
                                   "actor = 'alice' AND detail = 'the node lies' ORDER BY seq)"),
                     1);
    assert_int_equal(check_event_chain(f), 4);
    EXPECT(f, BURSAR_EINTERNAL, breaker_force, f->treasury, BREAKER_COMMAND_NONE, 0, &BY_ALICE);
    EXPECT(f, BURSAR_ENOTFOUND, breaker_force, f->treasury + 1, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
}

static void a_damaged_row_gives_way_to_a_persons_word(void **state)
{
    struct fixture *f = *state;
    raw_run(f, "UPDATE breaker SET version = version + 1, failures = x'0000000100000009'"); /* out of order */
    OK(f, breaker_force, f->treasury, BREAKER_COMMAND_OPEN, 0, &BY_ALICE);
    assert_true(loaded(f).memory.forced);
    assert_int_equal(loaded(f).memory.failures, 0);
}

static void the_database_itself_keeps_the_row_and_its_versions(void **state)
{
    struct fixture *f = *state;
    raw_refused(f, "DELETE FROM breaker", "never deleted");
    raw_refused(f, "UPDATE breaker SET state = 1", "new version");
    raw_refused(f, "UPDATE breaker SET version = version - 1", "new version");
    raw_refused(f, "UPDATE breaker SET version = version + 1, state = 3", "CHECK");
    raw_refused(f, "UPDATE breaker SET version = version + 1, forced = 1", "CHECK");
    raw_refused(f, "UPDATE breaker SET version = version + 1, failures = x'00'", "CHECK");
    raw_refused(f, "UPDATE breaker SET version = version + 1, held_left_ms = 86400001", "CHECK");
    raw_refused(f, "UPDATE breaker SET version = version + 1, held_left_ms = 1, state = 1", "CHECK");
    raw_refused(f, "UPDATE breaker SET version = version + 1, command = 1", "CHECK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_treasury_has_a_closed_breaker, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(what_was_saved_comes_back_bit_by_bit, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(an_executors_change_of_state_is_history_its_counting_is_not, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_executor_does_not_overwrite_what_a_person_changed, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(an_executor_without_the_lease_saves_nothing, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_bound_or_staged_once_a_person_has_changed_it, set_up_leased,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_person_opens_it_for_good_and_failures_are_kept, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_person_may_open_it_for_a_time, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_person_closes_it_with_counters_at_zero, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_person_holds_it_closed_for_a_time_and_the_executor_goes_on_from_there,
                                        set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_one_is_as_new, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(every_word_of_a_person_is_history_and_a_new_version, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_row_gives_way_to_a_persons_word, set_up_leased, tear_down),
        cmocka_unit_test_setup_teardown(the_database_itself_keeps_the_row_and_its_versions, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store breaker", tests, NULL, NULL);
}
