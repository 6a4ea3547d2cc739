/* The reads of blocks, receipts, transactions and bodies: how each is asked of one node, and when two nodes say the
 * same of it, or what can't both be said. */
#include "base/bytes.h"
#include "chain/nodes_parts.h"

#include <stdlib.h>
#include <string.h>

/* -- blocks: what is in them, and what replaced them -- */

static enum bursar_status ask_blocks(const struct chain *chain, const void *question, size_t count, void *ret,
                                     struct bursar_error *err)
{
    return chain->blocks(chain->ctx, question, count, ret, err);
}

static bool same_content(const struct chain_block *a, const struct chain_block *b)
{
    return a->head.block.number == b->head.block.number && hash_equal(&a->head.parent_hash, &b->head.parent_hash) &&
           a->head.timestamp_s == b->head.timestamp_s && a->transaction_count == b->transaction_count &&
           (a->transaction_count == 0 ||
            memcmp(a->transactions, b->transactions, a->transaction_count * sizeof *a->transactions) == 0);
}

static bool same_block(const void *left, const void *right)
{
    const struct chain_block *a = left, *b = right;
    if (!a->is_present || !b->is_present)
        return a->is_present == b->is_present;
    return hash_equal(&a->head.block.hash, &b->head.block.hash) && same_content(a, b);
}

/* One hash with two contents, or two blocks at a height that was agreed to be final. */
static bool blocks_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    const struct chain_block *a = left, *b = right;
    if (!a->is_present || !b->is_present)
        return false;
    if (hash_equal(&a->head.block.hash, &b->head.block.hash))
        return !same_content(a, b);
    return nodes->has_agreed && nodes->agreed.has_final && a->head.block.number <= nodes->agreed.final.block.number;
}

static void clear_blocks(void *items, size_t count)
{
    chain_blocks_clear(items, count);
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "blocks",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_blocks,
                                           .same = same_block,
                                           .contradict = blocks_contradict,
                                           .clear = clear_blocks };
    return nodes_read_agreed(ctx, &kind, numbers, count, ret, err);
}

/* -- receipts: what became of a payment -- */

static enum bursar_status ask_receipts(const struct chain *chain, const void *question, size_t count, void *ret,
                                       struct bursar_error *err)
{
    return chain->receipts(chain->ctx, question, count, ret, err);
}

static bool same_place(const struct chain_block_ref *a, const struct chain_block_ref *b)
{
    return a->number == b->number && hash_equal(&a->hash, &b->hash);
}

static bool same_outcome(const struct chain_receipt *a, const struct chain_receipt *b)
{
    bool same = a->succeeded == b->succeeded && a->gas_used == b->gas_used &&
                a->effective_gas_price_wei == b->effective_gas_price_wei &&
                bursar_amount_compare(a->other_fee_wei, b->other_fee_wei) == 0 &&
                a->transfer_count == b->transfer_count && a->has_more_transfers == b->has_more_transfers;
    for (size_t i = 0; i < a->transfer_count && same; i++)
        same = address_equal(&a->transfers[i].to, &b->transfers[i].to) &&
               bursar_amount_compare(a->transfers[i].amount, b->transfers[i].amount) == 0;
    return same;
}

static bool same_receipt(const void *left, const void *right)
{
    const struct chain_receipt *a = left, *b = right;
    if (!a->is_present || !b->is_present)
        return a->is_present == b->is_present;
    return same_place(&a->block, &b->block) && same_outcome(a, b);
}

/* One transaction in one block has one outcome. */
static bool receipts_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    const struct chain_receipt *a = left, *b = right;
    (void)nodes;
    return a->is_present && b->is_present && same_place(&a->block, &b->block) && !same_outcome(a, b);
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "receipts",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_receipts,
                                           .same = same_receipt,
                                           .contradict = receipts_contradict };
    return nodes_read_agreed(ctx, &kind, hashes, count, ret, err);
}

/* -- transactions: what is known of a hash -- */

static enum bursar_status ask_transactions(const struct chain *chain, const void *question, size_t count, void *ret,
                                           struct bursar_error *err)
{
    return chain->transactions(chain->ctx, question, count, ret, err);
}

/* What the hash commits to. */
static bool same_payload(const struct chain_transaction *a, const struct chain_transaction *b)
{
    return address_equal(&a->from, &b->from) && a->nonce == b->nonce && a->has_to == b->has_to &&
           (!a->has_to || address_equal(&a->to, &b->to)) && bursar_amount_compare(a->value, b->value) == 0 &&
           hash_equal(&a->data_hash, &b->data_hash);
}

static bool same_transaction(const void *left, const void *right)
{
    const struct chain_transaction *a = left, *b = right;
    if (!a->is_present || !b->is_present)
        return a->is_present == b->is_present;
    return a->is_mined == b->is_mined && (!a->is_mined || same_place(&a->block, &b->block)) && same_payload(a, b);
}

static bool transactions_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    const struct chain_transaction *a = left, *b = right;
    (void)nodes;
    return a->is_present && b->is_present && !same_payload(a, b);
}

/* Pools differ: what any of them holds is there, as long as none says that it is mined. */
static bool is_in_some_pool(const void *const *answers, size_t count, void *ret)
{
    const struct chain_transaction *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct chain_transaction *answer = answers[i];
        if (!answer->is_present)
            continue;
        if (answer->is_mined || (found && !same_payload(found, answer)))
            return false;
        found = answer;
    }
    if (found)
        *(struct chain_transaction *)ret = *found;
    return found != NULL;
}

static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "transactions",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_transactions,
                                           .same = same_transaction,
                                           .contradict = transactions_contradict,
                                           .weaken = is_in_some_pool };
    return nodes_read_agreed(ctx, &kind, hashes, count, ret, err);
}

/* -- bodies: what an account has sent, block by block -- */

struct bodies_question {
    const struct bursar_address *account;
    const uint64_t *numbers;
};

static enum bursar_status ask_bodies(const struct chain *chain, const void *question, size_t count, void *ret,
                                     struct bursar_error *err)
{
    const struct bodies_question *asked = question;
    return chain->bodies(chain->ctx, asked->account, asked->numbers, count, ret, err);
}

static bool same_sent(const struct chain_body *a, const struct chain_body *b)
{
    if (a->sent_count != b->sent_count || !hash_equal(&a->head.parent_hash, &b->head.parent_hash))
        return false;
    for (size_t i = 0; i < a->sent_count; i++) {
        if (!hash_equal(&a->sent[i].hash, &b->sent[i].hash) ||
            !same_payload(&a->sent[i].transaction, &b->sent[i].transaction))
            return false;
    }
    return true;
}

static bool same_body(const void *left, const void *right)
{
    const struct chain_body *a = left, *b = right;
    if (!a->is_present || !b->is_present)
        return a->is_present == b->is_present;
    return same_place(&a->head.block, &b->head.block) && same_sent(a, b);
}

static bool bodies_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    const struct chain_body *a = left, *b = right;
    (void)nodes;
    return a->is_present && b->is_present && same_place(&a->head.block, &b->head.block) && !same_sent(a, b);
}

static void clear_bodies(void *items, size_t count)
{
    chain_bodies_clear(items, count);
}

static enum bursar_status bodies(void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
                                 struct chain_body *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "what the account has sent in blocks",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_bodies,
                                           .same = same_body,
                                           .contradict = bodies_contradict,
                                           .clear = clear_bodies };
    struct bodies_question question = { account, numbers };
    return nodes_read_agreed(ctx, &kind, &question, count, ret, err);
}

/* -- raws: whoever has them; they hash to what was asked for, so that no node could give others -- */

static enum bursar_status ask_raws(const struct chain *chain, const void *question, size_t count, void *ret,
                                   struct bursar_error *err)
{
    return chain->raws(chain->ctx, question, count, ret, err);
}

static bool same_raw(const void *left, const void *right)
{
    const struct chain_raw *a = left, *b = right;
    return (a->bytes == NULL) == (b->bytes == NULL);
}

static bool raws_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    (void)nodes;
    (void)left;
    (void)right;
    return false;
}

static bool some_raw(const void *const *answers, size_t count, void *ret)
{
    struct chain_raw *to = ret;
    for (size_t i = 0; i < count; i++) {
        const struct chain_raw *from = answers[i];
        if (!from->bytes || !(to->bytes = malloc(from->length_bytes)))
            continue;
        memcpy(to->bytes, from->bytes, from->length_bytes);
        to->length_bytes = from->length_bytes;
        return true;
    }
    return false;
}

static void clear_raws(void *items, size_t count)
{
    chain_raws_clear(items, count);
}

static enum bursar_status raws(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_raw *ret,
                               struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "signed bytes",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_raws,
                                           .same = same_raw,
                                           .contradict = raws_contradict,
                                           .weaken = some_raw,
                                           .clear = clear_raws };
    return nodes_read_agreed(ctx, &kind, hashes, count, ret, err);
}

void nodes_put_reads(struct chain *ret)
{
    ret->bodies = bodies;
    ret->raws = raws;
    ret->blocks = blocks;
    ret->receipts = receipts;
    ret->transactions = transactions;
    nodes_put_state_reads(ret);
}
