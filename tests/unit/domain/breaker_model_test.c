/* Random schedules on a virtual clock: the breaker against a reference that keeps whole lists and counts anew each
 * time.
 *
 * The numbers are small (thresholds 1-4, timeout and window of a few milliseconds), so that every edge is hit often. A
 * schedule is named by its seed; what a failure prints is enough to run it again. */
#include <bursar/breaker.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SCHEDULES 400
#define STEPS 1500
#define TICKETS 48
#define NEVER INT64_MIN
#define LONGEST_MS 60
#define LONGEST_HOLD_MS 80

static uint64_t random_state;

/* splitmix64: a seed gives the same schedule everywhere. */
static uint64_t random_below(uint64_t limit)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % limit;
}

/* The reference. A trial is out from when it is taken until it is answered or another takes its place. */
struct model_ticket {
    struct bursar_breaker_ticket real;
    unsigned era; /* of the model; 0: none */
    bool trial;
    bool out;
    int64_t taken_at, asked_at;
};

struct model {
    struct bursar_breaker_config config;
    enum bursar_breaker_state state;
    bool forced;
    bool spared;  /* closed, and was held or started anew: may have seen more than it takes */
    bool learns;  /* has just opened: the breaker says until when */
    unsigned era; /* grows with every change */
    int64_t now, opened_until, held_until, changed_at, failed_at;
    int64_t failure_at[STEPS + 8]; /* all since they were last cleared */
    unsigned failures;
    unsigned openings;
    int64_t call_at[STEPS + 8]; /* the same of calls that ended while closed, when there is a rate */
    bool call_failed[STEPS + 8];
    unsigned calls;
    unsigned successes;
    struct model_ticket tickets[TICKETS]; /* what the callers hold, and what nobody holds any more but is still out */
    unsigned next_ticket;
};

static void model_enter(struct model *m, enum bursar_breaker_state to, int64_t at)
{
    if (m->state != to)
        m->changed_at = at;
    m->state = to;
    m->forced = m->spared = false;
    m->era++;
    m->successes = 0;
    m->calls = 0;
    if (to == BURSAR_BREAKER_CLOSED)
        m->failures = m->openings = 0;
}

static void model_time(struct model *m, int64_t now)
{
    m->now = now > m->now ? now : m->now;
    if (m->state == BURSAR_BREAKER_OPEN && m->now >= m->opened_until)
        model_enter(m, BURSAR_BREAKER_HALF_OPEN, m->opened_until);
    if (m->state == BURSAR_BREAKER_CLOSED && m->now >= m->held_until)
        m->forced = false;
}

static unsigned model_failures(const struct model *m)
{
    unsigned inside = 0;
    for (unsigned i = 0; i < m->failures; i++)
        inside += m->now - m->failure_at[i] < (int64_t)m->config.window_ms;
    return inside < m->config.failure_threshold ? inside : m->config.failure_threshold;
}

static bool is_out(const struct model *m, const struct model_ticket *t)
{
    return t->trial && t->out && t->era == m->era;
}

static unsigned model_trials(const struct model *m)
{
    unsigned out = 0;
    for (unsigned i = 0; i < TICKETS; i++)
        out += is_out(m, &m->tickets[i]);
    return out;
}

/* The trial that has been out for longest. */
static struct model_ticket *model_oldest(struct model *m)
{
    struct model_ticket *oldest = NULL;
    for (unsigned i = 0; i < TICKETS; i++) {
        struct model_ticket *t = &m->tickets[(m->next_ticket + i) % TICKETS]; /* in the order they were taken */
        if (is_out(m, t) && (!oldest || t->taken_at < oldest->taken_at))
            oldest = t;
    }
    return oldest;
}

static bool model_has_place(struct model *m)
{
    if (model_trials(m) + m->successes < m->config.success_threshold)
        return true;
    return m->now - model_oldest(m)->taken_at >= (int64_t)m->config.timeout_ms;
}

static bool model_allow(struct model *m, struct model_ticket *ret)
{
    *ret = (struct model_ticket){ .era = m->era, .taken_at = m->now };
    if (m->state == BURSAR_BREAKER_CLOSED)
        return true;
    if (m->state == BURSAR_BREAKER_OPEN || !model_has_place(m))
        return false;
    if (model_trials(m) + m->successes >= m->config.success_threshold)
        model_oldest(m)->out = false;
    ret->trial = ret->out = true;
    return true;
}

static int64_t slice_ms(const struct model *m)
{
    return ((int64_t)m->config.window_ms + BURSAR_BREAKER_SLICES - 1) / BURSAR_BREAKER_SLICES;
}

static int64_t slice_of(const struct model *m, int64_t at)
{
    int64_t length = slice_ms(m);
    return (at - (at % length + length) % length) / length;
}

static unsigned model_calls(const struct model *m, bool only_failed)
{
    unsigned inside = 0;
    for (unsigned i = 0; i < m->calls; i++)
        inside += slice_of(m, m->now) - slice_of(m, m->call_at[i]) < BURSAR_BREAKER_SLICES &&
                  (m->call_failed[i] || !only_failed);
    return inside;
}

static void model_call(struct model *m, bool failed)
{
    if (m->config.failure_rate_percent == 0)
        return;
    m->call_at[m->calls] = m->now;
    m->call_failed[m->calls++] = failed;
}

static bool model_trips(const struct model *m)
{
    unsigned calls = model_calls(m, false), failed = model_calls(m, true);
    if (m->config.failure_rate_percent == 0)
        return model_failures(m) >= m->config.failure_threshold;
    return failed && calls >= m->config.rate_min_calls && failed * 100 >= calls * m->config.failure_rate_percent;
}

static uint64_t model_open_ms(const struct bursar_breaker_config *config, unsigned openings)
{
    uint64_t open_ms = config->timeout_ms;
    for (unsigned i = 1; i < openings; i++)
        open_ms *= open_ms < config->timeout_max_ms ? 2 : 1;
    return config->timeout_max_ms > config->timeout_ms && open_ms > config->timeout_max_ms ? config->timeout_max_ms
                                                                                           : open_ms;
}

/* How long exactly is the breaker's choice, within the jitter: see model_learn. */
static void model_open(struct model *m)
{
    unsigned openings = m->openings + 1;
    model_enter(m, BURSAR_BREAKER_OPEN, m->now);
    m->openings = openings;
    m->learns = true;
}

static void model_failure(struct model *m, struct model_ticket *t)
{
    bool trial = is_out(m, t);
    t->out = false;
    if (!trial && (t->trial || t->era != m->era || m->state != BURSAR_BREAKER_CLOSED))
        return;
    m->failure_at[m->failures++] = m->failed_at = m->now;
    if (!trial)
        model_call(m, true);
    if (trial || (!m->forced && model_trips(m)))
        model_open(m);
}

static void model_success(struct model *m, struct model_ticket *t, int64_t asked)
{
    bool trial = is_out(m, t);
    if (m->config.slow_call_ms && asked - t->asked_at >= (int64_t)m->config.slow_call_ms) {
        model_failure(m, t);
        return;
    }
    t->out = false;
    if (!t->trial && t->era == m->era && m->state == BURSAR_BREAKER_CLOSED) {
        int64_t now = m->now;
        m->now = asked; /* takes no lock, so it notes no time */
        model_call(m, false);
        m->now = now;
    }
    if (trial && ++m->successes == m->config.success_threshold)
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
}

static int64_t moved(int64_t time, int64_t by)
{
    return time == NEVER ? NEVER : time + by;
}

/* A new process: its clock starts at `now`, `elapsed` after the save by the wall clocks, which may have gone back by
 * `back`. */
static void model_restart(struct model *m, struct bursar_breaker_config config, int64_t now, int64_t elapsed,
                          int64_t back)
{
    int64_t by = now - elapsed - m->now, youngest = NEVER;
    unsigned out = model_trials(m), kept = model_failures(m), successes = m->successes;
    for (unsigned i = 0; i < TICKETS; i++) {
        if (is_out(m, &m->tickets[i]) && m->tickets[i].taken_at > youngest)
            youngest = m->tickets[i].taken_at;
        m->tickets[i] = (struct model_ticket){ 0 };
    }
    memmove(m->failure_at, m->failure_at + (m->failures - kept), kept * sizeof m->failure_at[0]);
    m->failures = kept;
    for (unsigned i = 0; i < kept; i++)
        m->failure_at[i] += by;
    unsigned calls = 0;
    for (unsigned i = 0; i < m->calls; i++) { /* what is kept of a call inside the window is the start of its slice */
        if (slice_of(m, m->now) - slice_of(m, m->call_at[i]) >= BURSAR_BREAKER_SLICES)
            continue;
        m->call_failed[calls] = m->call_failed[i];
        m->call_at[calls++] = slice_of(m, m->call_at[i]) * slice_ms(m) + by;
    }
    m->calls = calls;
    if (config.failure_rate_percent == 0 || m->config.failure_rate_percent == 0)
        m->calls = 0;
    int64_t left = m->opened_until - m->now, longest = (int64_t)model_open_ms(&config, m->openings);
    longest += longest * config.jitter_percent / 100;
    if (m->opened_until != INT64_MAX)
        m->opened_until = now - elapsed + (left < longest || m->forced ? left : longest);
    m->held_until += by - back;
    m->spared = true;
    m->changed_at = moved(m->changed_at, by);
    m->failed_at = moved(m->failed_at, by);
    m->config = config;
    m->now = now;
    m->era++;
    m->successes = successes < config.success_threshold ? successes : config.success_threshold - 1;
    for (unsigned i = 0; i < out && i < config.success_threshold - m->successes; i++) { /* nobody's, but still out */
        m->tickets[m->next_ticket++ % TICKETS] =
            (struct model_ticket){ .era = m->era, .trial = true, .out = true, .taken_at = youngest + by };
    }
    model_time(m, now);
}

static uint64_t since(const struct model *m, int64_t time)
{
    return time == NEVER ? BURSAR_BREAKER_NEVER : (uint64_t)(m->now - time);
}

struct run {
    uint64_t seed;
    unsigned step;
    struct bursar_breaker *breaker;
    struct model model;
    uint64_t asked_ms; /* what the caller's clock says: now and then less than the latest */
    uint64_t changes;
};

#define EXPECT(run, what, real, reference)                                                                             \
    do {                                                                                                               \
        uint64_t real_ = (uint64_t)(real), reference_ = (uint64_t)(reference);                                         \
        if (real_ != reference_)                                                                                       \
            fail_msg("seed %llu, step %u: %s is %llu, the reference says %llu", (unsigned long long)(run)->seed,       \
                     (run)->step, what, (unsigned long long)real_, (unsigned long long)reference_);                    \
    } while (0)

/* After whatever may have opened it, at the same time. */
static void model_learn(struct run *run)
{
    struct model *m = &run->model;
    struct bursar_breaker_view view;
    if (!m->learns)
        return;
    m->learns = false;
    bursar_breaker_look(run->breaker, run->asked_ms, &view);
    uint64_t open_ms = model_open_ms(&m->config, m->openings), is_ms = view.next_change_at_ms - (uint64_t)m->now;
    EXPECT(run, "open at last", view.state, BURSAR_BREAKER_OPEN);
    EXPECT(run, "open long enough", is_ms >= open_ms, true);
    EXPECT(run, "open not too long", is_ms <= open_ms + open_ms * m->config.jitter_percent / 100, true);
    m->opened_until = (int64_t)view.next_change_at_ms;
}

static void compare(struct run *run)
{
    struct model *m = &run->model;
    struct bursar_breaker_view view;
    bursar_breaker_look(run->breaker, run->asked_ms, &view);
    EXPECT(run, "openings", view.openings, m->openings);
    EXPECT(run, "rate_calls", view.rate_calls, model_calls(m, false));
    EXPECT(run, "rate_failures", view.rate_failures, model_calls(m, true));
    EXPECT(run, "state", view.state, m->state);
    EXPECT(run, "forced", view.forced, m->forced);
    EXPECT(run, "failures", view.failures, model_failures(m));
    EXPECT(run, "successes", view.successes, m->successes);
    EXPECT(run, "trials", view.trials, model_trials(m));
    EXPECT(run, "since_failure_ms", view.since_failure_ms, since(m, m->failed_at));
    EXPECT(run, "since_change_ms", view.since_change_ms, since(m, m->changed_at));
    bool timed = m->state == BURSAR_BREAKER_OPEN && m->opened_until != INT64_MAX;
    bool held = m->state == BURSAR_BREAKER_CLOSED && m->forced;
    EXPECT(run, "next_change_at_ms", view.next_change_at_ms,
           timed  ? (uint64_t)m->opened_until
           : held ? (uint64_t)m->held_until
                  : BURSAR_BREAKER_NEVER);
    uint64_t next_allow_ms = (uint64_t)m->now;
    if (m->state == BURSAR_BREAKER_OPEN)
        next_allow_ms = view.next_change_at_ms;
    else if (m->state == BURSAR_BREAKER_HALF_OPEN && !model_has_place(m))
        next_allow_ms = (uint64_t)model_oldest(m)->taken_at + m->config.timeout_ms;
    EXPECT(run, "next_allow_at_ms", view.next_allow_at_ms, next_allow_ms);
    EXPECT(run, "state alone", bursar_breaker_state(run->breaker, run->asked_ms), m->state);
    /* What must hold whatever the reference says. */
    EXPECT(run, "trials and successes within the threshold",
           view.trials + view.successes <= m->config.success_threshold, true);
    EXPECT(run, "closed below the threshold",
           view.state != BURSAR_BREAKER_CLOSED || m->config.failure_rate_percent || m->spared ||
               view.failures < m->config.failure_threshold,
           true);
    EXPECT(run, "open no longer than the ceiling and its jitter",
           !timed || m->forced || view.next_change_at_ms - (uint64_t)m->now <= 2 * LONGEST_MS, true);
    EXPECT(run, "held no longer than the longest hold", !held || m->held_until - m->now <= LONGEST_HOLD_MS, true);
    EXPECT(run, "changes growing", view.changes >= run->changes, true);
    run->changes = view.changes;
}

static struct bursar_breaker_config random_config(void)
{
    bool has_rate = random_below(3) == 0;
    return (struct bursar_breaker_config){ .failure_threshold = (uint32_t)(1 + random_below(4)),
                                           .success_threshold = (uint32_t)(1 + random_below(4)),
                                           .timeout_ms = 1 + random_below(20),
                                           .window_ms = 1 + random_below(40),
                                           .timeout_max_ms = random_below(2) ? random_below(LONGEST_MS + 1) : 0,
                                           .jitter_percent = (uint32_t)(random_below(2) ? random_below(101) : 0),
                                           .jitter_seed = random_below(UINT64_MAX),
                                           .failure_rate_percent = has_rate ? (uint32_t)(1 + random_below(100)) : 0,
                                           .rate_min_calls = (uint32_t)(1 + random_below(6)),
                                           .slow_call_ms = random_below(3) ? 0 : 1 + random_below(30) };
}

static void restart(struct run *run)
{
    struct bursar_breaker_memory memory;
    struct bursar_breaker_config config = random_below(2) ? run->model.config : random_config();
    uint64_t saved_wall_ms = 1000000 + random_below(1000), elapsed_ms = random_below(30), back_ms = 0, wall_ms;
    switch (random_below(4)) {
    case 0: /* went back */
        back_ms = 1 + random_below(random_below(2) ? 20 : 1000);
        wall_ms = saved_wall_ms - back_ms;
        elapsed_ms = 0;
        break;
    case 1: /* went far ahead */
        elapsed_ms = UINT64_C(1) << (10 + random_below(45));
        wall_ms = saved_wall_ms + elapsed_ms;
        break;
    default:
        wall_ms = saved_wall_ms + elapsed_ms;
    }
    bursar_breaker_save(run->breaker, run->asked_ms, saved_wall_ms, &memory);
    run->breaker = bursar_breaker_free(run->breaker);
    assert_int_equal(bursar_breaker_new(&config, &run->breaker, NULL), BURSAR_OK);
    run->asked_ms = random_below(50);
    assert_int_equal(bursar_breaker_restore(run->breaker, &memory, run->asked_ms, wall_ms, NULL), BURSAR_OK);
    model_restart(&run->model, config, (int64_t)run->asked_ms, (int64_t)elapsed_ms, (int64_t)back_ms);
    run->changes = 0;
}

static void ask(struct run *run)
{
    struct model_ticket ticket;
    struct bursar_breaker_ticket real;
    bool allowed = model_allow(&run->model, &ticket);
    EXPECT(run, "allow_request", bursar_breaker_allow_request(run->breaker, run->asked_ms, &real), allowed);
    EXPECT(run, "is_trial", bursar_breaker_ticket_is_trial(real), ticket.trial);
    ticket.real = real;
    ticket.asked_at = ticket.trial ? ticket.taken_at : (int64_t)run->asked_ms;
    struct model_ticket *place = &run->model.tickets[run->model.next_ticket % TICKETS];
    if (!allowed || is_out(&run->model, place))
        return; /* no room to hold it: see below */
    *place = ticket;
    run->model.next_ticket++;
}

/* Any ticket ever held, also old ones and those handed back before; now and then one that never was. */
static void hand_back(struct run *run, unsigned how)
{
    struct model_ticket never = { 0 };
    unsigned back = 1 + (unsigned)random_below(random_below(4) ? 5 : TICKETS); /* mostly one of the latest */
    struct model_ticket *ticket = &run->model.tickets[(run->model.next_ticket + TICKETS - back) % TICKETS];
    if (ticket->real.number == 0)
        ticket = &never;
    switch (how) {
    case 0:
        bursar_breaker_record_success(run->breaker, ticket->real, run->asked_ms);
        model_success(&run->model, ticket, (int64_t)run->asked_ms);
        break;
    case 1:
        bursar_breaker_record_failure(run->breaker, ticket->real, run->asked_ms);
        model_failure(&run->model, ticket);
        break;
    default:
        bursar_breaker_abandon(run->breaker, ticket->real);
        ticket->out = false;
    }
    model_learn(run);
}

static void force(struct run *run, uint64_t how)
{
    struct model *m = &run->model;
    if (how == 0) {
        bursar_breaker_force_open(run->breaker, run->asked_ms);
        model_enter(m, BURSAR_BREAKER_OPEN, m->now);
        m->forced = true;
        m->opened_until = INT64_MAX;
    } else if (how == 3) {
        uint64_t for_ms = 1 + random_below(100);
        bursar_breaker_force_open_for(run->breaker, run->asked_ms, for_ms);
        model_enter(m, BURSAR_BREAKER_OPEN, m->now);
        m->forced = true;
        m->opened_until = m->now + (int64_t)for_ms;
    } else if (how == 1) {
        bursar_breaker_force_close(run->breaker, run->asked_ms);
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
    } else if (how == 4) {
        uint64_t for_ms = 1 + random_below(LONGEST_HOLD_MS);
        bursar_breaker_force_close_for(run->breaker, run->asked_ms, for_ms);
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
        m->forced = m->spared = true;
        m->held_until = m->now + (int64_t)for_ms;
    } else {
        bursar_breaker_reset(run->breaker, run->asked_ms);
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
        m->changed_at = m->failed_at = NEVER;
    }
}

static void step(struct run *run)
{
    uint64_t dice = random_below(100);
    if (dice < 40)
        run->asked_ms += random_below(8);
    if (dice >= 97 && run->asked_ms > 5) {
        compare(run); /* what takes no lock does not note the time: this does */
        run->asked_ms -= random_below(5);
    }
    model_time(&run->model, (int64_t)run->asked_ms);
    dice = random_below(100);
    if (dice < 45)
        ask(run);
    else if (dice < 75)
        hand_back(run, 0);
    else if (dice < 91)
        hand_back(run, 1);
    else if (dice < 95)
        hand_back(run, 2);
    else if (dice < 96)
        force(run, random_below(5));
    else if (dice < 98)
        restart(run);
    if (random_below(2)) /* not always: looking must not be what makes it right */
        compare(run);
}

static unsigned states_seen[3], closings, spared_openings;

static void schedule(uint64_t seed)
{
    static struct run run;
    random_state = seed;
    memset(&run, 0, sizeof run);
    run.seed = seed;
    run.model.config = random_config();
    run.model.era = 1;
    run.model.changed_at = run.model.failed_at = NEVER;
    assert_int_equal(bursar_breaker_new(&run.model.config, &run.breaker, NULL), BURSAR_OK);
    for (run.step = 0; run.step < STEPS; run.step++) {
        enum bursar_breaker_state before = run.model.state;
        bool spared = run.model.spared && !run.model.forced && model_trips(&run.model);
        step(&run);
        states_seen[run.model.state]++;
        closings += before == BURSAR_BREAKER_HALF_OPEN && run.model.state == BURSAR_BREAKER_CLOSED;
        spared_openings += before == BURSAR_BREAKER_CLOSED && spared && run.model.openings > 0;
    }
    compare(&run);
    run.breaker = bursar_breaker_free(run.breaker);
}

static void under_random_schedules_it_does_what_the_reference_does(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SCHEDULES; seed++)
        schedule(seed);
    for (unsigned i = 0; i < 3; i++) /* the schedules are worth something */
        assert_true(states_seen[i] > SCHEDULES * STEPS / 10);
    assert_true(closings > SCHEDULES * 5);
    assert_true(spared_openings > SCHEDULES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_random_schedules_it_does_what_the_reference_does),
    };
    return cmocka_run_group_tests_name("domain breaker model", tests, NULL, NULL);
}
