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
    int64_t taken_at;
};

struct model {
    struct bursar_breaker_config config;
    enum bursar_breaker_state state;
    bool forced;
    unsigned era; /* grows with every change */
    int64_t now, opened_until, changed_at, failed_at;
    int64_t failure_at[STEPS + 8]; /* all since they were last cleared */
    unsigned failures;
    unsigned successes;
    struct model_ticket tickets[TICKETS]; /* what the callers hold, and what nobody holds any more but is still out */
    unsigned next_ticket;
};

static void model_enter(struct model *m, enum bursar_breaker_state to, int64_t at)
{
    if (m->state != to)
        m->changed_at = at;
    m->state = to;
    m->forced = false;
    m->era++;
    m->successes = 0;
    if (to == BURSAR_BREAKER_CLOSED)
        m->failures = 0;
}

static void model_time(struct model *m, int64_t now)
{
    m->now = now > m->now ? now : m->now;
    if (m->state == BURSAR_BREAKER_OPEN && !m->forced && m->now >= m->opened_until)
        model_enter(m, BURSAR_BREAKER_HALF_OPEN, m->opened_until);
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

static void model_open(struct model *m)
{
    model_enter(m, BURSAR_BREAKER_OPEN, m->now);
    m->opened_until = m->now + (int64_t)m->config.timeout_ms;
}

static void model_failure(struct model *m, struct model_ticket *t)
{
    bool trial = is_out(m, t);
    t->out = false;
    if (!trial && (t->trial || t->era != m->era || m->state != BURSAR_BREAKER_CLOSED))
        return;
    m->failure_at[m->failures++] = m->failed_at = m->now;
    if (trial || model_failures(m) >= m->config.failure_threshold)
        model_open(m);
}

static void model_success(struct model *m, struct model_ticket *t)
{
    bool trial = is_out(m, t);
    t->out = false;
    if (trial && ++m->successes == m->config.success_threshold)
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
}

static int64_t moved(int64_t time, int64_t by)
{
    return time == NEVER ? NEVER : time + by;
}

/* A new process: its clock starts at `now`, `elapsed` after the save by the wall clocks. */
static void model_restart(struct model *m, struct bursar_breaker_config config, int64_t now, int64_t elapsed)
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
    int64_t left = m->opened_until - m->now;
    m->opened_until = now - elapsed + (left < (int64_t)config.timeout_ms ? left : (int64_t)config.timeout_ms);
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
    if (m->state == BURSAR_BREAKER_CLOSED && model_failures(m) >= config.failure_threshold)
        model_open(m);
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

static void compare(struct run *run)
{
    struct model *m = &run->model;
    struct bursar_breaker_view view;
    bursar_breaker_look(run->breaker, run->asked_ms, &view);
    EXPECT(run, "state", view.state, m->state);
    EXPECT(run, "forced", view.forced, m->forced);
    EXPECT(run, "failures", view.failures, model_failures(m));
    EXPECT(run, "successes", view.successes, m->successes);
    EXPECT(run, "trials", view.trials, model_trials(m));
    EXPECT(run, "since_failure_ms", view.since_failure_ms, since(m, m->failed_at));
    EXPECT(run, "since_change_ms", view.since_change_ms, since(m, m->changed_at));
    bool timed = m->state == BURSAR_BREAKER_OPEN && !m->forced;
    EXPECT(run, "next_change_at_ms", view.next_change_at_ms, timed ? (uint64_t)m->opened_until : BURSAR_BREAKER_NEVER);
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
           view.state != BURSAR_BREAKER_CLOSED || view.failures < m->config.failure_threshold, true);
    EXPECT(run, "open no longer than the timeout",
           !timed || view.next_change_at_ms - (uint64_t)m->now <= m->config.timeout_ms, true);
    EXPECT(run, "changes growing", view.changes >= run->changes, true);
    run->changes = view.changes;
}

static struct bursar_breaker_config random_config(void)
{
    return (struct bursar_breaker_config){ .failure_threshold = (uint32_t)(1 + random_below(4)),
                                           .success_threshold = (uint32_t)(1 + random_below(4)),
                                           .timeout_ms = 1 + random_below(20),
                                           .window_ms = 1 + random_below(40) };
}

static void restart(struct run *run)
{
    struct bursar_breaker_memory memory;
    struct bursar_breaker_config config = random_below(2) ? run->model.config : random_config();
    uint64_t saved_wall_ms = 1000000 + random_below(1000), elapsed_ms = random_below(30), wall_ms;
    switch (random_below(4)) {
    case 0: /* went back */
        wall_ms = saved_wall_ms - 1 - random_below(1000);
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
    model_restart(&run->model, config, (int64_t)run->asked_ms, (int64_t)elapsed_ms);
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
    if (ticket->real.generation == 0)
        ticket = &never;
    switch (how) {
    case 0:
        bursar_breaker_record_success(run->breaker, ticket->real, run->asked_ms);
        model_success(&run->model, ticket);
        break;
    case 1:
        bursar_breaker_record_failure(run->breaker, ticket->real, run->asked_ms);
        model_failure(&run->model, ticket);
        break;
    default:
        bursar_breaker_abandon(run->breaker, ticket->real);
        ticket->out = false;
    }
}

static void force(struct run *run, uint64_t how)
{
    struct model *m = &run->model;
    if (how == 0) {
        bursar_breaker_force_open(run->breaker, run->asked_ms);
        model_enter(m, BURSAR_BREAKER_OPEN, m->now);
        m->forced = true;
    } else if (how == 1) {
        bursar_breaker_force_close(run->breaker, run->asked_ms);
        model_enter(m, BURSAR_BREAKER_CLOSED, m->now);
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
        force(run, random_below(3));
    else if (dice < 98)
        restart(run);
    if (random_below(2)) /* not always: looking must not be what makes it right */
        compare(run);
}

static unsigned states_seen[3], closings;

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
        step(&run);
        states_seen[run.model.state]++;
        closings += before == BURSAR_BREAKER_HALF_OPEN && run.model.state == BURSAR_BREAKER_CLOSED;
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(under_random_schedules_it_does_what_the_reference_does),
    };
    return cmocka_run_group_tests_name("domain breaker model", tests, NULL, NULL);
}
