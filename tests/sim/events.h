/* Everything adverse, and every input, is an event: drawn from the seed before anything runs, each kind from a stream
 * of its own. What runs is decided by the list alone, so that a shorter list can be tried. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name, text, times in 1,000 steps, how many seeds in 100 have it at all */
#define EVENT_LIST(X)                                                                                                  \
    X(EVENT_IMPORT, "import", 45, 100)                                                                                 \
    X(EVENT_CANCEL, "cancel", 30, 60)                                                                                  \
    X(EVENT_CANCEL_SENT, "cancel_sent", 40, 40) /* of what is on its way */                                            \
    X(EVENT_RETRY, "retry", 15, 70)                                                                                    \
    X(EVENT_REPAIR, "repair", 8, 50)  /* destinations that reverted do not any more */                                 \
    X(EVENT_REFUSE, "refuse", 15, 50) /* contracts refuse to be paid (again) */                                        \
    X(EVENT_BREAKER, "breaker", 12, 40)                                                                                \
    X(EVENT_KILL_CALL, "kill_call", 25, 70) /* a process dies at one of its next calls at a seam */                    \
    X(EVENT_KILL_DISK, "kill_disk", 25, 70) /* ... at one of its next operations on the disk */                        \
    X(EVENT_STOP, "stop", 8, 50)            /* stopped in good order */                                                \
    X(EVENT_FREEZE, "freeze", 25, 70)                                                                                  \
    X(EVENT_PASS_ON, "pass_on", 12, 50) /* frozen, and its locks pass on all the same */                               \
    X(EVENT_POWER_LOSS, "power_loss", 10, 60)                                                                          \
    X(EVENT_KEEP_STORE, "keep_store", 10, 12)                                                                          \
    X(EVENT_PUT_BACK_STORE, "put_back_store", 5, 12)                                                                   \
    X(EVENT_KEEP_LOG, "keep_log", 10, 8)                                                                               \
    X(EVENT_PUT_BACK_LOG, "put_back_log", 5, 8)                                                                        \
    X(EVENT_WALL_JUMP, "wall_jump", 10, 50)                                                                            \
    X(EVENT_MONOTONIC_JUMP, "monotonic_jump", 10, 50)                                                                  \
    X(EVENT_DISK_FAULT, "disk_fault", 25, 60)                                                                          \
    X(EVENT_NETWORK_FAULT, "network_fault", 120, 80)                                                                   \
    X(EVENT_NODE_FAULT, "node_fault", 80, 70)                                                                          \
    X(EVENT_REORG, "reorg", 50, 70)                                                                                    \
    X(EVENT_LOSE_BLOCKS, "lose_blocks", 10, 40)                                                                        \
    X(EVENT_EVICT, "evict", 40, 60)                                                                                    \
    X(EVENT_DROP_POOL, "drop_pool", 10, 50)                                                                            \
    X(EVENT_BASE_FEE, "base_fee", 30, 60)                                                                              \
    X(EVENT_NO_BLOCKS, "no_blocks", 15, 50)                                                                            \
    X(EVENT_BLOCKS, "blocks", 20, 50)                                                                                  \
    X(EVENT_DEPOSIT, "deposit", 25, 60)                                                                                \
    X(EVENT_FOREIGN, "foreign", 10, 20)           /* somebody else uses the key */                                     \
    X(EVENT_NODE_CUT_OFF, "node_cut_off", 20, 60) /* one of several nodes is down, mute or busy for a while */         \
    X(EVENT_NODE_LIES, "node_lies", 30, 80)       /* one of several lies about what a quorum decides */                \
    X(EVENT_LOSE_STORE, "lose_store", 3, 8)       /* and init is run anew */                                           \
    X(EVENT_LOSE_LOG, "lose_log", 3, 8)                                                                                \
    X(EVENT_ADOPT, "reconcile", 30, 30)                                                                                \
    X(EVENT_NODE_MOVES, "moved_node", 4, 15)     /* a node is restarted on another history of the chain */             \
    X(EVENT_MONEY_LIMITS, "money_limits", 0, 90) /* at the start only */                                               \
    X(EVENT_MONEY, "money_breaker", 10, 40)      /* a person opens or closes it */                                     \
    X(EVENT_CLOSE_MONEY, "close_money", 80, 95)  /* a person finds it open, and closes it */                           \
    X(EVENT_TAKE, "take_money", 8, 25)           /* money leaves an account by no transaction of its own */

enum event_kind {
#define X(name, text, rate, share) name,
    EVENT_LIST(X)
#undef X
        EVENT_KIND_COUNT,
};
const char *event_kind_name(enum event_kind kind);
/* False for an unknown name. */
bool event_kind_from_name(const char *name, enum event_kind *ret);

/* What a, b and c mean is the kind's; apply.c says it. `who` is a process or a treasury. All are taken modulo what
 * there is, so that any event fits any world. */
struct event {
    uint32_t step;
    enum event_kind kind;
    uint32_t who;
    uint32_t a, b, c;
};

struct event_list {
    struct event *items;
    size_t count, capacity;
};

/* What a run has more or less of than others. */
struct event_wish {
    bool without[EVENT_KIND_COUNT]; /* leaves a kind out, and the others as they are */
    bool is_deadly;                 /* processes die at nearly every other step, of whatever kind */
    bool is_forgetful;              /* stores and signing logs are lost, and people put that right */
};

/* In order of steps. False without memory. */
bool events_draw(uint64_t seed, uint32_t steps, const struct event_wish *wish, struct event_list *ret);
bool events_add(struct event_list *list, const struct event *event);
void events_free(struct event_list *list);
void event_text(const struct event *event, char *ret, size_t ret_bytes);

#endif
