/* The circuit breaker's row. An executor saves what it has counted, a person may change it at any time: the version
 * says who was first, and neither overwrites what it has not seen. */
#include "store/sqlite_core.h"

#include <string.h>

#define AGE_BYTES 4
#define SLICE_BYTES (3 * AGE_BYTES)

static void bind_age(sqlite3_stmt *stmt, int index, uint64_t age_ms)
{
    if (age_ms != BURSAR_BREAKER_NEVER) /* else NULL */
        bind_u64(stmt, index, age_ms);
}

static uint64_t column_age(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? BURSAR_BREAKER_NEVER : column_u64(stmt, column);
}

static uint8_t *put_u32(uint8_t *to, uint32_t value)
{
    for (unsigned b = 0; b < AGE_BYTES; b++)
        to[b] = (uint8_t)(value >> (24 - 8 * b));
    return to + AGE_BYTES;
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void ages_to_bytes(const struct bursar_breaker_memory *memory, uint8_t *ret)
{
    for (uint32_t i = 0; i < memory->failures; i++)
        ret = put_u32(ret, memory->failure_ago_ms[i]);
}

static void slices_to_bytes(const struct bursar_breaker_memory *memory, uint8_t *ret)
{
    for (uint32_t i = 0; i < memory->slices; i++) {
        ret = put_u32(ret, memory->slice[i].ago_ms);
        ret = put_u32(ret, memory->slice[i].calls);
        ret = put_u32(ret, memory->slice[i].failures);
    }
}

/* The schema's CHECK sees to the length. */
static const uint8_t *column_parts(sqlite3_stmt *stmt, int column, size_t part_bytes, size_t max, uint32_t *ret_count)
{
    const uint8_t *bytes = sqlite3_column_blob(stmt, column);
    size_t count = (size_t)sqlite3_column_bytes(stmt, column) / part_bytes;
    *ret_count = bytes && count <= max ? (uint32_t)count : 0;
    return bytes;
}

static void column_ages(sqlite3_stmt *stmt, int column, struct bursar_breaker_memory *ret)
{
    const uint8_t *bytes = column_parts(stmt, column, AGE_BYTES, BURSAR_BREAKER_THRESHOLD_MAX, &ret->failures);
    for (uint32_t i = 0; i < ret->failures; i++)
        ret->failure_ago_ms[i] = get_u32(bytes + (size_t)i * AGE_BYTES);
}

static void column_slices(sqlite3_stmt *stmt, int column, struct bursar_breaker_memory *ret)
{
    const uint8_t *bytes = column_parts(stmt, column, SLICE_BYTES, BURSAR_BREAKER_SLICES, &ret->slices);
    for (uint32_t i = 0; i < ret->slices; i++, bytes += SLICE_BYTES)
        ret->slice[i] = (struct bursar_breaker_slice){ .ago_ms = get_u32(bytes),
                                                       .calls = get_u32(bytes + AGE_BYTES),
                                                       .failures = get_u32(bytes + (size_t)2 * AGE_BYTES) };
}

static enum bursar_status read_row(struct sqlite_store *store, int64_t treasury, struct breaker_record *ret,
                                   struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_BREAKER_LOAD, err);
    bind_i64(stmt, 1, treasury);
    bool row = false;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK)
        return status;
    if (!row)
        return bursar_fail(err, BURSAR_ENOTFOUND, "%s: no such treasury", store->path);
    *ret = (struct breaker_record){ .version = column_u64(stmt, 0),
                                    .memory = { .state = (enum bursar_breaker_state)sqlite3_column_int(stmt, 1),
                                                .forced = sqlite3_column_int(stmt, 2) == 1,
                                                .saved_wall_ms = column_u64(stmt, 3),
                                                .open_left_ms = column_u64(stmt, 4),
                                                .failed_ago_ms = column_age(stmt, 5),
                                                .changed_ago_ms = column_age(stmt, 6),
                                                .trial_ago_ms = column_u64(stmt, 7),
                                                .successes = (uint32_t)sqlite3_column_int(stmt, 8),
                                                .trials = (uint32_t)sqlite3_column_int(stmt, 9),
                                                .openings = (uint32_t)sqlite3_column_int64(stmt, 15),
                                                .held_left_ms = column_u64(stmt, 17) },
                                    .command = (enum breaker_command)sqlite3_column_int(stmt, 11),
                                    .commanded_ms = column_u64(stmt, 14) };
    column_ages(stmt, 10, &ret->memory);
    column_slices(stmt, 16, &ret->memory);
    column_copy(stmt, 12, ret->actor, sizeof ret->actor);
    column_copy(stmt, 13, ret->reason, sizeof ret->reason);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

/* Compare-and-set on the record's version. */
static enum bursar_status write_row(struct sqlite_store *store, int64_t treasury, const struct breaker_record *record,
                                    struct bursar_error *err)
{
    const struct bursar_breaker_memory *memory = &record->memory;
    uint8_t ages[BURSAR_BREAKER_THRESHOLD_MAX * AGE_BYTES];
    uint8_t slices[BURSAR_BREAKER_SLICES * SLICE_BYTES];
    if (memory->failures > BURSAR_BREAKER_THRESHOLD_MAX || memory->slices > BURSAR_BREAKER_SLICES)
        return bursar_fail(err, BURSAR_EINTERNAL, "a circuit breaker with %u failures in %u slices",
                           (unsigned)memory->failures, (unsigned)memory->slices);
    ages_to_bytes(memory, ages);
    slices_to_bytes(memory, slices);
    sqlite3_stmt *stmt = statement(store, SQL_BREAKER_SAVE, err);
    bind_i64(stmt, 1, treasury);
    bind_u64(stmt, 2, record->version);
    bind_i64(stmt, 3, memory->state);
    bind_i64(stmt, 4, memory->forced);
    bind_u64(stmt, 5, memory->saved_wall_ms);
    bind_u64(stmt, 6, memory->open_left_ms);
    bind_age(stmt, 7, memory->failed_ago_ms);
    bind_age(stmt, 8, memory->changed_ago_ms);
    bind_u64(stmt, 9, memory->trial_ago_ms);
    bind_u64(stmt, 10, memory->successes);
    bind_u64(stmt, 11, memory->trials);
    if (stmt)
        (void)sqlite3_bind_blob(stmt, 12, ages, (int)(memory->failures * AGE_BYTES), SQLITE_STATIC);
    bind_i64(stmt, 13, record->command);
    bind_text(stmt, 14, record->actor);
    bind_text(stmt, 15, record->reason);
    bind_u64(stmt, 16, record->commanded_ms);
    bind_u64(stmt, 17, memory->openings);
    if (stmt)
        (void)sqlite3_bind_blob(stmt, 18, slices, (int)(memory->slices * SLICE_BYTES), SQLITE_STATIC);
    bind_u64(stmt, 19, memory->held_left_ms);
    int changed = 0;
    enum bursar_status status = run_statement(store, stmt, &changed, err);
    if (status == BURSAR_OK && changed != 1)
        return bursar_fail(err, BURSAR_ESTALE, "the circuit breaker was changed");
    return status;
}

static enum bursar_status load(void *ctx, int64_t treasury, struct breaker_record *ret, struct bursar_error *err)
{
    return read_row(ctx, treasury, ret, err);
}

static enum lifecycle_cause cause_of(enum bursar_breaker_state state)
{
    switch (state) {
    case BURSAR_BREAKER_CLOSED:
        return CAUSE_BREAKER_CLOSED;
    case BURSAR_BREAKER_OPEN:
        return CAUSE_BREAKER_OPENED;
    case BURSAR_BREAKER_HALF_OPEN:
        return CAUSE_BREAKER_HALF_OPENED;
    }
    return CAUSE_BREAKER_OPENED;
}

/* Failures come and go; only a change of the state is history. */
static enum bursar_status append_change(struct sqlite_store *store, int64_t treasury, enum bursar_breaker_state before,
                                        const struct bursar_breaker_memory *now, struct bursar_error *err)
{
    if (before == now->state)
        return BURSAR_OK;
    char detail[64];
    (void)snprintf(detail, sizeof detail, "was %s; failures: %u", bursar_breaker_state_name(before),
                   (unsigned)now->failures);
    struct event_fields event = { .treasury = treasury,
                                  .at_ms = now->saved_wall_ms,
                                  .cause = cause_of(now->state),
                                  .actor = store->holder,
                                  .detail = detail };
    return event_append(store, &event, err);
}

static enum bursar_status save(void *ctx, struct fence fence, const struct bursar_breaker_memory *memory,
                               uint64_t *ret_version, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct breaker_record record = { 0 };
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    status = read_row(store, fence.treasury, &record, err);
    enum bursar_breaker_state before = record.memory.state;
    if (status == BURSAR_OK) {
        record.memory = *memory;
        record.version = fence.breaker_version;
        status = write_row(store, fence.treasury, &record, err);
    }
    if (status == BURSAR_OK)
        status = append_change(store, fence.treasury, before, memory, err);
    status = write_end(store, status, err);
    if (status == BURSAR_OK)
        *ret_version = record.version + 1;
    return status;
}

/* Through the breaker itself, so that its rules stand in one place. The bounds are the widest there are: nothing that
 * is remembered is cut off here. What is damaged is started anew: a person's word counts more. */
static enum bursar_status command_memory(struct bursar_breaker_memory *memory, enum breaker_command command,
                                         uint64_t for_ms, uint64_t now_ms, struct bursar_error *err)
{
    const struct bursar_breaker_config widest = { .failure_threshold = BURSAR_BREAKER_THRESHOLD_MAX,
                                                  .success_threshold = BURSAR_BREAKER_THRESHOLD_MAX,
                                                  .timeout_ms = BURSAR_BREAKER_DURATION_MAX_MS,
                                                  .window_ms = BURSAR_BREAKER_DURATION_MAX_MS,
                                                  .jitter_percent = 100 };
    struct bursar_breaker *breaker = NULL;
    struct bursar_error damage;
    enum bursar_status status = bursar_breaker_new(&widest, &breaker, err);
    if (status != BURSAR_OK)
        return status;
    if (bursar_breaker_restore(breaker, memory, now_ms, now_ms, &damage) != BURSAR_OK)
        bursar_breaker_reset(breaker, now_ms);
    switch (command) {
    case BREAKER_COMMAND_OPEN:
        bursar_breaker_force_open_for(breaker, now_ms, for_ms);
        break;
    case BREAKER_COMMAND_CLOSE:
        bursar_breaker_force_close_for(breaker, now_ms, for_ms);
        break;
    case BREAKER_COMMAND_RESET:
        bursar_breaker_reset(breaker, now_ms);
        break;
    case BREAKER_COMMAND_NONE:
        status = bursar_fail(err, BURSAR_EINTERNAL, "no command for the circuit breaker");
        break;
    }
    if (status == BURSAR_OK)
        bursar_breaker_save(breaker, now_ms, now_ms, memory);
    bursar_breaker_free(breaker);
    return status;
}

static enum bursar_status append_command(struct sqlite_store *store, int64_t treasury, enum breaker_command command,
                                         uint64_t for_ms, const struct decision *decision, struct bursar_error *err)
{
    char detail[REASON_MAX_BYTES + 48];
    if (for_ms)
        (void)snprintf(detail, sizeof detail, "%sfor %llu s: %s", command == BREAKER_COMMAND_CLOSE ? "held " : "",
                       (unsigned long long)(for_ms / 1000), decision->reason);
    else
        (void)snprintf(detail, sizeof detail, "%s", decision->reason);
    static const enum lifecycle_cause causes[] = { [BREAKER_COMMAND_OPEN] = CAUSE_BREAKER_OPENED,
                                                   [BREAKER_COMMAND_CLOSE] = CAUSE_BREAKER_CLOSED,
                                                   [BREAKER_COMMAND_RESET] = CAUSE_BREAKER_RESET };
    struct event_fields event = { .treasury = treasury,
                                  .at_ms = decision->at_ms,
                                  .cause = causes[command],
                                  .actor = decision->actor,
                                  .detail = detail };
    return event_append(store, &event, err);
}

static enum bursar_status force(void *ctx, int64_t treasury, enum breaker_command command, uint64_t for_ms,
                                const struct decision *decision, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    struct breaker_record record = { 0 };
    enum bursar_status status = decision_check(decision, err);
    if (status == BURSAR_OK && for_ms > breaker_command_max_ms(command))
        status =
            bursar_fail(err, BURSAR_EINVAL,
                        "a circuit breaker is opened for 30 days at most, held closed for a day, reset for no time");
    if (status == BURSAR_OK)
        status = write_begin(store, NULL, err);
    if (status != BURSAR_OK)
        return status;
    status = read_row(store, treasury, &record, err);
    if (status == BURSAR_OK)
        status = command_memory(&record.memory, command, for_ms, decision->at_ms, err);
    if (status == BURSAR_OK) {
        record.command = command;
        record.commanded_ms = decision->at_ms;
        (void)snprintf(record.actor, sizeof record.actor, "%s", decision->actor);
        (void)snprintf(record.reason, sizeof record.reason, "%s", decision->reason);
        status = write_row(store, treasury, &record, err);
    }
    if (status == BURSAR_OK)
        status = append_command(store, treasury, command, for_ms, decision, err);
    return write_end(store, status, err);
}

void sqlite_fill_breaker(struct store *interface)
{
    interface->breaker_load = load;
    interface->breaker_save = save;
    interface->breaker_force = force;
}
