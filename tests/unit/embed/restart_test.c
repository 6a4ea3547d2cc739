/* A host that dies behind the effect of any of its callbacks, and starts again: each payment is made once. */
#include "host.h"

#include <sys/wait.h>
#include <unistd.h>

#define PAYMENTS 3
#define CALLBACKS_MAX 200

/* A process of its own: its executor, and what it holds, end with it. */
static void run_in_a_process_that_dies_at(struct host *host, unsigned callback)
{
    host->callbacks = 0;
    host->die_at = callback;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < HOST_TICKS_MAX; i++) {
            host_tick(host, 0);
            host->wall_ms += host->next_wake_ms;
            host->monotonic_ms += host->next_wake_ms;
            if (host->report.is_idle)
                break;
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    host->executor = NULL; /* it was in that process, which may have died with the lock */
    assert_int_equal(pthread_mutex_init(&host->lock, NULL), 0);
    host->die_at = 0;
    host->wall_ms += 2000;
    host->monotonic_ms += 2000;
}

static void die_everywhere(void (*prepare)(struct host *host))
{
    unsigned callback = 0, reached;
    do {
        struct host *host = host_new();
        if (prepare)
            prepare(host);
        host_submit(host, PAYMENTS);
        run_in_a_process_that_dies_at(host, ++callback);
        reached = host->callbacks;
        host_run(host);
        host_check_all_paid(host);
        assert_int_equal(host->ledger_count, PAYMENTS); /* the same bytes, each time */
        assert_int_equal(host_snapshot(host).lease_last_nonce, HOST_FIRST_NONCE + PAYMENTS - 1);
        host_free(host);
        assert_true(callback < CALLBACKS_MAX);
    } while (reached >= callback); /* until it ends before it dies */
    assert_true(callback > 2 * PAYMENTS);
}

static void without_an_observer_each_is_paid_once(void **state)
{
    (void)state;
    die_everywhere(NULL);
}

static void observe(struct host *host)
{
    host_observes(host);
    host->goes_on = true;
}

static void with_an_observer_each_is_paid_once(void **state)
{
    (void)state;
    die_everywhere(observe);
}

/* It took the bytes, and the process died before that was recorded: they are submitted again, and known. */
static void what_was_accepted_and_not_recorded_is_submitted_again(void **state)
{
    (void)state;
    struct host *host = host_new();
    host_submit(host, 1);
    run_in_a_process_that_dies_at(host, 3); /* epoch, sign, submit */
    assert_int_equal(host->submissions, 1);
    assert_int_equal(host_paid(host, "pay-0"), 1);
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host_run(host);
    assert_int_equal(host->submissions, 2);
    host_check_all_paid(host);
    host_free(host);
}

static void what_was_accepted_and_recorded_is_settled_without_another_submission(void **state)
{
    (void)state;
    struct host *host = host_new();
    host_submit(host, 1);
    run_in_a_process_that_dies_at(host, 4); /* epoch, sign, submit, telemetry: behind the first tick */
    assert_int_equal(host_state(host, 1), BURSAR_STATE_STAGED);
    host_run(host);
    assert_int_equal(host->submissions, 1);
    host_check_all_paid(host);
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_observer_each_is_paid_once),
        cmocka_unit_test(with_an_observer_each_is_paid_once),
        cmocka_unit_test(what_was_accepted_and_not_recorded_is_submitted_again),
        cmocka_unit_test(what_was_accepted_and_recorded_is_settled_without_another_submission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
