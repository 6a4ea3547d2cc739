/* SQLite, the real store and the real signing log upon the simulated disk: what they acknowledged is there, and all of
 * it is the same every time. */
#include "disk_store_bench.h"

#include "signer/signing_log.h"

#define LOG DISK_ROOT "/key.log"

static sqlite3 *open_database(const char *synchronous)
{
    sqlite3 *db = NULL;
    char pragma[64];
    assert_int_equal(sqlite3_open(STORE, &db), SQLITE_OK);
    (void)snprintf(pragma, sizeof pragma, "PRAGMA synchronous = %s", synchronous);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, pragma);
    run(db, "CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, bytes BLOB)");
    return db;
}

/* A database whose name is durable: SQLite itself does not see to that. */
static void make_database(void)
{
    assert_int_equal(sqlite3_close(open_database("FULL")), SQLITE_OK);
    sync_names();
}

/* Rows one commit each, then the machine dies (at an operation, if `dies`) and the power goes. What was acknowledged
 * and is missing; damage counts as a loss of everything. */
static int64_t lose_power_while_committing(const char *synchronous, bool dies, int64_t *acknowledged)
{
    sqlite3 *db = open_database(synchronous);
    sqlite3 *reader = random_chance(&chance, 1, 2) ? open_database(synchronous) : NULL;
    if (dies) {
        user.die_at_operation = user.operations + random_between(&chance, 1, 60);
        user.die_how = (enum disk_death)random_below(&chance, 3);
    }
    for (uint64_t rows = random_below(&chance, 12); rows > 0; rows--) {
        char sql[96];
        (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%lld, randomblob(%u))", (long long)*acknowledged + 1,
                       (unsigned)random_below(&chance, 9000));
        if (random_chance(&chance, 1, 8))
            (void)sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            break;
        ++*acknowledged;
    }
    user.is_dead = true;
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    lose_power();
    int64_t found = -1;
    if (sqlite3_open(STORE, &db) == SQLITE_OK && is_whole(db))
        found = number(db, "SELECT ifnull(max(n), 0) FROM t");
    int64_t missing = found < *acknowledged ? *acknowledged - found : 0;
    *acknowledged = found; /* one more than acknowledged is fine: nobody knew */
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return missing;
}

static void a_synced_commit_survives_1000_power_losses(void **state)
{
    (void)state;
    make_database();
    int64_t acknowledged = 0;
    for (int round = 0; round < 1000; round++)
        assert_int_equal(lose_power_while_committing("FULL", true, &acknowledged), 0);
    assert_true(acknowledged > 1000);
    assert_true(disk_counted(disk).torn_writes > 100 && disk_counted(disk).deaths > 300);
}

static void without_syncs_a_commit_is_lost_sometimes(void **state)
{
    (void)state;
    int lost = 0;
    for (int round = 0; round < 50; round++) {
        int64_t acknowledged = 0;
        make_database();
        lost += lose_power_while_committing(round % 2 ? "OFF" : "NORMAL", false, &acknowledged) > 0;
        fresh();
    }
    assert_true(lost > 10);
}

static void the_death_of_a_process_alone_loses_nothing(void **state)
{
    (void)state;
    make_database();
    sqlite3 *witness = open_database("FULL"); /* another process, which stays alive */
    int64_t acknowledged = 0;
    for (int round = 0; round < 200; round++) {
        restart();
        sqlite3 *db = open_database("OFF");
        user.die_at_operation = user.operations + random_between(&chance, 1, 30);
        user.die_how = (enum disk_death)random_below(&chance, 3);
        char sql[96];
        for (int64_t next = acknowledged + 1;; next++) {
            (void)snprintf(sql, sizeof sql, "INSERT INTO t VALUES(%lld, randomblob(3000))", (long long)next);
            if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
                break;
            acknowledged = next;
        }
        assert_true(user.is_dead);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        disk_enter(disk, NULL);
        if (round % 2) { /* else the next one has to recover */
            assert_int_equal(number(witness, "SELECT ifnull(max(n), 0) FROM t"), acknowledged);
        } else {
            user.is_dead = true; /* so that it leaves everything as it is */
            disk_enter(disk, &user);
            assert_int_equal(sqlite3_close(witness), SQLITE_OK);
            restart();
            witness = open_database("FULL");
            assert_true(is_whole(witness));
            int64_t found = number(witness, "SELECT ifnull(max(n), 0) FROM t");
            assert_true(found == acknowledged || found == acknowledged + 1);
            acknowledged = found;
        }
    }
    assert_int_equal(sqlite3_close(witness), SQLITE_OK);
}

static bool has_shared_memory(void)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/store.db-shm", disk_directory(disk));
    return access(path, F_OK) == 0;
}

static void the_dead_leave_wal_and_shared_memory_and_a_power_loss_takes_the_latter(void **state)
{
    (void)state;
    make_database();
    sqlite3 *db = open_database("FULL");
    run(db, "INSERT INTO t VALUES(1, randomblob(9000))");
    run(db, "PRAGMA wal_checkpoint(FULL)"); /* nothing is left to do at the end, but to remove them */
    uint64_t digest = disk_digest(disk);
    user.is_dead = true;
    assert_int_not_equal(sqlite3_exec(db, "INSERT INTO t VALUES(2, 0)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_true(disk_digest(disk) == digest);
    assert_true(disk_exists(disk, "store.db-wal") && has_shared_memory());
    lose_power();
    assert_true(disk_exists(disk, "store.db-wal") && !has_shared_memory());
    db = open_database("FULL");
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_false(disk_exists(disk, "store.db-wal") || has_shared_memory()); /* the living do remove them */
}

struct waiting {
    sqlite3 *holder;
    int sleeps;
};

static void give_way(void *ctx, uint64_t microseconds)
{
    struct waiting *waiting = ctx;
    assert_true(microseconds > 0);
    if (++waiting->sleeps == 3)
        run(waiting->holder, "COMMIT");
}

static void whoever_waits_for_a_lock_asks_before_it_sleeps(void **state)
{
    (void)state;
    make_database();
    sqlite3 *db = open_database("FULL");
    struct waiting waiting = { .holder = open_database("FULL") };
    disk_on_sleep(disk, give_way, &waiting);
    run(waiting.holder, "BEGIN IMMEDIATE");
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    run(db, "INSERT INTO t VALUES(1, 0)");
    assert_int_equal(waiting.sleeps, 3);
    assert_int_equal(sqlite3_close(waiting.holder), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Everything at once, into a digest. */
static uint64_t digest_of_a_run(const char *parent)
{
    struct random seed = random_new(99);
    disk = disk_new(parent, &seed);
    assert_non_null(disk);
    user = (struct disk_user){ .number = 1 };
    disk_enter(disk, &user);
    chance = random_stream(&seed, "run", 0);
    make_database();
    int64_t acknowledged = 0;
    uint64_t digest = 0;
    for (int round = 0; round < 30; round++) {
        (void)lose_power_while_committing("FULL", true, &acknowledged);
        digest = random_mix(digest, disk_digest(disk));
        digest = random_mix(digest, disk_counted(disk).operations);
    }
    disk = disk_free(disk);
    return digest;
}

static void the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t first = digest_of_a_run(NULL);
    assert_true(digest_of_a_run("/tmp") == first);
    assert_true(digest_of_a_run(NULL) == first);
}

/* --- the real store and the real signing log --- */

static void a_store_being_created_is_there_whole_or_not_at_all(void **state)
{
    (void)state;
    int absent = 0, whole = 0;
    bool ends = false;
    for (uint64_t at = 1; !ends; at++) {
        for (int how = DISK_DIE_BEFORE; how <= DISK_DIE_TORN; how++) {
            struct sqlite_store *store = NULL;
            user.die_at_operation = at;
            user.die_how = (enum disk_death)how;
            bool created = sqlite_store_create(STORE, &store, NULL) == BURSAR_OK;
            ends = created && !user.is_dead;
            user.is_dead = true;
            sqlite_store_close(store);
            lose_power();
            bool is_there = disk_exists(disk, "store.db");
            assert_true(is_there || !created);
            absent += !is_there;
            whole += is_there;
            enum bursar_status status = is_there ? sqlite_store_open(STORE, SQLITE_MODE_WRITE, NULL, NULL, &store, NULL)
                                                 : sqlite_store_create(STORE, &store, NULL);
            assert_int_equal(status, BURSAR_OK);
            assert_true(add_treasury(store, 1));
            sqlite_store_close(store);
            fresh();
        }
    }
    assert_true(absent > 20 && whole > 3);
}

static struct signing_log_entry payment(uint64_t nonce)
{
    struct signing_log_entry entry = {
        .lease_epoch = 1,
        .nonce = nonce,
        .purpose = SIGN_PAYMENT,
        .to = account_of(nonce),
        .value = bursar_amount_from_u64(nonce + 1),
    };
    memcpy(entry.transaction_hash.bytes, &nonce, sizeof nonce);
    return entry;
}

/* Signs `count` more; the first that failed. */
static uint64_t sign_from(struct signing_log *log, uint64_t nonce, uint64_t count)
{
    for (uint64_t end = nonce + count; nonce < end; nonce++) {
        struct signing_log_entry entry = payment(nonce);
        if (signing_log_append(log, &entry, NULL) != BURSAR_OK || signing_log_sync(log, NULL) != BURSAR_OK)
            break;
    }
    return nonce;
}

static void store_and_signing_log_keep_what_they_acknowledged(void **state)
{
    (void)state;
    struct bursar_address account = account_of(0);
    struct sqlite_store *store = NULL;
    struct signing_log *log = NULL;
    assert_int_equal(sqlite_store_create(STORE, &store, NULL), BURSAR_OK);
    sqlite_store_close(store);
    assert_int_equal(signing_log_create(LOG, CHAIN_ID, &account, NULL), BURSAR_OK);
    uint64_t added = 0, nonce = 0;
    for (int round = 0; round < 300; round++) {
        struct bursar_error err = { 0 };
        if (sqlite_store_open(STORE, SQLITE_MODE_WRITE, NULL, NULL, &store, &err) != BURSAR_OK ||
            signing_log_open(LOG, CHAIN_ID, &account, &log, &err) != BURSAR_OK)
            fail_msg("%s", err.message);
        for (uint64_t i = added > 20 ? added - 20 : 0; i < added; i++)
            assert_true(has_treasury(store, i));
        struct signed_payload payload;
        for (uint64_t i = nonce > 20 ? nonce - 20 : 0; i < nonce; i++)
            assert_int_equal(signing_log_find(log, i, &payload, NULL), BURSAR_OK);
        while (has_treasury(store, added)) /* one more than anybody knew of */
            added++;
        /* SQLite may have read it from the page cache only. The next commit syncs it along, as a lease's does. */
        assert_true(add_treasury(store, added++));
        while (signing_log_find(log, nonce, &payload, NULL) == BURSAR_OK)
            nonce++;
        user.die_at_operation = user.operations + random_between(&chance, 1, 120);
        user.die_how = (enum disk_death)random_below(&chance, 3);
        while (!user.is_dead && add_treasury(store, added)) {
            added++;
            nonce = sign_from(log, nonce, 1);
        }
        signing_log_close(log);
        sqlite_store_close(store);
        if (round % 3 == 0)
            restart();
        else
            lose_power();
    }
    assert_true(added > 500 && nonce > 500);
}

static void a_store_goes_on_after_errors_of_the_disk(void **state)
{
    (void)state;
    uint64_t added = 0;
    int failed = 0, reopened = 0;
    create_store();
    struct sqlite_store *store = open_store();
    for (int round = 0; round < 300; round++) {
        enum disk_error error = (enum disk_error)(round % DISK_ERROR_COUNT);
        user.errors[error].skip = random_below(&chance, 4);
        user.errors[error].count = random_between(&chance, 1, 3);
        for (int i = 0; i < 5; i++) {
            bool done = add_treasury(store, added);
            added += done;
            failed += !done;
        }
        bool is_broken = error == DISK_EIO_SYNC && !add_treasury(store, added);
        memset(user.errors, 0, sizeof user.errors);
        if (is_broken) {
            sqlite_store_close(store);
            store = open_store();
            reopened++;
        }
        while (has_treasury(store, added))
            added++;
        assert_true(add_treasury(store, added++));
    }
    for (uint64_t i = 0; i < added; i++)
        assert_true(has_treasury(store, i));
    sqlite_store_close(store);
    assert_true(failed > 100 && reopened > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_DISK(a_synced_commit_survives_1000_power_losses),
        ON_DISK(without_syncs_a_commit_is_lost_sometimes),
        ON_DISK(the_death_of_a_process_alone_loses_nothing),
        ON_DISK(the_dead_leave_wal_and_shared_memory_and_a_power_loss_takes_the_latter),
        ON_DISK(whoever_waits_for_a_lock_asks_before_it_sleeps),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes),
        ON_DISK(a_store_being_created_is_there_whole_or_not_at_all),
        ON_DISK(store_and_signing_log_keep_what_they_acknowledged),
        ON_DISK(a_store_goes_on_after_errors_of_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
