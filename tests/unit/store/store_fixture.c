/* The fixture's life, its second connection, and the steps of a payment's life. */
#include "store_fixture.h"

#include "base/time.h"
#include "store/sqlite_sums.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

int set_up_directory(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    (void)snprintf(f->directory, sizeof f->directory, "%s/bursar_store_XXXXXX", P_tmpdir);
    if (!mkdtemp(f->directory)) {
        free(f);
        return -1;
    }
    (void)snprintf(f->path, sizeof f->path, "%s/bursar.db", f->directory);
    *state = f;
    return 0;
}

int set_up_store(void **state)
{
    if (set_up_directory(state) != 0)
        return -1;
    struct fixture *f = *state;
    if (sqlite_store_create(f->path, &f->sqlite, &f->err) != BURSAR_OK) {
        print_error("%s\n", f->err.message);
        return -1;
    }
    f->store = sqlite_store_interface(f->sqlite);
    const struct bursar_address account = { { 0xaa, 1, 2, 3 } };
    const struct bursar_hash genesis = hash_of(1);
    const struct block_mark anchor = mark_at(ANCHOR_NUMBER, 0);
    OK(f, treasury_add, "main", CHAIN_ID, &account, "block/120", &f->treasury);
    OK(f, treasury_pin, f->treasury, &genesis, FIRST_NONCE, &anchor, &anchor);
    return 0;
}

int set_up_leased(void **state)
{
    if (set_up_store(state) != 0)
        return -1;
    struct fixture *f = *state;
    OK(f, lease_take, f->treasury, "tester", 15000, NOW_MS, &f->fence);
    return 0;
}

static void remove_files(const char *directory)
{
    DIR *listing = opendir(directory);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) < (int)sizeof path)
            (void)remove(path);
    }
    if (listing)
        (void)closedir(listing);
}

int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)sqlite3_close(f->raw);
    sqlite_store_close(f->sqlite);
    remove_files(f->directory);
    (void)rmdir(f->directory);
    free(f);
    return 0;
}

void expect_status(enum bursar_status got, enum bursar_status wanted, const struct bursar_error *err, const char *file,
                   int line)
{
    if (got != wanted)
        print_error("%s:%d: %s, expected %s%s%s\n", file, line, bursar_status_text(got), bursar_status_text(wanted),
                    got == BURSAR_OK ? "" : ": ", got == BURSAR_OK ? "" : err->message);
    _assert_int_equal((unsigned long long)got, (unsigned long long)wanted, file, line);
}

struct fixture open_again(const struct fixture *f, enum sqlite_mode mode)
{
    struct fixture again = { .treasury = f->treasury, .fence = f->fence };
    (void)snprintf(again.path, sizeof again.path, "%s", f->path);
    enum bursar_status status = sqlite_store_open(f->path, mode, NULL, NULL, &again.sqlite, &again.err);
    expect_status(status, BURSAR_OK, &again.err, __FILE__, __LINE__);
    again.store = sqlite_store_interface(again.sqlite);
    return again;
}

void close_again(struct fixture *again)
{
    (void)sqlite3_close(again->raw);
    sqlite_store_close(again->sqlite);
    *again = (struct fixture){ 0 };
}

static sqlite3 *raw(struct fixture *f)
{
    if (!f->raw) {
        assert_int_equal(sqlite3_open(f->path, &f->raw), SQLITE_OK);
        assert_true(sqlite_sums_install(f->raw));
        assert_int_equal(sqlite3_exec(f->raw, "PRAGMA foreign_keys = ON", NULL, NULL, NULL), SQLITE_OK);
    }
    return f->raw;
}

void raw_run(struct fixture *f, const char *sql)
{
    if (sqlite3_exec(raw(f), sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(f->raw));
}

void raw_refused(struct fixture *f, const char *sql, const char *because)
{
    if (sqlite3_exec(raw(f), sql, NULL, NULL, NULL) == SQLITE_OK)
        fail_msg("the database took: %s", sql);
    if (!strstr(sqlite3_errmsg(f->raw), because))
        fail_msg("%s: refused because: %s", sql, sqlite3_errmsg(f->raw));
}

int64_t raw_number_of(struct fixture *f, const char *sql, int64_t argument)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(raw(f), sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(f->raw));
    (void)sqlite3_bind_int64(stmt, 1, argument);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return number;
}

int64_t raw_number(struct fixture *f, const char *sql)
{
    return raw_number_of(f, sql, 0);
}

static int append_row(void *ctx, int columns, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < columns; i++) {
        if (!buf_append_format(ctx, "%s|", values[i] ? values[i] : "NULL"))
            return 1;
    }
    return buf_append_text(ctx, "\n") ? 0 : 1;
}

static int dump_table(void *ctx, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    struct fixture *f = ((void **)ctx)[0];
    return sqlite3_exec(raw(f), values[0], append_row, ((void **)ctx)[1], NULL);
}

char *dump(struct fixture *f)
{
    /* One SELECT a table, blobs as hexadecimal digits. */
    static const char tables[] =
        "SELECT 'SELECT ''' || t.name || ''', ' || group_concat('quote(' || c.name || ')') || ' FROM ' || t.name "
        "FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' GROUP BY t.name ORDER BY t.name";
    struct buf out = { 0 };
    void *ctx[] = { f, &out };
    assert_int_equal(sqlite3_exec(raw(f), tables, dump_table, ctx, NULL), SQLITE_OK);
    assert_non_null(out.data);
    return out.data;
}

char *file_bytes(const char *path, size_t *ret_bytes)
{
    struct stat file;
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &file), 0);
    char *bytes = calloc(1, (size_t)file.st_size + 1);
    assert_non_null(bytes);
    *ret_bytes = fread(bytes, 1, (size_t)file.st_size, in);
    assert_int_equal(*ret_bytes, file.st_size);
    assert_int_equal(fclose(in), 0);
    return bytes;
}

struct bursar_hash hash_of(uint64_t seed)
{
    struct bursar_hash hash = { { 0xbe } };
    for (unsigned i = 0; i < 8; i++)
        hash.bytes[31 - i] = (uint8_t)(seed >> (8 * i));
    return hash;
}

struct block_mark mark_at(uint64_t number, uint64_t fork)
{
    return (struct block_mark){ .number = number, .hash = hash_of((fork + 1) * 1000000 + number) };
}

enum import_outcome add_row(struct fixture *f, const struct row *row, uint64_t line, int64_t *ret_id,
                            uint64_t *ret_line)
{
    const char *dependencies[COUNT_OF(row->depends_on)];
    struct import_row import = { .line = line,
                                 .content_hash = hash_of(row->content),
                                 .obligation = { .ref = row->ref,
                                                 .destination = { { 0xd0, 0xd1 } },
                                                 .amount =
                                                     bursar_amount_from_u64(row->amount_wei ? row->amount_wei : 1000),
                                                 .schedule = row->schedule,
                                                 .schedule_value = row->schedule_value,
                                                 .asset = { .is_token = row->token != NULL },
                                                 .memo = "memo",
                                                 .memo_bytes = 4,
                                                 .dependencies = dependencies } };
    if (row->token)
        import.obligation.asset.token = *row->token;
    for (size_t i = 0; i < COUNT_OF(row->depends_on) && row->depends_on[i]; i++)
        dependencies[import.obligation.dependency_count++] = row->depends_on[i];
    enum import_outcome outcome = 0;
    OK(f, import_add, &import, &outcome, ret_id, ret_line);
    return outcome;
}

static void finish_import(struct fixture *f)
{
    bool committed = false;
    OK(f, import_end, true, NULL, NULL, &committed);
    assert_true(committed);
}

int64_t import_rows(struct fixture *f, const struct row *rows, size_t count)
{
    int64_t first = 0, id = 0;
    uint64_t line = 0;
    OK(f, import_begin, f->treasury, "rows.csv", "tester", NOW_MS);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(add_row(f, &rows[i], i + 2, &id, &line), IMPORT_ADDED);
        if (i == 0)
            first = id;
    }
    finish_import(f);
    return first;
}

int64_t import_one(struct fixture *f, const char *ref)
{
    return import_rows(f, &(struct row){ .ref = ref }, 1);
}

int64_t import_many(struct fixture *f, const char *prefix, size_t count, const char *depends_on)
{
    int64_t first = 0, id = 0;
    uint64_t line = 0;
    OK(f, import_begin, f->treasury, "rows.csv", "tester", NOW_MS);
    for (size_t i = 0; i < count; i++) {
        char ref[64];
        (void)snprintf(ref, sizeof ref, "%s%zu", prefix, i);
        struct row row = { .ref = ref, .depends_on = { depends_on } };
        assert_int_equal(add_row(f, &row, i + 2, &id, &line), IMPORT_ADDED);
        if (i == 0)
            first = id;
    }
    finish_import(f);
    return first;
}

struct binding binding_of(struct fixture *f, int64_t disbursement, uint64_t nonce)
{
    return (struct binding){ .disbursement = disbursement,
                             .version = (uint64_t)raw_number_of(f, "SELECT version FROM disbursement WHERE id = ?1",
                                                                disbursement),
                             .nonce = nonce,
                             .to = { { 0xd0, 0xd1 } },
                             .value = bursar_amount_from_u64(1000),
                             .gas_limit = 21000 };
}

uint64_t next_nonce_of(struct fixture *f)
{
    struct lane lane;
    OK(f, lane_read, f->treasury, &lane);
    return lane.next_nonce;
}

int64_t bind_row(struct fixture *f, int64_t disbursement)
{
    struct binding binding = binding_of(f, disbursement, next_nonce_of(f));
    OK(f, bind, f->fence, NOW_MS, &binding, 1);
    return raw_number(f, "SELECT max(id) FROM intent");
}

struct new_attempt attempt_of(int64_t intent, uint64_t seed)
{
    static const uint8_t raw_bytes[] = { 2, 0xf8, 0x6b };
    return (struct new_attempt){ .intent = intent,
                                 .purpose = 1,
                                 .raw = raw_bytes,
                                 .raw_bytes = sizeof raw_bytes,
                                 .hash = hash_of(seed),
                                 .max_priority_fee_per_gas_wei = 2,
                                 .max_fee_per_gas_wei = 200 };
}

int64_t sign_intent(struct fixture *f, int64_t intent, uint64_t seed)
{
    struct new_attempt attempt = attempt_of(intent, seed);
    OK(f, attempts_add, f->fence, NOW_MS, &attempt, 1);
    return raw_number(f, "SELECT max(id) FROM attempt");
}

int64_t intent_of(struct fixture *f, int64_t attempt)
{
    return raw_number_of(f, "SELECT intent FROM attempt WHERE id = ?1", attempt);
}

void include_attempt(struct fixture *f, int64_t attempt, struct block_mark block)
{
    struct included_attempt included = { .attempt = attempt, .intent = intent_of(f, attempt), .block = block };
    struct settlement settlement = { .included = &included, .included_count = 1 };
    OK(f, settle, f->fence, NOW_MS, &settlement);
}

void finish_attempt(struct fixture *f, int64_t attempt, bool succeeded)
{
    struct final_attempt final = { .attempt = attempt,
                                   .intent = intent_of(f, attempt),
                                   .succeeded = succeeded,
                                   .gas_used = 21000,
                                   .effective_gas_price_wei = 9 };
    struct settlement settlement = { .final = &final, .final_count = 1 };
    OK(f, settle, f->fence, NOW_MS, &settlement);
}

int64_t pay_row(struct fixture *f, int64_t disbursement, bool succeeded)
{
    int64_t attempt = sign_intent(f, bind_row(f, disbursement), 5000 + (uint64_t)disbursement);
    include_attempt(f, attempt, mark_at(ANCHOR_NUMBER + 1, 0));
    finish_attempt(f, attempt, succeeded);
    return attempt;
}

enum disbursement_state state_of(struct fixture *f, int64_t disbursement)
{
    return (enum disbursement_state)raw_number_of(f, "SELECT state FROM disbursement WHERE id = ?1", disbursement);
}

void assert_sums(struct fixture *f)
{
    assert_int_equal(raw_number(f, "SELECT count(*) FROM (SELECT treasury, standing, schedule, schedule_value, asset, "
                                   "count(*) AS n FROM owing GROUP BY 1, 2, 3, 4, 5) g LEFT JOIN owed o "
                                   "USING (treasury, standing, schedule, schedule_value, asset) WHERE g.n IS NOT o.n"),
                     0);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM owed WHERE n > 0"),
                     raw_number(f, "SELECT count(*) FROM (SELECT DISTINCT treasury, standing, schedule, "
                                   "schedule_value, asset FROM owing)"));
    assert_int_equal(raw_number(f, "SELECT count(*) FROM owed WHERE n = 0 AND amount <> zeroblob(40)"), 0);
}

void assert_counts(struct fixture *f)
{
    assert_int_equal(
        raw_number(f, "SELECT count(*) FROM treasury, (SELECT DISTINCT state AS s FROM disbursement) LEFT JOIN "
                      "queue_count q ON q.treasury = treasury.id AND q.state = s WHERE q.n IS NOT (SELECT "
                      "count(*) FROM disbursement d WHERE d.treasury = treasury.id AND d.state = s)"),
        0);
    assert_int_equal(raw_number(f, "SELECT sum(n) FROM queue_count"),
                     raw_number(f, "SELECT count(*) FROM disbursement"));
}
