/* What a treasury owes, and what of it is due: read from sums that the schema's triggers keep (0015_owed.sql), so that
 * it costs as much as there are different times and assets, however many rows there are. */
#include "store/sqlite_core.h"
#include "store/sqlite_sums.h"

#include <stdlib.h>
#include <string.h>

/* Of the schema's column `standing`. */
enum standing {
    STANDING_BOUND = 1,
    STANDING_READY = 2, /* due once its schedule is reached */
    STANDING_WAITS = 3, /* for another disbursement */
};

struct owed_look {
    int64_t treasury;
    bool has_final;
    uint64_t final_time_s, final_epoch; /* what schedules are compared with */
    size_t looked_count;                /* for the oldest */
    struct owed_view *owed;
};

/* Of the schedules of one kind. */
static bool is_reached(const struct owed_look *look, enum schedule_kind schedule, uint64_t value)
{
    switch (schedule) {
    case SCHEDULE_NOW:
        return true;
    case SCHEDULE_TIME:
        return look->has_final && value <= look->final_time_s;
    case SCHEDULE_EPOCH:
        return look->has_final && value <= look->final_epoch;
    }
    return false;
}

static enum bursar_status read_reached(struct sqlite_store *store, struct owed_look *look, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_OWED_REACHED, err);
    bind_i64(stmt, 1, look->treasury);
    bool row;
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK || !row)
        return status;
    look->has_final = sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    look->final_time_s = column_u64(stmt, 0);
    look->final_epoch = column_u64(stmt, 1);
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

/* The coin is always the first. NULL: there is no room for one more. */
static struct owed_asset *find_asset(struct owed_view *owed, const struct asset *asset)
{
    if (!asset->is_token)
        return &owed->assets[0];
    for (size_t i = 1; i < owed->count; i++) {
        if (memcmp(&owed->assets[i].asset.token, &asset->token, sizeof asset->token) == 0)
            return &owed->assets[i];
    }
    if (owed->count == OWED_ASSETS_MAX_COUNT)
        return NULL;
    owed->assets[owed->count] = (struct owed_asset){ .asset = *asset };
    return &owed->assets[owed->count++];
}

/* What has more than 256 bits stays at the most that an amount can be, and is said not to be all. */
static void add(struct bursar_amount *sum, const struct bursar_amount *more, bool *is_all)
{
    static const struct bursar_amount most = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    if (bursar_amount_add(*sum, *more, sum))
        return;
    *sum = most;
    *is_all = false;
}

static void column_sum(sqlite3_stmt *stmt, int column, struct bursar_amount *ret, bool *is_all)
{
    static const uint8_t none[SUM_BYTES - BURSAR_AMOUNT_BE_BYTES];
    const uint8_t *bytes = sqlite3_column_blob(stmt, column);
    *ret = (struct bursar_amount){ 0 };
    if (!bytes || sqlite3_column_bytes(stmt, column) != SUM_BYTES) /* the schema's CHECK sees to that */
        return;
    if (memcmp(bytes, none, sizeof none) != 0) {
        *ret = (struct bursar_amount){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
        *is_all = false;
        return;
    }
    *ret = bursar_amount_from_be(bytes + sizeof none);
}

static void note_since(struct owed_view *owed, bool is_timed, uint64_t value, uint64_t queued_ms)
{
    uint64_t promised_ms = is_timed ? value * 1000 : 0;
    uint64_t since_ms = promised_ms > queued_ms ? promised_ms : queued_ms;
    if (owed->oldest_ms == 0 || since_ms < owed->oldest_ms)
        owed->oldest_ms = since_ms;
}

/* The oldest of those that have this schedule is the one that came first. Promised later than what is known already,
 * it can't be the oldest of all. */
static enum bursar_status look_at_first(struct sqlite_store *store, struct owed_look *look, enum schedule_kind schedule,
                                        uint64_t value, struct bursar_error *err)
{
    struct owed_view *owed = look->owed;
    bool is_timed = schedule == SCHEDULE_TIME, row;
    if ((is_timed && owed->oldest_ms && value >= owed->oldest_ms / 1000 + 1) ||
        look->looked_count >= OWED_OLDEST_LOOKED_MAX_COUNT)
        return BURSAR_OK;
    look->looked_count++;
    sqlite3_stmt *stmt = statement(store, SQL_OWED_FIRST, err);
    bind_i64(stmt, 1, look->treasury);
    bind_i64(stmt, 2, schedule);
    bind_u64(stmt, 3, value);
    enum bursar_status status = step_row(store, stmt, &row, err);
    if (status != BURSAR_OK || !row)
        return status;
    note_since(owed, is_timed, value, column_u64(stmt, 0));
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static void take_sum(struct owed_look *look, sqlite3_stmt *stmt, bool is_due, bool is_queued)
{
    struct owed_view *owed = look->owed;
    struct asset asset = { .is_token = sqlite3_column_bytes(stmt, 1) > 0 };
    struct bursar_amount amount;
    uint64_t count = column_u64(stmt, 2);
    if (asset.is_token)
        column_address(stmt, 1, &asset.token);
    owed->matured_count += is_due && is_queued ? count : 0;
    if (count == 0)
        return;
    struct owed_asset *entry = find_asset(owed, &asset);
    if (!entry) {
        owed->is_all = false;
        return;
    }
    column_sum(stmt, 3, &amount, &owed->is_all);
    entry->has_decimals = sqlite3_column_type(stmt, 4) != SQLITE_NULL;
    entry->decimals = (unsigned)sqlite3_column_int(stmt, 4);
    entry->owed_count += count;
    add(&entry->owed, &amount, &owed->is_all);
    if (!is_due)
        return;
    entry->due_count += count;
    add(&entry->due, &amount, &owed->is_all);
}

static enum bursar_status take_sums(struct sqlite_store *store, struct owed_look *look, enum standing standing,
                                    enum schedule_kind schedule, struct bursar_error *err)
{
    sqlite3_stmt *stmt = statement(store, SQL_OWED_SUMS, err);
    bind_i64(stmt, 1, look->treasury);
    bind_i64(stmt, 2, standing);
    bind_i64(stmt, 3, schedule);
    bind_i64(stmt, 4, OWED_SUMS_MAX_COUNT + 1);
    bool row = true;
    uint64_t before = UINT64_MAX; /* schedules are below 2^63 */
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; status == BURSAR_OK; i++) {
        status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK || !row)
            return status;
        if (i == OWED_SUMS_MAX_COUNT) {
            look->owed->is_all = false;
            break;
        }
        uint64_t value = column_u64(stmt, 0);
        bool is_due = standing == STANDING_BOUND || (standing == STANDING_READY && is_reached(look, schedule, value));
        take_sum(look, stmt, is_due, standing == STANDING_READY);
        if (is_due && standing == STANDING_READY && value != before)
            status = look_at_first(store, look, schedule, value, err);
        before = value;
    }
    (void)sqlite3_reset(stmt);
    return status;
}

/* Those that are passed over, in the order in which they came: once one has come later than what is known already, so
 * have all others. */
static enum bursar_status look_at_blocked(struct sqlite_store *store, struct owed_look *look, struct bursar_error *err)
{
    struct owed_view *owed = look->owed;
    sqlite3_stmt *stmt = statement(store, SQL_OWED_BLOCKED, err);
    bind_i64(stmt, 1, look->treasury);
    bind_i64(stmt, 2, OWED_OLDEST_LOOKED_MAX_COUNT);
    for (;;) {
        bool row;
        enum bursar_status status = step_row(store, stmt, &row, err);
        if (status != BURSAR_OK || !row)
            return status;
        uint64_t queued_ms = column_u64(stmt, 2);
        if (owed->oldest_ms && queued_ms >= owed->oldest_ms)
            break;
        note_since(owed, sqlite3_column_int(stmt, 0) == SCHEDULE_TIME, column_u64(stmt, 1), queued_ms);
    }
    (void)sqlite3_reset(stmt);
    return BURSAR_OK;
}

static int by_token(const void *a, const void *b)
{
    const struct owed_asset *left = a, *right = b;
    return memcmp(&left->asset.token, &right->asset.token, sizeof left->asset.token);
}

/* What is due comes first, so that it is what the bounds leave in. */
enum bursar_status owed_read(struct sqlite_store *store, int64_t treasury, struct owed_view *ret,
                             struct bursar_error *err)
{
    static const struct {
        enum standing standing;
        enum schedule_kind schedule;
    } kinds[] = {
        { STANDING_BOUND, SCHEDULE_NOW },   { STANDING_READY, SCHEDULE_NOW }, { STANDING_READY, SCHEDULE_TIME },
        { STANDING_READY, SCHEDULE_EPOCH }, { STANDING_WAITS, SCHEDULE_NOW },
    };
    *ret = (struct owed_view){ .is_all = true, .count = 1 };
    struct owed_look look = { .treasury = treasury, .owed = ret };
    enum bursar_status status = read_reached(store, &look, err);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == BURSAR_OK; i++)
        status = take_sums(store, &look, kinds[i].standing, kinds[i].schedule, err);
    if (status == BURSAR_OK)
        status = look_at_blocked(store, &look, err);
    qsort(ret->assets + 1, ret->count - 1, sizeof ret->assets[0], by_token);
    return status;
}

/* Of one moment, also while others write. */
static enum bursar_status owed(void *ctx, int64_t treasury, struct owed_view *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = run_statement(store, statement(store, SQL_BEGIN_READ, err), NULL, err);
    if (status != BURSAR_OK)
        return status;
    return write_end(store, owed_read(store, treasury, ret, err), err);
}

void sqlite_fill_owed(struct store *interface)
{
    interface->owed = owed;
}
