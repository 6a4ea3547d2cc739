/* The rules of the anti-equivocation log: what may be signed, given everything that ever was (INV-1, INV-7, INV-12).
 *
 * Records of one nonce form a chain from the newest back. The newest in the file or in the batch at hand is found
 * through an array in memory; the records themselves are read from the file when they are needed. */
#include "signer/signing_log.h"

#include "base/bytes.h"
#include "eth/address.h"
#include "eth/keccak.h"
#include "signer/signing_log_file.h"
#include "signer/signing_log_heads.h"

#include <inttypes.h>
#include <string.h>

/* Replacements raise the fee each time, so a chain of honest ones stays far below. */
#define RECORDS_PER_NONCE_MAX 10000

struct signing_log {
    struct log_file file;
    struct log_heads heads;
    uint64_t lease_epoch; /* the highest seen */
    uint8_t *pending;     /* encoded records that are not in the file yet: they follow file.end */
    uint32_t pending_count;
    bool failed; /* a sync went wrong: what is on disk is unknown */
};

/* What the records of one nonce come to. */
struct history {
    bool has_payment;
    bool has_self_transfer;
    struct signing_log_entry payment;
    bool same_recorded; /* the very transaction asked about, for the same purpose */
};

enum bursar_status signing_log_path(const char *keystore_path, uint64_t chain_id, char ret[SIGNING_LOG_PATH_MAX_BYTES],
                                    struct bursar_error *err)
{
    char path[SIGNING_LOG_PATH_MAX_BYTES];
    int length = snprintf(path, sizeof path, "%s.%" PRIu64 ".signlog", keystore_path, chain_id);
    if (length < 0 || (size_t)length >= sizeof path)
        return bursar_fail(err, BURSAR_ELIMIT, "the keystore's path is too long for a signing log beside it");
    memcpy(ret, path, (size_t)length + 1);
    return BURSAR_OK;
}

enum bursar_status signing_log_create(const char *path, uint64_t chain_id, const struct bursar_address *account,
                                      struct bursar_error *err)
{
    struct log_identity identity = { .chain_id = chain_id, .account = *account };
    return log_file_create(path, &identity, err);
}

/* --- opening --- */

static enum bursar_status load_record(void *ctx, const struct log_record *record, struct bursar_error *err)
{
    struct signing_log *log = ctx;
    struct bursar_error why = { 0 };
    if (record->previous != log_heads_get(&log->heads, record->entry.nonce))
        return bursar_fail(err, BURSAR_EREFUSED,
                           "signing log: record %" PRIu32 " at offset %" PRIu64
                           " does not follow from those before it: the file was tampered with",
                           record->index, (uint64_t)record->index * RECORD_BYTES);
    enum bursar_status status = log_heads_set(&log->heads, record->entry.nonce, record->index, &why);
    if (status == BURSAR_ELIMIT)
        return bursar_fail(err, BURSAR_EREFUSED, "signing log: record %" PRIu32 ": %s", record->index, why.message);
    if (status != BURSAR_OK)
        return bursar_fail(err, status, "%s", why.message);
    if (record->entry.lease_epoch > log->lease_epoch)
        log->lease_epoch = record->entry.lease_epoch;
    return BURSAR_OK;
}

static enum bursar_status open_log(const char *path, uint64_t chain_id, const struct bursar_address *account,
                                   bool writable, struct signing_log **ret, struct bursar_error *err)
{
    struct log_identity identity = { .chain_id = chain_id, .account = *account };
    struct signing_log *log = calloc(1, sizeof *log);
    uint8_t *pending = writable ? malloc((size_t)SIGN_BATCH_MAX_ITEMS * RECORD_BYTES) : NULL;
    if (!log || (writable && !pending)) {
        free(pending);
        free(log);
        return bursar_fail(err, BURSAR_ENOMEM, "no memory to open signing log %s", path);
    }
    enum bursar_status status = log_file_open(
        path, &identity, writable, (struct log_visitor){ .ctx = log, .visit = load_record }, &log->file, err);
    if (status != BURSAR_OK) {
        log_heads_free(&log->heads);
        free(pending);
        free(log);
        return status;
    }
    log->pending = pending;
    *ret = log;
    return BURSAR_OK;
}

enum bursar_status signing_log_open(const char *path, uint64_t chain_id, const struct bursar_address *account,
                                    struct signing_log **ret, struct bursar_error *err)
{
    return open_log(path, chain_id, account, true, ret, err);
}

enum bursar_status signing_log_open_read_only(const char *path, uint64_t chain_id, const struct bursar_address *account,
                                              struct signing_log **ret, struct bursar_error *err)
{
    return open_log(path, chain_id, account, false, ret, err);
}

void signing_log_close(struct signing_log *log)
{
    if (!log)
        return;
    log_file_close(&log->file);
    log_heads_free(&log->heads);
    free(log->pending);
    free(log);
}

/* --- looking --- */

static enum bursar_status usable(const struct signing_log *log, struct bursar_error *err)
{
    if (log->failed)
        return bursar_fail(err, BURSAR_ESTORAGE,
                           "signing log %s: an earlier write failed, so what is on disk is unknown; it must be opened "
                           "anew",
                           log->file.path);
    return BURSAR_OK;
}

static enum bursar_status read_record(const struct signing_log *log, uint32_t index, struct log_record *ret,
                                      struct bursar_error *err)
{
    if (index < log->file.end)
        return log_file_read(&log->file, index, ret, err);
    uint32_t at = index - log->file.end;
    if (at >= log->pending_count ||
        !log_record_decode(&log->file.identity, index, log->pending + (size_t)at * RECORD_BYTES, ret))
        return bursar_fail(err, BURSAR_EINTERNAL, "signing log %s: the batch in memory is damaged", log->file.path);
    return BURSAR_OK;
}

static void add_to_history(struct history *history, const struct signing_log_entry *entry,
                           const struct signing_log_entry *asked)
{
    switch (entry->purpose) {
    case SIGN_PAYMENT:
    case SIGN_REPLACEMENT:
        history->payment = *entry;
        history->has_payment = true;
        break;
    case SIGN_SELF:
        history->has_self_transfer = true;
        break;
    }
    if (asked && entry->purpose == asked->purpose && hash_equal(&entry->transaction_hash, &asked->transaction_hash))
        history->same_recorded = true;
}

/* Walks the nonce's records from the newest back. `asked` may be NULL. */
static enum bursar_status read_history(const struct signing_log *log, uint64_t nonce,
                                       const struct signing_log_entry *asked, struct history *ret,
                                       struct bursar_error *err)
{
    struct history history = { 0 };
    struct log_record record = { 0 };
    uint32_t index = log_heads_get(&log->heads, nonce);
    for (int count = 0; index != NO_RECORD; count++, index = record.previous) {
        if (count == RECORDS_PER_NONCE_MAX)
            return bursar_fail(err, BURSAR_ELIMIT, "nonce %" PRIu64 " was signed %d times: something is very wrong",
                               nonce, count);
        enum bursar_status status = read_record(log, index, &record, err);
        if (status != BURSAR_OK)
            return status;
        if (record.entry.nonce != nonce)
            return bursar_fail(err, BURSAR_EREFUSED,
                               "signing log %s is damaged: record %" PRIu32 " is for nonce %" PRIu64 ", not %" PRIu64,
                               log->file.path, index, record.entry.nonce, nonce);
        add_to_history(&history, &record.entry, asked);
    }
    *ret = history;
    return BURSAR_OK;
}

void signing_log_extent(const struct signing_log *log, struct signing_log_extent *ret)
{
    *ret = (struct signing_log_extent){
        .entries = (uint64_t)log->file.end - FIRST_ENTRY + log->pending_count,
        .first_nonce = log->heads.first_nonce,
        .next_nonce = log->heads.first_nonce + log->heads.count,
    };
}

enum bursar_status signing_log_find(const struct signing_log *log, uint64_t nonce, struct signed_payload *ret,
                                    struct bursar_error *err)
{
    struct history history = { 0 };
    enum bursar_status status = usable(log, err);
    if (status == BURSAR_OK)
        status = read_history(log, nonce, NULL, &history, err);
    if (status != BURSAR_OK)
        return status;
    if (!history.has_payment && !history.has_self_transfer)
        return bursar_fail(err, BURSAR_ENOTFOUND, "nonce %" PRIu64 " was never signed", nonce);
    *ret = (struct signed_payload){
        .nonce = nonce,
        .to = history.payment.to,
        .value = history.payment.value,
        .data_hash = history.payment.data_hash,
        .has_payment = history.has_payment,
        .has_self_transfer = history.has_self_transfer,
    };
    return BURSAR_OK;
}

enum bursar_status signing_log_walk(const struct signing_log *log, uint64_t nonce, signing_log_visitor *visit,
                                    void *visit_ctx, struct bursar_error *err)
{
    struct log_record record = { 0 };
    enum bursar_status status = usable(log, err);
    uint32_t index = status == BURSAR_OK ? log_heads_get(&log->heads, nonce) : NO_RECORD;
    for (int count = 0; index != NO_RECORD && status == BURSAR_OK; count++, index = record.previous) {
        if (count == RECORDS_PER_NONCE_MAX)
            return bursar_fail(err, BURSAR_ELIMIT, "nonce %" PRIu64 " was signed %d times: something is very wrong",
                               nonce, count);
        status = read_record(log, index, &record, err);
        if (status == BURSAR_OK)
            status = visit(visit_ctx, &record.entry);
    }
    return status;
}

uint64_t signing_log_lease_epoch(const struct signing_log *log)
{
    return log->lease_epoch;
}

enum bursar_status signing_log_has_transaction(const struct signing_log *log, uint64_t nonce,
                                               const struct bursar_hash *hash, bool *ret, struct bursar_error *err)
{
    struct log_record record = { 0 };
    enum bursar_status status = usable(log, err);
    if (status != BURSAR_OK)
        return status;
    bool found = false;
    uint32_t index = log_heads_get(&log->heads, nonce);
    for (int count = 0; index != NO_RECORD && !found && count < RECORDS_PER_NONCE_MAX; count++) {
        status = read_record(log, index, &record, err);
        if (status != BURSAR_OK)
            return status;
        found = hash_equal(&record.entry.transaction_hash, hash);
        index = record.previous;
    }
    *ret = found;
    return BURSAR_OK;
}

/* --- deciding --- */

static bool same_payload(const struct signing_log_entry *a, const struct signing_log_entry *b)
{
    return address_equal(&a->to, &b->to) && bursar_amount_compare(a->value, b->value) == 0 &&
           hash_equal(&a->data_hash, &b->data_hash);
}

static enum bursar_status refuse_second_payload(const struct signing_log_entry *signed_entry,
                                                const struct signing_log_entry *asked, struct bursar_error *err)
{
    char signed_to[ADDRESS_TEXT_BYTES], asked_to[ADDRESS_TEXT_BYTES];
    char signed_value[BURSAR_AMOUNT_TEXT_BYTES], asked_value[BURSAR_AMOUNT_TEXT_BYTES];
    address_to_text(&signed_entry->to, signed_to);
    address_to_text(&asked->to, asked_to);
    bursar_amount_to_text(signed_entry->value, signed_value);
    bursar_amount_to_text(asked->value, asked_value);
    return bursar_fail(err, BURSAR_EEQUIVOCATION,
                       "nonce %" PRIu64 " was signed for %s wei to %s; refused to sign it for %s wei to %s%s",
                       asked->nonce, signed_value, signed_to, asked_value, asked_to,
                       hash_equal(&signed_entry->data_hash, &asked->data_hash) ? "" : " with other data");
}

static enum bursar_status check_self_transfer(const struct signing_log *log, const struct signing_log_entry *entry,
                                              struct bursar_error *err)
{
    struct bursar_hash no_data;
    keccak256(NULL, 0, &no_data);
    if (!address_equal(&entry->to, &log->file.identity.account) || !bursar_amount_is_zero(entry->value) ||
        !hash_equal(&entry->data_hash, &no_data))
        return bursar_fail(err, BURSAR_EINVAL,
                           "nonce %" PRIu64 ": a self transfer goes to the account itself, with value 0 and no data",
                           entry->nonce);
    return BURSAR_OK;
}

static enum bursar_status check_payment(const struct signing_log_entry *entry, const struct history *history,
                                        bool is_past, struct bursar_error *err)
{
    if (history->has_payment && !same_payload(&history->payment, entry))
        return refuse_second_payload(&history->payment, entry, err); /* INV-1 */
    if (history->has_self_transfer && !is_past) {
        char to[ADDRESS_TEXT_BYTES], value[BURSAR_AMOUNT_TEXT_BYTES];
        address_to_text(&entry->to, to);
        bursar_amount_to_text(entry->value, value);
        return bursar_fail(err, BURSAR_EEQUIVOCATION, /* INV-7 */
                           "nonce %" PRIu64
                           " was signed for a transfer of 0 to self; refused to sign it for %s wei to %s",
                           entry->nonce, value, to);
    }
    if (entry->purpose == SIGN_REPLACEMENT && !history->has_payment)
        return bursar_fail(err, BURSAR_EREFUSED,
                           "nonce %" PRIu64
                           ": a replacement was asked for, but the signing log knows no payment there: "
                           "entries are missing from it",
                           entry->nonce);
    return BURSAR_OK;
}

/* The checks; on success `ret` holds the nonce's history. */
static enum bursar_status decide(const struct signing_log *log, const struct signing_log_entry *entry, bool is_past,
                                 struct history *ret, struct bursar_error *err)
{
    enum bursar_status status = usable(log, err);
    if (status != BURSAR_OK)
        return status;
    if (entry->lease_epoch < log->lease_epoch) /* INV-6 */
        return bursar_fail(err, BURSAR_EFENCED,
                           "nonce %" PRIu64 ": asked with lease epoch %" PRIu64
                           ", but this key has signed for epoch %" PRIu64,
                           entry->nonce, entry->lease_epoch, log->lease_epoch);
    if (!log_heads_in_reach(&log->heads, entry->nonce))
        return bursar_fail(err, BURSAR_ELIMIT,
                           "nonce %" PRIu64 " is more than %" PRIu64 " away from those signed so far", entry->nonce,
                           NONCE_GAP_MAX);
    status = read_history(log, entry->nonce, entry, ret, err);
    if (status != BURSAR_OK)
        return status;
    switch (entry->purpose) {
    case SIGN_PAYMENT:
    case SIGN_REPLACEMENT:
        return check_payment(entry, ret, is_past, err);
    case SIGN_SELF:
        return check_self_transfer(log, entry, err);
    }
    return bursar_fail(err, BURSAR_EINVAL, "nonce %" PRIu64 ": unknown purpose %d", entry->nonce, (int)entry->purpose);
}

enum bursar_status signing_log_check(const struct signing_log *log, const struct signing_log_entry *entry,
                                     struct bursar_error *err)
{
    struct history history = { 0 };
    return decide(log, entry, false, &history, err);
}

/* --- recording --- */

static enum bursar_status append(struct signing_log *log, const struct signing_log_entry *entry, bool is_past,
                                 struct bursar_error *err)
{
    struct history history = { 0 };
    if (!log->file.writable)
        return bursar_fail(err, BURSAR_EREFUSED, "signing log %s was opened for reading only", log->file.path);
    enum bursar_status status = decide(log, entry, is_past, &history, err);
    if (status != BURSAR_OK)
        return status;
    /* Already recorded; but a higher epoch must be, so that it fences also after a restart. */
    if (history.same_recorded && entry->lease_epoch == log->lease_epoch)
        return BURSAR_OK;
    if (log->pending_count == SIGN_BATCH_MAX_ITEMS || log->pending_count >= UINT32_MAX - log->file.end)
        return bursar_fail(err, BURSAR_ELIMIT, "signing log %s: the batch is full", log->file.path);

    struct log_record record = {
        .index = log->file.end + log->pending_count,
        .previous = log_heads_get(&log->heads, entry->nonce),
        .batch_first = log->file.end,
        .entry = *entry,
    };
    status = log_heads_set(&log->heads, entry->nonce, record.index, err);
    if (status != BURSAR_OK)
        return status;
    log_record_encode(&log->file.identity, &record, log->pending + (size_t)log->pending_count * RECORD_BYTES);
    log->pending_count++;
    log->lease_epoch = entry->lease_epoch;
    return BURSAR_OK;
}

enum bursar_status signing_log_append(struct signing_log *log, const struct signing_log_entry *entry,
                                      struct bursar_error *err)
{
    return append(log, entry, false, err);
}

enum bursar_status signing_log_append_past(struct signing_log *log, const struct signing_log_entry *entry,
                                           struct bursar_error *err)
{
    return append(log, entry, true, err);
}

enum bursar_status signing_log_sync(struct signing_log *log, struct bursar_error *err)
{
    enum bursar_status status = usable(log, err);
    if (status != BURSAR_OK || log->pending_count == 0)
        return status;
    status = log_file_append(&log->file, log->pending, log->pending_count, err);
    if (status != BURSAR_OK) {
        log->failed = true;
        return status;
    }
    log->pending_count = 0;
    return BURSAR_OK;
}
