/* A signer whose k-th batch fails, before or after its log was written; or that is the last thing its process does.
 * After a failure it signs nothing before it is acquired anew, as a log does that can't say what reached the disk. */
#ifndef TESTS_EXECUTOR_FAULTY_SIGNER_H
#define TESTS_EXECUTOR_FAULTY_SIGNER_H

#include "signer/signer.h"

struct faulty_signer {
    struct signer inner;
    bool *is_dead;
    uint64_t batches;
    uint64_t fail_at; /* 1-based; 0: never */
    bool fail_after;  /* the signatures are in the log, and never left the signer */
    bool dies;        /* instead of only failing */
    bool needs_acquire;
    uint64_t refused_nonce, refusals; /* so often this nonce, and no other item of its batch, is refused */
    uint64_t finds_that_fail;         /* the next so many looks into the log */
    /* Called once, when the next batch is signed and has not been handed out yet. */
    void (*interlude)(void *ctx);
    void *interlude_ctx;
};

struct signer faulty_signer_interface(struct faulty_signer *signer);

#endif
