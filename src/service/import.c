/* Reads the file row by row into one import of the store; every bad row is reported, up to a limit. */
#include "service/import.h"

#include "base/time.h"
#include "service/file_tokens.h"
#include "service/json_values.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct importing {
    const struct store *store;
    const struct treasury *treasury;
    const struct import_order *order;
    struct import_result *result;
    struct file_tokens tokens;
    bool has_enough; /* reading stopped at the limit of errors */
};

static void add_error(struct importing *importing, uint64_t line, const char *column, const char *format, ...)
    BURSAR_PRINTF(4, 5);
static void add_error(struct importing *importing, uint64_t line, const char *column, const char *format, ...)
{
    struct import_result *result = importing->result;
    if (result->error_count >= IMPORT_ERRORS_SHOWN_MAX_COUNT)
        return;
    struct import_error *error = &result->errors[result->error_count++];
    error->line = line;
    (void)snprintf(error->column, sizeof error->column, "%.31s", column);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
}

static void take_bad_row(void *ctx, const struct payfile_error *error)
{
    add_error(ctx, error->line, error->column, "%s", error->message);
}

static void take_problem(void *ctx, const struct import_problem *problem)
{
    add_error(ctx, problem->line, problem->column, "%s", problem->message);
}

static bool remember(struct import_result *result, int64_t id, uint64_t line)
{
    if (result->id_count == result->id_capacity) {
        size_t capacity = result->id_capacity ? result->id_capacity * 2 : 1024;
        int64_t *ids = realloc(result->ids, capacity * sizeof *ids);
        if (!ids)
            return false;
        result->ids = ids;
        uint64_t *lines = realloc(result->lines, capacity * sizeof *lines);
        if (!lines)
            return false;
        result->lines = lines;
        result->id_capacity = capacity;
    }
    result->ids[result->id_count] = id;
    result->lines[result->id_count++] = line;
    return true;
}

static unsigned decimals_of(const struct importing *importing, const struct asset *asset)
{
    const struct file_tokens *tokens = &importing->tokens;
    for (size_t i = 0; asset->is_token && i < tokens->count; i++) {
        if (memcmp(&tokens->tokens[i].token, &asset->token, sizeof asset->token) == 0)
            return tokens->tokens[i].decimals;
    }
    return COIN_DECIMALS;
}

static enum bursar_status take_row(void *ctx, const struct payfile_row *row, struct bursar_error *err)
{
    struct importing *importing = ctx;
    struct import_result *result = importing->result;
    if (result->error_count >= IMPORT_ERRORS_SHOWN_MAX_COUNT) {
        importing->has_enough = true;
        return BURSAR_ECANCELLED;
    }
    struct import_row stored = { .line = row->line, .obligation = row->obligation };
    enum import_outcome outcome;
    int64_t id = 0;
    uint64_t line = 0;
    obligation_hash(&row->obligation, importing->treasury->chain_id, &importing->treasury->address,
                    &stored.content_hash);
    enum bursar_status status = importing->store->import_add(importing->store->ctx, &stored, &outcome, &id, &line, err);
    if (status != BURSAR_OK)
        return status;
    switch (outcome) {
    case IMPORT_ADDED:
        result->added++;
        break;
    case IMPORT_EXISTING:
        result->existing++;
        break;
    case IMPORT_OTHER_CONTENT:
        add_error(importing, row->line, "ref",
                  "'%s' is stored with other content as disbursement %lld (`bursar show %lld`): a ref is used once",
                  row->obligation.ref, (long long)id, (long long)id);
        if (result->error_count > 0)
            result->errors[result->error_count - 1].is_conflict = true;
        return BURSAR_OK;
    case IMPORT_TWICE:
        add_error(importing, row->line, "ref", "'%s' is in line %llu already: a ref is used once", row->obligation.ref,
                  (unsigned long long)line);
        return BURSAR_OK;
    }
    if (importing->order->row_seen)
        importing->order->row_seen(importing->order->row_seen_ctx, row, decimals_of(importing, &row->obligation.asset),
                                   outcome == IMPORT_ADDED);
    return remember(result, id, row->line) ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}

static enum bursar_status take_asset(void *ctx, const char *text, size_t length_bytes, struct payfile_asset *ret,
                                     struct bursar_error *err)
{
    struct importing *importing = ctx;
    return file_tokens_asset(&importing->tokens, text, length_bytes, ret, err);
}

struct place {
    int64_t id;
    uint64_t line;
};

static int by_id_then_line(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    if (p->id != q->id)
        return p->id < q->id ? -1 : 1;
    return (p->line > q->line) - (p->line < q->line);
}

/* The store knows a stored ref again each time it comes: that it came twice is found here. */
static enum bursar_status find_repeats(struct importing *importing, struct bursar_error *err)
{
    const struct import_result *result = importing->result;
    if (result->existing < 2)
        return BURSAR_OK;
    struct place *places = calloc(result->id_count, sizeof *places);
    if (!places)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < result->id_count; i++)
        places[i] = (struct place){ result->ids[i], result->lines[i] };
    qsort(places, result->id_count, sizeof *places, by_id_then_line);
    for (size_t i = 1; i < result->id_count; i++) {
        if (places[i].id == places[i - 1].id)
            add_error(importing, places[i].line, "ref",
                      "the ref of disbursement %lld is in line %llu already: a ref is used once",
                      (long long)places[i].id, (unsigned long long)places[i - 1].line);
    }
    free(places);
    return BURSAR_OK;
}

static int by_line(const void *a, const void *b)
{
    const struct import_error *p = a, *q = b;
    return (p->line > q->line) - (p->line < q->line);
}

static enum bursar_status read_rows(struct importing *importing, const struct import_order *order, FILE *file,
                                    struct bursar_error *err)
{
    struct payfile_options options = { .ref_prefix = order->ref_prefix, .native_decimals = COIN_DECIMALS };
    struct payfile_handlers handlers = {
        .ctx = importing, .asset = take_asset, .row = take_row, .error = take_bad_row
    };
    enum bursar_status status = payfile_read(file, &options, &handlers, err);
    if (importing->has_enough)
        return BURSAR_OK;
    if (status == BURSAR_EUNREACHABLE) { /* of a file on this machine: nothing to wait for */
        struct bursar_error reason = *err;
        return bursar_fail(err, BURSAR_EINVAL, "%.128s: %.350s", order->origin, reason.message);
    }
    return status == BURSAR_OK ? find_repeats(importing, err) : status;
}

static enum bursar_status run_import(struct importing *importing, const struct import_order *order, FILE *file,
                                     struct bursar_error *err)
{
    const struct store *store = importing->store;
    struct import_result *result = importing->result;
    struct clock clock = system_clock();
    struct bursar_error ignored;
    bool is_committed = false;
    enum bursar_status status = store->import_begin(store->ctx, importing->treasury->id, order->origin, order->actor,
                                                    clock.wall_ms(clock.ctx), err);
    if (status != BURSAR_OK)
        return status;
    status = file_tokens_pin(&importing->tokens, err);
    if (status == BURSAR_OK)
        status = read_rows(importing, order, file, err);
    if (status != BURSAR_OK || result->error_count > 0) {
        /* with rows missing, what depends on them would be reported as well: not asked for */
        enum bursar_status end = store->import_end(store->ctx, false, NULL, NULL, &is_committed, &ignored);
        (void)end;
    } else {
        status = store->import_end(store->ctx, !order->dry_run, take_problem, importing, &is_committed, err);
    }
    if (status != BURSAR_OK)
        return status;
    if (result->error_count == 0 && !order->dry_run && !is_committed)
        return bursar_fail(err, BURSAR_EINTERNAL, "the store did not keep the import, and did not say why");
    if (result->error_count == 0)
        return BURSAR_OK;
    qsort(result->errors, result->error_count, sizeof *result->errors, by_line);
    return bursar_fail(err, BURSAR_EINVAL, "%.300s: nothing was added%s", order->origin,
                       result->error_count >= IMPORT_ERRORS_SHOWN_MAX_COUNT ? "; the first 100 errors are shown" : "");
}

enum bursar_status import_rows(const struct store *store, const struct treasury_settings *settings,
                               const struct treasury *treasury, const struct import_order *order, FILE *file,
                               struct import_result *ret, struct bursar_error *err)
{
    struct importing importing = { .store = store, .treasury = treasury, .order = order, .result = ret };
    ret->errors = calloc(IMPORT_ERRORS_SHOWN_MAX_COUNT, sizeof *ret->errors);
    if (!ret->errors)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = file_tokens_find(store, settings, treasury, file, &importing.tokens, err);
    if (status == BURSAR_OK)
        status = run_import(&importing, order, file, err);
    file_tokens_free(&importing.tokens);
    return status;
}

void import_result_free(struct import_result *result)
{
    free(result->ids);
    free(result->lines);
    free(result->errors);
    *result = (struct import_result){ 0 };
}
