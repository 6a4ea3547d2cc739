/* The sentences about what is stuck. Pure. */
#include "doctor/blocked.h"

#include "base/bytes.h"
#include "doctor/words.h"
#include "eth/address.h"

#include <string.h>

#define PLAIN_TRANSFER_GAS 21000 /* what the snapshot's gas cost is for */

/* The most that its fee can be: of a contract more than of a plain transfer. */
static struct bursar_amount fee_of(const struct disbursement_record *record, const struct snapshot *snapshot)
{
    struct bursar_amount fee;
    uint64_t plain;
    if (record->blocked_gas == 0 || !bursar_amount_to_u64(snapshot->gas_cost, &plain) ||
        !bursar_amount_multiply(bursar_amount_from_u64(plain / PLAIN_TRANSFER_GAS), record->blocked_gas, &fee))
        return snapshot->gas_cost;
    return fee;
}

#define TOKEN_TEXT_BYTES (BURSAR_AMOUNT_UNITS_TEXT_BYTES + ADDRESS_TEXT_BYTES + 24)
/* "1.5 of 0x...", with as many decimals as are known. */
static void token_amount(const struct disbursement_record *record, struct bursar_amount amount,
                         char ret[TOKEN_TEXT_BYTES])
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES], token[ADDRESS_TEXT_BYTES];
    address_to_text(&record->asset.token, token);
    bursar_amount_to_units(amount, record->has_decimals ? record->decimals : 0, units);
    (void)snprintf(ret, TOKEN_TEXT_BYTES, "%s%s of %s", units, record->has_decimals ? "" : " base units", token);
}

/* Of the token, as noted when it was looked at; else it is the coin for its gas that is lacking. */
static void describe_token_funds(const struct disbursement_record *record, const struct bursar_address *account,
                                 struct blocked_text *ret)
{
    char address[ADDRESS_TEXT_BYTES], text[TOKEN_TEXT_BYTES];
    const char *note = record->blocked_note ? record->blocked_note : "";
    struct bursar_amount missing;
    address_to_text(account, address);
    if (bursar_amount_from_text(note, strlen(note), &missing)) {
        token_amount(record, missing, text);
        (void)snprintf(ret->cause, sizeof ret->cause, "not enough of its token: %s missing beside what is in flight",
                       text);
        (void)snprintf(ret->action, sizeof ret->action, "send at least %s to %s", text, address);
        return;
    }
    (void)snprintf(ret->cause, sizeof ret->cause,
                   "not enough funds: the balance does not cover the fee of a payment in a token");
    (void)snprintf(ret->action, sizeof ret->action, "send coins for gas to %s; it is looked at again in block %llu",
                   address, (unsigned long long)record->recheck_number);
}

static void describe_funds(const struct disbursement_record *record, const struct snapshot *snapshot,
                           const struct bursar_address *account, struct blocked_text *ret)
{
    char amount[WORDS_COIN_TEXT_BYTES], fee[WORDS_COIN_TEXT_BYTES], available[WORDS_COIN_TEXT_BYTES];
    char missing_text[WORDS_COIN_TEXT_BYTES], address[ADDRESS_TEXT_BYTES];
    struct bursar_amount needed, missing, gas_cost = fee_of(record, snapshot);
    if (record->asset.is_token) {
        describe_token_funds(record, account, ret);
        return;
    }
    address_to_text(account, address);
    words_coin(record->amount, amount);
    if (!snapshot->has_available || !bursar_amount_add(record->amount, gas_cost, &needed)) {
        (void)snprintf(ret->cause, sizeof ret->cause, "not enough funds: the balance does not cover %s and its fee",
                       amount);
        (void)snprintf(ret->action, sizeof ret->action, "send funds to %s", address);
        return;
    }
    words_coin(gas_cost, fee);
    words_coin(snapshot->available, available);
    if (!bursar_amount_subtract(needed, snapshot->available, &missing) || bursar_amount_is_zero(missing)) {
        (void)snprintf(ret->cause, sizeof ret->cause, "not enough funds when it was looked at; %s are available by now",
                       available);
        (void)snprintf(ret->action, sizeof ret->action, "nothing: the executor takes it up again at its next look");
        return;
    }
    words_coin(missing, missing_text);
    (void)snprintf(
        ret->cause, sizeof ret->cause,
        "not enough funds: %s missing (needs %s and up to %s of fees; %s available beside what is in flight)",
        missing_text, amount, fee, available);
    (void)snprintf(ret->action, sizeof ret->action, "send at least %s to %s", missing_text, address);
}

static void describe_dependency(const struct disbursement_record *record, struct blocked_text *ret)
{
    const char *ref = record->blocked_on_ref ? record->blocked_on_ref : "another";
    const char *state = state_name(record->blocked_on_state);
    (void)snprintf(ret->cause, sizeof ret->cause, "depends on '%s', which is %s", ref, state ? state : "not paid");
    if (record->blocked_on_state == STATE_CANCELLED)
        (void)snprintf(
            ret->action, sizeof ret->action,
            "that one will never be paid: cancel this one too (`bursar cancel %lld --reason TEXT`), and import "
            "what is still owed with another ref",
            (long long)record->id);
    else
        (void)snprintf(ret->action, sizeof ret->action,
                       "see why with `bursar show 'ref:%s'`: it must be finalized first", ref);
}

static void describe_failed(const struct disbursement_record *record, struct blocked_text *ret)
{
    char hash[HASH_TEXT_BYTES] = "";
    if (record->has_transaction)
        hash_to_text(&record->transaction_hash, hash);
    if (record->is_short)
        (void)snprintf(ret->cause, sizeof ret->cause,
                       "its transaction %s went through, but its token shows no transfer to the destination: nothing "
                       "was paid",
                       hash);
    else
        (void)snprintf(ret->cause, sizeof ret->cause, "its transaction %s was reverted by the chain: nothing was paid",
                       hash);
    (void)snprintf(ret->action, sizeof ret->action,
                   "find out why the destination refused it (`bursar show %lld`); `bursar retry %lld --reason TEXT` "
                   "pays it again",
                   (long long)record->id, (long long)record->id);
}

static void describe_recheck(const struct disbursement_record *record, const char *also, struct blocked_text *ret)
{
    (void)snprintf(ret->action, sizeof ret->action,
                   "nothing at once: it is looked at again in block %llu and later, in longer and longer intervals%s",
                   (unsigned long long)record->recheck_number, also);
}

static void describe_refusal(const struct disbursement_record *record, struct blocked_text *ret)
{
    const char *note = record->blocked_note ? record->blocked_note : "";
    const char *whose = record->asset.is_token ? "its token" : "its destination is a contract that";
    switch (record->blocked) {
    case BLOCK_REVERTS:
        (void)snprintf(ret->cause, sizeof ret->cause, "%s refuses the payment: %s", whose,
                       *note ? note : "it does not say why");
        describe_recheck(record,
                         "; if it never will take it, cancel this one and import what is owed with another "
                         "destination and ref",
                         ret);
        return;
    case BLOCK_UNESTIMATED:
        (void)snprintf(ret->cause, sizeof ret->cause, "%s is called, and the node could not say what that takes: %s",
                       record->asset.is_token ? "its token" : "its destination, a contract,",
                       *note ? note : "no reason given");
        describe_recheck(record, "; if this lasts, check the node", ret);
        return;
    case BLOCK_GAS:
        (void)snprintf(ret->cause, sizeof ret->cause, "%s takes more gas than a payment may (1000000): %s", whose,
                       *note ? note : "as the node estimates");
        describe_recheck(record,
                         "; if it never takes less, cancel this one and import what is owed with another "
                         "destination and ref",
                         ret);
        return;
    case BLOCK_NONE:
    case BLOCK_FUNDS:
    case BLOCK_DESTINATION_CODE:
    case BLOCK_DEPENDENCY:
    case BLOCK_FAILED:
    case BLOCK_TOKEN:
        return;
    }
}

bool blocked_describe(const struct disbursement_record *record, const struct snapshot *snapshot,
                      const struct bursar_address *account, struct blocked_text *ret)
{
    switch (record->blocked) {
    case BLOCK_NONE:
        return false;
    case BLOCK_FUNDS:
        describe_funds(record, snapshot, account, ret);
        return true;
    case BLOCK_DESTINATION_CODE:
        (void)snprintf(ret->cause, sizeof ret->cause,
                       "its destination is a contract, and what paying it takes can't be found out on this chain");
        (void)snprintf(ret->action, sizeof ret->action,
                       "cancel it (`bursar cancel %lld --reason TEXT`) and import what is owed with another "
                       "destination and ref",
                       (long long)record->id);
        return true;
    case BLOCK_TOKEN:
        (void)snprintf(ret->cause, sizeof ret->cause,
                       "it is owed in a token, and what paying that takes can't be found out on this chain");
        (void)snprintf(ret->action, sizeof ret->action,
                       "cancel it (`bursar cancel %lld --reason TEXT`), and import what is owed in another asset, with "
                       "another ref",
                       (long long)record->id);
        return true;
    case BLOCK_DEPENDENCY:
        describe_dependency(record, ret);
        return true;
    case BLOCK_FAILED:
        describe_failed(record, ret);
        return true;
    case BLOCK_REVERTS:
    case BLOCK_UNESTIMATED:
    case BLOCK_GAS:
        describe_refusal(record, ret);
        return true;
    }
    return false;
}

const char *halt_action(enum halt_code code)
{
    switch (code) {
    case HALT_NONE:
        return "nothing";
    case HALT_WRONG_CHAIN:
        return "point `rpc` in bursar.conf at a node of this treasury's chain";
    case HALT_GENESIS_MISMATCH:
    case HALT_ANCHOR_MISMATCH:
        return "this node does not show the chain the treasury was paying on: compare it with another node before "
               "anything else; `bursar reconcile --dry-run` shows what --adopt would take from it";
    case HALT_STORE_BEHIND_LOG:
        return "the store is older than the signing log: put back the newest store file, or have it learn what was "
               "signed and paid: `bursar reconcile --dry-run`, then --adopt";
    case HALT_SIGNING_LOG_LOST:
        return "put back the newest signing log beside the keystore; if it is lost for good, `bursar reconcile "
               "--dry-run`, then --adopt, makes it anew from the store and the chain";
    case HALT_STORE_BEHIND_CHAIN:
        return "the account sent more than this store knows: put back the newest store file, or find out who else "
               "uses the key; then `bursar reconcile --dry-run`, and --adopt";
    case HALT_FOREIGN_NONCE:
        return "somebody else sends from this account: find out who has the key; then `bursar reconcile --dry-run`, "
               "and --adopt";
    case HALT_ACCOUNT_HISTORY:
        return "an account with earlier payments must be acknowledged: check that nothing queued was paid before, then "
               "run `bursar reconcile --adopt`";
    case HALT_SIGNER:
        return "check the keystore, its password file and the signing log beside it, and that no other process "
               "signs with them";
    case HALT_CHAIN_UNSUITABLE:
        return "this chain has no EIP-1559 fees, which Bursar needs";
    }
    return "run `bursar reconcile`";
}

const char *money_action(enum money_cause cause)
{
    switch (cause) {
    case MONEY_NONE:
        return "nothing";
    case MONEY_REVERTS:
        return "see why with `bursar list --state failed` and `bursar show ID`, cancel what would fail again; then "
               "`bursar "
               "breaker close --money --reason TEXT`";
    case MONEY_FOREIGN_NONCE:
        return "find out who else has the key, and move the funds if you do not know; `bursar reconcile` shows what "
               "was "
               "paid; then `bursar breaker close --money --reason TEXT`";
    case MONEY_BALANCE_MISMATCH:
        return "find out where it went, in a block explorer; where the chain takes more than gas for a transaction, "
               "set "
               "balance_tolerance; then `bursar breaker close --money --reason TEXT`";
    case MONEY_SPENDING_RATE:
        return "look at what is due with `bursar list --state queued`; `bursar cancel` what should not be paid, or "
               "raise "
               "the limit in bursar.conf; then `bursar breaker close --money --reason TEXT`";
    case MONEY_PERSON:
        return "`bursar breaker close --money --reason TEXT` when it may go on";
    }
    return "`bursar breaker close --money --reason TEXT` when it may go on";
}
