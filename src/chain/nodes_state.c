/* Reads of the state at one block that decide: what holds code, and what would become of a transaction. */
#include "chain/nodes_parts.h"

#include <stdio.h>

/* -- code: at one block hash, so that whoever answers speaks of the same state -- */

struct code_question {
    const struct chain_block_ref *at;
    const struct bursar_address *addresses;
};

static enum bursar_status ask_code(const struct chain *chain, const void *question, size_t count, void *ret,
                                   struct bursar_error *err)
{
    const struct code_question *code = question;
    return chain->has_code(chain->ctx, code->at, code->addresses, count, ret, err);
}

static bool same_flag(const void *left, const void *right)
{
    return *(const bool *)left == *(const bool *)right;
}

static bool flags_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    (void)nodes;
    return !same_flag(left, right);
}

static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "which addresses hold code",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_code,
                                           .same = same_flag,
                                           .contradict = flags_contradict };
    struct code_question question = { at, addresses };
    return nodes_read_agreed(ctx, &kind, &question, count, ret, err);
}

/* -- tokens: likewise; what they say decides what an amount is worth, for good -- */

static enum bursar_status ask_tokens(const struct chain *chain, const void *question, size_t count, void *ret,
                                     struct bursar_error *err)
{
    const struct code_question *tokens = question;
    return chain->tokens(chain->ctx, tokens->at, tokens->addresses, count, ret, err);
}

static bool same_token(const void *left, const void *right)
{
    const struct chain_token *a = left, *b = right;
    return a->has_code == b->has_code && a->has_decimals == b->has_decimals && a->decimals == b->decimals;
}

static bool tokens_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    (void)nodes;
    return !same_token(left, right);
}

static enum bursar_status tokens(void *ctx, const struct chain_block_ref *at, const struct bursar_address *list,
                                 size_t count, struct chain_token *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "the decimals of tokens",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_tokens,
                                           .same = same_token,
                                           .contradict = tokens_contradict };
    struct code_question question = { at, list };
    return nodes_read_agreed(ctx, &kind, &question, count, ret, err);
}

/* -- balances of tokens: what can be paid; a false one costs gas, or keeps payments waiting -- */

struct balance_question {
    const struct chain_block_ref *at;
    const struct bursar_address *account, *tokens;
};

static enum bursar_status ask_balances(const struct chain *chain, const void *question, size_t count, void *ret,
                                       struct bursar_error *err)
{
    const struct balance_question *asked = question;
    return chain->token_balances(chain->ctx, asked->at, asked->account, asked->tokens, count, ret, err);
}

static bool same_balance(const void *left, const void *right)
{
    const struct chain_token_balance *a = left, *b = right;
    return a->is_known == b->is_known && bursar_amount_compare(a->amount, b->amount) == 0;
}

static bool balances_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    (void)nodes;
    return !same_balance(left, right);
}

static enum bursar_status token_balances(void *ctx, const struct chain_block_ref *at,
                                         const struct bursar_address *account, const struct bursar_address *list,
                                         size_t count, struct chain_token_balance *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "balances of tokens",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_balances,
                                           .same = same_balance,
                                           .contradict = balances_contradict };
    struct balance_question question = { at, account, list };
    return nodes_read_agreed(ctx, &kind, &question, count, ret, err);
}

/* -- estimates: whether a transaction would go through, at one block -- */

struct estimate_question {
    const struct chain_trial *trial;
    const struct chain_payload *calls;
};

static enum bursar_status ask_estimates(const struct chain *chain, const void *question, size_t count, void *ret,
                                        struct bursar_error *err)
{
    const struct estimate_question *asked = question;
    if (!chain->estimate)
        return bursar_fail(err, BURSAR_EREFUSED, "it can't estimate gas");
    return chain->estimate(chain->ctx, asked->trial, asked->calls, count, ret, err);
}

/* Families of nodes search for the amount of gas in different ways: that they find another one is no disagreement. */
static bool same_estimate(const void *left, const void *right)
{
    const struct chain_estimate *a = left, *b = right;
    return a->outcome == b->outcome;
}

/* Some may not be able to name a block, or have limits of their own: nobody lies here. */
static bool estimates_contradict(const struct nodes *nodes, const void *left, const void *right)
{
    (void)nodes;
    (void)left;
    (void)right;
    return false;
}

static void take_higher(void *agreed, const void *other)
{
    struct chain_estimate *to = agreed;
    const struct chain_estimate *from = other;
    if (from->gas > to->gas)
        to->gas = from->gas;
}

/* INV-5: that nodes differ is no verdict on the transaction, and none on its neighbours. */
static bool is_unknown(const void *const *answers, size_t count, void *ret)
{
    struct chain_estimate *to = ret;
    (void)answers;
    *to = (struct chain_estimate){ .outcome = ESTIMATE_UNKNOWN };
    (void)snprintf(to->words, sizeof to->words, "%zu nodes answered, and do not agree", count);
    return true;
}

static enum bursar_status estimate(void *ctx, const struct chain_trial *trial, const struct chain_payload *calls,
                                   size_t count, struct chain_estimate *ret, struct bursar_error *err)
{
    static const struct read_kind kind = { .noun = "estimates",
                                           .item_bytes = sizeof *ret,
                                           .ask = ask_estimates,
                                           .same = same_estimate,
                                           .contradict = estimates_contradict,
                                           .merge = take_higher,
                                           .weaken = is_unknown };
    struct estimate_question question = { trial, calls };
    return nodes_read_agreed(ctx, &kind, &question, count, ret, err);
}

void nodes_put_state_reads(struct chain *ret)
{
    ret->has_code = has_code;
    ret->tokens = tokens;
    ret->token_balances = token_balances;
    ret->estimate = estimate;
}
