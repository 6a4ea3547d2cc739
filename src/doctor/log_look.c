/* What of store and signing log is seen at a glance. The order of reads matters: an executor may be writing. */
#include "doctor/log_look.h"

#include <stdarg.h>
#include <stdio.h>

static void found_halt(struct log_look *look, enum halt_code code, const char *format, ...) BURSAR_PRINTF(3, 4);
static void found_halt(struct log_look *look, enum halt_code code, const char *format, ...)
{
    if (look->halt != HALT_NONE)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(look->halt_reason, sizeof look->halt_reason, format, args);
    va_end(args);
    look->halt = code;
}

/* The newest attempt of the last bound nonces. */
struct newest_attempt {
    bool found;
    uint64_t nonce;
    struct bursar_hash hash;
};

#define LAST_NONCES_COUNT 100

static enum bursar_status keep_newest(void *ctx, const struct intent_record *record)
{
    struct newest_attempt *newest = ctx;
    if (record->has_attempt && record->purpose != PURPOSE_FOREIGN) /* that was never ours to sign */
        *newest = (struct newest_attempt){ .found = true, .nonce = record->nonce, .hash = record->hash };
    return BURSAR_OK;
}

static enum bursar_status open_log(const char *keystore, const struct treasury *treasury, struct signing_log **ret,
                                   struct bursar_error *err)
{
    char path[SIGNING_LOG_PATH_MAX_BYTES];
    enum bursar_status status = signing_log_path(keystore, treasury->chain_id, path, err);
    return status == BURSAR_OK ? signing_log_open_read_only(path, treasury->chain_id, &treasury->address, ret, err)
                               : status;
}

/* The log is read before the store: what is bound before it is signed can't look unbound then. */
static enum bursar_status look_behind(const struct store *store, const char *keystore, const struct treasury *treasury,
                                      struct log_look *look, struct bursar_error *err)
{
    struct signing_log *log = NULL;
    enum bursar_status status = open_log(keystore, treasury, &log, err);
    if (status != BURSAR_OK)
        return status;
    signing_log_extent(log, &look->extent);
    look->has_log = true;
    signing_log_close(log);
    status = store->lane_read(store->ctx, treasury->id, &look->lane, err);
    if (status == BURSAR_OK && look->extent.entries > 0 && look->extent.next_nonce > look->lane.next_nonce)
        found_halt(look, HALT_STORE_BEHIND_LOG,
                   "the signing log has signatures up to nonce %llu, the store has bound nonces below %llu only",
                   (unsigned long long)(look->extent.next_nonce - 1), (unsigned long long)look->lane.next_nonce);
    return status;
}

/* The other way round, the store first: what is staged was in the log before. */
static enum bursar_status look_lost(const struct store *store, const char *keystore, const struct treasury *treasury,
                                    struct log_look *look, struct bursar_error *err)
{
    struct newest_attempt newest = { 0 };
    uint64_t from = treasury->first_nonce;
    if (look->lane.next_nonce > LAST_NONCES_COUNT && look->lane.next_nonce - LAST_NONCES_COUNT > from)
        from = look->lane.next_nonce - LAST_NONCES_COUNT;
    enum bursar_status status =
        store->intents(store->ctx, treasury->id, from, LAST_NONCES_COUNT, keep_newest, &newest, err);
    if (status != BURSAR_OK || !newest.found)
        return status;
    struct signing_log *log = NULL;
    status = open_log(keystore, treasury, &log, err);
    if (status != BURSAR_OK)
        return status;
    bool is_there = false;
    status = signing_log_has_transaction(log, newest.nonce, &newest.hash, &is_there, err);
    signing_log_close(log);
    if (status == BURSAR_ENOTFOUND)
        status = BURSAR_OK;
    if (status == BURSAR_OK && !is_there)
        found_halt(look, HALT_SIGNING_LOG_LOST,
                   "the store has a signed transaction for nonce %llu that the signing log does not know",
                   (unsigned long long)newest.nonce);
    return status;
}

void log_look(const struct store *store, const struct treasury *treasury, const char *keystore, struct log_look *ret)
{
    struct bursar_error err = { 0 };
    *ret = (struct log_look){ .halt = HALT_NONE };
    enum bursar_status status = look_behind(store, keystore, treasury, ret, &err);
    if (status == BURSAR_OK)
        status = look_lost(store, keystore, treasury, ret, &err);
    if (status == BURSAR_ENOTFOUND)
        found_halt(ret, HALT_SIGNING_LOG_LOST, "%.500s", err.message);
    else if (status != BURSAR_OK)
        found_halt(ret, HALT_SIGNER, "%.500s", err.message);
}
