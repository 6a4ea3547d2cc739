/* Several nodes of one chain as one `struct chain`, in order of preference.
 *
 * Reads go to the first healthy node and fall over to the next. What an answer decides for good (finality and what lies
 * below it, receipts, blocks, absence, code) needs `quorum` nodes that say the same at one block hash; disagreement is
 * a failed read, never a fact (INV-5). Raw transactions go to all healthy nodes, and any that takes one has taken it.
 * docs/ARCHITECTURE.md, "Many nodes", says which answer needs what, and why.
 *
 * Each node has a transport breaker of its own (no relation of the treasury's: it only decides who is asked), and is
 * left alone for as long as it asks to be (Retry-After). A node that lags far behind, or shows another chain or another
 * history than the others, is set aside and named. A node alone has neither breaker nor judge: it is simply asked. */
#ifndef CHAIN_NODES_H
#define CHAIN_NODES_H

#include "base/note.h"
#include "base/time.h"
#include "chain/chain.h"
#include "rpc/rpc.h"

#define NODES_MAX_COUNT 16
#define NODE_NAME_MAX_BYTES 320

/* Further behind the others than this, a node lags. */
#define NODES_LAG_MAX_BLOCKS 20
/* How often nodes that are not needed are looked at too. */
#define NODES_SURVEY_MS 10000

struct nodes;

struct nodes_config {
    size_t quorum; /* nodes that must agree, 1 to the number of nodes */
    struct clock clock;
    struct note_sink notes;
};

/* Borrowed, but for the name; must outlive the nodes. */
struct nodes_member {
    const char *name; /* shown to people: no secrets */
    struct chain chain;
    void *trouble_ctx;
    void (*take_trouble)(void *ctx, struct rpc_trouble *ret); /* as in struct rpc, over all of its connections */
};

BURSAR_MUST_CHECK enum bursar_status nodes_new(const struct nodes_config *config, struct nodes **ret,
                                               struct bursar_error *err);
/* The next in order of preference; all of them before nodes_interface. ELIMIT. */
BURSAR_MUST_CHECK enum bursar_status nodes_add(struct nodes *nodes, const struct nodes_member *member,
                                               struct bursar_error *err);
/* As many lanes as the node with the fewest. EINVAL when the quorum is not among the nodes. */
BURSAR_MUST_CHECK enum bursar_status nodes_interface(struct nodes *nodes, struct chain *ret, struct bursar_error *err);
/* Where to tell of nodes that fail, are set aside, and come back. */
void nodes_set_notes(struct nodes *nodes, struct note_sink notes);
void nodes_free(struct nodes *nodes); /* NULL is fine */

enum node_state {
    NODE_UNTRIED = 1, /* not asked yet */
    NODE_OK = 2,
    NODE_FAILING = 3, /* the last request failed */
    NODE_RESTING = 4, /* has asked to be left alone for a while */
    NODE_LAGGING = 5, /* set aside: far behind the others */
    NODE_LYING = 6,   /* set aside: another chain, or another history of it */
};
const char *node_state_name(enum node_state state);

struct node_health {
    const char *name; /* borrowed, as the next */
    enum node_state state;
    const char *last_error; /* why it is set aside, else its last error; "" */
    bool has_latest;
    uint64_t latest_block; /* as last seen */
};
size_t nodes_count(const struct nodes *nodes);
void nodes_look(const struct nodes *nodes, size_t index, struct node_health *ret);

#endif
