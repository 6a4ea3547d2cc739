/* The rules of agreement, one after the other; the first one broken is reported. */
#include "reconcile/compare.h"

#include "base/bytes.h"
#include "eth/keccak.h"
#include "executor/planner.h"

#include <stdarg.h>
#include <stdio.h>

struct comparing {
    const struct intent_sight *sight;
    char *what;
};

/* Always false, so that a rule reads `return holds || differs(...)`. */
static bool differs(const struct comparing *comparing, const char *format, ...) BURSAR_PRINTF(2, 3);
static bool differs(const struct comparing *comparing, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(comparing->what, DIFFERENCE_MAX_BYTES, format, args);
    va_end(args);
    return false;
}

static bool is_data(const struct bursar_hash *data_hash, const struct call_data *data)
{
    struct bursar_hash hash;
    keccak256(data->bytes, data->length_bytes, &hash);
    return hash_equal(data_hash, &hash);
}

static bool is_no_data(const struct bursar_hash *data_hash)
{
    struct bursar_hash empty;
    keccak256("", 0, &empty);
    return hash_equal(data_hash, &empty);
}

/* Its nonce was used by somebody else's transaction, or by one that pays none of ours: known from the chain only. */
static bool is_foreign(const struct intent_record *intent)
{
    return intent->has_attempt && intent->purpose == PURPOSE_FOREIGN;
}

/* Whatever was signed for a nonce is what the intent says; every attempt is in the log. */
static bool log_agrees(const struct comparing *comparing)
{
    const struct intent_sight *sight = comparing->sight;
    const struct intent_record *intent = sight->intent;
    const struct signed_payload *logged = &sight->logged;
    if (is_foreign(intent) || (intent->has_attempt && intent->purpose == PURPOSE_FOUND))
        return true;
    if (intent->has_attempt && !sight->is_logged)
        return differs(comparing, "its transaction was signed, but the signing log does not know its nonce");
    if (intent->has_attempt && !sight->log_has_transaction)
        return differs(comparing, "the signing log does not know its transaction");
    if (!sight->is_logged || !logged->has_payment || intent->kind != INTENT_PAYMENT)
        return true;
    if (!address_equal(&logged->to, &intent->to) || bursar_amount_compare(logged->value, intent->value) != 0 ||
        !is_data(&logged->data_hash, &intent->data))
        return differs(comparing, "the signing log has another destination, amount or data for its nonce");
    return true;
}

static bool is_self_transfer(const struct intent_record *intent)
{
    return intent->has_attempt && intent->purpose == PURPOSE_SELF_TRANSFER;
}

static bool transaction_agrees(const struct comparing *comparing)
{
    const struct intent_sight *sight = comparing->sight;
    const struct intent_record *intent = sight->intent;
    const struct chain_transaction *transaction = sight->transaction;
    if (!address_equal(&transaction->from, &sight->account))
        return differs(comparing, "its transaction on the chain is of another account");
    if (transaction->nonce != intent->nonce)
        return differs(comparing, "its transaction on the chain has nonce %llu",
                       (unsigned long long)transaction->nonce);
    if (is_self_transfer(intent))
        return (transaction->has_to && address_equal(&transaction->to, &sight->account) &&
                bursar_amount_is_zero(transaction->value) && is_no_data(&transaction->data_hash)) ||
               differs(comparing, "its transaction on the chain is not the transfer of 0 to self that was signed");
    if (is_foreign(intent))
        return true;
    if (!transaction->has_to || !address_equal(&transaction->to, &intent->to))
        return differs(comparing, "its transaction on the chain has another destination");
    if (bursar_amount_compare(transaction->value, intent->value) != 0)
        return differs(comparing, "its transaction on the chain has another amount");
    if (!is_data(&transaction->data_hash, &intent->data))
        return differs(comparing, "its transaction on the chain has other data");
    return true;
}

/* A person may have decided about what failed: to queue it again, and then whatever comes after that. */
static bool may_have_become(const struct intent_record *intent, enum disbursement_state expected)
{
    if (expected != STATE_FAILED)
        return false;
    return !intent->is_newest || intent->state == STATE_QUEUED || intent->state == STATE_CANCELLED;
}

/* Each intent's own item says how it ended, also where the disbursement went on to another intent. `outcome` 0: it has
 * not ended. */
static bool item_is(const struct comparing *comparing, enum disbursement_state expected, bool is_live, int outcome)
{
    const struct intent_record *intent = comparing->sight->intent;
    if (intent->disbursement == 0)
        return intent->kind != INTENT_PAYMENT || differs(comparing, "a payment without a disbursement");
    const char *is = state_name(intent->state), *should = state_name(expected);
    if (intent->state != expected && !may_have_become(intent, expected))
        return differs(comparing, "it is stored as %s, and its transaction makes it %s", is ? is : "?",
                       should ? should : "?");
    const char *ended = intent->outcome ? lifecycle_cause_name((enum lifecycle_cause)intent->outcome) : "not ended";
    return (intent->is_live == is_live && intent->outcome == outcome) ||
           differs(comparing, "its nonce is stored as %s (%s), and its transaction makes the disbursement %s",
                   intent->is_live ? "its payment" : "given up", ended ? ended : "?", should ? should : "?");
}

/* What a foreign transaction took the nonce of is queued again, and whatever becomes of it then. */
static bool is_given_up(const struct comparing *comparing)
{
    const struct intent_record *intent = comparing->sight->intent;
    if (intent->disbursement == 0)
        return true;
    return (!intent->is_live && intent->outcome == CAUSE_NONCE_FREED) ||
           differs(comparing, "its nonce was used by a foreign transaction, and still counts as its payment");
}

static bool in_flight_agrees(const struct comparing *comparing)
{
    const struct intent_sight *sight = comparing->sight;
    const struct intent_record *intent = sight->intent;
    bool should_have = intent->status == INTENT_SIGNED;
    if (intent->has_attempt != should_have)
        return differs(comparing, should_have ? "it is stored as signed, but has no transaction"
                                              : "it is stored as not yet signed, but has a transaction");
    bool is_known = sight->transaction && sight->transaction->is_present;
    if (is_known && !transaction_agrees(comparing))
        return false;
    bool is_mined = (is_known && sight->transaction->is_mined) || sight->other_attempt_mined;
    if (sight->nonce_latest > intent->nonce && !is_mined)
        return differs(comparing, "its nonce is used on the chain, but by none of our transactions");
    return item_is(comparing, STATE_STAGED, true, 0);
}

static bool block_agrees(const struct comparing *comparing)
{
    const struct intent_sight *sight = comparing->sight;
    const struct intent_record *intent = sight->intent;
    const struct chain_receipt *receipt = sight->receipt;
    if (!intent->has_block)
        return differs(comparing, "it is stored as included, without a block");
    if (receipt->block.number != intent->block.number || !hash_equal(&receipt->block.hash, &intent->block.hash))
        return differs(comparing, "it is stored in block %llu, the chain has it in block %llu%s",
                       (unsigned long long)intent->block.number, (unsigned long long)receipt->block.number,
                       receipt->block.number == intent->block.number ? " with another hash" : "");
    if (!sight->has_canonical_block || !hash_equal(&sight->canonical_hash, &intent->block.hash))
        return differs(comparing, "its block %llu is not part of the chain any more",
                       (unsigned long long)intent->block.number);
    return true;
}

static bool fee_agrees(const struct comparing *comparing)
{
    const struct intent_record *intent = comparing->sight->intent;
    const struct chain_receipt *receipt = comparing->sight->receipt;
    if (!intent->has_fee)
        return differs(comparing, "it is stored as final, without its fee");
    if (intent->gas_used != receipt->gas_used || intent->effective_gas_price_wei != receipt->effective_gas_price_wei)
        return differs(comparing, "its fee is stored as %llu gas at %llu wei, the chain has %llu gas at %llu wei",
                       (unsigned long long)intent->gas_used, (unsigned long long)intent->effective_gas_price_wei,
                       (unsigned long long)receipt->gas_used, (unsigned long long)receipt->effective_gas_price_wei);
    return true;
}

/* What a token moved less than was owed, by its logs. */
static bool short_agrees(const struct comparing *comparing, const struct final_attempt *final)
{
    const struct intent_record *intent = comparing->sight->intent;
    char stored[BURSAR_AMOUNT_TEXT_BYTES], seen[BURSAR_AMOUNT_TEXT_BYTES];
    if (bursar_amount_compare(intent->short_by, final->short_by) == 0)
        return true;
    bursar_amount_to_text(intent->short_by, stored);
    bursar_amount_to_text(final->short_by, seen);
    return differs(comparing,
                   "its token is stored to have moved %s base units less than was owed, by its logs it is %s", stored,
                   seen);
}

static bool included_agrees(const struct comparing *comparing)
{
    const struct intent_sight *sight = comparing->sight;
    if (!sight->intent->has_attempt)
        return differs(comparing, "it is stored as included, but has no transaction");
    if (!sight->transaction || !sight->transaction->is_present)
        return differs(comparing, "its transaction is not on the chain");
    if (!transaction_agrees(comparing))
        return false;
    if (!sight->transaction->is_mined || !sight->receipt || !sight->receipt->is_present)
        return differs(comparing, "its transaction is in no block of the chain");
    if (!block_agrees(comparing))
        return false;
    if (sight->intent->status == INTENT_INCLUDED)
        return item_is(comparing, is_self_transfer(sight->intent) ? STATE_STAGED : STATE_EXECUTED, true, 0);
    if (!fee_agrees(comparing))
        return false;
    if (is_self_transfer(sight->intent))
        return item_is(comparing, STATE_CANCELLED, false, CAUSE_FINAL_CANCEL);
    if (is_foreign(sight->intent))
        return is_given_up(comparing);
    const struct included_attempt included = { .purpose = sight->intent->purpose, .data = sight->intent->data };
    struct final_attempt final;
    plan_final(&included, sight->receipt, &final);
    if (!short_agrees(comparing, &final))
        return false;
    return final.succeeded && !final.is_unpaid ? item_is(comparing, STATE_FINALIZED, true, CAUSE_FINAL_SUCCESS)
                                               : item_is(comparing, STATE_FAILED, false, CAUSE_FINAL_REVERT);
}

enum intent_verdict intent_compare(const struct intent_sight *sight, char ret_what[DIFFERENCE_MAX_BYTES])
{
    struct comparing comparing = { .sight = sight, .what = ret_what };
    if (!log_agrees(&comparing))
        return INTENT_DIFFERS;
    switch (sight->intent->status) {
    case INTENT_BOUND:
    case INTENT_SIGNED:
        return in_flight_agrees(&comparing) ? INTENT_IN_FLIGHT : INTENT_DIFFERS;
    case INTENT_INCLUDED:
    case INTENT_FINAL:
        return included_agrees(&comparing) ? INTENT_AGREES : INTENT_DIFFERS;
    }
    (void)differs(&comparing, "its stored status is unknown");
    return INTENT_DIFFERS;
}
