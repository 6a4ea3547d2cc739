/* What sqlite_guard.c keeps: after an fsync that failed, nothing is built upon what is only in the page cache. */
#include "disk_store_bench.h"

#include "store/sqlite_guard.h"

/* Of the next operations one fails to be synced. */
static void fail_a_sync(void)
{
    user.errors[DISK_EIO_SYNC].skip = random_below(&chance, 3);
    user.errors[DISK_EIO_SYNC].count = 1;
}

static void after_a_failed_sync_a_handle_reads_and_writes_nothing_until_it_is_opened_anew(void **state)
{
    (void)state;
    create_store();
    struct sqlite_store *store = open_store();
    assert_true(add_treasury(store, 1));
    user.errors[DISK_EIO_SYNC].count = 1;
    assert_false(add_treasury(store, 2));
    uint64_t written = disk_counted(disk).bytes_written;
    for (int i = 0; i < 3; i++)
        assert_false(add_treasury(store, 3)); /* the disk would take it */
    assert_true(disk_counted(disk).bytes_written == written);
    assert_true(has_treasury(store, 1) && !has_treasury(store, 2));
    struct sqlite_store *other = open_store();
    assert_true(add_treasury(other, 4)); /* another handle is not concerned */
    assert_true(has_treasury(store, 4));
    sqlite_store_close(store);
    store = open_store();
    assert_true(add_treasury(store, 3));
    sqlite_store_close(store);
    sqlite_store_close(other);
}

/* Another process dies while it makes durable what it finds, or soon after. */
static bool die_while_opening(void)
{
    struct sqlite_store *store = NULL;
    restart();
    user.die_at_operation = random_between(&chance, 1, 6);
    user.die_how = (enum disk_death)random_below(&chance, 3);
    (void)!sqlite_store_open(STORE, SQLITE_MODE_READ, NULL, NULL, &store, NULL);
    bool dies = user.is_dead;
    user.is_dead = true;
    sqlite_store_close(store);
    return dies;
}

/* Dies after a sync that failed, goes on with what can be read, and then the power goes. */
static void what_was_built_on_a_failed_sync_survives_a_power_loss(void **state)
{
    (void)state;
    uint64_t added = 0;
    int found_again = 0, died_opening = 0;
    create_store();
    for (int round = 0; round < 300; round++) {
        struct sqlite_store *store = open_store();
        fail_a_sync();
        while (add_treasury(store, added))
            added++;
        user.is_dead = true;
        sqlite_store_close(store);
        died_opening += die_while_opening();
        restart();
        store = open_store();
        if (has_treasury(store, added)) {
            found_again++;
            added++;
        }
        for (uint64_t more = random_between(&chance, 1, 3); more > 0; more--)
            assert_true(add_treasury(store, added++));
        user.is_dead = true;
        sqlite_store_close(store);
        lose_power();
        store = open_store();
        for (uint64_t i = added > 20 ? added - 20 : 0; i < added; i++)
            assert_true(has_treasury(store, i));
        sqlite_store_close(store);
    }
    assert_true(found_again > 100 && died_opening > 100);
}

static void a_log_that_can_not_be_made_durable_is_not_believed(void **state)
{
    (void)state;
    create_store();
    struct sqlite_store *store = open_store();
    assert_true(add_treasury(store, 0));
    user.errors[DISK_EIO_SYNC].count = 1;
    assert_false(add_treasury(store, 1));
    user.is_dead = true;
    sqlite_store_close(store);
    for (int mode = SQLITE_MODE_READ; mode <= SQLITE_MODE_WRITE; mode++) {
        struct bursar_error err = { 0 };
        restart();
        user.errors[DISK_EIO_SYNC].count = 1;
        assert_int_equal(sqlite_store_open(STORE, (enum sqlite_mode)mode, NULL, NULL, &store, &err), BURSAR_ESTORAGE);
        assert_non_null(strstr(err.message, "fsync"));
    }
    restart();
    store = open_store();
    assert_true(has_treasury(store, 1)); /* nobody knew */
    user.is_dead = true;
    sqlite_store_close(store);
    lose_power();
    store = open_store();
    assert_true(has_treasury(store, 1));
    sqlite_store_close(store);
}

static sqlite3 *connect_by(const char *vfs)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(STORE, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = FULL");
    run(db, "PRAGMA wal_autocheckpoint = 0");
    return db;
}

static void checkpoint(sqlite3 *db)
{
    (void)sqlite3_exec(db, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL);
}

/* A reader keeps the first checkpoint from the end, the second can't be synced, the third can. Is all there after a
 * power loss? */
static bool survives_checkpoints_by(const char *vfs)
{
    enum { ROWS = 60 };
    sqlite3 *writer = connect_by(vfs), *reader = connect_by(vfs);
    sqlite3 *second = connect_by(vfs), *third = connect_by(vfs);
    sync_names();
    run(writer, "CREATE TABLE t(n INTEGER PRIMARY KEY, bytes BLOB)");
    for (int i = 0; i < ROWS / 2; i++)
        run(writer, "INSERT INTO t(bytes) VALUES(randomblob(3000))");
    run(reader, "BEGIN");
    assert_int_equal(number(reader, "SELECT count(*) FROM t"), ROWS / 2);
    for (int i = 0; i < ROWS / 2; i++)
        run(writer, "INSERT INTO t(bytes) VALUES(randomblob(3000))");
    checkpoint(writer);
    run(reader, "COMMIT");
    user.errors[DISK_EIO_SYNC].skip = 1; /* that of the log */
    user.errors[DISK_EIO_SYNC].count = 1;
    checkpoint(second);
    user.errors[DISK_EIO_SYNC].count = 0;
    checkpoint(third);
    run(writer, "INSERT INTO t(bytes) VALUES(0)"); /* at the log's beginning, if all was copied */
    user.is_dead = true;
    sqlite3 *const all[] = { writer, reader, second, third };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(sqlite3_close(all[i]), SQLITE_OK);
    lose_power();
    writer = connect_by(vfs);
    bool survives = is_whole(writer) && number(writer, "SELECT count(*) FROM t") == ROWS + 1;
    (void)sqlite3_close(writer);
    return survives;
}

static void a_checkpoint_that_could_not_be_synced_is_made_again_from_its_beginning(void **state)
{
    (void)state;
    int lost_without = 0;
    for (int round = 0; round < 60; round++) {
        assert_true(survives_checkpoints_by(sqlite_guard_name()));
        fresh();
        lost_without += !survives_checkpoints_by(NULL); /* or this test shows nothing */
        fresh();
    }
    assert_true(lost_without > 10);
}

static int log_pages(sqlite3 *db, int *ret_copied)
{
    int pages = -1;
    assert_int_equal(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, ret_copied), SQLITE_OK);
    return pages;
}

static void a_checkpoint_waits_for_readers_and_then_comes_to_its_end(void **state)
{
    (void)state;
    int copied = 0;
    sqlite3 *writer = connect_by(sqlite_guard_name()), *reader = connect_by(sqlite_guard_name());
    run(writer, "CREATE TABLE t(n INTEGER PRIMARY KEY, bytes BLOB)");
    run(reader, "BEGIN");
    assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
    run(writer, "INSERT INTO t(bytes) VALUES(randomblob(9000))");
    assert_true(log_pages(writer, &copied) > 0);
    assert_int_equal(copied, 0);
    run(reader, "COMMIT");
    assert_true(log_pages(writer, &copied) > 0);
    assert_int_equal(copied, log_pages(writer, &copied));
    run(reader, "BEGIN IMMEDIATE"); /* all locks were given back */
    run(reader, "COMMIT");
    run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(log_pages(writer, &copied), 0);
    run(writer, "INSERT INTO t(bytes) VALUES(1)");
    run(reader, "BEGIN IMMEDIATE");
    assert_int_equal(sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_BUSY);
    run(reader, "COMMIT");
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
}

struct intruder {
    sqlite3 *db;
    int refused, let_in;
};

/* Before an operation of somebody else's. */
static void try_to_write(void *ctx, struct disk_user *at)
{
    struct intruder *intruder = ctx;
    (void)at;
    if (sqlite3_exec(intruder->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
        intruder->let_in++;
        run(intruder->db, "COMMIT");
    } else {
        intruder->refused++;
    }
}

static void nobody_lengthens_the_log_during_a_checkpoint(void **state)
{
    (void)state;
    int copied = 0;
    sqlite3 *writer = connect_by(sqlite_guard_name());
    struct intruder intruder = { .db = connect_by(sqlite_guard_name()) };
    run(writer, "CREATE TABLE t(n INTEGER PRIMARY KEY, bytes BLOB)");
    run(writer, "INSERT INTO t(bytes) VALUES(randomblob(9000))");
    user.at_operation = try_to_write;
    user.ctx = &intruder;
    assert_true(log_pages(writer, &copied) > 0);
    user.at_operation = NULL;
    user.ctx = NULL;
    assert_true(copied > 0 && intruder.refused > 3);
    assert_int_equal(intruder.let_in, 0);
    run(intruder.db, "INSERT INTO t(bytes) VALUES(1)");
    assert_int_equal(sqlite3_close(intruder.db), SQLITE_OK);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DISK(after_a_failed_sync_a_handle_reads_and_writes_nothing_until_it_is_opened_anew),
        ON_DISK(what_was_built_on_a_failed_sync_survives_a_power_loss),
        ON_DISK(a_log_that_can_not_be_made_durable_is_not_believed),
        ON_DISK(a_checkpoint_that_could_not_be_synced_is_made_again_from_its_beginning),
        ON_DISK(a_checkpoint_waits_for_readers_and_then_comes_to_its_end),
        ON_DISK(nobody_lengthens_the_log_during_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
