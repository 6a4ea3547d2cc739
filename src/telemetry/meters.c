/* The meters: what executors, nodes and stores tell while they work. */
#include "telemetry/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum bursar_status telemetry_new(size_t count, uint64_t after_seq, struct clock clock, struct telemetry **ret,
                                 struct bursar_error *err)
{
    struct telemetry *telemetry = calloc(1, sizeof *telemetry + count * sizeof telemetry->meters[0]);
    if (!telemetry)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (pthread_mutex_init(&telemetry->lock, NULL) != 0) {
        free(telemetry);
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    }
    telemetry->clock = clock;
    telemetry->started_ms = clock.wall_ms(clock.ctx);
    telemetry->counted_seq = after_seq;
    telemetry->count = count;
    for (size_t i = 0; i < count; i++)
        telemetry->meters[i].telemetry = telemetry;
    *ret = telemetry;
    return BURSAR_OK;
}

void telemetry_set_treasury(struct telemetry *telemetry, size_t index, const struct telemetry_treasury *treasury)
{
    telemetry->meters[index].treasury = *treasury;
}

void telemetry_set_limits(struct telemetry *telemetry, size_t index, const struct money_limits *limits)
{
    struct meters *meters = &telemetry->meters[index];
    (void)pthread_mutex_lock(&telemetry->lock);
    meters->max_payments_per_hour = limits->payments_per_hour;
    memset(meters->max_spend_per_hour, 0, sizeof meters->max_spend_per_hour);
    for (size_t i = 0; i < limits->rate_count; i++)
        meters->max_spend_per_hour[asset_label(meters, &limits->rates[i].asset)] = limits->rates[i].per_hour;
    (void)pthread_mutex_unlock(&telemetry->lock);
}

void telemetry_free(struct telemetry *telemetry)
{
    if (!telemetry)
        return;
    (void)pthread_mutex_destroy(&telemetry->lock);
    free(telemetry);
}

/* -- the executor -- */

static void on_view(struct meters *meters, const struct chain_view *view)
{
    gauge_set(&meters->head_number, view->latest.block.number);
    gauge_set(&meters->chain_nonce, view->nonce_latest);
    if (!view->has_final)
        return;
    gauge_set(&meters->final_time_s, view->final.timestamp_s);
    gauge_set(&meters->final_number, view->final.block.number);
}

/* Somebody else works: what was seen here gets old, and theirs is in the store. */
static void forget_work(struct meters *meters)
{
    gauge_set(&meters->is_held, 0);
    gauge_unset(&meters->breaker_state);
    gauge_unset(&meters->last_tick_ms);
    gauge_unset(&meters->last_success_ms);
    gauge_unset(&meters->last_error_ms);
    gauge_unset(&meters->head_number);
    gauge_unset(&meters->final_number);
    gauge_unset(&meters->final_time_s);
    gauge_unset(&meters->chain_nonce);
    gauge_unset(&meters->submitted_nonce);
}

static void on_tick(void *ctx, enum tick_outcome outcome, uint64_t took_ms, const struct chain_view *view)
{
    struct meters *meters = ctx;
    const struct clock *clock = &meters->telemetry->clock;
    uint64_t now_ms = clock->wall_ms(clock->ctx);
    count_up(meters, METRIC_TICKS, (size_t)outcome, 1);
    if (view)
        on_view(meters, view);
    switch (outcome) {
    case TICK_STANDBY:
        forget_work(meters);
        return;
    case TICK_COMPLETE:
        if (view)
            gauge_set(&meters->last_success_ms, now_ms);
        break;
    case TICK_FAULTY:
    case TICK_CUT_SHORT:
        gauge_set(&meters->last_error_ms, now_ms);
        break;
    case TICK_BROKEN_OFF:
    case TICK_GIVEN_UP:
    case TICK_OUTCOME_COUNT:
        break;
    }
    histogram_observe(&meters->tick_duration, METRIC_TABLE[METRIC_TICK_DURATION].type, took_ms * 1000);
    if (outcome == TICK_BROKEN_OFF)
        return;
    gauge_set(&meters->is_held, 1);
    gauge_set(&meters->last_tick_ms, now_ms);
}

static void on_fault(void *ctx, enum executor_fault fault)
{
    count_up(ctx, METRIC_ERRORS, (size_t)fault, 1);
}

static void on_host_check(void *ctx, bool refused)
{
    count_up(ctx, METRIC_DEPENDENCY_FAILURES, refused ? DEPENDENCY_REFUSED : DEPENDENCY_ERROR, 1);
}

static void on_signing(void *ctx, int purpose, bool is_signed)
{
    count_up(ctx, METRIC_SIGNATURES, is_signed ? SIGNING_SIGNED : SIGNING_REFUSED, 1);
    if (is_signed)
        count_up(ctx, METRIC_ATTEMPTS, (size_t)purpose - 1, 1);
}

static void on_submission(void *ctx, uint64_t nonce, enum submit_verdict verdict)
{
    struct meters *meters = ctx;
    uint64_t highest;
    count_up(meters, METRIC_SUBMISSIONS, (size_t)verdict - 1, 1);
    if (verdict != SUBMIT_UNSENT && (!gauge_get(&meters->submitted_nonce, &highest) || nonce > highest))
        gauge_set(&meters->submitted_nonce, nonce);
}

struct executor_meters telemetry_executor_meters(struct telemetry *telemetry, size_t index)
{
    return (struct executor_meters){ .ctx = &telemetry->meters[index],
                                     .tick = on_tick,
                                     .fault = on_fault,
                                     .host_check = on_host_check,
                                     .signing = on_signing,
                                     .submission = on_submission };
}

/* What the executor is to tell of its circuit breaker, also when a tick is cut short. */
static void set_circuit_breaker_state(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes)
{
    struct meters *meters = ctx;
    gauge_set(&meters->breaker_failures, failures);
    gauge_set(&meters->breaker_successes, successes);
    gauge_set(&meters->breaker_state, (uint64_t)state);
}

struct breaker_telemetry telemetry_breaker(struct telemetry *telemetry, size_t index)
{
    return (struct breaker_telemetry){ .ctx = &telemetry->meters[index], .report = set_circuit_breaker_state };
}

/* -- store and nodes -- */

static void on_commit(void *ctx, uint64_t took_us)
{
    struct telemetry *telemetry = ctx;
    histogram_observe(&telemetry->store_commit, METRIC_TABLE[METRIC_STORE_COMMIT].type, took_us);
}

struct commit_meter telemetry_commit_meter(struct telemetry *telemetry)
{
    return (struct commit_meter){ .ctx = telemetry, .took = on_commit };
}

static void on_request(void *ctx, uint64_t took_us, enum bursar_status status)
{
    struct node_meter *node = ctx;
    histogram_observe(&node->requests, METRIC_TABLE[METRIC_NODE_REQUESTS].type, took_us);
    if (status != BURSAR_OK)
        atomic_fetch_add_explicit(&node->errors, 1, memory_order_relaxed);
}

struct rpc_meter telemetry_node_meter(struct telemetry *telemetry, size_t index, size_t node, const char *name)
{
    struct node_meter *meter = &telemetry->meters[index].nodes[node];
    (void)snprintf(meter->name, sizeof meter->name, "%s", name);
    gauge_set(&meter->is_healthy, 0);
    return (struct rpc_meter){ .ctx = meter, .took = on_request };
}

void telemetry_node_seen(struct telemetry *telemetry, size_t index, size_t node, const struct node_health *health)
{
    struct node_meter *meter = &telemetry->meters[index].nodes[node];
    gauge_set(&meter->is_healthy, health->state == NODE_OK);
    if (health->has_latest)
        gauge_set(&meter->latest_block, health->latest_block);
}
