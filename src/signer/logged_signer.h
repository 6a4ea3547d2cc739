/* What every signer with a signing log of its own has in common: each request is held against the log, recorded in it,
 * and the record synced, before anything that was signed is handed out (INV-2). How bytes are signed is the owner's. */
#ifndef SIGNER_LOGGED_SIGNER_H
#define SIGNER_LOGGED_SIGNER_H

#include "signer/signer.h"
#include "signer/signing_log.h"

struct logged_signer_config {
    uint64_t chain_id;
    struct bursar_address account;
    const char *log_path; /* copied */
    void *ctx;
    /* Signs what the log allows: ret->raw (malloc'd) and ret->hash, or ret->error untouched and `err` says why not. */
    enum bursar_status (*produce)(void *ctx, const struct sign_request *request, struct signed_transaction *ret,
                                  struct bursar_error *err);
};

struct logged_signer {
    struct logged_signer_config config;
    char *log_path;
    struct signing_log *log; /* NULL while not acquired */
    bool log_failed;         /* acquire opens it anew */
};

/* For a zeroed `signer`, which the owner embeds and must not move; ENOMEM. */
BURSAR_MUST_CHECK enum bursar_status
logged_signer_init(struct logged_signer *signer, const struct logged_signer_config *config, struct bursar_error *err);
struct signer logged_signer_interface(struct logged_signer *signer);
/* Releases the log; a zeroed one is fine. */
void logged_signer_close(struct logged_signer *signer);

#endif
