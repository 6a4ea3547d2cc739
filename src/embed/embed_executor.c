/* An embedder's executor: the executor, with the host's callbacks behind its seams. Wiring only. */
#include "embed/embed_executor.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_SIZE 100
#define IN_FLIGHT_MAX 256
#define NO_MONEY_BREAKER_BYTES offsetof(struct bursar_executor_config, money_breaker) /* of the first headers */
#define NO_IS_MONEY_OPEN_BYTES offsetof(struct bursar_tick_report, is_money_open)     /* likewise */
#define STOP_GRACE_MS 1000 /* a locked store is waited for this long once we are to end, to give the lease back */

/* -- configuration ------------------------------------------------------------------------------------------------- */

static enum bursar_status missing(const char *field, struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_EINVAL, "executor: %s is missing", field);
}

static enum bursar_status check_range(const char *field, uint64_t *value, uint64_t fallback, uint64_t lowest,
                                      uint64_t highest, struct bursar_error *err)
{
    if (*value == 0)
        *value = fallback;
    if (*value >= lowest && *value <= highest)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EINVAL, "executor: %s is %llu ms; %llu to %llu are possible", field,
                       (unsigned long long)*value, (unsigned long long)lowest, (unsigned long long)highest);
}

static enum bursar_status check_count(const char *field, uint64_t value, uint64_t highest, struct bursar_error *err)
{
    if (value <= highest)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EINVAL, "executor: %s is %llu; 0 to %llu are possible", field,
                       (unsigned long long)value, (unsigned long long)highest);
}

static enum bursar_status check_money(struct bursar_money_limits *money, struct bursar_error *err)
{
    enum bursar_status status =
        check_count("money_breaker.max_reverts", money->max_reverts, BURSAR_MONEY_REVERTS_MAX, err);
    if (status == BURSAR_OK)
        status = check_range("money_breaker.window_ms", &money->window_ms, BURSAR_MONEY_WINDOW_DEFAULT_MS,
                             BURSAR_MONEY_WINDOW_MIN_MS, BURSAR_MONEY_WINDOW_MAX_MS, err);
    if (status == BURSAR_OK)
        status = check_count("money_breaker.max_payments_per_hour", money->max_payments_per_hour,
                             BURSAR_MONEY_PAYMENTS_MAX, err);
    return status;
}

static enum bursar_status check_callbacks(const struct bursar_executor_config *config, struct bursar_error *err)
{
    if (!config->epoch_source.epoch)
        return missing("epoch_source", err);
    if (!config->signer.sign)
        return missing("signer", err);
    if (!config->signer.signing_log || !*config->signer.signing_log)
        return missing("signer.signing_log", err);
    if (!config->submitter.submit)
        return missing("submitter", err);
    if (!config->circuit_breaker)
        return missing("circuit_breaker", err);
    if (!config->observer.head != !config->observer.look)
        return missing(config->observer.head ? "observer.look" : "observer.head", err);
    return BURSAR_OK;
}

/* Into `ret`, with defaults put in. */
static enum bursar_status read_config(const struct bursar_executor_config *config, struct bursar_executor_config *ret,
                                      struct bursar_error *err)
{
    enum bursar_status status = embed_check_size(config->size, NO_MONEY_BREAKER_BYTES, "bursar_executor_config", err);
    if (status != BURSAR_OK)
        return status;
    embed_read_struct(ret, sizeof *ret, config, config->size);
    size_t length = ret->identity ? strlen(ret->identity) : 0;
    if (length == 0 || length > BURSAR_IDENTITY_MAX_BYTES)
        return bursar_fail(err, BURSAR_EINVAL, "executor: identity: 1 to %d bytes are needed",
                           BURSAR_IDENTITY_MAX_BYTES);
    status = check_range("poll_interval", &ret->poll_interval, BURSAR_POLL_INTERVAL_DEFAULT_MS,
                         BURSAR_POLL_INTERVAL_MIN_MS, BURSAR_POLL_INTERVAL_MAX_MS, err);
    if (status == BURSAR_OK)
        status = check_range("lease_ttl", &ret->lease_ttl, BURSAR_LEASE_TTL_DEFAULT_MS, BURSAR_LEASE_TTL_MIN_MS,
                             BURSAR_LEASE_TTL_MAX_MS, err);
    if (status == BURSAR_OK)
        status = check_money(&ret->money_breaker, err);
    return status == BURSAR_OK ? check_callbacks(ret, err) : status;
}

/* -- what the host has a say in ------------------------------------------------------------------------------------ */

static bool host_epoch(void *ctx, uint64_t *ret)
{
    struct bursar_executor *host = ctx;
    if (atomic_load(&host->stop))
        return false;
    return host->config.epoch_source.epoch(host->config.epoch_source.ctx, ret) && *ret <= INT64_MAX;
}

static bool host_nonce_floor(void *ctx, uint64_t *ret)
{
    struct bursar_executor *host = ctx;
    const struct bursar_nonce_floor *nonce_floor = &host->config.nonce_floor;
    if (atomic_load(&host->stop))
        return false; /* nothing is begun any more */
    *ret = nonce_floor->floor ? nonce_floor->floor(nonce_floor->ctx) : 0;
    return true;
}

struct question {
    struct bursar_executor *host;
    enum bursar_dependency answer;
    char reason[BURSAR_DEPENDENCY_REASON_MAX_BYTES];
    bool was_asked;
    int64_t id;
};

static enum bursar_status ask_about(void *ctx, const struct disbursement_record *record)
{
    struct question *question = ctx;
    const struct bursar_dependency_check *check = &question->host->config.dependency_check;
    struct bursar_disbursement shown;
    if (record->id != question->id)
        return BURSAR_OK;
    embed_disbursement(record, &shown);
    question->answer = check->check(check->ctx, &shown, question->reason);
    question->reason[sizeof question->reason - 1] = '\0';
    question->was_asked = true;
    return BURSAR_OK;
}

static enum host_answer host_check(void *ctx, const struct due_row *row, struct bursar_error *ret_why)
{
    struct bursar_executor *host = ctx;
    struct question question = { .host = host, .id = row->id };
    const struct list_filter filter = { .after_id = row->id - 1, .limit = 1 };
    if (atomic_load(&host->stop))
        return HOST_WAIT;
    enum bursar_status status =
        host->store.list(host->store.ctx, host->treasury, &filter, ask_about, &question, ret_why);
    if (status != BURSAR_OK)
        return HOST_ERROR;
    if (!question.was_asked)
        return HOST_WAIT;
    switch (question.answer) {
    case BURSAR_DEPENDENCY_READY:
        return HOST_READY;
    case BURSAR_DEPENDENCY_WAIT:
        return HOST_WAIT;
    case BURSAR_DEPENDENCY_ERROR:
        (void)bursar_fail(ret_why, BURSAR_EUNREACHABLE, "disbursement %lld: dependency_check failed: %s",
                          (long long)row->id, *question.reason ? question.reason : "it did not say why");
        return HOST_ERROR;
    case BURSAR_DEPENDENCY_CANCELLED:
        (void)bursar_fail(ret_why, BURSAR_EREFUSED, "%s", question.reason);
        return HOST_CANCELLED;
    }
    (void)bursar_fail(ret_why, BURSAR_EUNREACHABLE, "disbursement %lld: dependency_check gave %d, which is no answer",
                      (long long)row->id, (int)question.answer);
    return HOST_ERROR;
}

/* -- making one ---------------------------------------------------------------------------------------------------- */

static bool is_late(void *ctx)
{
    struct bursar_executor *host = ctx;
    if (!atomic_load(&host->stop))
        return false;
    struct clock clock = system_clock();
    uint64_t now_ms = clock.monotonic_ms(clock.ctx), since_ms = atomic_load(&host->stopped_at_ms);
    if (since_ms == 0)
        atomic_store(&host->stopped_at_ms, since_ms = now_ms);
    return now_ms - since_ms >= STOP_GRACE_MS;
}

static enum bursar_status check_treasury(const struct treasury *treasury, struct bursar_error *err)
{
    struct bursar_hash genesis;
    embed_genesis(treasury->chain_id, &treasury->address, &genesis);
    if (treasury->is_pinned && hash_equal(&treasury->genesis_hash, &genesis))
        return BURSAR_OK;
    return bursar_fail(
        err, BURSAR_ECONFLICT,
        "treasury %s was not registered by a host: it is driven by `bursar run`, on another kind of chain",
        treasury->name);
}

static enum bursar_status make_seams(struct bursar_executor *host, const struct treasury *treasury,
                                     struct bursar_error *err)
{
    const struct host_chain_config chain = { .treasury = treasury->id,
                                             .chain_id = treasury->chain_id,
                                             .account = treasury->address,
                                             .store = host->store,
                                             .clock = host->clock,
                                             .submitter = host->config.submitter,
                                             .observer = host->config.observer,
                                             .stop = &host->stop };
    const struct host_signer_config signer = { .treasury = treasury->id,
                                               .chain_id = treasury->chain_id,
                                               .account = treasury->address,
                                               .store = host->store,
                                               .signer = host->config.signer,
                                               .stop = &host->stop };
    enum bursar_status status = host_chain_new(&chain, &host->chain, err);
    return status == BURSAR_OK ? host_signer_new(&signer, &host->signer, err) : status;
}

static enum bursar_status make_executor(struct bursar_executor *host, struct bursar_error *err)
{
    const struct bursar_executor_config *config = &host->config;
    /* Fees are the host's: 0 here, so that only the amount counts as spent. */
    const struct executor_config settings = { .treasury = host->treasury,
                                              .identity = host->identity,
                                              .poll_interval_ms = config->poll_interval,
                                              .lease_ttl_ms = config->lease_ttl,
                                              .batch_size = BATCH_SIZE,
                                              .max_in_flight = IN_FLIGHT_MAX,
                                              .epoch = { EPOCH_BLOCK, 1 },
                                              .money = { .reverts = config->money_breaker.max_reverts,
                                                         .window_ms = config->money_breaker.window_ms,
                                                         .payments_per_hour =
                                                             config->money_breaker.max_payments_per_hour } };
    const struct executor_env env = {
        .store = host->store,
        .chain = host_chain_interface(host->chain),
        .signer = host_signer_interface(host->signer),
        .clock = host->clock,
        .breaker = config->circuit_breaker,
        .telemetry = { config->circuit_breaker_telemetry.ctx, config->circuit_breaker_telemetry.report },
        .host = { .ctx = host,
                  .epoch = host_epoch,
                  .check = config->dependency_check.check ? host_check : NULL,
                  .nonce_floor = host_nonce_floor },
    };
    return executor_new(&settings, &env, &host->executor, err);
}

static enum bursar_status make_all(struct bursar_executor *host, const char *store_path, struct bursar_error *err)
{
    struct treasury treasury;
    enum bursar_status status = sqlite_store_open(store_path, SQLITE_MODE_WRITE, is_late, host, &host->sqlite, err);
    if (status != BURSAR_OK)
        return status;
    host->store = sqlite_store_interface(host->sqlite);
    status = host->store.treasury_get(host->store.ctx, host->treasury, &treasury, err);
    if (status == BURSAR_OK)
        status = check_treasury(&treasury, err);
    if (status == BURSAR_OK)
        status = make_seams(host, &treasury, err);
    return status == BURSAR_OK ? make_executor(host, err) : status;
}

enum bursar_status embed_executor_new(const struct bursar_store *store, int64_t treasury,
                                      const struct bursar_executor_config *config, const struct clock *clock,
                                      struct bursar_executor **ret, struct bursar_error *err)
{
    struct bursar_executor *host = calloc(1, sizeof *host);
    if (!host)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    host->treasury = treasury;
    host->clock = *clock;
    atomic_init(&host->stop, false);
    atomic_init(&host->stopped_at_ms, 0);
    enum bursar_status status = read_config(config, &host->config, err);
    if (status == BURSAR_OK) {
        (void)snprintf(host->identity, sizeof host->identity, "%s", host->config.identity);
        status = make_all(host, store->path, err);
    }
    if (status != BURSAR_OK) {
        (void)bursar_executor_free(host);
        return status;
    }
    host->config.identity = host->identity;
    host->config.signer.signing_log = NULL; /* the signer has its copy */
    *ret = host;
    return BURSAR_OK;
}

enum bursar_status bursar_executor_new(const struct bursar_store *store, int64_t treasury,
                                       const struct bursar_executor_config *config, struct bursar_executor **ret,
                                       struct bursar_error *err)
{
    const struct clock clock = system_clock();
    return embed_executor_new(store, treasury, config, &clock, ret, err);
}

struct bursar_executor *bursar_executor_free(struct bursar_executor *executor)
{
    if (!executor)
        return NULL;
    executor_free(executor->executor); /* gives back lease and signing log */
    host_chain_free(executor->chain);
    host_signer_free(executor->signer);
    sqlite_store_close(executor->sqlite);
    free(executor);
    return NULL;
}

void embed_executor_stop(struct bursar_executor *executor)
{
    atomic_store(&executor->stop, true);
}

/* -- ticking ------------------------------------------------------------------------------------------------------- */

enum bursar_status bursar_executor_tick(struct bursar_executor *executor, uint64_t *ret_next_wake_ms,
                                        struct bursar_tick_report *ret, struct bursar_error *err)
{
    struct executor_report report;
    uint64_t next_wake_ms = executor->config.poll_interval;
    enum bursar_status status =
        ret ? embed_check_size(ret->size, NO_IS_MONEY_OPEN_BYTES, "bursar_tick_report", err) : BURSAR_OK;
    if (status == BURSAR_OK)
        status = executor_step(executor->executor, &next_wake_ms, &report, err);
    if (status != BURSAR_OK)
        return status;
    /* Accepted is final: the look that finds it so need not wait. */
    *ret_next_wake_ms = report.holds_lease && host_chain_has_news(executor->chain) ? 0 : next_wake_ms;
    const struct bursar_tick_report shown = { .holds_lease = report.holds_lease,
                                              .observed = report.observed,
                                              .is_idle = report.is_idle,
                                              .is_halted = report.halt != HALT_NONE,
                                              .is_forced_open = report.forced_open,
                                              .is_money_open = report.money_open };
    if (ret)
        embed_write_struct(ret, ret->size, &shown, sizeof shown);
    return BURSAR_OK;
}
