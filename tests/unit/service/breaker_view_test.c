/* Both breakers as they are shown: what the clock has made of the stored state by now. */
#include "service/breaker_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1760000000000u

static struct breaker_record stored;
static struct money_record stored_money;

static enum bursar_status load(void *ctx, int64_t treasury, struct breaker_record *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)treasury;
    (void)err;
    *ret = stored;
    return BURSAR_OK;
}

static enum bursar_status load_money(void *ctx, int64_t treasury, struct money_record *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)treasury;
    (void)err;
    *ret = stored_money;
    return BURSAR_OK;
}

static struct breaker_standing standing_at(uint64_t wall_ms)
{
    struct bursar_breaker_config config = {
        .failure_threshold = 5, .success_threshold = 2, .timeout_ms = 60000, .window_ms = 300000
    };
    struct store store = { .breaker_load = load, .money_load = load_money };
    struct breaker_standing standing;
    assert_int_equal(breaker_standing_read(&store, 1, &config, wall_ms, &standing, NULL), BURSAR_OK);
    return standing;
}

static void assert_json(const struct breaker_standing *standing, const char *field, const char *expected)
{
    json_t *item = breaker_json(standing);
    char *value = json_dumps(json_object_get(item, field), JSON_ENCODE_ANY);
    assert_non_null(value);
    assert_string_equal(value, expected);
    free(value);
    json_decref(item);
}

static void assert_text(const struct breaker_standing *standing, const char *part)
{
    char text[BREAKER_TEXT_BYTES];
    breaker_text(standing, text);
    if (!strstr(text, part))
        fail_msg("'%s' has no '%s'", text, part);
}

static void never_used_it_is_closed(void **state)
{
    (void)state;
    stored = (struct breaker_record){
        .version = 1, .memory = { .failed_ago_ms = BURSAR_BREAKER_NEVER, .changed_ago_ms = BURSAR_BREAKER_NEVER }
    };
    struct breaker_standing standing = standing_at(NOW_MS);
    char command[BREAKER_COMMAND_TEXT_BYTES];
    assert_json(&standing, "state", "\"closed\"");
    assert_json(&standing, "failures", "0");
    assert_json(&standing, "successes", "0");
    assert_json(&standing, "forced", "false");
    assert_json(&standing, "since", "null");
    assert_json(&standing, "actor", "null");
    assert_json(&standing, "reason", "null");
    assert_text(&standing, "closed; failures: 0 of 5 within 300 s");
    assert_false(breaker_command_text(&standing, command));
}

static void failures_leave_the_window_while_nobody_writes(void **state)
{
    (void)state;
    stored = (struct breaker_record){ .version = 4,
                                      .memory = { .saved_wall_ms = NOW_MS,
                                                  .changed_ago_ms = BURSAR_BREAKER_NEVER,
                                                  .failures = 2,
                                                  .failure_ago_ms = { 200000, 1000 } } };
    struct breaker_standing standing = standing_at(NOW_MS);
    assert_json(&standing, "failures", "2");
    standing = standing_at(NOW_MS + 150000);
    assert_json(&standing, "failures", "1");
    assert_text(&standing, "failures: 1 of 5");
}

static void an_open_one_becomes_half_open_in_time(void **state)
{
    (void)state;
    stored = (struct breaker_record){ .version = 4,
                                      .memory = { .state = BURSAR_BREAKER_OPEN,
                                                  .saved_wall_ms = NOW_MS,
                                                  .open_left_ms = 60000,
                                                  .changed_ago_ms = 0,
                                                  .failed_ago_ms = 0 } };
    struct breaker_standing standing = standing_at(NOW_MS + 20000);
    assert_json(&standing, "state", "\"open\"");
    assert_json(&standing, "since", "\"2025-10-09T08:53:20Z\"");
    assert_json(&standing, "half_open_at", "\"2025-10-09T08:54:20Z\"");
    assert_text(&standing, "half-open at 2025-10-09T08:54:20Z");
    standing = standing_at(NOW_MS + 61000);
    assert_json(&standing, "state", "\"half_open\"");
    assert_json(&standing, "half_open_at", "null");
    assert_text(&standing, "successes: 0 of 2");
}

static void a_forced_one_stays_open_and_says_whose_word_it_is(void **state)
{
    (void)state;
    stored = (struct breaker_record){ .version = 4,
                                      .memory = { .state = BURSAR_BREAKER_OPEN,
                                                  .forced = true,
                                                  .saved_wall_ms = NOW_MS,
                                                  .failed_ago_ms = BURSAR_BREAKER_NEVER },
                                      .command = BREAKER_COMMAND_OPEN,
                                      .actor = "alice",
                                      .reason = "the node lies",
                                      .commanded_ms = NOW_MS };
    struct breaker_standing standing = standing_at(NOW_MS + 7 * 86400000u);
    char command[BREAKER_COMMAND_TEXT_BYTES];
    assert_json(&standing, "state", "\"open\"");
    assert_json(&standing, "forced", "true");
    assert_json(&standing, "half_open_at", "null");
    assert_json(&standing, "command", "\"open\"");
    assert_json(&standing, "actor", "\"alice\"");
    assert_json(&standing, "reason", "\"the node lies\"");
    assert_json(&standing, "commanded_at", "\"2025-10-09T08:53:20Z\"");
    assert_text(&standing, "bursar breaker close");
    assert_true(breaker_command_text(&standing, command));
    assert_string_equal(command, "opened by alice, 2025-10-09T08:53:20Z: the node lies");
}

static void one_held_closed_says_until_when_and_whose_word_it_is(void **state)
{
    (void)state;
    stored = (struct breaker_record){ .version = 4,
                                      .memory = { .saved_wall_ms = NOW_MS,
                                                  .held_left_ms = 120000,
                                                  .failed_ago_ms = 1000,
                                                  .changed_ago_ms = 5000,
                                                  .failures = 5,
                                                  .failure_ago_ms = { 1000, 1000, 1000, 1000, 1000 } },
                                      .command = BREAKER_COMMAND_CLOSE,
                                      .actor = "alice",
                                      .reason = "the watch is wrong",
                                      .commanded_ms = NOW_MS };
    struct breaker_standing standing = standing_at(NOW_MS + 60000);
    assert_json(&standing, "state", "\"closed\"");
    assert_json(&standing, "forced", "true");
    assert_json(&standing, "failures", "5");
    assert_json(&standing, "held_until", "\"2025-10-09T08:55:20Z\"");
    assert_json(&standing, "half_open_at", "null");
    assert_json(&standing, "actor", "\"alice\"");
    assert_text(&standing, "closed since 2025-10-09T08:53:15Z; held until 2025-10-09T08:55:20Z; failures: 5 of 5");
    standing = standing_at(NOW_MS + 120000);
    assert_json(&standing, "state", "\"closed\""); /* what it is for an executor as well: see the next failure */
    assert_json(&standing, "forced", "false");
    assert_json(&standing, "held_until", "null");
    assert_text(&standing, "closed since 2025-10-09T08:53:15Z; failures: 5 of 5");
}

static void a_time_is_taken_by_open_and_close_each_up_to_its_own_longest(void **state)
{
    (void)state;
    static const struct {
        enum breaker_command command;
        const char *text, *problem;
        uint64_t for_ms;
    } cases[] = {
        { BREAKER_COMMAND_OPEN, "30d", NULL, UINT64_C(2592000000) },
        { BREAKER_COMMAND_OPEN, "31d", "1s to 30d", 0 },
        { BREAKER_COMMAND_OPEN, "2", "1s to 30d", 0 },
        { BREAKER_COMMAND_CLOSE, "1s", NULL, 1000 },
        { BREAKER_COMMAND_CLOSE, "24h", NULL, 86400000 },
        { BREAKER_COMMAND_CLOSE, "86401s", "1s to 1d", 0 },
        { BREAKER_COMMAND_CLOSE, "0s", "1s to 1d", 0 },
        { BREAKER_COMMAND_RESET, "1s", "belongs to open and close", 0 },
        { BREAKER_COMMAND_NONE, "1s", "belongs to open and close", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t for_ms = 0;
        const char *problem = breaker_for_problem(cases[i].command, cases[i].text, &for_ms);
        assert_int_equal(problem == NULL, cases[i].problem == NULL);
        if (problem && !strstr(problem, cases[i].problem))
            fail_msg("'%s' has no '%s'", problem, cases[i].problem);
        assert_true(for_ms == cases[i].for_ms);
    }
}

static void a_damaged_one_is_shown_as_it_is_stored(void **state)
{
    (void)state;
    stored = (struct breaker_record){
        .memory = { .state = BURSAR_BREAKER_OPEN, .saved_wall_ms = NOW_MS, .failures = 2, .failure_ago_ms = { 1, 9 } }
    };
    struct breaker_standing standing = standing_at(NOW_MS);
    assert_json(&standing, "state", "\"open\"");
    assert_json(&standing, "since", "null");
}

static void assert_money(const struct breaker_standing *standing, const char *expected, const char *expected_text)
{
    char text[MONEY_TEXT_BYTES];
    assert_json(standing, "money", expected);
    money_text(&standing->money, text);
    assert_string_equal(text, expected_text);
}

static void an_open_money_breaker_says_why_and_what_to_do_and_a_closed_one_whose_word_it_is(void **state)
{
    (void)state;
    stored = (struct breaker_record){ .version = 1 };
    stored_money = (struct money_record){ .version = 1 };
    struct breaker_standing standing = standing_at(NOW_MS);
    assert_money(&standing,
                 "{\"state\": \"closed\", \"cause\": null, \"detail\": null, \"action\": null, \"actor\": null, "
                 "\"since\": null}",
                 "closed");
    stored_money = (struct money_record){
        .version = 2, .cause = MONEY_PERSON, .detail = "an audit", .actor = "alice", .changed_ms = NOW_MS
    };
    standing = standing_at(NOW_MS);
    assert_money(&standing,
                 "{\"state\": \"open\", \"cause\": \"person\", \"detail\": \"an audit\", \"action\": \"`bursar breaker "
                 "close --money --reason TEXT` when it may go on\", \"actor\": \"alice\", \"since\": "
                 "\"2025-10-09T08:53:20Z\"}",
                 "open since 2025-10-09T08:53:20Z, by alice: an audit");
    stored_money.cause = MONEY_REVERTS;
    standing = standing_at(NOW_MS);
    char text[MONEY_TEXT_BYTES];
    money_text(&standing.money, text);
    assert_string_equal(text, "open since 2025-10-09T08:53:20Z (reverts): an audit");
    stored_money =
        (struct money_record){ .version = 3, .detail = "all is well", .actor = "bob", .changed_ms = NOW_MS + 1000 };
    standing = standing_at(NOW_MS + 2000);
    assert_money(&standing,
                 "{\"state\": \"closed\", \"cause\": null, \"detail\": \"all is well\", \"action\": null, \"actor\": "
                 "\"bob\", \"since\": \"2025-10-09T08:53:21Z\"}",
                 "closed since 2025-10-09T08:53:21Z, by bob: all is well");
    stored_money = (struct money_record){ 0 };
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_used_it_is_closed),
        cmocka_unit_test(failures_leave_the_window_while_nobody_writes),
        cmocka_unit_test(an_open_one_becomes_half_open_in_time),
        cmocka_unit_test(a_forced_one_stays_open_and_says_whose_word_it_is),
        cmocka_unit_test(one_held_closed_says_until_when_and_whose_word_it_is),
        cmocka_unit_test(a_time_is_taken_by_open_and_close_each_up_to_its_own_longest),
        cmocka_unit_test(a_damaged_one_is_shown_as_it_is_stored),
        cmocka_unit_test(an_open_money_breaker_says_why_and_what_to_do_and_a_closed_one_whose_word_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
