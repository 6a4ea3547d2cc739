/* The order of the checks, and what can't be made when something is missing. */
#include "doctor/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *check_result_name(enum check_result result)
{
    switch (result) {
    case CHECK_OK:
        return "ok";
    case CHECK_WARNING:
        return "warning";
    case CHECK_WRONG:
        return "wrong";
    case CHECK_NOT_CHECKED:
        return "not_checked";
    }
    return "unknown";
}

void doctor_tell(const struct doctor *doctor, struct finding finding, const char *format, ...)
{
    struct check check = {
        .treasury = doctor->treasury, .name = finding.name, .result = finding.result, .grade = finding.grade
    };
    va_list args;
    va_start(args, format);
    (void)vsnprintf(check.found, sizeof check.found, format, args);
    va_end(args);
    (void)snprintf(check.subject, sizeof check.subject, "%s", finding.subject ? finding.subject : "");
    (void)snprintf(check.action, sizeof check.action, "%s", finding.action ? finding.action : "");
    doctor->visit(doctor->ctx, &check);
}

static void skip(const struct doctor *doctor, const char *const *names, size_t count, const char *because)
{
    for (size_t i = 0; i < count; i++)
        doctor_tell(doctor, (struct finding){ .name = names[i], .result = CHECK_NOT_CHECKED }, "%s", because);
}

static const char *const OF_STORE[] = { "store", "disk" };
static const char *const OF_TREASURY[] = { "key",     "node",     "chain",   "clock", "fees", "log",          "nonce",
                                           "balance", "executor", "breaker", "money", "halt", "disbursements" };
static const char *const OF_STORED[] = { "executor", "breaker", "money", "halt", "disbursements" };

void doctor_skip_store(const struct doctor *doctor, const char *because)
{
    skip(doctor, OF_STORE, sizeof OF_STORE / sizeof *OF_STORE, because);
}

void doctor_skip_treasury(const struct doctor *doctor, const char *because)
{
    skip(doctor, OF_TREASURY, sizeof OF_TREASURY / sizeof *OF_TREASURY, because);
}

/* False: why is told. */
static bool find_treasury(struct examination *e)
{
    const struct store *store = e->subject->store;
    const struct clock *clock = &e->doctor->clock;
    struct bursar_error err = { 0 };
    struct treasury treasury;
    if (!store || !e->has_account)
        return false;
    enum bursar_status status = store->treasury_find(store->ctx, e->subject->chain_id, &e->account, &treasury, &err);
    if (status == BURSAR_OK)
        status = situation_read(store, &treasury, &e->subject->limits, clock->wall_ms(clock->ctx), &e->situation, &err);
    if (status == BURSAR_OK)
        status = store->counts(store->ctx, treasury.id, e->counts, &err);
    if (status == BURSAR_ENOTFOUND)
        return false;
    if (status != BURSAR_OK) {
        doctor_tell(e->doctor,
                    (struct finding){ .name = "store",
                                      .result = CHECK_WRONG,
                                      .grade = GRADE_UNREACHABLE,
                                      .action = "run `bursar doctor` again; if it stays, put back a backup" },
                    "this treasury can't be read: %.500s", err.message);
        return false;
    }
    e->lane = e->situation.lane;
    e->has_work = e->counts[STATE_QUEUED] + e->counts[STATE_STAGED] + e->counts[STATE_EXECUTED] > 0;
    return true;
}

static void tell_not_stored(const struct examination *e)
{
    const char *because = "it needs the store";
    if (e->subject->store && !e->has_account)
        because = "it needs the account, which only the key tells";
    else if (e->subject->store)
        because = "the treasury is not in the store yet: `bursar run` adds it";
    skip(e->doctor, OF_STORED, sizeof OF_STORED / sizeof *OF_STORED, because);
}

void doctor_treasury(const struct doctor *doctor, const struct doctor_subject *subject)
{
    struct doctor of_treasury = *doctor;
    of_treasury.treasury = subject->name;
    struct examination *e = calloc(1, sizeof *e);
    if (!e) {
        doctor_skip_treasury(&of_treasury, "out of memory");
        return;
    }
    e->doctor = &of_treasury;
    e->subject = subject;
    check_key(e);
    e->is_stored = find_treasury(e);
    /* In this order, so that beside a working executor nothing looks as if the later one knew too little. */
    check_nodes(e);
    check_log(e);
    check_nonces(e);
    check_balance(e);
    if (e->is_stored) {
        check_executor(e);
        check_rows(e);
    } else {
        tell_not_stored(e);
    }
    free(e);
}
