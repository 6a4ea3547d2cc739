/* The bytes of a signing log: 160 bytes a record, numbers big-endian, so that a file means the same on every machine.
 *
 *   record 0   the header: what file this is, and whose
 *   record 1   the mark: how far the file is known to be on disk; the only record that is ever rewritten
 *   record 2.. one a signature, in the order of signing
 *
 * Offset of record i: 160 * i. Every checksum also covers the record's index and the log's identity, so that a record
 * at another place or from another account's log is not valid. */
#ifndef SIGNER_SIGNING_LOG_RECORD_H
#define SIGNER_SIGNING_LOG_RECORD_H

#include "signer/signing_log.h"

#define SIGNING_LOG_VERSION 1u
#define RECORD_BYTES 160
#define FIRST_ENTRY 2u
#define NO_RECORD 0u /* index of the header: never an entry */

struct log_identity {
    uint64_t chain_id;
    struct bursar_address account;
};

struct log_record {
    uint32_t index;
    uint32_t previous;    /* the record before it for the same nonce, or NO_RECORD */
    uint32_t batch_first; /* the first record of the batch it was written with: all before that were on disk by then */
    struct signing_log_entry entry;
};

void log_header_encode(const struct log_identity *identity, uint8_t ret[RECORD_BYTES]);
/* EREFUSED, without naming the file: not a signing log, damaged, or of a version this program does not know. */
BURSAR_MUST_CHECK enum bursar_status log_header_decode(const uint8_t bytes[RECORD_BYTES], struct log_identity *ret,
                                                       struct bursar_error *err);
/* All records below `synced_end` are on disk. */
void log_mark_encode(const struct log_identity *identity, uint32_t synced_end, uint8_t ret[RECORD_BYTES]);
BURSAR_MUST_CHECK bool log_mark_decode(const struct log_identity *identity, const uint8_t bytes[RECORD_BYTES],
                                       uint32_t *ret_synced_end);
void log_record_encode(const struct log_identity *identity, const struct log_record *record, uint8_t ret[RECORD_BYTES]);
/* False unless these are exactly the bytes that encode gives for a record at `index`. */
BURSAR_MUST_CHECK bool log_record_decode(const struct log_identity *identity, uint32_t index,
                                         const uint8_t bytes[RECORD_BYTES], struct log_record *ret);

#endif
