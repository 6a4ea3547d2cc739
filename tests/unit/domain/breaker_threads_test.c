/* Concurrent access, with real threads: what must hold however they interleave. The tsan build runs it as well. Threads
 * only count; the test judges after joining them. Clocks are turned by the test, never waited for. */
#include <bursar/breaker.h>

#include "base/cleanup.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THREADS 4
#define ROUNDS 300
#define TIMEOUT_MS 60000

struct crew {
    struct bursar_breaker *breaker;
    pthread_barrier_t start;
    void (*work)(struct crew *crew, unsigned self);
    _Atomic uint64_t now_ms;
    _Atomic uint64_t allowed, trials, wrong;
    atomic_bool stop;
};

struct worker {
    struct crew *crew;
    unsigned self;
    pthread_t thread;
};

static void *run_worker(void *arg)
{
    struct worker *worker = arg;
    (void)pthread_barrier_wait(&worker->crew->start);
    worker->crew->work(worker->crew, worker->self);
    return NULL;
}

/* All threads do `work` at once; back when all are done. */
static void together(struct crew *crew, void (*work)(struct crew *crew, unsigned self))
{
    struct worker workers[THREADS];
    crew->work = work;
    assert_int_equal(pthread_barrier_init(&crew->start, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .crew = crew, .self = i };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&crew->start), 0);
}

static void crew_ready(struct crew *crew, uint32_t failure_threshold, uint32_t success_threshold)
{
    struct bursar_breaker_config config = { .failure_threshold = failure_threshold,
                                            .success_threshold = success_threshold,
                                            .timeout_ms = TIMEOUT_MS,
                                            .window_ms = 5 * TIMEOUT_MS };
    memset(crew, 0, sizeof *crew);
    assert_int_equal(bursar_breaker_new(&config, &crew->breaker, NULL), BURSAR_OK);
    crew->now_ms = 1000;
}

static void crew_done(struct crew *crew)
{
    crew->breaker = bursar_breaker_free(crew->breaker);
}
#define SCOPED cleanup(crew_done) struct crew

static void fail_times(struct crew *crew, unsigned times)
{
    struct bursar_breaker_ticket ticket;
    for (unsigned i = 0; i < times; i++) {
        assert_true(bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket));
        bursar_breaker_record_failure(crew->breaker, ticket, crew->now_ms);
    }
}

static void ask_ten_times(struct crew *crew, unsigned self)
{
    struct bursar_breaker_ticket ticket;
    (void)self;
    for (unsigned i = 0; i < 10; i++)
        crew->trials += bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket);
}

static void half_open_lets_through_what_it_needs_however_many_ask_at_once(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        SCOPED crew;
        crew_ready(&crew, 1, 3);
        fail_times(&crew, 1);
        crew.now_ms += TIMEOUT_MS;
        together(&crew, ask_ten_times);
        assert_int_equal(crew.trials, 3);
    }
}

static void fail_what_is_allowed(struct crew *crew, unsigned self)
{
    struct bursar_breaker_ticket ticket;
    (void)self;
    for (unsigned i = 0; i < 100; i++) {
        if (bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket)) {
            crew->trials += bursar_breaker_ticket_is_trial(ticket);
            bursar_breaker_record_failure(crew->breaker, ticket, crew->now_ms);
        }
    }
}

static void no_racer_half_opens_a_breaker_that_has_just_opened(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        SCOPED crew;
        crew_ready(&crew, 7, 1);
        together(&crew, fail_what_is_allowed); /* opens in the midst of it */
        assert_int_equal(crew.trials, 0);
        assert_int_equal(bursar_breaker_failure_count(crew.breaker, crew.now_ms), 7);
        crew.now_ms += TIMEOUT_MS;
        together(&crew, fail_what_is_allowed); /* one trial; as it fails, the timeout is fresh, for everybody */
        assert_int_equal(crew.trials, 1);
        assert_int_equal(bursar_breaker_next_change_at_ms(crew.breaker, crew.now_ms), crew.now_ms + TIMEOUT_MS);
    }
}

static void fail_25_times(struct crew *crew, unsigned self)
{
    (void)self;
    for (unsigned i = 0; i < 25; i++) {
        struct bursar_breaker_ticket ticket;
        if (bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket))
            crew->allowed++;
        bursar_breaker_record_failure(crew->breaker, ticket, crew->now_ms);
    }
}

static void no_failure_is_lost_when_threads_fail_at_once(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        SCOPED crew;
        crew_ready(&crew, THREADS * 25 + round % 2, 1);
        together(&crew, fail_25_times);
        assert_int_equal(bursar_breaker_failure_count(crew.breaker, crew.now_ms), THREADS * 25);
        assert_int_equal(bursar_breaker_state(crew.breaker, crew.now_ms),
                         round % 2 ? BURSAR_BREAKER_CLOSED : BURSAR_BREAKER_OPEN);
    }
}

/* Thread 0 closes it by a trial; the others fail once, as soon as they see it closed. */
static void close_and_fail(struct crew *crew, unsigned self)
{
    struct bursar_breaker_ticket ticket;
    if (self == 0) {
        if (!bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket))
            crew->wrong++;
        bursar_breaker_record_success(crew->breaker, ticket, crew->now_ms);
        return;
    }
    while (bursar_breaker_state(crew->breaker, crew->now_ms) != BURSAR_BREAKER_CLOSED)
        (void)sched_yield();
    if (!bursar_breaker_allow_request(crew->breaker, crew->now_ms, &ticket))
        crew->wrong++;
    bursar_breaker_record_failure(crew->breaker, ticket, crew->now_ms);
}

static void who_sees_it_closed_finds_the_counters_at_zero(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        SCOPED crew;
        crew_ready(&crew, THREADS, 1);
        fail_times(&crew, THREADS);
        crew.now_ms += TIMEOUT_MS;
        together(&crew, close_and_fail);
        assert_int_equal(crew.wrong, 0);
        assert_int_equal(bursar_breaker_failure_count(crew.breaker, crew.now_ms), THREADS - 1);
        assert_int_equal(bursar_breaker_state(crew.breaker, crew.now_ms), BURSAR_BREAKER_CLOSED);
    }
}

static void hammer_a_forced_one(struct crew *crew, unsigned self)
{
    struct bursar_breaker_ticket ticket;
    for (unsigned i = 0; i < 200; i++) {
        if (bursar_breaker_allow_request(crew->breaker, crew->now_ms += TIMEOUT_MS, &ticket))
            crew->allowed++;
        ticket = (struct bursar_breaker_ticket){ .number = i }; /* whatever */
        if (self % 2)
            bursar_breaker_record_success(crew->breaker, ticket, crew->now_ms);
        else
            bursar_breaker_record_failure(crew->breaker, ticket, crew->now_ms);
    }
}

static void forced_open_lets_nobody_through_however_many_ask(void **state)
{
    (void)state;
    SCOPED crew;
    crew_ready(&crew, 1, 1);
    bursar_breaker_force_open(crew.breaker, crew.now_ms);
    together(&crew, hammer_a_forced_one);
    assert_int_equal(crew.allowed, 0);
    assert_int_equal(bursar_breaker_state(crew.breaker, crew.now_ms), BURSAR_BREAKER_OPEN);
}

/* A view of any instant makes sense in itself: state and times belong together. */
static bool makes_sense(const struct bursar_breaker_view *view, uint64_t latest_ms)
{
    if (view->trials + view->successes > 2 || view->failures > 3)
        return false;
    switch (view->state) {
    case BURSAR_BREAKER_CLOSED:
        if (view->successes + view->trials != 0)
            return false;
        if (view->forced)
            return view->next_change_at_ms <= latest_ms + 3 * TIMEOUT_MS;
        return view->next_change_at_ms == BURSAR_BREAKER_NEVER;
    case BURSAR_BREAKER_OPEN:
        if (view->successes + view->trials != 0)
            return false;
        if (view->forced)
            return view->next_change_at_ms == BURSAR_BREAKER_NEVER;
        return view->since_change_ms < TIMEOUT_MS && view->next_change_at_ms <= latest_ms + TIMEOUT_MS;
    case BURSAR_BREAKER_HALF_OPEN:
        return !view->forced && view->successes < 2 && view->next_change_at_ms == BURSAR_BREAKER_NEVER;
    }
    return false;
}

static void operator_in_a_storm(struct crew *crew, unsigned i)
{
    struct bursar_breaker_memory memory;
    switch (i % 6) {
    case 0:
        bursar_breaker_force_open(crew->breaker, crew->now_ms);
        break;
    case 1:
        bursar_breaker_force_close(crew->breaker, crew->now_ms);
        break;
    case 2:
        bursar_breaker_save(crew->breaker, crew->now_ms, i, &memory);
        if (bursar_breaker_restore(crew->breaker, &memory, crew->now_ms, i + 1, NULL) != BURSAR_OK)
            crew->wrong++;
        break;
    case 3:
        bursar_breaker_force_close_for(crew->breaker, crew->now_ms, 3 * TIMEOUT_MS);
        break;
    case 4:
        bursar_breaker_reset(crew->breaker, crew->now_ms);
        break;
    default:
        crew->now_ms += TIMEOUT_MS / 2;
    }
}

static void storm(struct crew *crew, unsigned self)
{
    struct bursar_breaker_ticket held[4] = { { 0 } };
    for (unsigned i = 0; i < 4000; i++) {
        unsigned which = (i * 2654435761u >> 16) % 7;
        uint64_t now = crew->now_ms += which == 0 ? TIMEOUT_MS / 20 : 0;
        if (self == 0 && i % 40 == 0)
            operator_in_a_storm(crew, i / 40);
        struct bursar_breaker_ticket *ticket = &held[i % 4];
        if (which < 2)
            bursar_breaker_record_success(crew->breaker, *ticket, now);
        else if (which < 4)
            bursar_breaker_record_failure(crew->breaker, *ticket, now);
        else if (which == 4)
            bursar_breaker_abandon(crew->breaker, *ticket);
        if (bursar_breaker_allow_request(crew->breaker, now, ticket))
            crew->allowed++;
        struct bursar_breaker_view view;
        bursar_breaker_look(crew->breaker, now, &view);
        if (!makes_sense(&view, crew->now_ms))
            crew->wrong++;
    }
}

static void in_a_storm_every_look_makes_sense_and_it_works_afterwards(void **state)
{
    (void)state;
    SCOPED crew;
    crew_ready(&crew, 3, 2);
    together(&crew, storm);
    assert_int_equal(crew.wrong, 0);
    assert_true(crew.allowed > 0);
    bursar_breaker_reset(crew.breaker, crew.now_ms);
    fail_times(&crew, 3);
    assert_int_equal(bursar_breaker_state(crew.breaker, crew.now_ms), BURSAR_BREAKER_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_open_lets_through_what_it_needs_however_many_ask_at_once),
        cmocka_unit_test(no_racer_half_opens_a_breaker_that_has_just_opened),
        cmocka_unit_test(no_failure_is_lost_when_threads_fail_at_once),
        cmocka_unit_test(who_sees_it_closed_finds_the_counters_at_zero),
        cmocka_unit_test(forced_open_lets_nobody_through_however_many_ask),
        cmocka_unit_test(in_a_storm_every_look_makes_sense_and_it_works_afterwards),
    };
    return cmocka_run_group_tests_name("domain breaker threads", tests, NULL, NULL);
}
