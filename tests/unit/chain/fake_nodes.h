/* Nodes of one made-up chain, each of which can fail, lag, fork off and lie by itself. Block n holds one transaction,
 * of nonce n - 1 of the account, so that nonces are heights; the account has
 * FAKE_WEI less one for each. */
#ifndef TESTS_FAKE_NODES_H
#define TESTS_FAKE_NODES_H

#include "chain/nodes.h"

#define FAKE_CHAIN_ID 7
#define FAKE_NOBODY UINT64_MAX
#define FAKE_WEI 1000000

struct fake_node {
    uint64_t chain_id;
    uint8_t genesis;
    uint64_t head, final; /* final 0: nothing is */
    uint64_t fork_at;     /* blocks from here on are its own; FAKE_NOBODY: none */
    uint64_t nonces_more; /* than true */
    uint64_t pending_more;
    uint64_t balance_less; /* than the account has in the final block */
    bool hides_balance;    /* of that block */
    struct chain_estimate estimate;
    bool hides_transactions, reverses_outcomes, sees_code;
    unsigned decimals;         /* of every token */
    uint64_t other_fee_wei;    /* in every receipt */
    uint64_t hides_receipt_of; /* the transaction of this block; FAKE_NOBODY */
    bool has_pooled;           /* what is not mined is in its pool */
    enum submit_verdict verdict;

    /* The next `faults` calls fail with `fault`. */
    unsigned faults;
    enum bursar_status fault;
    bool fault_is_answer; /* an error object: the way to it is fine */
    uint64_t retry_after_ms;
    bool stumbles; /* every call meets a fault on its way, and gets its answer all the same */

    unsigned looks, reads, submits, starts;
    uint64_t last_limit; /* of the last look; FAKE_NOBODY: none */
    bool lane_is_busy[CHAIN_LANES_MAX_COUNT];
    struct rpc_trouble trouble;
};

struct fake {
    struct fake_node node[6];
    size_t count;
    uint64_t now_ms;
    struct nodes *nodes;
    struct chain chain;
    struct chain_query query; /* pinned to the genesis block and block 10 */
    struct chain_view view;
    struct bursar_error err;
    char notes[8192];
};

/* `count` honest nodes at head 100, final 90. */
struct fake *fake_new(size_t count, size_t quorum);
void fake_free(struct fake *fake);
/* Looks; the status. */
enum bursar_status fake_look(struct fake *fake);
enum node_state fake_state(const struct fake *fake, size_t node);
struct bursar_hash fake_hash(uint8_t kind, uint64_t number);
/* Of the transaction in block n. */
struct bursar_hash fake_transaction(uint64_t number);
/* Of node `i` at this height. */
struct bursar_hash fake_block_hash(const struct fake_node *node, uint64_t number);
void fake_fail(struct fake_node *node, unsigned times, enum bursar_status status);

#endif
