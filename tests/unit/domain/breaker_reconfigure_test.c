/* Another configuration while it is at work: what was counted stays, and is judged by the new one. */
#include <bursar/breaker.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

#define CALLERS 3
#define ROUNDS 2000

static void free_breaker(struct bursar_breaker **breaker)
{
    bursar_breaker_free(*breaker);
}
#define SCOPED cleanup(free_breaker) struct bursar_breaker

static const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;

static struct bursar_breaker *breaker_with(const struct bursar_breaker_config *config)
{
    struct bursar_breaker *breaker = NULL;
    assert_int_equal(bursar_breaker_new(config, &breaker, NULL), BURSAR_OK);
    return breaker;
}

static void change(struct bursar_breaker *breaker, const struct bursar_breaker_config *config, uint64_t now_ms)
{
    assert_int_equal(bursar_breaker_reconfigure(breaker, config, now_ms, NULL), BURSAR_OK);
}

static struct bursar_breaker_view look(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_view view;
    bursar_breaker_look(breaker, now_ms, &view);
    return view;
}

static struct bursar_breaker_ticket ask(struct bursar_breaker *breaker, uint64_t now_ms)
{
    struct bursar_breaker_ticket ticket;
    assert_true(bursar_breaker_allow_request(breaker, now_ms, &ticket));
    return ticket;
}

static void fail_times(struct bursar_breaker *breaker, unsigned times, uint64_t now_ms)
{
    for (unsigned i = 0; i < times; i++)
        bursar_breaker_record_failure(breaker, ask(breaker, now_ms), now_ms);
}

static void a_lower_threshold_that_is_reached_already_opens_it_with_the_next_failure(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 4, 1000);
    uint64_t changes = look(breaker, 1000).changes;
    config.failure_threshold = 2;
    change(breaker, &config, 1500);
    struct bursar_breaker_view view = look(breaker, 1500);
    assert_true(view.changes > changes); /* to be saved */
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(view.failures, 2);
    fail_times(breaker, 1, 2000);
    assert_int_equal(look(breaker, 2000).state, BURSAR_BREAKER_OPEN);
}

static void a_higher_threshold_counts_on(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 4, 1000);
    config.failure_threshold = 7;
    change(breaker, &config, 1000);
    fail_times(breaker, 2, 1000);
    assert_int_equal(look(breaker, 1000).state, BURSAR_BREAKER_CLOSED);
    fail_times(breaker, 1, 1000);
    assert_int_equal(look(breaker, 1000).state, BURSAR_BREAKER_OPEN);
}

static void a_shorter_window_forgets_what_is_outside_of_it(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 3, 1000);
    fail_times(breaker, 1, 9000);
    config.window_ms = 5000;
    change(breaker, &config, 10000);
    assert_int_equal(look(breaker, 10000).failures, 1);
    assert_int_equal(look(breaker, 14000).failures, 0);
}

static void open_is_shortened_by_a_shorter_timeout_and_never_lengthened(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    struct bursar_breaker_ticket ticket;
    fail_times(breaker, 5, 1000);
    config.timeout_ms = 600000;
    change(breaker, &config, 2000);
    assert_int_equal(look(breaker, 2000).next_change_at_ms, 61000);
    config.timeout_ms = 5000;
    change(breaker, &config, 3000);
    assert_int_equal(look(breaker, 3000).next_change_at_ms, 8000);
    assert_false(bursar_breaker_allow_request(breaker, 7999, &ticket));
    assert_true(bursar_breaker_allow_request(breaker, 8000, &ticket));
}

static void forced_open_stays_for_as_long_as_it_was_told_to(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    config.timeout_ms = 1000;
    bursar_breaker_force_open_for(breaker, 1000, 900000);
    change(breaker, &config, 2000);
    assert_true(look(breaker, 2000).forced);
    assert_int_equal(look(breaker, 2000).next_change_at_ms, 901000);
    bursar_breaker_force_open(breaker, 3000);
    change(breaker, &defaults, 4000);
    assert_true(look(breaker, 4000).forced);
    assert_int_equal(look(breaker, 4000).next_change_at_ms, BURSAR_BREAKER_NEVER);
}

static void held_closed_stays_for_as_long_as_it_was_told_to(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    bursar_breaker_force_close_for(breaker, 1000, 50000);
    fail_times(breaker, 5, 1000);
    config.failure_threshold = 2;
    change(breaker, &config, 2000);
    fail_times(breaker, 1, 2000);
    assert_int_equal(look(breaker, 2000).state, BURSAR_BREAKER_CLOSED);
    assert_int_equal(look(breaker, 2000).next_change_at_ms, 51000);
    fail_times(breaker, 1, 51000);
    assert_int_equal(look(breaker, 51000).state, BURSAR_BREAKER_OPEN);
}

static void tickets_stay_good(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    struct bursar_breaker_ticket ticket = ask(breaker, 1000);
    config.failure_threshold = 1;
    change(breaker, &config, 1000);
    bursar_breaker_record_failure(breaker, ticket, 1000);
    assert_int_equal(look(breaker, 1000).state, BURSAR_BREAKER_OPEN);
    ticket = ask(breaker, 61000);
    assert_true(bursar_breaker_ticket_is_trial(ticket));
    config.success_threshold = 1;
    change(breaker, &config, 61000);
    bursar_breaker_record_success(breaker, ticket, 61000);
    assert_int_equal(look(breaker, 61000).state, BURSAR_BREAKER_CLOSED);
}

static void successes_alone_do_not_close_it_when_fewer_are_asked_for(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.success_threshold = 5;
    SCOPED *breaker = breaker_with(&config);
    fail_times(breaker, 5, 1000);
    for (int i = 0; i < 3; i++)
        bursar_breaker_record_success(breaker, ask(breaker, 61000), 61000);
    struct bursar_breaker_ticket older = ask(breaker, 61000), newer = ask(breaker, 61000);
    config.success_threshold = 2;
    change(breaker, &config, 61000);
    struct bursar_breaker_view view = look(breaker, 61000);
    assert_int_equal(view.state, BURSAR_BREAKER_HALF_OPEN);
    assert_int_equal(view.successes, 1);
    assert_int_equal(view.trials, 1);
    bursar_breaker_record_failure(breaker, older, 61000); /* given up: as if it had never come */
    assert_int_equal(look(breaker, 61000).state, BURSAR_BREAKER_HALF_OPEN);
    bursar_breaker_record_success(breaker, newer, 61000);
    assert_int_equal(look(breaker, 61000).state, BURSAR_BREAKER_CLOSED);
}

static void trials_expire_by_the_new_timeout(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    config.success_threshold = 1;
    SCOPED *breaker = breaker_with(&config);
    fail_times(breaker, 5, 1000);
    (void)ask(breaker, 61000);
    assert_int_equal(look(breaker, 61000).next_allow_at_ms, 121000);
    config.timeout_ms = 2000;
    change(breaker, &config, 62000);
    assert_int_equal(look(breaker, 62000).next_allow_at_ms, 63000);
}

static void a_rate_and_slow_calls_may_come_and_go(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 4, 1000);
    config.failure_rate_percent = 50;
    config.rate_min_calls = 10;
    config.slow_call_ms = 700;
    change(breaker, &config, 1000);
    assert_int_equal(look(breaker, 1000).rate_calls, 0); /* nothing was counted for it before */
    for (int i = 0; i < 4; i++)
        bursar_breaker_record_success(breaker, ask(breaker, 1000), 1000);
    for (int i = 0; i < 4; i++)
        bursar_breaker_record_success(breaker, ask(breaker, 1000), 1700); /* slow */
    struct bursar_breaker_view view = look(breaker, 1700);
    assert_int_equal(view.rate_calls, 8);
    assert_int_equal(view.rate_failures, 4);
    config.window_ms = 160000; /* other slices */
    change(breaker, &config, 2000);
    view = look(breaker, 2000);
    assert_int_equal(view.rate_calls, 8);
    assert_int_equal(view.rate_failures, 4);
    assert_int_equal(view.state, BURSAR_BREAKER_CLOSED);
    bursar_breaker_record_success(breaker, ask(breaker, 2000), 2000);
    fail_times(breaker, 1, 2000); /* ten calls, half of them */
    assert_int_equal(look(breaker, 2000).state, BURSAR_BREAKER_OPEN);
    bursar_breaker_force_close(breaker, 3000);
    change(breaker, &defaults, 3000);
    bursar_breaker_record_success(breaker, ask(breaker, 3000), 9000); /* none is slow any more */
    view = look(breaker, 9000);
    assert_int_equal(view.rate_calls, 0);
    assert_int_equal(view.failures, 0);
}

static void a_bad_configuration_changes_nothing(void **state)
{
    (void)state;
    struct bursar_breaker_config config = defaults;
    struct bursar_error err = { 0 };
    SCOPED *breaker = breaker_with(&defaults);
    fail_times(breaker, 4, 1000);
    uint64_t changes = look(breaker, 1000).changes;
    config.failure_threshold = 1;
    config.window_ms = 0;
    assert_int_equal(bursar_breaker_reconfigure(breaker, &config, 1000, &err), BURSAR_EINVAL);
    assert_non_null(strstr(err.message, "window_ms is 0"));
    assert_int_equal(look(breaker, 1000).changes, changes);
    assert_int_equal(look(breaker, 1000).failures, 4);
}

struct traffic {
    struct bursar_breaker *breaker;
    _Atomic uint64_t now_ms;
    atomic_bool is_over;
};

static void *keep_calling(void *arg)
{
    struct traffic *traffic = arg;
    struct bursar_breaker_ticket ticket;
    for (unsigned i = 0; !atomic_load(&traffic->is_over); i++) {
        uint64_t now_ms = ++traffic->now_ms;
        if (!bursar_breaker_allow_request(traffic->breaker, now_ms, &ticket))
            continue;
        if (i % 3 == 0)
            bursar_breaker_record_failure(traffic->breaker, ticket, now_ms);
        else
            bursar_breaker_record_success(traffic->breaker, ticket, now_ms + i % 5);
    }
    return NULL;
}

static void it_may_change_under_traffic(void **state)
{
    (void)state;
    const struct bursar_breaker_config shapes[] = {
        defaults,
        { .failure_threshold = 1, .success_threshold = 1, .timeout_ms = 3, .window_ms = 1000, .slow_call_ms = 2 },
        { .failure_threshold = 1000,
          .success_threshold = 9,
          .timeout_ms = 20,
          .window_ms = 160,
          .failure_rate_percent = 40,
          .rate_min_calls = 3 },
        { .failure_threshold = 3,
          .success_threshold = 2,
          .timeout_ms = 1,
          .window_ms = 64000,
          .failure_rate_percent = 100,
          .rate_min_calls = 1,
          .timeout_max_ms = 50,
          .jitter_percent = 100 },
    };
    SCOPED *breaker = breaker_with(&defaults);
    struct traffic traffic = { .breaker = breaker, .now_ms = 1000 };
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, keep_calling, &traffic), 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        const struct bursar_breaker_config *shape = &shapes[round % COUNT_OF(shapes)];
        change(breaker, shape, traffic.now_ms);
        struct bursar_breaker_view view = look(breaker, traffic.now_ms);
        assert_true(view.failures <= shape->failure_threshold);
        assert_true(view.successes < shape->success_threshold);
        assert_true(view.successes + view.trials <= shape->success_threshold);
        assert_true(shape->failure_rate_percent > 0 || view.rate_calls == 0);
    }
    atomic_store(&traffic.is_over, true);
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_join(callers[i], NULL), 0);
    change(breaker, &defaults, traffic.now_ms);
    bursar_breaker_force_close(breaker, traffic.now_ms);
    fail_times(breaker, 5, traffic.now_ms);
    assert_int_equal(look(breaker, traffic.now_ms).state, BURSAR_BREAKER_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lower_threshold_that_is_reached_already_opens_it_with_the_next_failure),
        cmocka_unit_test(a_higher_threshold_counts_on),
        cmocka_unit_test(a_shorter_window_forgets_what_is_outside_of_it),
        cmocka_unit_test(open_is_shortened_by_a_shorter_timeout_and_never_lengthened),
        cmocka_unit_test(forced_open_stays_for_as_long_as_it_was_told_to),
        cmocka_unit_test(held_closed_stays_for_as_long_as_it_was_told_to),
        cmocka_unit_test(tickets_stay_good),
        cmocka_unit_test(successes_alone_do_not_close_it_when_fewer_are_asked_for),
        cmocka_unit_test(trials_expire_by_the_new_timeout),
        cmocka_unit_test(a_rate_and_slow_calls_may_come_and_go),
        cmocka_unit_test(a_bad_configuration_changes_nothing),
        cmocka_unit_test(it_may_change_under_traffic),
    };
    return cmocka_run_group_tests_name("circuit breaker, another configuration", tests, NULL, NULL);
}
