/* Nonces and money: chain, signing log and store against each other, with the executor's own rules (planner.h). */
#include "doctor/checks.h"

#include "doctor/words.h"
#include "eth/address.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FLIGHTS_SEEN_MAX_COUNT 1000
#define DUE_SEEN_MAX_COUNT DUE_MAX_ROWS
#define UNFUNDED_SEEN_MAX_COUNT 1000

static const char *what_is_missing(const struct examination *e)
{
    if (!e->is_stored)
        return "it needs the store";
    return e->has_view ? "it needs the signing log" : "it needs a node that shows this treasury's chain";
}

/* *ret_more: not all of them are here. malloc'd. */
static struct flight *read_flights(const struct examination *e, size_t *ret_count, bool *ret_more)
{
    const struct store *store = e->subject->store;
    struct bursar_error err;
    struct flight *flights = calloc(FLIGHTS_SEEN_MAX_COUNT, sizeof *flights);
    *ret_count = 0;
    if (flights && store->flights_select(store->ctx, e->situation.treasury.id, 0, FLIGHTS_SEEN_MAX_COUNT, flights,
                                         ret_count, &err) != BURSAR_OK)
        *ret_count = 0;
    *ret_more = !flights || *ret_count == FLIGHTS_SEEN_MAX_COUNT;
    return flights;
}

void check_nonces(struct examination *e)
{
    struct finding finding = { .name = "nonce", .result = CHECK_NOT_CHECKED };
    struct verdict verdict;
    if (!e->is_stored || !e->has_view || !e->has_log) {
        doctor_tell(e->doctor, finding, "%s", what_is_missing(e));
        return;
    }
    if (e->log_halt != HALT_NONE) { /* one trouble, told once */
        doctor_tell(e->doctor, finding, "store and signing log must agree first");
        return;
    }
    size_t count;
    bool more;
    const struct treasury *treasury = &e->situation.treasury;
    struct flight *flights = read_flights(e, &count, &more);
    struct chain_view view = e->view;
    view.nonce_pending = e->nonce_pending;
    bool is_current = treasury->scan.number >= view.latest.block.number;
    plan_nonces(treasury, &e->lane, &e->log, &view, is_current, flights, count, &verdict);
    free(flights);
    if (verdict.halt == HALT_NONE && view.nonce_pending > e->lane.next_nonce) {
        /* One look may be wrong: an executor waits for another. Who looks only once is told. */
        struct pending_watch watch = { .is_above = true };
        plan_pending(&watch, e->lane.next_nonce, &view, PENDING_SETTLES_MS, &verdict);
    }
    if (verdict.halt != HALT_NONE) {
        finding.result = CHECK_WRONG;
        finding.grade = GRADE_SAFETY;
        finding.action = halt_action(verdict.halt);
        doctor_tell(e->doctor, finding, "%.700s", verdict.reason);
    } else if (verdict.holds && is_current) {
        finding.result = CHECK_WARNING;
        finding.action = "nothing, if it passes by itself; else `bursar status` names what is stuck";
        doctor_tell(e->doctor, finding, "%.700s", verdict.reason);
    } else {
        finding.result = CHECK_OK;
        doctor_tell(e->doctor, finding,
                    "chain %" PRIu64 ", with the pool %" PRIu64 "; the store binds %" PRIu64 " next, %" PRIu64
                    " in flight",
                    view.nonce_latest, view.nonce_pending, e->lane.next_nonce, e->lane.in_flight);
    }
}

/* What is due now and what was passed over for lack of funds, with a fee each. */
struct bill {
    struct bursar_amount fee, sum;
    size_t count;
    bool overflows;
};

static void add_to_bill(struct bill *bill, struct bursar_amount amount)
{
    bill->count++;
    if (!bursar_amount_add(bill->sum, amount, &bill->sum) || !bursar_amount_add(bill->sum, bill->fee, &bill->sum))
        bill->overflows = true;
}

static enum bursar_status take_unfunded(void *ctx, const struct disbursement_record *record)
{
    if (record->blocked == BLOCK_FUNDS)
        add_to_bill(ctx, record->amount);
    return BURSAR_OK;
}

static bool sum_up(const struct examination *e, struct bill *bill)
{
    const struct store *store = e->subject->store;
    const struct chain_view *view = &e->view;
    struct bursar_error err;
    size_t count = 0;
    struct due_row *rows = calloc(DUE_SEEN_MAX_COUNT, sizeof *rows);
    uint64_t epoch = view->has_final ? plan_epoch(&e->subject->epoch, &view->final) : 0;
    struct list_filter filter = { .only_blocked = true, .limit = UNFUNDED_SEEN_MAX_COUNT };
    bool good =
        rows && store->due_select(store->ctx, e->situation.treasury.id, view->has_final, view->final.timestamp_s, epoch,
                                  DUE_SEEN_MAX_COUNT, rows, &count, &err) == BURSAR_OK;
    for (size_t i = 0; good && i < count; i++)
        add_to_bill(bill, rows[i].amount);
    free(rows);
    return good && store->list(store->ctx, e->situation.treasury.id, &filter, take_unfunded, bill, &err) == BURSAR_OK;
}

static void tell_balance(const struct examination *e, struct bursar_amount available, const struct bill *bill)
{
    char balance[WORDS_COIN_TEXT_BYTES], left[WORDS_COIN_TEXT_BYTES], due[WORDS_COIN_TEXT_BYTES];
    char missing_text[WORDS_COIN_TEXT_BYTES], account[ADDRESS_TEXT_BYTES], action[CHECK_TEXT_MAX_BYTES];
    struct bursar_amount missing;
    struct finding finding = { .name = "balance", .result = CHECK_OK };
    words_coin(e->view.balance, balance);
    words_coin(available, left);
    words_coin(bill->sum, due);
    address_to_text(&e->account, account);
    if (bill->count > 0 && (bill->overflows || bursar_amount_compare(available, bill->sum) < 0)) {
        finding.result = CHECK_WRONG;
        finding.grade = GRADE_PERSON;
        finding.action = action;
        if (!bursar_amount_subtract(bill->sum, available, &missing))
            missing = bill->sum;
        words_coin(missing, missing_text);
        (void)snprintf(action, sizeof action, "send at least %s to %s", missing_text, account);
        doctor_tell(e->doctor, finding, "%s, %s beside what is in flight; %zu due need up to %s with fees", balance,
                    left, bill->count, due);
        return;
    }
    if (bursar_amount_is_zero(available)) {
        finding.result = CHECK_WARNING;
        finding.action = action;
        (void)snprintf(action, sizeof action, "send funds to %s before the next payments are due", account);
    }
    doctor_tell(e->doctor, finding, "%s, %s beside what is in flight; %zu due need %s", balance, left, bill->count,
                due);
}

void check_balance(struct examination *e)
{
    struct finding finding = { .name = "balance", .result = CHECK_NOT_CHECKED };
    const struct bursar_amount nothing = { 0 };
    struct bursar_amount available;
    struct bill bill = { 0 };
    struct fees fees;
    if (!e->is_stored || !e->has_view) {
        doctor_tell(e->doctor, finding, "%s", what_is_missing(e));
        return;
    }
    size_t count;
    bool more;
    struct flight *flights = read_flights(e, &count, &more);
    plan_fees(&e->view, &e->subject->caps, &fees);
    plan_available(&e->view.balance, flights, count, fees.max_fee_per_gas_wei, &available);
    free(flights);
    if (more && e->situation.snapshot.has_available) /* more than are read here: the executor's own figure */
        available = e->situation.snapshot.available;
    if (!plan_worst_case(&nothing, TRANSFER_GAS, fees.max_fee_per_gas_wei, &bill.fee) || !sum_up(e, &bill))
        doctor_tell(e->doctor, finding, "the store could not be read");
    else
        tell_balance(e, available, &bill);
}
