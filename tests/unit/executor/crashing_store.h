/* A store that dies: the k-th write call, before or after its transaction, is the last thing a process does. From then
 * on every call the executor makes fails, reads too. */
#ifndef TESTS_EXECUTOR_CRASHING_STORE_H
#define TESTS_EXECUTOR_CRASHING_STORE_H

#include "store/store.h"

struct crashing_store {
    struct store inner;
    bool *is_dead;    /* shared with all else that belongs to the process */
    uint64_t writes;  /* write calls seen */
    uint64_t die_at;  /* 1-based; 0: never */
    bool die_after;   /* the transaction was committed */
    const char *last; /* name of the last write call */
    /* Called once, before the next write call of this name. */
    const char *interlude_at;
    void (*interlude)(void *ctx);
    void *interlude_ctx;
};

struct store crashing_store_interface(struct crashing_store *store);

#endif
