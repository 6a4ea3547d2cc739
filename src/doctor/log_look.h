/* Store and signing log compared cheaply, beside an executor that may be writing to both (INV-12). */
#ifndef DOCTOR_LOG_LOOK_H
#define DOCTOR_LOG_LOOK_H

#include "signer/signing_log.h"
#include "store/store.h"

struct log_look {
    bool has_log; /* it could be read */
    struct signing_log_extent extent;
    struct lane lane;    /* read after it */
    enum halt_code halt; /* what an executor would halt for; NONE: they agree */
    char halt_reason[HALT_REASON_MAX_BYTES];
};
/* Never fails: what can't be read is a reason to halt. */
void log_look(const struct store *store, const struct treasury *treasury, const char *keystore, struct log_look *ret);

#endif
