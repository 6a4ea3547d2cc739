/* Inside of the nodes: what its files share. Not for others. */
#ifndef CHAIN_NODES_PARTS_H
#define CHAIN_NODES_PARTS_H

#include "chain/nodes.h"

#include <bursar/breaker.h>

#define NODE_REASON_MAX_BYTES 256

/* A request to one node that is under way. */
struct node_call {
    struct bursar_breaker_ticket ticket;
    bool is_forced; /* in spite of its breaker */
};

enum set_aside {
    ASIDE_NOT = 0,
    ASIDE_LAGS = 1,
    ASIDE_LIES = 2,
};

struct node_entry {
    char name[NODE_NAME_MAX_BYTES];
    struct nodes_member member;
    struct bursar_breaker *breaker; /* NULL: the only node */
    uint64_t rests_until_ms;        /* monotonic */
    enum set_aside aside;
    char aside_reason[NODE_REASON_MAX_BYTES];
    bool is_vetted; /* seen to be on the right chain since its connection last failed (INV-8) */
    bool is_tried, is_failing;
    char last_error[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    bool has_latest;
    uint64_t latest_block;
};

/* The nodes that one request of a lane went to. */
struct lane_use {
    uint32_t started; /* bit i: node i */
    struct node_call calls[NODES_MAX_COUNT];
};

struct nodes {
    struct nodes_config config;
    struct node_entry entries[NODES_MAX_COUNT];
    size_t count;
    struct lane_use lanes[CHAIN_LANES_MAX_COUNT];
    struct submit_result results[CHAIN_ITEMS_MAX_COUNT]; /* of one node, before they are merged */
    /* What was agreed last, and asked: nodes are vetted against it. */
    bool has_agreed;
    struct chain_query query;
    struct chain_view agreed;
    bool has_surveyed;
    uint64_t surveyed_at_ms;
};

/* Who is asked, one after the other; each pass only when those before did not suffice. */
enum asking_pass {
    PASS_HEALTHY = 0,
    PASS_BROKEN = 1,  /* their breakers are open: better than nobody */
    PASS_LAGGING = 2, /* set aside for being behind: likewise; what they do not have yet decides nothing */
};

/* -- one node (nodes.c) -- */

/* May node `i` be asked in this pass? If so, it must be told of with node_told. */
BURSAR_MUST_CHECK bool node_may_ask(struct nodes *nodes, size_t i, enum asking_pass pass, struct node_call *ret);
/* How it went: tells its breaker, remembers what it wants. */
void node_told(struct nodes *nodes, size_t i, const struct node_call *call, enum bursar_status status,
               const struct bursar_error *err);
void node_set_aside(struct nodes *nodes, size_t i, enum set_aside aside, const char *reason);
void node_take_back(struct nodes *nodes, size_t i);

/* Collects why each node could not help, for a person. */
struct excuses {
    char text[BURSAR_ERROR_MESSAGE_MAX_BYTES];
    enum bursar_status status; /* of the first */
    bool is_cancelled;         /* given up on request: nobody else is asked (ECANCELLED) */
};
void excuses_add(struct excuses *excuses, const char *name, enum bursar_status status, const char *text);
/* Those of the nodes that were not even asked. */
void excuses_add_unasked(struct excuses *excuses, const struct nodes *nodes, uint32_t asked);

/* -- looks (nodes_observe.c, nodes_judge.c) -- */

BURSAR_MUST_CHECK enum bursar_status nodes_observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                                   struct bursar_error *err);
/* One look by node `i`. */
BURSAR_MUST_CHECK enum bursar_status node_see(struct nodes *nodes, size_t i, const struct node_call *call,
                                              const struct chain_query *query, struct chain_view *ret,
                                              struct bursar_error *err);
/* Is it on the chain, and on the history, that was agreed? For a node that answers reads after its connection failed:
 * looks if it has to. */
BURSAR_MUST_CHECK bool node_vet(struct nodes *nodes, size_t i, enum asking_pass pass, struct excuses *excuses);

/* Do two views show the same chain, as far as both show it? */
bool views_share_chain(const struct chain_view *a, const struct chain_view *b);
/* What `view` says against `agreed`, in words; ASIDE_NOT and "" when nothing. */
enum set_aside view_judge(const struct chain_query *query, const struct chain_view *view,
                          const struct chain_view *agreed, char ret_reason[NODE_REASON_MAX_BYTES]);

/* -- reads (nodes_agree.c) and hand-overs (nodes_submit.c) -- */

/* How to ask one node, and how to compare what nodes say of one item. */
struct read_kind {
    const char *noun;
    size_t item_bytes;
    enum bursar_status (*ask)(const struct chain *chain, const void *question, size_t count, void *ret,
                              struct bursar_error *err);
    bool (*same)(const void *a, const void *b);
    /* Can these two not both be said by honest nodes, however far behind one is? */
    bool (*contradict)(const struct nodes *nodes, const void *a, const void *b);
    /* What all of `count` disagreeing answers support, if that is anything; may be NULL. */
    bool (*weaken)(const void *const *answers, size_t count, void *ret);
    /* Takes what another node that says the same adds to the agreed answer; may be NULL. */
    void (*merge)(void *agreed, const void *other);
    void (*clear)(void *items, size_t count); /* may be NULL */
};

/* Each item as a quorum of nodes says it; with a quorum of one, whoever answers first. */
BURSAR_MUST_CHECK enum bursar_status nodes_read_agreed(struct nodes *nodes, const struct read_kind *kind,
                                                       const void *question, size_t count, void *ret,
                                                       struct bursar_error *err);

void nodes_put_reads(struct chain *ret);       /* nodes_read.c */
void nodes_put_state_reads(struct chain *ret); /* nodes_state.c */
void nodes_put_submits(struct chain *ret);

#endif
