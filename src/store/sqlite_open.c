/* Creating, opening and migrating a store file; refusing what can't be relied on, with what to do about it. */
#include "store/sqlite_core.h"
#include "store/sqlite_guard.h"
#include "store/sqlite_migrations.h"
#include "store/sqlite_sums.h"
#include "store/network_fs.h"

#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define APPLICATION_ID 0x42555253 /* "BURS" */
#define BUSY_NAP_MS 10
#define SQLITE_SMALLEST_BYTES 512 /* one page; less is taken for an empty database */

void sqlite_store_owns_process(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                         0); /* refused when SQLite is at work already: then it goes on counting */
}

static int wait_for_lock(void *ctx, int tries)
{
    struct sqlite_store *store = ctx;
    struct clock clock = system_clock();
    uint64_t now = clock.monotonic_ms(clock.ctx);
    if (tries == 0)
        store->busy_since_ms = now;
    if (now - store->busy_since_ms > STORE_BUSY_MAX_MS ||
        (store->is_cancelled && store->is_cancelled(store->cancel_ctx)))
        return 0;
    (void)sqlite3_sleep(BUSY_NAP_MS);
    return 1;
}

/* malloc'd; NULL without memory. */
static char *directory_of(const char *path)
{
    char *copy = strdup(path);
    char *directory = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return directory;
}

/* `there` exists: the store itself (links followed), or the directory it will be in. */
static enum bursar_status refuse_network_fs(const char *path, const char *there, struct bursar_error *err)
{
    struct statfs fs;
    if (statfs(there, &fs) != 0)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", there, strerror(errno));
    const char *name = network_fs_name((uint64_t)fs.f_type);
    if (name)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "%s lies on a network file system (%s), where file locks and fsync can't be relied on; keep "
                           "the store on a local disk",
                           path, name);
    return BURSAR_OK;
}

static enum bursar_status pragma_number(struct sqlite_store *store, const char *sql, int64_t *ret,
                                        struct bursar_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum bursar_status status = BURSAR_OK;
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        status = sqlite_failed(store, "opening", err);
    else
        *ret = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return status;
}

static enum bursar_status execute(struct sqlite_store *store, const char *sql, struct bursar_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? BURSAR_OK
                                                                       : sqlite_failed(store, "opening", err);
}

/* Takes the schema to the newest version, one transaction a step. */
static enum bursar_status migrate(struct sqlite_store *store, int64_t version, struct bursar_error *err)
{
    for (; version < SQLITE_MIGRATION_COUNT; version++) {
        char finish[64];
        (void)snprintf(finish, sizeof finish, "PRAGMA user_version = %d; COMMIT", (int)version + 1);
        enum bursar_status status = execute(store, "BEGIN EXCLUSIVE", err);
        int64_t now = 0;
        if (status == BURSAR_OK)
            status = pragma_number(store, "PRAGMA user_version", &now, err);
        if (status == BURSAR_OK && now != version) { /* another process was first */
            status = execute(store, "ROLLBACK", err);
        } else {
            if (status == BURSAR_OK)
                status = execute(store, SQLITE_MIGRATIONS[version], err);
            if (status == BURSAR_OK)
                status = execute(store, finish, err);
        }
        if (status != BURSAR_OK) {
            (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL); /* fails when there is nothing to undo */
            return status;
        }
    }
    return BURSAR_OK;
}

/* NULL without memory. */
static struct sqlite_store *handle_new(const char *path, enum sqlite_mode mode)
{
    struct sqlite_store *store = calloc(1, sizeof *store);
    if (!store || !(store->path = strdup(path))) {
        free(store);
        return NULL;
    }
    store->mode = mode;
    store->lease_fd = -1;
    return store;
}

static enum bursar_status connect_file(struct sqlite_store *store, const char *path, struct bursar_error *err)
{
    const char *guard = sqlite_guard_name();
    if (!guard)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory setting up SQLite");
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                        guard) != SQLITE_OK)
        return store->db ? sqlite_failed(store, "opening", err)
                         : bursar_fail(err, BURSAR_ENOMEM, "out of memory opening %s", path);
    if (!sqlite_sums_install(store->db))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory setting up SQLite");
    (void)sqlite3_busy_handler(store->db, wait_for_lock, store);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return execute(store,
                   "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; "
                   "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -" STORE_CACHE_KIB,
                   err);
}

static enum bursar_status check_identity(struct sqlite_store *store, int64_t *ret_version, struct bursar_error *err)
{
    int64_t application_id = 0;
    enum bursar_status status = pragma_number(store, "PRAGMA application_id", &application_id, err);
    if (status == BURSAR_OK)
        status = pragma_number(store, "PRAGMA user_version", ret_version, err);
    if (status != BURSAR_OK)
        return status;
    if (application_id != APPLICATION_ID || *ret_version < 1)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s is a SQLite file, but not a Bursar store", store->path);
    if (*ret_version > SQLITE_MIGRATION_COUNT)
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s was written by a newer Bursar (schema %lld, this one knows %d): upgrade this program; "
                           "nothing was changed",
                           store->path, (long long)*ret_version, SQLITE_MIGRATION_COUNT);
    return BURSAR_OK;
}

/* A backup that was put back may come without it. A committed transaction is only sure to stay with it. */
static enum bursar_status use_wal(struct sqlite_store *store, struct bursar_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum bursar_status status = BURSAR_OK;
    if (sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        status = sqlite_failed(store, "opening", err);
    else if (sqlite3_stricmp((const char *)sqlite3_column_text(stmt, 0), "wal") != 0)
        status = bursar_fail(err, BURSAR_ESTORAGE, "%s: the file system can't hold a write-ahead log", store->path);
    (void)sqlite3_finalize(stmt);
    return status;
}

/* Is there a write-ahead log that closing would fold into the file? */
static bool has_unwritten(const char *path)
{
    char name[4096];
    struct stat file;
    return snprintf(name, sizeof name, "%s-wal", path) < (int)sizeof name && stat(name, &file) == 0 && file.st_size > 0;
}

static enum bursar_status open_existing(struct sqlite_store *store, struct bursar_error *err)
{
    int64_t version = 0;
    enum bursar_status status = connect_file(store, store->path, err);
    if (status == BURSAR_OK)
        status = check_identity(store, &version, err);
    if (status != BURSAR_OK)
        return status;
    if (store->mode != SQLITE_MODE_WRITE) {
        if (version < SQLITE_MIGRATION_COUNT)
            return bursar_fail(
                err, BURSAR_ESTORAGE,
                "%s has an older schema (%lld, this Bursar has %d): `bursar run` or `bursar pay` upgrades it",
                store->path, (long long)version, SQLITE_MIGRATION_COUNT);
        if (store->mode == SQLITE_MODE_LOOK && has_unwritten(store->path))
            (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        return execute(store, "PRAGMA query_only = ON", err);
    }
    if (sqlite3_db_readonly(store->db, "main") == 1)
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s can't be written: check its permissions and those of its directory", store->path);
    status = migrate(store, version, err);
    return status == BURSAR_OK ? use_wal(store, err) : status;
}

enum bursar_status sqlite_store_open(const char *path, enum sqlite_mode mode, store_is_cancelled *is_cancelled,
                                     void *cancel_ctx, struct sqlite_store **ret, struct bursar_error *err)
{
    struct stat file;
    if (stat(path, &file) != 0) {
        if (errno == ENOENT)
            return bursar_fail(err, BURSAR_ESTORAGE,
                               "there is no store at %s; `bursar init` creates one (if it was lost, put back a backup: "
                               "a new store does not know what was paid)",
                               path);
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(file.st_mode))
        return bursar_fail(err, BURSAR_ESTORAGE, "%s is not a regular file, so it is no store", path);
    if (file.st_size < SQLITE_SMALLEST_BYTES)
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "%s is damaged, or never was a store: it has only %lld bytes; put back a backup", path,
                           (long long)file.st_size);
    enum bursar_status status = refuse_network_fs(path, path, err);
    if (status != BURSAR_OK)
        return status;
    struct sqlite_store *store = handle_new(path, mode);
    if (!store)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    store->is_cancelled = is_cancelled;
    store->cancel_ctx = cancel_ctx;
    status = open_existing(store, err);
    if (status != BURSAR_OK) {
        sqlite_store_close(store);
        return status;
    }
    *ret = store;
    return BURSAR_OK;
}

static enum bursar_status refuse_leftovers(const char *path, struct bursar_error *err)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[4096];
        struct stat file;
        if (snprintf(name, sizeof name, "%s%s", path, suffixes[i]) >= (int)sizeof name)
            return bursar_fail(err, BURSAR_EINVAL, "the path of the store is too long");
        if (lstat(name, &file) == 0)
            return bursar_fail(err, BURSAR_EEXIST, "%s exists already; a store is never overwritten", name);
        if (errno != ENOENT)
            return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", name, strerror(errno));
    }
    return BURSAR_OK;
}

static enum bursar_status sync_directory(const char *path, struct bursar_error *err)
{
    char *directory = directory_of(path);
    if (!directory)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = BURSAR_OK;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        status = bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", directory, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    free(directory);
    return status;
}

/* Builds the whole schema under another name: a store that is half made is never found under its own. */
static enum bursar_status build_file(const char *path, const char *draft, struct bursar_error *err)
{
    struct sqlite_store *store = handle_new(path, SQLITE_MODE_WRITE);
    if (!store)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = connect_file(store, draft, err);
    char identity[64];
    (void)snprintf(identity, sizeof identity, "PRAGMA application_id = %d", APPLICATION_ID);
    if (status == BURSAR_OK)
        status = execute(store, identity, err);
    if (status == BURSAR_OK)
        status = migrate(store, 0, err);
    if (status == BURSAR_OK)
        status = use_wal(store, err);
    sqlite_store_close(store); /* the last connection folds the WAL into the file */
    return status;
}

static enum bursar_status publish(const char *draft, const char *path, struct bursar_error *err)
{
    int fd = open(draft, O_RDONLY | O_CLOEXEC);
    enum bursar_status status = BURSAR_OK;
    if (fd < 0 || fsync(fd) != 0)
        status = bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", draft, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (status == BURSAR_OK && link(draft, path) != 0) /* unlike rename, never replaces */
        status = bursar_fail(err, errno == EEXIST ? BURSAR_EEXIST : BURSAR_ESTORAGE, "%s: %s", path, strerror(errno));
    return status;
}

enum bursar_status sqlite_store_create(const char *path, struct sqlite_store **ret, struct bursar_error *err)
{
    char draft[4096];
    if (snprintf(draft, sizeof draft, "%s.draft-XXXXXX", path) >= (int)sizeof draft)
        return bursar_fail(err, BURSAR_EINVAL, "the path of the store is too long");
    char *directory = directory_of(path);
    if (!directory)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = refuse_network_fs(path, directory, err);
    free(directory);
    if (status == BURSAR_OK)
        status = refuse_leftovers(path, err);
    if (status != BURSAR_OK)
        return status;
    int fd = mkostemp(draft, O_CLOEXEC); /* 0600; a name of its own, whatever an earlier death has left behind */
    if (fd < 0)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", draft, strerror(errno));
    (void)close(fd);
    status = build_file(path, draft, err);
    if (status == BURSAR_OK)
        status = publish(draft, path, err);
    (void)unlink(draft);
    if (status == BURSAR_OK)
        status = sync_directory(path, err);
    return status == BURSAR_OK ? sqlite_store_open(path, SQLITE_MODE_WRITE, NULL, NULL, ret, err) : status;
}

enum bursar_status sqlite_store_damage(struct sqlite_store *store, char *ret, size_t capacity_bytes,
                                       struct bursar_error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum bursar_status status = BURSAR_OK;
    if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        status = sqlite_failed(store, "checking", err);
    } else {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        (void)snprintf(ret, capacity_bytes, "%s", !text ? "unknown" : strcmp(text, "ok") == 0 ? "" : text);
    }
    (void)sqlite3_finalize(stmt);
    return status;
}

int sqlite_store_schema(void)
{
    return SQLITE_MIGRATION_COUNT;
}

void sqlite_store_set_meter(struct sqlite_store *store, struct commit_meter meter)
{
    store->meter = meter;
}

struct store sqlite_store_interface(struct sqlite_store *store)
{
    struct store interface = { .ctx = store };
    sqlite_fill_treasury(&interface);
    sqlite_fill_import(&interface);
    sqlite_fill_lease(&interface);
    sqlite_fill_due(&interface);
    sqlite_fill_spending(&interface);
    sqlite_fill_settle(&interface);
    sqlite_fill_decided(&interface);
    sqlite_fill_host(&interface);
    sqlite_fill_breaker(&interface);
    sqlite_fill_money(&interface);
    sqlite_fill_shown(&interface);
    sqlite_fill_search(&interface);
    sqlite_fill_metered(&interface);
    sqlite_fill_owed(&interface);
    sqlite_fill_balance(&interface);
    sqlite_fill_token(&interface);
    sqlite_fill_webhook(&interface);
    sqlite_fill_adopt(&interface);
    return interface;
}

void sqlite_store_close(struct sqlite_store *store)
{
    if (!store)
        return;
    sqlite_import_discard(store);
    for (int i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(store->statements[i]);
    (void)sqlite3_close(store->db);
    sqlite_lease_unlock(store);
    free(store->path);
    free(store);
}
