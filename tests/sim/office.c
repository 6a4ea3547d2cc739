/* Commands as short-lived processes: each opens the store, does one thing, and ends, or dies on the way. */
#include "inputs.h"

#include "base/cleanup.h"

#include <string.h>

struct desk {
    struct sqlite_store *sqlite;
    struct store store;
};

static bool desk_open(const struct office *office, struct desk *desk, struct bursar_error *err)
{
    disk_enter(office->disk, office->user);
    if (sqlite_store_open(office->store_path, SQLITE_MODE_WRITE, NULL, NULL, &desk->sqlite, err) != BURSAR_OK) {
        disk_enter(office->disk, NULL);
        return false;
    }
    desk->store = sqlite_store_interface(desk->sqlite);
    return true;
}

static void desk_close(const struct office *office, struct desk *desk)
{
    sqlite_store_close(desk->sqlite);
    disk_enter(office->disk, NULL);
}

static struct decision decision_now(const struct office *office)
{
    return (struct decision){ .actor = "somebody", .reason = "wanted", .at_ms = *office->now_ms };
}

/* --- pay --- */

static enum bursar_status add_row(const struct office *office, const struct inputs *inputs, const struct desk *desk,
                                  const struct input_row *row, uint64_t line, const struct payer *payer,
                                  struct bursar_error *err)
{
    const char *dependencies[ROW_DEPENDENCIES_MAX_COUNT], *field = NULL;
    enum import_outcome outcome;
    int64_t id;
    uint64_t earlier_line;
    for (size_t i = 0; i < row->dependency_count; i++)
        dependencies[i] = inputs->rows[row->dependencies[i]].ref;
    struct import_row import = { .line = line,
                                 .obligation = { .ref = row->ref,
                                                 .destination = row->destination,
                                                 .asset = { .is_token = row->token != SIM_TOKEN_NONE },
                                                 .amount = row->amount,
                                                 .schedule = row->schedule,
                                                 .schedule_value = row->schedule_value,
                                                 .memo = "",
                                                 .dependencies = dependencies,
                                                 .dependency_count = row->dependency_count } };
    if (row->token)
        import.obligation.asset.token = sim_token_address(row->token);
    enum bursar_status status = obligation_normalise(&import.obligation, &field, err);
    if (status != BURSAR_OK)
        return status;
    obligation_hash(&import.obligation, office->chain_id, &payer->address, &import.content_hash);
    status = desk->store.import_add(desk->store.ctx, &import, &outcome, &id, &earlier_line, err);
    if (status == BURSAR_OK && outcome != IMPORT_ADDED && outcome != IMPORT_EXISTING)
        finding_add(office->finding, PROPERTY_BROKEN, *office->step, "ref %s was not taken (outcome %d)", row->ref,
                    (int)outcome);
    return status;
}

static void take_problem(void *ctx, const struct import_problem *problem)
{
    const struct office *office = ctx;
    finding_add(office->finding, PROPERTY_BROKEN, *office->step, "import, line %llu, %s: %s",
                (unsigned long long)problem->line, problem->column, problem->message);
}

static enum bursar_status import_all(const struct office *office, const struct inputs *inputs, const struct desk *desk,
                                     const struct input_file *file, const struct payer *payer, struct bursar_error *err)
{
    bool is_committed = false;
    enum bursar_status status =
        desk->store.import_begin(desk->store.ctx, payer->id, "a file", "somebody", *office->now_ms, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < file->row_count && status == BURSAR_OK; i++)
        status = add_row(office, inputs, desk, &inputs->rows[file->first_row + i], i + 2, payer, err);
    bool commits = status == BURSAR_OK;
    struct bursar_error ignored = { 0 };
    enum bursar_status end = desk->store.import_end(desk->store.ctx, commits, take_problem, (void *)office,
                                                    &is_committed, commits ? err : &ignored);
    if (status == BURSAR_OK)
        status = end;
    if (status == BURSAR_OK && !is_committed)
        status = bursar_fail(err, BURSAR_EINTERNAL, "not committed");
    return status;
}

bool office_import(const struct office *office, struct inputs *inputs, struct input_file *file,
                   const struct payer *payer)
{
    struct bursar_error err = { 0 };
    struct desk desk;
    enum bursar_status status = BURSAR_ESTORAGE;
    if (desk_open(office, &desk, &err)) {
        status = import_all(office, inputs, &desk, file, payer, &err);
        desk_close(office, &desk);
    }
    file->is_imported = status == BURSAR_OK;
    trace_headline(office->trace, "%llu   pay file %u, %zu rows: %s", (unsigned long long)*office->step, file->number,
                   file->row_count, bursar_status_text(status));
    return file->is_imported;
}

/* --- decisions --- */

void office_cancel(const struct office *office, struct input_row *row, const struct payer *payer)
{
    struct bursar_error err = { 0 };
    struct decision decision = decision_now(office);
    struct desk desk;
    int64_t id = 0;
    bool is_bound = false;
    if (!desk_open(office, &desk, &err))
        return;
    enum bursar_status status = desk.store.ref_find(desk.store.ctx, payer->id, row->ref, &id, &err);
    if (status == BURSAR_OK) {
        status = desk.store.cancel(desk.store.ctx, payer->id, id, &decision, &err);
        if (status == BURSAR_OK)
            row->cancelled = CANCELLED_FOR_SURE;
        else if (status != BURSAR_EREFUSED && row->cancelled == CANCELLED_NOT)
            row->cancelled = CANCELLED_MAYBE;
        is_bound = status == BURSAR_EREFUSED;
    }
    if (is_bound) { /* whichever is mined decides */
        status = desk.store.cancel_request(desk.store.ctx, payer->id, id, &decision, &err);
        if (status != BURSAR_EREFUSED && row->cancelled == CANCELLED_NOT)
            row->cancelled = CANCELLED_MAYBE;
    }
    desk_close(office, &desk);
    trace_headline(office->trace, "%llu   cancel%s %s: %s", (unsigned long long)*office->step,
                   is_bound ? " what is bound," : "", row->ref, bursar_status_text(status));
}

struct staged_refs {
    char refs[64][REF_BYTES];
    size_t count;
};

static enum bursar_status take_staged(void *ctx, const struct disbursement_record *record)
{
    struct staged_refs *staged = ctx;
    if (staged->count < COUNT_OF(staged->refs))
        (void)snprintf(staged->refs[staged->count++], REF_BYTES, "%s", record->ref);
    return BURSAR_OK;
}

void office_cancel_sent(const struct office *office, struct inputs *inputs, const struct payer *payer, uint32_t which)
{
    struct bursar_error err = { 0 };
    struct list_filter filter = { .state = STATE_STAGED, .limit = COUNT_OF(((struct staged_refs *)0)->refs) };
    struct staged_refs staged = { .count = 0 };
    struct desk desk;
    if (!desk_open(office, &desk, &err))
        return;
    enum bursar_status status = desk.store.list(desk.store.ctx, payer->id, &filter, take_staged, &staged, &err);
    desk_close(office, &desk);
    if (status != BURSAR_OK || staged.count == 0)
        return;
    struct input_row *row = inputs_by_ref(inputs, staged.refs[which % staged.count]);
    if (row)
        office_cancel(office, row, payer);
}

struct failed_ids {
    int64_t ids[256];
    size_t count;
};

static enum bursar_status take_failed(void *ctx, const struct disbursement_record *record)
{
    struct failed_ids *failed = ctx;
    if (failed->count < COUNT_OF(failed->ids))
        failed->ids[failed->count++] = record->id;
    return BURSAR_OK;
}

bool office_retry_all(const struct office *office, const struct payer *payer)
{
    struct bursar_error err = { 0 };
    struct decision decision = decision_now(office);
    struct list_filter filter = { .state = STATE_FAILED, .limit = COUNT_OF(((struct failed_ids *)0)->ids) };
    struct failed_ids failed = { .count = 0 };
    struct desk desk;
    if (!desk_open(office, &desk, &err))
        return false;
    enum bursar_status status = desk.store.list(desk.store.ctx, payer->id, &filter, take_failed, &failed, &err);
    for (size_t i = 0; i < failed.count && status == BURSAR_OK; i++)
        status = desk.store.retry(desk.store.ctx, payer->id, failed.ids[i], &decision, &err);
    desk_close(office, &desk);
    trace_headline(office->trace, "%llu   retry all %zu that failed: %s", (unsigned long long)*office->step,
                   failed.count, bursar_status_text(status));
    return status == BURSAR_OK;
}

bool office_breaker(const struct office *office, const struct payer *payer, enum breaker_command command)
{
    static const char *const names[] = { [BREAKER_COMMAND_NONE] = "none",
                                         [BREAKER_COMMAND_OPEN] = "open",
                                         [BREAKER_COMMAND_CLOSE] = "close",
                                         [BREAKER_COMMAND_RESET] = "reset" };
    struct bursar_error err = { 0 };
    struct decision decision = decision_now(office);
    struct desk desk;
    if (!desk_open(office, &desk, &err))
        return false;
    enum bursar_status status = desk.store.breaker_force(desk.store.ctx, payer->id, command, 0, &decision, &err);
    desk_close(office, &desk);
    trace_headline(office->trace, "%llu   breaker %s: %s", (unsigned long long)*office->step, names[command],
                   bursar_status_text(status));
    return status == BURSAR_OK;
}

bool office_money(const struct office *office, const struct payer *payer, bool opens)
{
    struct bursar_error err = { 0 };
    struct decision decision = decision_now(office);
    struct desk desk;
    if (!desk_open(office, &desk, &err))
        return false;
    enum bursar_status status = desk.store.money_force(desk.store.ctx, payer->id, opens, &decision, &err);
    desk_close(office, &desk);
    trace_headline(office->trace, "%llu   money breaker %s: %s", (unsigned long long)*office->step,
                   opens ? "open" : "close", bursar_status_text(status));
    return status == BURSAR_OK;
}

bool office_sees_money_open(const struct office *office, const struct payer *payer)
{
    struct bursar_error err = { 0 };
    struct money_record record = { 0 };
    struct desk desk;
    if (!desk_open(office, &desk, &err))
        return false;
    enum bursar_status status = desk.store.money_load(desk.store.ctx, payer->id, &record, &err);
    desk_close(office, &desk);
    return status == BURSAR_OK && record.cause != MONEY_NONE;
}
