/* The money breaker in the tick (INV-10): once payments go wrong it binds nothing and signs no payment any more, until
 * a person closes it. What is out is handed over again and may be cancelled; observing goes on. Like the circuit
 * breaker it lives in the store, and a change is seen by the very next write that spends (INV-6). */
#include "executor/tick.h"

#include "eth/address.h"

#include <stdio.h>

static uint64_t wall_ms(const struct executor *executor)
{
    return executor->env.clock.wall_ms(executor->env.clock.ctx);
}

static uint64_t ago_ms(uint64_t now_ms, uint64_t age_ms)
{
    return now_ms > age_ms ? now_ms - age_ms : 0;
}

bool tick_money_is_open(const struct executor *executor)
{
    return executor->money.cause != MONEY_NONE;
}

enum bursar_status tick_money_load(struct executor *executor, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct money_record before = executor->money;
    struct money_record *money = &executor->money;
    enum bursar_status status = store->money_load(store->ctx, executor->config.treasury, money, err);
    if (status != BURSAR_OK || money->version == executor->fence.money_version) /* 0 with every lease that is taken */
        return status;
    executor->fence.money_version = money->version;
    if (tick_money_is_open(executor))
        note(&executor->env.notes, NOTE_ERROR,
             "money breaker: open (%s): %s: nothing is bound until a person closes it", money_cause_name(money->cause),
             money->detail);
    else if (before.cause != MONEY_NONE)
        note(&executor->env.notes, NOTE_INFO, "money breaker: closed by %s: %s", money->actor, money->detail);
    return BURSAR_OK;
}

static enum bursar_status trip(struct executor *executor, enum money_cause cause, const char *detail,
                               struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    uint64_t version;
    enum bursar_status status =
        store->money_trip(store->ctx, executor->fence, wall_ms(executor), cause, detail, &version, err);
    return status == BURSAR_OK ? tick_money_load(executor, err) : status;
}

/* What was said of the incidents that opened it. */
static void describe(const struct executor *executor, enum money_cause cause, const struct money_incidents *incidents,
                     char ret[MONEY_DETAIL_MAX_BYTES])
{
    const char *latest = incidents->latest[cause];
    if (cause == MONEY_REVERTS)
        (void)snprintf(ret, MONEY_DETAIL_MAX_BYTES, "%llu payments failed on chain within %llu s; the last: %.400s",
                       (unsigned long long)incidents->count[cause],
                       (unsigned long long)(executor->config.money.window_ms / 1000), latest);
    else
        (void)snprintf(ret, MONEY_DETAIL_MAX_BYTES, "%s", latest);
}

static enum bursar_status judge(struct executor *executor, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct money_limits *limits = &executor->config.money;
    struct money_incidents incidents;
    char detail[MONEY_DETAIL_MAX_BYTES];
    enum bursar_status status = store->money_incidents(store->ctx, executor->config.treasury,
                                                       ago_ms(wall_ms(executor), limits->window_ms), &incidents, err);
    enum money_cause cause = status == BURSAR_OK ? money_judge(limits, incidents.count) : MONEY_NONE;
    if (cause == MONEY_NONE)
        return status;
    describe(executor, cause, &incidents, detail);
    return trip(executor, cause, detail, err);
}

static void hold(struct executor *executor, struct tick *tick)
{
    if (tick->verdict.halt != HALT_NONE)
        return;
    tick->verdict.holds = true;
    (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason, "money_breaker_open cause=%s: %.400s",
                   money_cause_name(executor->money.cause), executor->money.detail);
}

bool tick_money_stops(const struct executor *executor, const struct flight *flight)
{
    if (!tick_money_is_open(executor) || flight->kind != INTENT_PAYMENT || flight->cancel_wanted)
        return false;
    return !flight->has_attempt || (flight->seq == 1 && flight->sends == 0 && flight->purpose == SIGN_PAYMENT);
}

/* All is final, or waits for a nonce whose payment is not let out. */
static bool nothing_moves(const struct executor *executor, const struct tick *tick)
{
    const struct scratch *scratch = &executor->scratch;
    const uint64_t lowest = tick->lane.lowest_unfinished_nonce;
    return lowest == tick->lane.next_nonce || (scratch->flight_count && scratch->flights[0].nonce == lowest &&
                                               tick_money_stops(executor, &scratch->flights[0]));
}

enum bursar_status tick_money(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    enum bursar_status status = tick_money_is_open(executor) ? BURSAR_OK : judge(executor, err);
    if (status == BURSAR_OK && tick_money_is_open(executor)) {
        hold(executor, tick);
        tick->waits_for_close = nothing_moves(executor, tick);
    }
    return status;
}

/* Every transaction of the account up to the final block is one of ours, and settled: only then its balance says
 * something. */
static enum bursar_status is_accounted_for(struct executor *executor, const struct tick *tick, bool *ret,
                                           struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    struct lane lane;
    enum bursar_status status = store->lane_read(store->ctx, tick->treasury.id, &lane, err);
    if (status == BURSAR_OK)
        *ret = lane.lowest_unfinished_nonce == tick->view.nonce_final;
    return status;
}

enum bursar_status tick_money_balance(struct executor *executor, const struct tick *tick, struct settlement *settlement,
                                      char ret_missing[MONEY_DETAIL_MAX_BYTES], struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct chain_view *view = &tick->view;
    const struct money_limits *limits = &executor->config.money;
    struct money_record money;
    struct bursar_amount missing;
    char amount[BURSAR_AMOUNT_TEXT_BYTES];
    bool accounted = false;
    settlement->forgets_balance = !limits->watches_balance && executor->money.has_mark;
    if (!limits->watches_balance || !view->has_balance_final)
        return BURSAR_OK;
    enum bursar_status status = is_accounted_for(executor, tick, &accounted, err);
    if (status != BURSAR_OK || !accounted)
        return status;
    status = store->money_load(store->ctx, tick->treasury.id, &money, err);
    if (status != BURSAR_OK)
        return status;
    settlement->has_balance = true;
    settlement->balance = view->balance_final;
    if (!money.has_mark ||
        !money_is_missing(&money.mark_balance, &money.paid, &view->balance_final, &limits->balance_tolerance, &missing))
        return BURSAR_OK;
    bursar_amount_to_text(missing, amount);
    (void)snprintf(ret_missing, MONEY_DETAIL_MAX_BYTES,
                   "%s wei left the account between blocks %llu and %llu that none of its transactions explains",
                   amount, (unsigned long long)money.mark_number, (unsigned long long)view->final.block.number);
    settlement->missing = ret_missing;
    return BURSAR_OK;
}

/* --- what is paid within an hour --- */

static bool is_owed_by_any(const struct asset *asset, const struct due_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (asset_equal(&rows[i].asset, asset))
            return true;
    }
    return false;
}

enum bursar_status tick_money_spent(struct executor *executor, const struct due_row *rows, size_t count,
                                    struct money_spent *ret, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct money_limits *limits = &executor->config.money;
    const int64_t treasury = executor->config.treasury;
    const uint64_t since_ms = ago_ms(wall_ms(executor), MONEY_HOUR_MS);
    enum bursar_status status = BURSAR_OK;
    *ret = (struct money_spent){ 0 };
    if (limits->payments_per_hour)
        status = store->money_payments(store->ctx, treasury, since_ms, &ret->payments, err);
    for (size_t i = 0; i < limits->rate_count && status == BURSAR_OK; i++) {
        if (is_owed_by_any(&limits->rates[i].asset, rows, count))
            status = store->money_spent(store->ctx, treasury, &limits->rates[i].asset, since_ms, &ret->spent[i], err);
    }
    return status;
}

enum bursar_status tick_money_over(struct executor *executor, struct tick *tick, const struct spending_plan *plan,
                                   struct bursar_error *err)
{
    char detail[MONEY_DETAIL_MAX_BYTES], amount[BURSAR_AMOUNT_TEXT_BYTES], token[ADDRESS_TEXT_BYTES] = "";
    const struct money_rate *rate = plan->over_rate;
    if (rate) {
        bursar_amount_to_text(rate->per_hour, amount);
        if (rate->asset.is_token)
            address_to_text(&rate->asset.token, token);
        (void)snprintf(
            detail, sizeof detail,
            "disbursement %lld would take what is paid within an hour above max_spend_per_hour, %s base units "
            "of %s%s",
            (long long)plan->over, amount, rate->asset.is_token ? "token " : "the coin", token);
    } else {
        (void)snprintf(detail, sizeof detail,
                       "disbursement %lld would be one more within an hour than max_payments_per_hour, %llu",
                       (long long)plan->over, (unsigned long long)executor->config.money.payments_per_hour);
    }
    enum bursar_status status = trip(executor, MONEY_SPENDING_RATE, detail, err);
    if (status == BURSAR_OK && tick_money_is_open(executor)) /* a person may have closed it by now */
        hold(executor, tick);
    return status;
}
