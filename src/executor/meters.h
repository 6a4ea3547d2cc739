/* What an executor tells of while it works, for whoever counts. */
#ifndef EXECUTOR_METERS_H
#define EXECUTOR_METERS_H

#include "chain/chain.h"

/* Kinds of faults: few, whatever a node or a disk says. */
enum executor_fault {
    EXECUTOR_FAULT_UNREACHABLE = 0,
    EXECUTOR_FAULT_UNKNOWN = 1, /* a request that may have arrived */
    EXECUTOR_FAULT_PROTOCOL = 2,
    EXECUTOR_FAULT_BREAKER_OPEN = 3,
    EXECUTOR_FAULT_STORAGE = 4,
    EXECUTOR_FAULT_BUSY = 5,
    EXECUTOR_FAULT_FENCED = 6,
    EXECUTOR_FAULT_EQUIVOCATION = 7,
    EXECUTOR_FAULT_REFUSED = 8,
    EXECUTOR_FAULT_MEMORY = 9,
    EXECUTOR_FAULT_OTHER = 10,
    EXECUTOR_FAULT_COUNT
};
/* "node_unreachable" etc.; NULL for a number that is none. */
const char *executor_fault_name(enum executor_fault fault);
enum executor_fault executor_fault_of(enum bursar_status status);

enum tick_outcome {
    TICK_COMPLETE = 0,
    TICK_FAULTY = 1,     /* to its end, with a fault of a node or of the signer */
    TICK_CUT_SHORT = 2,  /* an open circuit breaker let nothing out */
    TICK_BROKEN_OFF = 3, /* by the store: the lease was lost, a row had changed, it is locked or fails */
    TICK_STANDBY = 4,    /* somebody else holds the lease */
    TICK_GIVEN_UP = 5,   /* on request, in the middle */
    TICK_OUTCOME_COUNT
};
/* "complete" etc.; NULL for a number that is none. */
const char *tick_outcome_name(enum tick_outcome outcome);

/* Each may be NULL. Called on the executor's thread, which waits for them. */
struct executor_meters {
    void *ctx;
    /* At the end of every step. `view` is NULL when the chain was not seen. */
    void (*tick)(void *ctx, enum tick_outcome outcome, uint64_t took_ms, const struct chain_view *view);
    void (*fault)(void *ctx, enum executor_fault fault);
    /* The host's check failed, or refused a payment. */
    void (*host_check)(void *ctx, bool refused);
    /* `purpose` as in enum sign_purpose. */
    void (*signing)(void *ctx, int purpose, bool is_signed);
    void (*submission)(void *ctx, uint64_t nonce, enum submit_verdict verdict);
};

#endif
