/* An executor on a thread of its own: spawned, shut down, joined. On the system's clock; nothing here waits for a time.
 */
#include "host.h"

#include <sched.h>
#include <string.h>
#include <time.h>

static struct bursar_error err;

static int set_up(void **state)
{
    struct host *host = host_new();
    host->config.poll_interval = 60000; /* a test that had to wait for a poll would hang */
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    host_free(*state);
    return 0;
}

static struct bursar_executor_handle *spawn(struct host *host)
{
    struct bursar_executor_handle *handle = NULL;
    host_expect(bursar_executor_spawn(host->store, host->treasury, &host->config, &handle, &err), &err);
    return handle;
}

static void wait_for_state(struct host *host, enum bursar_state state, uint64_t count)
{
    while (host_snapshot(host).states[state] != count)
        (void)sched_yield();
}

static void it_pays_and_gives_back_the_lease(void **state)
{
    struct host *host = *state;
    host_submit(host, 20);
    struct bursar_executor_handle *handle = spawn(host);
    wait_for_state(host, BURSAR_STATE_FINALIZED, 20);
    bursar_executor_shutdown(handle);
    host_expect(bursar_executor_join(handle, &err), &err);
    host_check_all_paid(host);
    assert_true(host_snapshot(host).lease_released);
    assert_string_equal(host_snapshot(host).last_error, "");
}

static void a_shutdown_wakes_a_sleeping_loop(void **state)
{
    struct host *host = *state;
    struct bursar_executor_handle *handle = spawn(host);
    while (host_snapshot(host).last_tick_ms == 0)
        (void)sched_yield();
    bursar_executor_shutdown(handle); /* it sleeps for a minute now, or is about to */
    bursar_executor_shutdown(handle);
    host_expect(bursar_executor_join(handle, &err), &err);
}

static void a_shutdown_before_the_first_tick_is_a_shutdown(void **state)
{
    struct host *host = *state;
    struct bursar_executor_handle *handle = spawn(host);
    bursar_executor_shutdown(handle);
    host_expect(bursar_executor_join(handle, &err), &err);
    assert_true(host_snapshot(host).lease_released);
    bursar_executor_shutdown(NULL);
    assert_int_equal(bursar_executor_join(NULL, &err), BURSAR_EUSAGE);
}

/* -- from a callback ----------------------------------------------------------------------------------------------- */

static struct bursar_executor_handle *own_handle;
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static enum bursar_status joined_inside;

static void shut_down_from_inside(struct host *host)
{
    struct bursar_error inner = { 0 };
    (void)host;
    (void)pthread_mutex_lock(&own_lock); /* until the spawner has stored the handle */
    joined_inside = bursar_executor_join(own_handle, &inner);
    bursar_executor_shutdown(own_handle);
    (void)pthread_mutex_unlock(&own_lock);
}

static void a_callback_may_shut_down_and_no_further_is_called(void **state)
{
    struct host *host = *state;
    host_submit(host, 5);
    host->at_submit = shut_down_from_inside;
    (void)pthread_mutex_lock(&own_lock);
    own_handle = spawn(host);
    (void)pthread_mutex_unlock(&own_lock);
    host_expect(bursar_executor_join(own_handle, &err), &err);
    assert_int_equal(joined_inside, BURSAR_EUSAGE);
    assert_int_equal(host->submissions, 1);
    assert_int_equal(bursar_breaker_failure_count(host->config.circuit_breaker, 0), 0);
    assert_string_equal(host_snapshot(host).last_error, ""); /* to give up on request is no error */
    assert_string_equal(host_snapshot(host).hold, "");
    assert_true(host_snapshot(host).lease_released);
    host->at_submit = NULL;
    host->monotonic_ms += 2000;
    host->wall_ms = (uint64_t)time(NULL) * 1000 + 5000;
    host_run(host);
    host_check_all_paid(host);
}

/* -- two at once --------------------------------------------------------------------------------------------------- */

static void two_executors_and_a_submitting_thread_pay_each_once(void **state)
{
    struct host *host = *state;
    host->config.poll_interval = 10;
    const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;
    struct bursar_executor_config config = host->config;
    struct bursar_executor_handle *first = spawn(host), *second = NULL;
    host_expect(bursar_breaker_new(&defaults, &config.circuit_breaker, &err), &err);
    config.identity = "second";
    host_expect(bursar_executor_spawn(host->store, host->treasury, &config, &second, &err), &err);
    host_submit(host, 20);
    wait_for_state(host, BURSAR_STATE_FINALIZED, 20);
    bool first_leads = strcmp(host_snapshot(host).lease_holder, "host") == 0;
    struct bursar_executor_handle *leader = first_leads ? first : second, *other = first_leads ? second : first;
    bursar_executor_shutdown(leader);
    host_expect(bursar_executor_join(leader, &err), &err);
    host_submit(host, 20);
    wait_for_state(host, BURSAR_STATE_FINALIZED, 40); /* the other has taken over */
    bursar_executor_shutdown(other);
    host_expect(bursar_executor_join(other, &err), &err);
    host_check_all_paid(host);
    (void)bursar_breaker_free(config.circuit_breaker);
}

/* -- looking while it works ---------------------------------------------------------------------------------------- */

struct looker {
    struct host *host;
    atomic_bool stop;
};

static void *keep_looking(void *ctx)
{
    struct looker *looker = ctx;
    while (!atomic_load(&looker->stop))
        (void)host_snapshot(looker->host);
    return NULL;
}

static void many_threads_may_look_at_one_store_handle(void **state)
{
    struct host *host = *state;
    struct looker looker = { .host = host };
    pthread_t threads[2];
    atomic_init(&looker.stop, false);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_looking, &looker), 0);
    host_submit(host, 10);
    struct bursar_executor_handle *handle = spawn(host);
    wait_for_state(host, BURSAR_STATE_FINALIZED, 10);
    atomic_store(&looker.stop, true);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    bursar_executor_shutdown(handle);
    host_expect(bursar_executor_join(handle, &err), &err);
    host_check_all_paid(host);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(it_pays_and_gives_back_the_lease),
        T(a_shutdown_wakes_a_sleeping_loop),
        T(a_shutdown_before_the_first_tick_is_a_shutdown),
        T(a_callback_may_shut_down_and_no_further_is_called),
        T(two_executors_and_a_submitting_thread_pay_each_once),
        T(many_threads_may_look_at_one_store_handle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
