/* What a simulated node is made of. Private to the sim_node*.c files. */
#ifndef SIM_NODE_PARTS_H
#define SIM_NODE_PARTS_H

#include "sim_node_words.h"

#define SIM_CACHED_BLOCKS 256

struct sim_script {
    uint64_t skip, count, amount;
};

/* A block as JSON, asked for again and again: nobody changes what was answered. */
struct sim_cached_block {
    uint32_t block; /* index + 1; 0: nothing */
    json_t *header, *full;
};

struct sim_node {
    struct sim_chain *chain;
    const struct sim_manner *manner;
    unsigned pool;
    enum sim_node_reach reach;
    uint64_t lag, method_lag[SIM_METHODS];
    uint32_t stuck, method_stuck[SIM_METHODS]; /* block indices; SIM_NONE */
    struct sim_script lies[SIM_LIES];
    uint64_t lies_told[SIM_LIES], calls[SIM_METHODS];
    struct sim_cached_block blocks[SIM_CACHED_BLOCKS];
    uint32_t history_block; /* of `history`: index + 1 */
    uint64_t history_length;
    json_t *history;
};

/* The newest block that this method tells of. */
uint32_t sim_node_head(const struct sim_node *node, enum sim_method method);
/* Its finalized block, SIM_NONE when there is none yet. */
uint32_t sim_node_final(const struct sim_node *node, enum sim_method method);
/* True when this call is to be answered with that lie. Counts. */
bool sim_node_lies(struct sim_node *node, enum sim_lie lie);

void sim_reply_error(struct rpc_reply *ret, long long code, const char *text);
void sim_reply_words(struct rpc_reply *ret, const struct sim_words *words);
void sim_reply_result(struct rpc_reply *ret, json_t *result); /* takes it; never NULL: memory ran out then */
void sim_reply_invalid(struct rpc_reply *ret);                /* invalid params */

json_t *sim_json_number(uint64_t number);
json_t *sim_json_bytes(const void *bytes, size_t length_bytes);
json_t *sim_json_amount(struct bursar_amount amount);
bool sim_read_number(const json_t *value, uint64_t *ret);
bool sim_read_amount(const json_t *value, struct bursar_amount *ret);
/* "0x" and 2 * length_bytes digits */
bool sim_read_bytes(const json_t *value, uint8_t *ret, size_t length_bytes);

/* `at`: its inclusion; SIM_NONE: pooled. A new reference. */
json_t *sim_json_transaction(const struct sim_node *node, const struct sim_transaction *tx, uint32_t at);

/* One function a method. */
typedef void sim_answer(struct sim_node *node, const json_t *params, struct rpc_reply *ret);
/* sim_node_blocks.c */
sim_answer sim_answer_chain_id, sim_answer_block, sim_answer_header, sim_answer_fee_history;
/* sim_node_state.c */
sim_answer sim_answer_nonce, sim_answer_balance, sim_answer_code, sim_answer_call, sim_answer_estimate;
/* sim_node_transactions.c */
sim_answer sim_answer_receipt, sim_answer_transaction, sim_answer_send;

#endif
