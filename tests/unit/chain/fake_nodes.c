/* See fake_nodes.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fake_nodes.h"

#include <stdlib.h>
#include <string.h>

#define KIND_BLOCK 1
#define KIND_FORK 2
#define KIND_TRANSACTION 3
#define PINNED_BLOCK 10

struct bursar_hash fake_hash(uint8_t kind, uint64_t number)
{
    struct bursar_hash hash = { { kind } };
    memcpy(hash.bytes + 8, &number, sizeof number);
    return hash;
}

struct bursar_hash fake_transaction(uint64_t number)
{
    return fake_hash(KIND_TRANSACTION, number);
}

struct bursar_hash fake_block_hash(const struct fake_node *node, uint64_t number)
{
    struct bursar_hash hash = fake_hash(number >= node->fork_at ? KIND_FORK : KIND_BLOCK, number);
    if (number == 0)
        hash.bytes[1] = node->genesis;
    return hash;
}

void fake_fail(struct fake_node *node, unsigned times, enum bursar_status status)
{
    node->faults = times;
    node->fault = status;
}

/* The fault in store, or OK. */
static enum bursar_status begin(struct fake_node *node, struct bursar_error *err)
{
    node->trouble.is_transport_fault = node->stumbles;
    if (node->retry_after_ms) {
        node->trouble.retry_after_ms = node->retry_after_ms;
        node->trouble.is_transport_fault = true;
        return bursar_fail(err, BURSAR_EUNKNOWN, "HTTP 429");
    }
    if (node->faults == 0)
        return BURSAR_OK;
    node->faults--;
    node->trouble.is_transport_fault = !node->fault_is_answer && node->fault != BURSAR_ECANCELLED;
    return bursar_fail(err, node->fault, "a fault in store");
}

static void take_trouble(void *ctx, struct rpc_trouble *ret)
{
    struct fake_node *node = ctx;
    *ret = node->trouble;
    node->trouble = (struct rpc_trouble){ 0 };
}

static struct chain_head head_at(const struct fake_node *node, uint64_t number)
{
    struct chain_head head = { .block = { number, fake_block_hash(node, number) }, .timestamp_s = number };
    if (number > 0)
        head.parent_hash = fake_block_hash(node, number - 1);
    return head;
}

static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    struct fake_node *node = ctx;
    node->looks++;
    node->last_limit = query->has_final_limit ? query->final_limit : FAKE_NOBODY;
    enum bursar_status status = begin(node, err);
    if (status != BURSAR_OK)
        return status;
    uint64_t final = query->has_final_limit && query->final_limit < node->final ? query->final_limit : node->final;
    *ret = (struct chain_view){ .chain_id = node->chain_id,
                                .genesis_hash = fake_block_hash(node, 0),
                                .latest = head_at(node, node->head),
                                .has_final = final > 0,
                                .nonce_latest = node->head + node->nonces_more,
                                .nonce_pending = node->head + node->nonces_more + node->pending_more };
    if (ret->has_final) {
        ret->final = head_at(node, final);
        ret->nonce_final = final + node->nonces_more;
        ret->has_balance_final = !node->hides_balance;
        ret->balance_final = bursar_amount_from_u64(FAKE_WEI - final - node->balance_less);
    }
    ret->has_anchor_block = query->has_anchor && query->anchor_number <= node->head;
    if (ret->has_anchor_block)
        ret->anchor_hash = fake_block_hash(node, query->anchor_number);
    return BURSAR_OK;
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    struct fake_node *node = ctx;
    node->reads++;
    enum bursar_status status = begin(node, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        ret[i] = (struct chain_block){ .is_present = numbers[i] <= node->head };
        if (!ret[i].is_present)
            continue;
        ret[i].head = head_at(node, numbers[i]);
        ret[i].transaction_count = node->hides_transactions ? 0 : 1;
        if (node->hides_transactions)
            continue;
        ret[i].transactions = malloc(sizeof *ret[i].transactions);
        assert_non_null(ret[i].transactions);
        ret[i].transactions[0] = fake_transaction(numbers[i]);
    }
    return status;
}

static enum bursar_status bodies(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    node->reads++;
    enum bursar_status status = begin(node, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        ret[i] = (struct chain_body){ .is_present = numbers[i] <= node->head };
        if (!ret[i].is_present)
            continue;
        ret[i].head = head_at(node, numbers[i]);
        if (node->hides_transactions)
            continue;
        ret[i].sent = calloc(1, sizeof *ret[i].sent);
        assert_non_null(ret[i].sent);
        ret[i].sent[ret[i].sent_count++] = (struct chain_sent){ .hash = fake_transaction(numbers[i]),
                                                                .transaction = { .is_present = true,
                                                                                 .is_mined = true,
                                                                                 .from = *account,
                                                                                 .block = ret[i].head.block,
                                                                                 .nonce = numbers[i] - 1 } };
    }
    return status;
}

/* Which block a transaction is in; above the head: in none yet. */
static uint64_t block_of(const struct bursar_hash *hash)
{
    uint64_t number;
    memcpy(&number, hash->bytes + 8, sizeof number);
    return number;
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    struct fake_node *node = ctx;
    node->reads++;
    enum bursar_status status = begin(node, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        uint64_t number = block_of(&hashes[i]);
        ret[i] = (struct chain_receipt){ .is_present = number <= node->head && number != node->hides_receipt_of };
        if (!ret[i].is_present)
            continue;
        ret[i].block = head_at(node, number).block;
        ret[i].succeeded = !node->reverses_outcomes;
        ret[i].gas_used = 21000;
        ret[i].other_fee_wei = bursar_amount_from_u64(node->other_fee_wei);
    }
    return status;
}

static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    node->reads++;
    enum bursar_status status = begin(node, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        uint64_t number = block_of(&hashes[i]);
        ret[i] = (struct chain_transaction){ .is_present = number <= node->head || node->has_pooled,
                                             .is_mined = number <= node->head,
                                             .nonce = number };
        if (ret[i].is_mined)
            ret[i].block = head_at(node, number).block;
    }
    return status;
}

static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)addresses;
    node->reads++;
    enum bursar_status status = begin(node, err);
    if (status == BURSAR_OK && at->number > node->head)
        status = bursar_fail(err, BURSAR_ESTALE, "no such block");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        ret[i] = node->sees_code;
    return status;
}

static enum bursar_status tokens(void *ctx, const struct chain_block_ref *at, const struct bursar_address *list,
                                 size_t count, struct chain_token *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)list;
    node->reads++;
    enum bursar_status status = begin(node, err);
    if (status == BURSAR_OK && at->number > node->head)
        status = bursar_fail(err, BURSAR_ESTALE, "no such block");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        ret[i] = (struct chain_token){ .has_code = true, .has_decimals = true, .decimals = node->decimals };
    return status;
}

static enum bursar_status token_balances(void *ctx, const struct chain_block_ref *at,
                                         const struct bursar_address *account, const struct bursar_address *list,
                                         size_t count, struct chain_token_balance *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)account;
    (void)list;
    node->reads++;
    enum bursar_status status = begin(node, err);
    if (status == BURSAR_OK && at->number > node->head)
        status = bursar_fail(err, BURSAR_ESTALE, "no such block");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        ret[i] = (struct chain_token_balance){ true, bursar_amount_from_u64(1000 + node->decimals) };
    return status;
}

static enum bursar_status estimate(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)calls;
    node->reads++;
    enum bursar_status status = begin(node, err);
    if (status == BURSAR_OK && trial->at.number > node->head)
        status = bursar_fail(err, BURSAR_ESTALE, "no such block");
    for (size_t i = 0; i < count && status == BURSAR_OK; i++)
        ret[i] = node->estimate;
    return status;
}

static enum bursar_status answer_submit(struct fake_node *node, size_t count, struct submit_result *ret,
                                        struct bursar_error *err)
{
    enum bursar_status status = begin(node, err);
    if (status == BURSAR_OK && node->verdict == SUBMIT_UNKNOWN)
        status = bursar_fail(err, BURSAR_EUNKNOWN, "no answer");
    if (status == BURSAR_OK && node->verdict == SUBMIT_UNSENT)
        status = bursar_fail(err, BURSAR_EUNREACHABLE, "not sent");
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct submit_result){ .verdict = node->verdict };
        if (node->verdict != SUBMIT_ACCEPTED)
            (void)snprintf(ret[i].message, sizeof ret[i].message, "%s", submit_verdict_name(node->verdict));
        if (status == BURSAR_EUNREACHABLE)
            ret[i].verdict = SUBMIT_UNSENT;
        else if (status != BURSAR_OK)
            ret[i].verdict = SUBMIT_UNKNOWN;
    }
    return status;
}

static enum bursar_status submit(void *ctx, const struct raw_transaction *list, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)list;
    node->submits++;
    return answer_submit(node, count, ret, err);
}

static enum bursar_status submit_start(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                       struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)list;
    (void)count;
    assert_false(node->lane_is_busy[lane]);
    if (node->faults && node->fault == BURSAR_EINTERNAL) {
        node->faults--;
        return bursar_fail(err, BURSAR_EINTERNAL, "does not start");
    }
    node->starts++;
    node->lane_is_busy[lane] = true;
    return BURSAR_OK;
}

static enum bursar_status submit_finish(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                        struct submit_result *ret, struct bursar_error *err)
{
    struct fake_node *node = ctx;
    (void)list;
    assert_true(node->lane_is_busy[lane]);
    node->lane_is_busy[lane] = false;
    return answer_submit(node, count, ret, err);
}

static uint64_t read_clock(void *ctx)
{
    return *(uint64_t *)ctx;
}

static void keep_note(void *ctx, enum note_level level, const char *text)
{
    struct fake *fake = ctx;
    size_t used = strlen(fake->notes);
    (void)level;
    (void)snprintf(fake->notes + used, sizeof fake->notes - used, "%s\n", text);
}

struct fake *fake_new(size_t count, size_t quorum)
{
    struct fake *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->now_ms = 1000000;
    struct nodes_config config = { .quorum = quorum,
                                   .clock = { &fake->now_ms, read_clock, read_clock },
                                   .notes = { fake, keep_note } };
    assert_int_equal(nodes_new(&config, &fake->nodes, &fake->err), BURSAR_OK);
    for (size_t i = 0; i < count; i++) {
        char name[] = "http://a";
        struct fake_node *node = &fake->node[fake->count++];
        *node = (struct fake_node){ .chain_id = FAKE_CHAIN_ID, .genesis = 1, .head = 100, .final = 90 };
        node->fork_at = node->hides_receipt_of = FAKE_NOBODY;
        node->verdict = SUBMIT_ACCEPTED;
        name[7] = (char)('a' + i);
        struct nodes_member member = { .name = name, .trouble_ctx = node, .take_trouble = take_trouble };
        member.chain = (struct chain){ .ctx = node,
                                       .observe = observe,
                                       .blocks = blocks,
                                       .receipts = receipts,
                                       .transactions = transactions,
                                       .bodies = bodies,
                                       .has_code = has_code,
                                       .tokens = tokens,
                                       .token_balances = token_balances,
                                       .estimate = estimate,
                                       .submit = submit,
                                       .lanes = 2 + i,
                                       .submit_start = submit_start,
                                       .submit_finish = submit_finish };
        assert_int_equal(nodes_add(fake->nodes, &member, &fake->err), BURSAR_OK);
    }
    assert_int_equal(nodes_interface(fake->nodes, &fake->chain, &fake->err), BURSAR_OK);
    fake->query = (struct chain_query){ .has_anchor = true,
                                        .anchor_number = PINNED_BLOCK,
                                        .chain_id = FAKE_CHAIN_ID,
                                        .has_pins = true,
                                        .genesis_hash = fake_block_hash(&fake->node[0], 0),
                                        .anchor_hash = fake_block_hash(&fake->node[0], PINNED_BLOCK) };
    return fake;
}

void fake_free(struct fake *fake)
{
    nodes_free(fake->nodes);
    free(fake);
}

enum bursar_status fake_look(struct fake *fake)
{
    fake->err = (struct bursar_error){ 0 };
    fake->view = (struct chain_view){ 0 };
    return fake->chain.observe(fake->chain.ctx, &fake->query, &fake->view, &fake->err);
}

enum node_state fake_state(const struct fake *fake, size_t node)
{
    struct node_health health;
    nodes_look(fake->nodes, node, &health);
    return health.state;
}
