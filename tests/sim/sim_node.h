/* A node's answers: JSON-RPC methods over the simulator's chain, in the words that real nodes use, and everything that
 * makes a node unreliable: it lags, it is stuck, it does not tell all, it refuses to work. Nothing of that is drawn
 * here: it is set by a caller. */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "sim_chain.h"

#include "rpc/rpc.h"

/* Whose words, and whose ways. */
enum sim_node_kind {
    SIM_NODE_GETH = 0,       /* headers by eth_getHeaderByNumber, counts the cost of all that is pooled */
    SIM_NODE_ANVIL = 1,      /* wants the base fee, any rise replaces */
    SIM_NODE_ERIGON = 2,     /* erigon_getHeaderByNumber; result codes before its texts */
    SIM_NODE_NETHERMIND = 3, /* runs no programs */
    SIM_NODE_BESU = 4,       /* -39001 for unknown blocks; knows no block hashes as parameters: pins go by number */
    SIM_NODE_KINDS,
};

enum sim_method {
    SIM_METHOD_CHAIN_ID = 0,
    SIM_METHOD_BLOCK,
    SIM_METHOD_HEADER,
    SIM_METHOD_NONCE,
    SIM_METHOD_BALANCE,
    SIM_METHOD_CODE,
    SIM_METHOD_CALL,
    SIM_METHOD_ESTIMATE,
    SIM_METHOD_FEE_HISTORY,
    SIM_METHOD_RECEIPT,
    SIM_METHOD_TRANSACTION,
    SIM_METHOD_SEND,
    SIM_METHODS,
};
const char *sim_method_name(enum sim_method method);

/* One-off misbehaviour. Each is scripted as (skip, count, amount): after `skip` more calls that it could apply to, the
 * next `count` are answered so. */
enum sim_lie {
    SIM_LIE_NO_RECEIPT = 0,  /* null, though there is one */
    SIM_LIE_NO_TRANSACTION,  /* null, though it is pooled or mined */
    SIM_LIE_NO_BLOCK,        /* null for a block that is there (by number only) */
    SIM_LIE_PENDING_LOW,     /* pending nonce: without the pool, and `amount` lower still (not below 0) */
    SIM_LIE_PENDING_HIGH,    /* pending nonce: `amount` too high */
    SIM_LIE_STRANGE_RECEIPT, /* a failure, in a block that nobody else has */
    SIM_LIE_FORGETS,         /* accepts a transaction and keeps it nowhere */
    SIM_LIE_DENIES,          /* takes a transaction and answers with an error about the node */
    SIM_LIE_OTHER_HASH,      /* takes a transaction and answers with another hash */
    SIM_LIE_NOTHING_FINAL,   /* no finalized block yet */
    SIM_LIE_NO_FINALIZED,    /* does not know the tag `finalized` */
    SIM_LIE_OTHER_GENESIS,   /* block 0 has another hash */
    SIM_LIE_OTHER_CHAIN_ID,
    SIM_LIE_REFUSES_PROGRAM, /* eth_call fails */
    SIM_LIE_RATE_LIMIT,      /* any method: an error, and nothing done */
    SIM_LIE_INTERNAL_ERROR,  /* any method: an error, and nothing done */
    SIM_LIE_MALFORMED,       /* any method but sending: a result that makes no sense */
    SIM_LIE_NO_ESTIMATE,     /* eth_estimateGas fails */
    SIM_LIES_OF_ANY,         /* not a lie: those above may be told by a node that is believed alone */
    /* About what is believed only if a quorum says so: */
    SIM_LIE_FALSE_OUTCOME = SIM_LIES_OF_ANY, /* a receipt with the other outcome */
    SIM_LIE_FALSE_FINAL,                     /* the newest block is called final */
    SIM_LIE_FALSE_NONCE,                     /* `amount` more than the account has used */
    SIM_LIE_FALSE_BLOCK,                     /* another block at a number */
    SIM_LIE_EMPTY_BLOCK,                     /* a block without its transactions */
    SIM_LIE_FALSE_CODE,                      /* what holds code does not, and the other way round */
    SIM_LIE_FALSE_BALANCE,                   /* below its newest block: `amount` less when odd, else more */
    SIM_LIES,
};
const char *sim_lie_name(enum sim_lie lie);

/* How a node is reached, for as long as it is set. */
enum sim_node_reach {
    SIM_NODE_REACHED = 0,
    SIM_NODE_DOWN, /* nobody takes the connection */
    SIM_NODE_MUTE, /* takes requests, does what they ask, and never answers */
    SIM_NODE_BUSY, /* HTTP 429, and Retry-After */
    SIM_NODE_REACHES,
};

struct sim_node;

/* `chain` is borrowed. `pool`: 1 .. SIM_POOLS_MAX_COUNT - 1 (nodes may share one), or the miner's own. */
struct sim_node *sim_node_new(struct sim_chain *chain, enum sim_node_kind kind, unsigned pool);
void sim_node_free(struct sim_node *node); /* NULL is fine */
/* Is restarted on another chain, or back on its own. */
void sim_node_move(struct sim_node *node, struct sim_chain *chain);

/* So many blocks behind the chain, in everything, or in one method only (the larger of the two counts). */
void sim_node_set_lag(struct sim_node *node, uint64_t blocks);
void sim_node_set_method_lag(struct sim_node *node, enum sim_method method, uint64_t blocks);
/* Stays at the block that it has now, a fork that everybody else leaves included; in one method only: a stale cache.
 * A node that is stuck and that is unstuck catches up at once. */
void sim_node_set_stuck(struct sim_node *node, bool is_stuck);
void sim_node_set_method_stuck(struct sim_node *node, enum sim_method method, bool is_stuck);
void sim_node_script(struct sim_node *node, enum sim_lie lie, uint64_t skip, uint64_t count, uint64_t amount);
void sim_node_set_reach(struct sim_node *node, enum sim_node_reach reach);
enum sim_node_reach sim_node_reach(const struct sim_node *node);
/* No lag, not stuck, no lies. */
void sim_node_heal(struct sim_node *node);

/* Answers one call. `params` is borrowed. */
void sim_node_answer(struct sim_node *node, const char *method, const json_t *params, struct rpc_reply *ret);

uint64_t sim_node_calls(const struct sim_node *node, enum sim_method method);
uint64_t sim_node_lies_told(const struct sim_node *node, enum sim_lie lie);
struct sim_chain *sim_node_chain(const struct sim_node *node);
unsigned sim_node_pool(const struct sim_node *node);

#endif
