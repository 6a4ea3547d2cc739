/* Submitting: a host's payments as one import, all that are new or none; and a person's decisions about one
 * disbursement. */
#include "embed/embed_store.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR_BYTES 128
#define REASON_BYTES 256

/* Its size before it could be in a token. */
#define PAYMENT_FIRST_BYTES offsetof(struct bursar_payment, token)

_Static_assert(BURSAR_REF_MAX_BYTES == REF_MAX_BYTES && BURSAR_MEMO_MAX_BYTES == MEMO_MAX_BYTES &&
                   BURSAR_DEPENDENCIES_MAX_COUNT == DEPENDENCIES_MAX_COUNT,
               "limits are the same inside and outside");
_Static_assert((int)BURSAR_SCHEDULE_NOW == SCHEDULE_NOW && (int)BURSAR_SCHEDULE_TIME == SCHEDULE_TIME &&
                   (int)BURSAR_SCHEDULE_EPOCH == SCHEDULE_EPOCH,
               "schedules are stored, and are the same inside and outside");

struct submitting {
    struct bursar_store *store;
    struct treasury treasury;
    const uint8_t *payments; /* `stride` bytes apart, as the host's header has them */
    size_t stride, count;
    struct bursar_submitted *results;
    size_t bad;
};

static void item_failed(struct submitting *submitting, size_t index, const char *field, const char *format, ...)
    BURSAR_PRINTF(4, 5);
static void item_failed(struct submitting *submitting, size_t index, const char *field, const char *format, ...)
{
    struct bursar_submitted *result = &submitting->results[index];
    va_list args;
    if (result->status != BURSAR_OK)
        return;
    submitting->bad++;
    result->status = BURSAR_EINVAL;
    (void)snprintf(result->field, sizeof result->field, "%.15s", field);
    va_start(args, format);
    (void)vsnprintf(result->message, sizeof result->message, format, args);
    va_end(args);
}

static enum bursar_status add_row(struct submitting *submitting, size_t index, const struct obligation *obligation,
                                  struct bursar_error *err)
{
    struct store *store = &submitting->store->store;
    struct import_row row = { .line = index + 1, .obligation = *obligation };
    enum import_outcome outcome;
    int64_t id = 0;
    uint64_t line = 0;
    obligation_hash(obligation, submitting->treasury.chain_id, &submitting->treasury.address, &row.content_hash);
    enum bursar_status status = store->import_add(store->ctx, &row, &outcome, &id, &line, err);
    if (status != BURSAR_OK)
        return status;
    switch (outcome) {
    case IMPORT_ADDED:
    case IMPORT_EXISTING:
        submitting->results[index].added = outcome == IMPORT_ADDED;
        submitting->results[index].id = id;
        break;
    case IMPORT_OTHER_CONTENT:
        item_failed(submitting, index, "ref", "'%s' is stored with other content as disbursement %lld", obligation->ref,
                    (long long)id);
        break;
    case IMPORT_TWICE:
        item_failed(submitting, index, "ref", "'%s' is used by item %llu of this call already", obligation->ref,
                    (unsigned long long)line - 1);
        break;
    }
    return BURSAR_OK;
}

static enum bursar_status submit_one(struct submitting *submitting, size_t index, struct bursar_error *err)
{
    struct bursar_payment payment;
    const char *dependencies[BURSAR_DEPENDENCIES_MAX_COUNT], *field = "";
    struct bursar_error why = { 0 };
    embed_read_struct(&payment, sizeof payment, submitting->payments + index * submitting->stride, submitting->stride);
    if (payment.size != submitting->stride) {
        item_failed(submitting, index, "size", "is another one than that of item 0");
        return BURSAR_OK;
    }
    if (!payment.ref) {
        item_failed(submitting, index, "ref", "is missing");
        return BURSAR_OK;
    }
    if (payment.depends_on_count > BURSAR_DEPENDENCIES_MAX_COUNT || (payment.depends_on_count && !payment.depends_on)) {
        item_failed(submitting, index, "depends_on", "names %zu refs; 0 to %d can be given", payment.depends_on_count,
                    BURSAR_DEPENDENCIES_MAX_COUNT);
        return BURSAR_OK;
    }
    for (size_t i = 0; i < payment.depends_on_count; i++)
        dependencies[i] = payment.depends_on[i] ? payment.depends_on[i] : "";
    struct obligation obligation = { .ref = payment.ref,
                                     .destination = payment.destination,
                                     .amount = payment.amount,
                                     .schedule = (enum schedule_kind)payment.schedule,
                                     .schedule_value = payment.schedule_value,
                                     .memo = payment.memo ? payment.memo : "",
                                     .memo_bytes = payment.memo ? strlen(payment.memo) : 0,
                                     .dependencies = dependencies,
                                     .dependency_count = payment.depends_on_count };
    if (payment.token)
        obligation.asset = (struct asset){ .is_token = true, .token = *payment.token };
    if (obligation_normalise(&obligation, &field, &why) != BURSAR_OK) {
        item_failed(submitting, index, field, "%s", why.message);
        return BURSAR_OK;
    }
    return add_row(submitting, index, &obligation, err);
}

static int compare_results(const void *a, const void *b)
{
    const struct bursar_submitted *const *left = a, *const *right = b;
    if ((*left)->id != (*right)->id)
        return (*left)->id < (*right)->id ? -1 : 1;
    return (*left > *right) - (*left < *right);
}

/* The store knows a stored ref again each time it comes: that one came twice is found here. */
static enum bursar_status find_repeats(struct submitting *submitting, struct bursar_error *err)
{
    if (submitting->count < 2)
        return BURSAR_OK;
    const struct bursar_submitted **sorted = calloc(submitting->count, sizeof *sorted);
    if (!sorted)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < submitting->count; i++)
        sorted[i] = &submitting->results[i];
    qsort(sorted, submitting->count, sizeof *sorted, compare_results);
    for (size_t i = 1; i < submitting->count; i++) {
        if (sorted[i]->id == sorted[i - 1]->id)
            item_failed(submitting, (size_t)(sorted[i] - submitting->results), "ref",
                        "is used by item %zu of this call already", (size_t)(sorted[i - 1] - submitting->results));
    }
    free((void *)sorted);
    return BURSAR_OK;
}

/* A stored row whose problem shows at the end: an unknown dependency, a cycle. */
static void take_problem(void *ctx, const struct import_problem *problem)
{
    struct submitting *submitting = ctx;
    if (problem->line >= 1 && problem->line <= submitting->count)
        item_failed(submitting, (size_t)problem->line - 1, problem->column, "%s", problem->message);
}

static enum bursar_status submit_all(struct submitting *submitting, const char *actor, struct bursar_error *err)
{
    struct store *store = &submitting->store->store;
    struct clock *clock = &submitting->store->clock;
    bool committed = false;
    enum bursar_status status = store->import_begin(store->ctx, submitting->treasury.id, "the embedding API", actor,
                                                    clock->wall_ms(clock->ctx), err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < submitting->count && status == BURSAR_OK; i++)
        status = submit_one(submitting, i, err);
    if (status == BURSAR_OK && submitting->bad == 0)
        status = find_repeats(submitting, err);
    if (status != BURSAR_OK || submitting->bad > 0) {
        struct bursar_error ignored;
        enum bursar_status ended = store->import_end(store->ctx, false, NULL, NULL, &committed, &ignored);
        return status != BURSAR_OK  ? status
               : ended == BURSAR_OK ? BURSAR_OK
                                    : bursar_fail(err, ended, "%s", ignored.message);
    }
    status = store->import_end(store->ctx, true, take_problem, submitting, &committed, err);
    if (status == BURSAR_OK && !committed && submitting->bad == 0)
        return bursar_fail(err, BURSAR_EINTERNAL, "the store did not keep the payments, and did not say why");
    return status;
}

/* Nothing was added: no item has an id. */
static enum bursar_status report_bad(struct submitting *submitting, struct bursar_error *err)
{
    size_t first = submitting->count;
    for (size_t i = submitting->count; i-- > 0;) {
        submitting->results[i].id = 0;
        submitting->results[i].added = false;
        if (submitting->results[i].status != BURSAR_OK)
            first = i;
    }
    const struct bursar_submitted *result = &submitting->results[first];
    return bursar_fail(err, BURSAR_EINVAL,
                       "nothing was added: %zu of %zu items are wrong, the first is item %zu: %s %.300s",
                       submitting->bad, submitting->count, first, result->field, result->message);
}

static enum bursar_status run_submit(struct submitting *submitting, int64_t treasury, const char *actor,
                                     struct bursar_error *err)
{
    struct store *store = &submitting->store->store;
    enum bursar_status status = embed_store_enter(submitting->store, err);
    if (status != BURSAR_OK)
        return status;
    status = store->treasury_get(store->ctx, treasury, &submitting->treasury, err);
    if (status == BURSAR_OK)
        status = submit_all(submitting, actor, err);
    embed_store_leave(submitting->store);
    return status == BURSAR_OK && submitting->bad > 0 ? report_bad(submitting, err) : status;
}

enum bursar_status bursar_store_submit(struct bursar_store *store, int64_t treasury,
                                       const struct bursar_payment *payments, size_t count, const char *actor,
                                       struct bursar_submitted *ret, struct bursar_error *err)
{
    size_t length = actor ? strlen(actor) : 0;
    if (!payments || count == 0 || count > BURSAR_SUBMIT_MAX_COUNT)
        return bursar_fail(err, BURSAR_EUSAGE, "%zu payments; 1 to %d can be submitted at once", count,
                           BURSAR_SUBMIT_MAX_COUNT);
    if (length == 0 || length > ACTOR_BYTES)
        return bursar_fail(err, BURSAR_EUSAGE, "actor: 1 to %d bytes are needed", ACTOR_BYTES);
    enum bursar_status status = embed_check_size(payments->size, PAYMENT_FIRST_BYTES, "bursar_payment", err);
    if (status != BURSAR_OK)
        return status;
    struct submitting submitting = {
        .store = store, .payments = (const uint8_t *)payments, .stride = payments->size, .count = count
    };
    submitting.results = calloc(count, sizeof *submitting.results);
    if (!submitting.results)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    status = run_submit(&submitting, treasury, actor, err);
    if (ret && (status == BURSAR_OK || (status == BURSAR_EINVAL && submitting.bad > 0)))
        memcpy(ret, submitting.results, count * sizeof *ret);
    free(submitting.results);
    return status;
}

typedef enum bursar_status decide_call(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                       struct bursar_error *err);

enum bursar_status embed_check_decision(const char *actor, const char *reason, struct bursar_error *err)
{
    size_t actor_bytes = actor ? strlen(actor) : 0, reason_bytes = reason ? strlen(reason) : 0;
    if (actor_bytes == 0 || actor_bytes > ACTOR_BYTES || reason_bytes == 0 || reason_bytes > REASON_BYTES)
        return bursar_fail(err, BURSAR_EUSAGE, "actor: 1 to %d bytes, reason: 1 to %d bytes are needed", ACTOR_BYTES,
                           REASON_BYTES);
    return BURSAR_OK;
}

static enum bursar_status decide(struct bursar_store *store, decide_call *call, int64_t treasury, int64_t id,
                                 const char *actor, const char *reason, struct bursar_error *err)
{
    enum bursar_status status = embed_check_decision(actor, reason, err);
    if (status == BURSAR_OK)
        status = embed_store_enter(store, err);
    if (status != BURSAR_OK)
        return status;
    const struct decision decision = { actor, reason, store->clock.wall_ms(store->clock.ctx) };
    struct bursar_error why = { 0 };
    status = call(store->store.ctx, treasury, id, &decision, &why);
    embed_store_leave(store);
    if (status == BURSAR_EREFUSED) /* the lifecycle's no: nothing that a person must be called for */
        status = BURSAR_ECONFLICT;
    return status == BURSAR_OK ? BURSAR_OK : bursar_fail(err, status, "%s", why.message);
}

enum bursar_status bursar_store_cancel(struct bursar_store *store, int64_t treasury, int64_t id, const char *actor,
                                       const char *reason, struct bursar_error *err)
{
    return decide(store, store->store.cancel, treasury, id, actor, reason, err);
}

enum bursar_status bursar_store_retry(struct bursar_store *store, int64_t treasury, int64_t id, const char *actor,
                                      const char *reason, struct bursar_error *err)
{
    return decide(store, store->store.retry, treasury, id, actor, reason, err);
}
