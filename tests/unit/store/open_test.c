/* Opening a store: what is refused and with what words, the settings that durability rests on, waiting for a lock. */
#include "store_fixture.h"

#include "store/network_fs.h"

#include <sys/stat.h>
#include <unistd.h>

static void close_all(struct fixture *f)
{
    (void)sqlite3_close(f->raw);
    sqlite_store_close(f->sqlite);
    f->raw = NULL;
    f->sqlite = NULL;
}

static enum bursar_status try_open(struct fixture *f, enum sqlite_mode mode)
{
    struct sqlite_store *store = NULL;
    enum bursar_status status = sqlite_store_open(f->path, mode, NULL, NULL, &store, &f->err);
    sqlite_store_close(store);
    return status;
}

/* Both ways of opening must refuse, say `because`, and leave every byte as it was. */
static void refused_unchanged(struct fixture *f, const char *because)
{
    size_t before_bytes, after_bytes;
    char *before = file_bytes(f->path, &before_bytes);
    for (int mode = SQLITE_MODE_READ; mode <= SQLITE_MODE_WRITE; mode++) {
        f->err = (struct bursar_error){ 0 };
        assert_int_equal(try_open(f, (enum sqlite_mode)mode), BURSAR_ESTORAGE);
        assert_contains(f->err.message, because);
        assert_contains(f->err.message, f->path);
    }
    char *after = file_bytes(f->path, &after_bytes);
    assert_int_equal(after_bytes, before_bytes);
    assert_memory_equal(after, before, before_bytes);
    free(before);
    free(after);
}

static void write_bytes(const char *path, const char *bytes, size_t count)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    assert_int_equal(fclose(out), 0);
}

static void a_store_that_is_not_there_is_not_created(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(try_open(f, SQLITE_MODE_WRITE), BURSAR_ESTORAGE);
    assert_contains(f->err.message, "no store at");
    assert_contains(f->err.message, "bursar init");
    assert_contains(f->err.message, "backup");
    assert_int_equal(access(f->path, F_OK), -1);
}

static void a_newer_store_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    raw_run(f, "PRAGMA user_version = 99");
    close_all(f);
    refused_unchanged(f, "newer Bursar");
}

static void a_version_that_never_was_is_refused(void **state)
{
    struct fixture *f = *state;
    raw_run(f, "PRAGMA user_version = 0");
    close_all(f);
    refused_unchanged(f, "not a Bursar store");
    raw_run(f, "PRAGMA user_version = -5");
    close_all(f);
    refused_unchanged(f, "not a Bursar store");
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    raw_run(f, "CREATE TABLE photos (id INTEGER PRIMARY KEY); INSERT INTO photos VALUES (1)");
    close_all(f);
    refused_unchanged(f, "not a Bursar store");
    raw_run(f, "PRAGMA user_version = 1"); /* a number that others use as well */
    close_all(f);
    refused_unchanged(f, "not a Bursar store");
}

static void what_is_no_database_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    char garbage[8192];
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (char)(i * 7919 >> 3);
    write_bytes(f->path, garbage, sizeof garbage);
    refused_unchanged(f, "damaged");
    write_bytes(f->path, "ref,destination,amount\n", 23);
    refused_unchanged(f, "never was a store");
    write_bytes(f->path, "", 0);
    refused_unchanged(f, "only 0 bytes");
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_equal(try_open(f, SQLITE_MODE_WRITE), BURSAR_ESTORAGE);
    assert_contains(f->err.message, "not a regular file");
}

static void a_store_without_permission_is_refused_with_what_to_check(void **state)
{
    struct fixture *f = *state;
    bool is_root = geteuid() == 0;
    close_all(f);
    assert_int_equal(chmod(f->path, 0444), 0);
    assert_int_equal(chmod(f->directory, 0555), 0);
    if (is_root && seteuid(65534) != 0) {
        print_message("skipped: root may write everything, and can't become somebody else here\n");
        skip();
    }
    enum bursar_status status = try_open(f, SQLITE_MODE_WRITE);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(f->directory, 0700), 0);
    assert_int_equal(status, BURSAR_ESTORAGE);
    assert_contains(f->err.message, "permissions");
    assert_contains(f->err.message, f->path);
}

static int64_t setting(struct fixture *f, const char *pragma)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(f->sqlite->db, pragma, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_type(stmt, 0) == SQLITE_TEXT
                        ? strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0
                        : sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return value;
}

static void durability_and_integrity_are_switched_on(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(setting(f, "PRAGMA journal_mode"), 1); /* wal */
        assert_int_equal(setting(f, "PRAGMA synchronous"), 2);  /* FULL */
        assert_int_equal(setting(f, "PRAGMA foreign_keys"), 1);
        assert_int_equal(setting(f, "PRAGMA trusted_schema"), 0);
        sqlite_store_close(f->sqlite);
        assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_WRITE, NULL, NULL, &f->sqlite, &f->err), BURSAR_OK);
        f->store = sqlite_store_interface(f->sqlite);
    }
    assert_int_equal(raw_number(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                                   "AND name NOT LIKE 'sqlite%' AND NOT strict"),
                     0);
    assert_int_not_equal(sqlite3_exec(f->sqlite->db, "UPDATE treasury SET halt_code = 'much'", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_not_equal(
        sqlite3_exec(f->sqlite->db, "INSERT INTO block VALUES (4711, 1, zeroblob(32))", NULL, NULL, NULL), SQLITE_OK);
}

static void a_backup_that_was_put_back_gets_its_write_ahead_log_again(void **state)
{
    struct fixture *f = *state;
    char sql[256], copy[200];
    (void)import_one(f, "a");
    (void)snprintf(copy, sizeof copy, "%s/backup.db", f->directory);
    (void)snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
    raw_run(f, sql);
    close_all(f);
    assert_int_equal(rename(copy, f->path), 0);
    assert_int_equal(raw_number(f, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 0);
    close_all(f);
    assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_WRITE, NULL, NULL, &f->sqlite, &f->err), BURSAR_OK);
    f->store = sqlite_store_interface(f->sqlite);
    assert_int_equal(setting(f, "PRAGMA journal_mode"), 1);
    int64_t id;
    OK(f, ref_find, f->treasury, "a", &id);
}

static void a_reader_looks_beside_a_writer_and_writes_nothing(void **state)
{
    struct fixture *f = *state;
    struct fixture reader = open_again(f, SQLITE_MODE_READ);
    int64_t id;
    EXPECT(&reader, BURSAR_ENOTFOUND, ref_find, f->treasury, "later", &id);
    OK(f, import_begin, f->treasury, "f", "tester", NOW_MS); /* a writer is at work */
    EXPECT(&reader, BURSAR_ENOTFOUND, ref_find, f->treasury, "later", &id);
    bool committed;
    OK(f, import_end, false, NULL, NULL, &committed);
    (void)import_one(f, "later");
    OK(&reader, ref_find, f->treasury, "later", &id);
    char *before = dump(f);
    EXPECT(&reader, BURSAR_EINTERNAL, import_begin, f->treasury, "f", "tester", NOW_MS);
    EXPECT(&reader, BURSAR_EINTERNAL, lease_take, f->treasury, "reader", 15000, NOW_MS, &reader.fence);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    close_again(&reader);
}

static bool count_and_cancel(void *ctx)
{
    return ++*(int *)ctx >= 2;
}

static void waiting_for_a_lock_ends_when_it_is_cancelled(void **state)
{
    struct fixture *f = *state;
    int asked = 0;
    uint64_t counts[STATE_COUNT];
    sqlite_store_close(f->sqlite);
    assert_int_equal(sqlite_store_open(f->path, SQLITE_MODE_WRITE, count_and_cancel, &asked, &f->sqlite, &f->err),
                     BURSAR_OK);
    f->store = sqlite_store_interface(f->sqlite);
    assert_int_equal(asked, 0);
    raw_run(f, "BEGIN EXCLUSIVE");
    EXPECT(f, BURSAR_EBUSY, import_begin, f->treasury, "f", "tester", NOW_MS);
    assert_int_equal(asked, 2);
    assert_contains(f->err.message, "locked");
    OK(f, counts, f->treasury, counts); /* looking goes on */
    struct fixture again = open_again(f, SQLITE_MODE_WRITE);
    close_again(&again);
    raw_run(f, "ROLLBACK");
    (void)import_one(f, "a");
}

static void stores_on_other_machines_are_known_by_their_file_system(void **state)
{
    (void)state;
    assert_string_equal(network_fs_name(0x6969), "NFS");
    assert_string_equal(network_fs_name(0xff534d42), "CIFS");
    assert_string_equal(network_fs_name(0xfe534d42), "SMB2");
    assert_string_equal(network_fs_name(UINT64_MAX - 0xffffffffu + 0xff534d42), "CIFS"); /* sign-extended f_type */
    assert_null(network_fs_name(0xef53));                                                /* ext4 */
    assert_null(network_fs_name(0x01021994));                                            /* tmpfs */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_that_is_not_there_is_not_created, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(a_newer_store_is_refused_and_left_alone, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_version_that_never_was_is_refused, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(another_programs_database_is_refused_and_left_alone, set_up_directory,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_database_is_refused_and_left_alone, set_up_directory, tear_down),
        cmocka_unit_test_setup_teardown(a_store_without_permission_is_refused_with_what_to_check, set_up_store,
                                        tear_down),
        cmocka_unit_test_setup_teardown(durability_and_integrity_are_switched_on, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_backup_that_was_put_back_gets_its_write_ahead_log_again, set_up_store,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reader_looks_beside_a_writer_and_writes_nothing, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(waiting_for_a_lock_ends_when_it_is_cancelled, set_up_store, tear_down),
        cmocka_unit_test(stores_on_other_machines_are_known_by_their_file_system),
    };
    return cmocka_run_group_tests_name("store open", tests, NULL, NULL);
}
