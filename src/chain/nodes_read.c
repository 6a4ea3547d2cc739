/* Reads that decide: each item needs `quorum` nodes that say the same of it. With a quorum of one, that is whoever
 * answers first. A node that does not have something yet and one that has it disagree like any two: then further nodes
 * are asked, and when none is left the read has failed, and is no fact (INV-5). */
#include "base/bytes.h"
#include "chain/nodes_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One read under way; `answers[i]` is node i's, NULL without one. */
struct reading {
    struct nodes *nodes;
    const struct read_kind *kind;
    const void *question;
    size_t count;
    void *answers[NODES_MAX_COUNT];
    uint32_t asked;
    size_t answered;
    struct excuses excuses;
};

static const void *item(const struct reading *reading, size_t node, size_t i)
{
    const char *items = reading->answers[node];
    return items ? items + i * reading->kind->item_bytes : NULL;
}

/* Asks node `i` into `ret`. *ret_asked false: it may not be asked in this pass, or was before. */
static enum bursar_status ask_node(struct reading *reading, size_t i, enum asking_pass pass, void *ret, bool *ret_asked,
                                   struct bursar_error *err)
{
    struct nodes *nodes = reading->nodes;
    struct node_entry *entry = &nodes->entries[i];
    struct node_call call;
    struct bursar_error reason = { 0 };
    *ret_asked = false;
    if ((reading->asked >> i & 1) || !node_vet(nodes, i, pass, &reading->excuses) ||
        !node_may_ask(nodes, i, pass, &call))
        return BURSAR_OK;
    *ret_asked = true;
    reading->asked |= UINT32_C(1) << i;
    enum bursar_status status =
        reading->kind->ask(&entry->member.chain, reading->question, reading->count, ret, &reason);
    node_told(nodes, i, &call, status, &reason);
    if (status == BURSAR_OK)
        return BURSAR_OK;
    excuses_add(&reading->excuses, entry->name, status, reason.message);
    return bursar_fail(err, status, "%s", reason.message);
}

static enum bursar_status give_up(struct reading *reading, struct bursar_error *err)
{
    const struct nodes *nodes = reading->nodes;
    struct excuses *excuses = &reading->excuses;
    if (excuses->is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", excuses->text);
    excuses_add_unasked(excuses, nodes, reading->asked);
    if (nodes->config.quorum == 1)
        return bursar_fail(err, excuses->status ? excuses->status : BURSAR_EUNREACHABLE, "%s", excuses->text);
    if (reading->answered >= nodes->config.quorum)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "no %zu of the %zu nodes that answered agree about %s%s%.300s",
                           nodes->config.quorum, reading->answered, reading->kind->noun, excuses->text[0] ? "; " : "",
                           excuses->text);
    return bursar_fail(err, BURSAR_EUNREACHABLE, "%zu nodes must agree about %s and %zu answered: %.350s",
                       nodes->config.quorum, reading->kind->noun, reading->answered, excuses->text);
}

/* Whoever answers first. */
static enum bursar_status read_first(struct reading *reading, void *ret, struct bursar_error *err)
{
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING; pass++) {
        for (size_t i = 0; i < reading->nodes->count; i++) {
            bool was_asked;
            enum bursar_status status = ask_node(reading, i, pass, ret, &was_asked, err);
            if (was_asked && (status == BURSAR_OK || reading->nodes->count == 1))
                return status;
            if (reading->excuses.is_cancelled)
                return give_up(reading, err);
        }
    }
    return give_up(reading, err);
}

/* The first node whose answer about item `i` a quorum gives; NODES_MAX_COUNT when there is none. */
static size_t find_agreed(const struct reading *reading, size_t i)
{
    const size_t count = reading->nodes->count;
    for (size_t node = 0; node < count; node++) {
        size_t same = 0;
        for (size_t other = 0; other < count && reading->answers[node]; other++)
            same += reading->answers[other] &&
                    (other == node || reading->kind->same(item(reading, node, i), item(reading, other, i)));
        if (same >= reading->nodes->config.quorum)
            return node;
    }
    return NODES_MAX_COUNT;
}

static bool all_agreed(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (find_agreed(reading, i) == NODES_MAX_COUNT)
            return false;
    }
    return true;
}

static bool weaken(const struct reading *reading, size_t i, void *ret)
{
    const void *answers[NODES_MAX_COUNT];
    size_t count = 0;
    for (size_t node = 0; node < reading->nodes->count; node++) {
        if (reading->answers[node])
            answers[count++] = item(reading, node, i);
    }
    return reading->kind->weaken && reading->kind->weaken(answers, count, ret);
}

/* Who says of this item what can't be true beside the agreed answer? */
static void blame(const struct reading *reading, size_t i, size_t agreed)
{
    struct nodes *nodes = reading->nodes;
    char reason[NODE_REASON_MAX_BYTES];
    (void)snprintf(reason, sizeof reason, "contradicts the others about %s", reading->kind->noun);
    for (size_t node = 0; node < nodes->count; node++) {
        if (reading->answers[node] && node != agreed && nodes->entries[node].aside != ASIDE_LIES &&
            reading->kind->contradict(nodes, item(reading, node, i), item(reading, agreed, i)))
            node_set_aside(nodes, node, ASIDE_LIES, reason);
    }
}

/* The agreed answer about each item, moved into `ret`. False when there is one about which nobody agrees. */
static bool assemble(struct reading *reading, void *ret)
{
    const size_t size = reading->kind->item_bytes;
    for (size_t i = 0; i < reading->count; i++) {
        char *to = (char *)ret + i * size;
        size_t agreed = find_agreed(reading, i);
        if (agreed == NODES_MAX_COUNT) {
            if (weaken(reading, i, to))
                continue;
            if (reading->kind->clear)
                reading->kind->clear(ret, i);
            return false;
        }
        blame(reading, i, agreed);
        char *from = (char *)reading->answers[agreed] + i * size;
        memcpy(to, from, size);
        memset(from, 0, size); /* what it owns has moved */
        for (size_t node = agreed + 1; reading->kind->merge && node < reading->nodes->count; node++) {
            if (reading->answers[node] && reading->kind->same(to, item(reading, node, i)))
                reading->kind->merge(to, item(reading, node, i));
        }
    }
    return true;
}

static void forget_answers(struct reading *reading)
{
    for (size_t i = 0; i < reading->nodes->count; i++) {
        if (reading->answers[i] && reading->kind->clear)
            reading->kind->clear(reading->answers[i], reading->count);
        free(reading->answers[i]);
    }
}

static enum bursar_status gather(struct reading *reading, struct bursar_error *err)
{
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING; pass++) {
        for (size_t i = 0; i < reading->nodes->count; i++) {
            bool was_asked;
            struct bursar_error ignored = { 0 };
            void *answers = calloc(reading->count, reading->kind->item_bytes);
            if (!answers)
                return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
            if (ask_node(reading, i, pass, answers, &was_asked, &ignored) != BURSAR_OK || !was_asked) {
                free(answers);
                if (reading->excuses.is_cancelled)
                    return give_up(reading, err);
                continue;
            }
            reading->answers[i] = answers;
            reading->answered++;
            if (reading->answered >= reading->nodes->config.quorum && all_agreed(reading))
                return BURSAR_OK;
        }
    }
    return BURSAR_OK;
}

enum bursar_status nodes_read_agreed(struct nodes *nodes, const struct read_kind *kind, const void *question,
                                     size_t count, void *ret, struct bursar_error *err)
{
    struct reading reading = { .nodes = nodes, .kind = kind, .question = question, .count = count };
    if (count == 0)
        return BURSAR_OK;
    if (nodes->config.quorum == 1)
        return read_first(&reading, ret, err);
    enum bursar_status status = gather(&reading, err);
    if (status == BURSAR_OK && (reading.answered < nodes->config.quorum || !assemble(&reading, ret)))
        status = give_up(&reading, err);
    forget_answers(&reading);
    return status;
}

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
                a->effective_gas_price_wei == b->effective_gas_price_wei && a->transfer_count == b->transfer_count &&
                a->has_more_transfers == b->has_more_transfers;
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
