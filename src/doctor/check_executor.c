/* Who pays, and what keeps him from it: lease, breaker, halt; then the disbursements that need a person. */
#include "doctor/checks.h"

#include "base/time.h"
#include "doctor/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROWS_TOLD_MAX_COUNT 20

static const char DEADLY[] = "look at that process, end it if it hangs, and start `bursar run`";

static void tell_running(const struct examination *e)
{
    const struct situation *situation = &e->situation;
    const struct snapshot *snapshot = &situation->snapshot;
    const char *holder = situation->treasury.lease_holder;
    struct finding finding = { .name = "executor", .result = CHECK_OK };
    char ago[WORDS_TIME_TEXT_BYTES];
    uint64_t renewed_ms = situation->treasury.lease_renewed_ms;
    words_duration(situation->now_ms > renewed_ms ? (situation->now_ms - renewed_ms) / 1000 : 0, ago);
    if (situation_is_blind(situation) || snapshot->hold[0]) {
        bool is_blind = situation_is_blind(situation);
        finding.result = CHECK_WARNING;
        finding.action = is_blind ? "see to the node and the breaker, as said here; it goes on by itself then"
                                  : "nothing, if it passes by itself; else see to what else is said here";
        doctor_tell(e->doctor, finding, "%.200s is running, and %s: %.400s", holder,
                    is_blind ? "its last tick failed" : "holds", is_blind ? snapshot->last_error : snapshot->hold);
        return;
    }
    doctor_tell(e->doctor, finding, "%.200s is running, lease epoch %" PRIu64 ", renewed %s ago", holder,
                situation->treasury.lease_epoch, ago);
}

static void check_lease(const struct examination *e)
{
    const struct situation *situation = &e->situation;
    const uint64_t pid = e->log_pid;
    struct finding finding = { .name = "executor",
                               .result = e->has_work ? CHECK_WRONG : CHECK_WARNING,
                               .grade = GRADE_PERSON,
                               .action = "start `bursar run`" };
    const char *work = e->has_work ? "" : "; nothing is left to pay";
    char ago[WORDS_TIME_TEXT_BYTES];
    switch (executor_presence(&situation->treasury, situation->now_ms)) {
    case EXECUTOR_RUNNING:
        tell_running(e);
        return;
    case EXECUTOR_NONE:
        if (pid) {
            finding.action = DEADLY;
            doctor_tell(e->doctor, finding, "none holds the lease, but process %" PRIu64 " holds the signing log", pid);
        } else {
            doctor_tell(e->doctor, finding, "none is running%s", work);
        }
        return;
    case EXECUTOR_LOST:
        words_duration((situation->now_ms - situation->treasury.lease_renewed_ms) / 1000, ago);
        if (pid) {
            finding.action = DEADLY;
            doctor_tell(e->doctor, finding,
                        "%.200s has not renewed its lease for %s, and process %" PRIu64 " still holds the signing log",
                        situation->treasury.lease_holder, ago, pid);
        } else {
            doctor_tell(e->doctor, finding,
                        "%.200s has not renewed its lease for %s, and no process holds the signing log%s",
                        situation->treasury.lease_holder, ago, work);
        }
        return;
    }
}

static void check_breaker(const struct examination *e)
{
    const struct bursar_breaker_view *view = &e->situation.breaker;
    struct finding finding = { .name = "breaker", .result = CHECK_OK };
    char at[RFC3339_TEXT_BYTES] = "";
    switch (view->state) {
    case BURSAR_BREAKER_CLOSED:
        if (view->forced) {
            rfc3339_from_seconds(view->next_change_at_ms / 1000, at);
            finding.result = CHECK_WARNING;
            finding.action = "nothing, or `bursar breaker close --reason TEXT` to let failures open it before";
            doctor_tell(e->doctor, finding, "held closed until %s by %.100s: %.500s; %u failures lately", at,
                        e->situation.breaker_record.actor, e->situation.breaker_record.reason,
                        (unsigned)view->failures);
            return;
        }
        doctor_tell(e->doctor, finding, "closed, %u failures lately", (unsigned)view->failures);
        return;
    case BURSAR_BREAKER_HALF_OPEN:
        finding.result = CHECK_WARNING;
        finding.action = "nothing: it closes when its trials succeed";
        doctor_tell(e->doctor, finding, "half-open: one trial at a time");
        return;
    case BURSAR_BREAKER_OPEN:
        if (view->next_change_at_ms != BURSAR_BREAKER_NEVER)
            rfc3339_from_seconds(view->next_change_at_ms / 1000, at);
        if (view->forced && at[0]) {
            finding.result = CHECK_WARNING;
            finding.action = "nothing, or `bursar breaker close --reason TEXT` when it may go on before";
            doctor_tell(e->doctor, finding, "opened until %s by %.100s: %.500s; nothing new is paid", at,
                        e->situation.breaker_record.actor, e->situation.breaker_record.reason);
            return;
        }
        if (view->forced) {
            finding.result = CHECK_WRONG;
            finding.grade = GRADE_PERSON;
            finding.action = "`bursar breaker close --reason TEXT` when it may go on";
            doctor_tell(e->doctor, finding, "opened by %.100s: %.500s; nothing new is paid",
                        e->situation.breaker_record.actor, e->situation.breaker_record.reason);
            return;
        }
        finding.result = CHECK_WARNING;
        finding.action = "see to the nodes above; then it closes by itself, or at once with `bursar breaker close "
                         "--reason TEXT`";
        doctor_tell(e->doctor, finding, "open, because the node kept failing; tries again at %s",
                    at[0] ? at : "a later time");
        return;
    }
}

static void check_money(const struct examination *e)
{
    const struct money_record *money = &e->situation.money;
    struct finding finding = { .name = "money", .result = CHECK_OK };
    if (money->cause == MONEY_NONE) {
        doctor_tell(e->doctor, finding, "money breaker closed");
        return;
    }
    finding.result = CHECK_WRONG;
    finding.grade = GRADE_SAFETY;
    finding.action = money_action(money->cause);
    if (money->cause == MONEY_PERSON)
        doctor_tell(e->doctor, finding, "money breaker opened by %.100s: %.500s; nothing new is paid", money->actor,
                    money->detail);
    else
        doctor_tell(e->doctor, finding, "money breaker open (%s): %.500s; nothing new is paid",
                    money_cause_name(money->cause), money->detail);
}

static void check_halt(const struct examination *e)
{
    const struct treasury *treasury = &e->situation.treasury;
    const char *name = halt_code_name(treasury->halt);
    if (treasury->halt == HALT_NONE) {
        doctor_tell(e->doctor, (struct finding){ .name = "halt", .result = CHECK_OK }, "none");
        return;
    }
    doctor_tell(
        e->doctor,
        (struct finding){
            .name = "halt", .result = CHECK_WRONG, .grade = GRADE_SAFETY, .action = halt_action(treasury->halt) },
        "halted (%s): %.600s", name ? name : "unknown", treasury->halt_reason);
}

void check_executor(struct examination *e)
{
    check_lease(e);
    check_breaker(e);
    check_money(e);
    check_halt(e);
}

struct telling {
    const struct examination *e;
    size_t told;
};

static enum bursar_status take_row(void *ctx, const struct disbursement_record *record)
{
    struct telling *telling = ctx;
    struct diagnosis diagnosis;
    char subject[CHECK_SUBJECT_MAX_BYTES];
    diagnose(record, &telling->e->situation, &diagnosis);
    if (diagnosis.kind != DIAGNOSIS_BLOCKED || telling->told > ROWS_TOLD_MAX_COUNT)
        return BURSAR_OK;
    if (telling->told++ == ROWS_TOLD_MAX_COUNT) {
        doctor_tell(telling->e->doctor,
                    (struct finding){ .name = "disbursements",
                                      .result = CHECK_WRONG,
                                      .grade = GRADE_PERSON,
                                      .action = "see the others: `bursar status`" },
                    "more than %d are stuck", ROWS_TOLD_MAX_COUNT);
        return BURSAR_OK;
    }
    (void)snprintf(subject, sizeof subject, "%lld '%.200s'", (long long)record->id, record->ref);
    doctor_tell(telling->e->doctor,
                (struct finding){ .name = "disbursements",
                                  .subject = subject,
                                  .result = CHECK_WRONG,
                                  .grade = GRADE_PERSON,
                                  .action = diagnosis.text.action },
                "%s", diagnosis.text.cause);
    return BURSAR_OK;
}

void check_rows(struct examination *e)
{
    const struct store *store = e->subject->store;
    struct telling telling = { .e = e };
    struct bursar_error err = { 0 };
    struct list_filter filter = { .only_blocked = true, .limit = ROWS_TOLD_MAX_COUNT + 2 };
    struct finding finding = { .name = "disbursements", .result = CHECK_NOT_CHECKED };
    if (store->list(store->ctx, e->situation.treasury.id, &filter, take_row, &telling, &err) != BURSAR_OK)
        doctor_tell(e->doctor, finding, "%.700s", err.message);
    else if (telling.told == 0) {
        finding.result = CHECK_OK;
        doctor_tell(e->doctor, finding,
                    "%" PRIu64 " queued, %" PRIu64 " in flight, %" PRIu64 " waiting to become final; none is stuck",
                    e->counts[STATE_QUEUED], e->counts[STATE_STAGED], e->counts[STATE_EXECUTED]);
    }
}
