/* What a breaker costs: `breaker_ns [MILLIONS]` prints nanoseconds a call as `name number` lines: the pair of allow and
 * success while closed, on one thread and on two that share the breaker (wall time a pair of each), and a refusal while
 * open. The best of ROUNDS runs of MILLIONS of calls (20): other people's work on the machine only adds. */
#include <bursar/breaker.h>

#include "base/bytes.h"

#include <inttypes.h>
#include <pthread.h>

#define ROUNDS 7

struct lane {
    struct bursar_breaker *breaker;
    pthread_barrier_t *start;
    uint64_t calls;
    uint64_t refused;
    uint64_t start_ns, end_ns;
};

static uint64_t clock_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *closed_pairs(void *arg)
{
    struct lane *lane = arg;
    if (lane->start)
        (void)pthread_barrier_wait(lane->start);
    lane->start_ns = clock_ns();
    for (uint64_t i = 0; i < lane->calls; i++) {
        struct bursar_breaker_ticket ticket;
        if (bursar_breaker_allow_request(lane->breaker, i, &ticket))
            bursar_breaker_record_success(lane->breaker, ticket, i);
        else
            lane->refused++;
    }
    lane->end_ns = clock_ns();
    return NULL;
}

static void open_refusals(struct lane *lane)
{
    for (uint64_t i = 0; i < lane->calls; i++) {
        struct bursar_breaker_ticket ticket;
        lane->refused += !bursar_breaker_allow_request(lane->breaker, 1, &ticket);
    }
}

static void show(const char *name, uint64_t took_ns, uint64_t calls)
{
    uint64_t hundredths = took_ns * 100 / calls;
    (void)printf("%s %" PRIu64 ".%02" PRIu64 "\n", name, hundredths / 100, hundredths % 100);
}

/* From when the first began until the last was done. */
static bool two_threads(struct lane *lanes, uint64_t *ret_took_ns)
{
    pthread_barrier_t start;
    pthread_t threads[2];
    if (pthread_barrier_init(&start, NULL, 2) != 0)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        lanes[i].start = &start;
        if (pthread_create(&threads[i], NULL, closed_pairs, &lanes[i]) != 0)
            return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (pthread_join(threads[i], NULL) != 0)
            return false;
    }
    const struct lane *first = lanes[0].start_ns < lanes[1].start_ns ? &lanes[0] : &lanes[1];
    const struct lane *last = lanes[0].end_ns > lanes[1].end_ns ? &lanes[0] : &lanes[1];
    *ret_took_ns = last->end_ns - first->start_ns;
    (void)pthread_barrier_destroy(&start);
    return true;
}

static void keep_least(uint64_t *least, uint64_t value)
{
    if (value < *least)
        *least = value;
}

/* False if the breaker did not do what was to be measured. */
static bool measure(struct bursar_breaker *breaker, uint64_t calls)
{
    uint64_t one_ns = UINT64_MAX, two_ns = UINT64_MAX, open_ns = UINT64_MAX, start_ns, took_ns = 0;
    struct lane lane = { .breaker = breaker, .calls = calls };
    struct lane lanes[2] = { lane, lane };
    for (unsigned round = 0; round < ROUNDS; round++) {
        start_ns = clock_ns();
        (void)closed_pairs(&lane);
        keep_least(&one_ns, clock_ns() - start_ns);
        if (!two_threads(lanes, &took_ns))
            return false;
        keep_least(&two_ns, took_ns);
    }
    if (lane.refused || lanes[0].refused || lanes[1].refused)
        return false;
    bursar_breaker_force_open(breaker, 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        start_ns = clock_ns();
        open_refusals(&lane);
        keep_least(&open_ns, clock_ns() - start_ns);
    }
    show("closed_pair_ns", one_ns, calls);
    show("closed_pair_two_threads_ns", two_ns, calls);
    show("open_refusal_ns", open_ns, calls);
    return lane.refused == ROUNDS * calls;
}

int main(int argc, char **argv)
{
    uint64_t millions = 20;
    if (argc > 2 || (argc > 1 && !u64_from_text(argv[1], strlen(argv[1]), 1, 100000, &millions))) {
        (void)fprintf(stderr, "usage: breaker_ns [MILLIONS]\n");
        return 2;
    }
    const struct bursar_breaker_config config = BURSAR_BREAKER_DEFAULTS;
    struct bursar_breaker *breaker = NULL;
    if (bursar_breaker_new(&config, &breaker, NULL) != BURSAR_OK)
        return 1;
    bool measured = measure(breaker, millions * 1000000);
    (void)bursar_breaker_free(breaker);
    if (!measured)
        (void)fprintf(stderr, "breaker_ns: the breaker did not do what was to be measured\n");
    return measured ? 0 : 1;
}
