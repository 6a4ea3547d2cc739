/* The lease of a treasury: a lock on a file beside the store says at once that a holder is dead, the lease epoch in the
 * store fences off whatever it still tries to write (INV-6). */
#include "store/sqlite_core.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LEASE_PATH_BYTES 4096

void sqlite_lease_unlock(struct sqlite_store *store)
{
    if (store->lease_fd >= 0)
        (void)close(store->lease_fd);
    store->lease_fd = -1;
}

/* Each treasury's lock is the byte at its id, so that several can be led from one store. */
static enum bursar_status lock_file(struct sqlite_store *store, int64_t treasury, struct bursar_error *err)
{
    char path[LEASE_PATH_BYTES];
    /* SQLite's own name of the file, links resolved: one store, one lock, by whatever path it was opened. */
    if (snprintf(path, sizeof path, "%s-lease", sqlite3_db_filename(store->db, "main")) >= (int)sizeof path)
        return bursar_fail(err, BURSAR_EINVAL, "the path of the store is too long");
    if (store->lease_fd < 0)
        store->lease_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lease_fd < 0)
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", path, strerror(errno));
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)treasury, .l_len = 1 };
    if (fcntl(store->lease_fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return bursar_fail(err, BURSAR_EBUSY, "another executor holds the lease");
        return bursar_fail(err, BURSAR_ESTORAGE, "%s: %s", path, strerror(errno));
    }
    return BURSAR_OK;
}

static void unlock_byte(struct sqlite_store *store, int64_t treasury)
{
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = (off_t)treasury, .l_len = 1 };
    if (store->lease_fd >= 0)
        (void)fcntl(store->lease_fd, F_OFD_SETLK, &lock);
}

static enum bursar_status take(void *ctx, int64_t treasury, const char *holder, uint64_t ttl_ms, uint64_t now_ms,
                               struct fence *ret, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    if (!*holder)
        return bursar_fail(err, BURSAR_EINTERNAL, "a lease needs a holder's name"); /* "" is: nobody holds it */
    enum bursar_status status = lock_file(store, treasury, err);
    if (status != BURSAR_OK)
        return status;
    uint64_t lease_epoch = 0;
    status = write_begin(store, NULL, err);
    if (status == BURSAR_OK) {
        sqlite3_stmt *stmt = statement(store, SQL_LEASE_TAKE, err);
        bind_i64(stmt, 1, treasury);
        bind_text(stmt, 2, holder);
        bind_u64(stmt, 3, now_ms);
        bind_u64(stmt, 4, ttl_ms);
        status = run_statement(store, stmt, NULL, err);
        if (status == BURSAR_OK) {
            stmt = statement(store, SQL_LEASE_EPOCH, err);
            bind_i64(stmt, 1, treasury);
            bool row = false;
            status = step_row(store, stmt, &row, err);
            if (status == BURSAR_OK && !row)
                status = bursar_fail(err, BURSAR_ENOTFOUND, "no such treasury");
            else if (status == BURSAR_OK) {
                lease_epoch = column_u64(stmt, 0);
                (void)sqlite3_reset(stmt);
            }
        }
        status = write_end(store, status, err);
    }
    if (status != BURSAR_OK) {
        unlock_byte(store, treasury);
        return status;
    }
    (void)snprintf(store->holder, sizeof store->holder, "%s", holder);
    *ret = (struct fence){ .treasury = treasury, .lease_epoch = lease_epoch };
    return BURSAR_OK;
}

static enum bursar_status renew(void *ctx, struct fence fence, uint64_t now_ms, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status != BURSAR_OK)
        return status;
    sqlite3_stmt *stmt = statement(store, SQL_LEASE_RENEW, err);
    bind_i64(stmt, 1, fence.treasury);
    bind_u64(stmt, 2, fence.lease_epoch);
    bind_u64(stmt, 3, now_ms);
    return write_end(store, run_statement(store, stmt, NULL, err), err);
}

static enum bursar_status release(void *ctx, struct fence fence, struct bursar_error *err)
{
    struct sqlite_store *store = ctx;
    enum bursar_status status = write_begin(store, &fence, err);
    if (status == BURSAR_OK) {
        sqlite3_stmt *stmt = statement(store, SQL_LEASE_RELEASE, err);
        bind_i64(stmt, 1, fence.treasury);
        bind_u64(stmt, 2, fence.lease_epoch);
        status = write_end(store, run_statement(store, stmt, NULL, err), err);
    }
    unlock_byte(store, fence.treasury);
    return status;
}

void sqlite_fill_lease(struct store *interface)
{
    interface->lease_take = take;
    interface->lease_renew = renew;
    interface->lease_release = release;
}
