/* The one place that knows every way in which a disbursement does not move. Its own reasons first (blocked.c, and the
 * stage that it is in), then those of the whole treasury. Whoever adds a reason adds a line to the unit test's table.
 */
#include "doctor/diagnosis.h"

#include "base/bytes.h"
#include "base/time.h"
#include "chain/chain.h"
#include "doctor/words.h"
#include "eth/address.h"
#include "executor/planner.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

#define YOUNG_CHAIN_BLOCKS 100000
#define SETTLING_BLOCKS 3        /* a nonce that is refused is mostly one that was mined this moment */
#define NODE_WORDS_MAX_BYTES 200 /* of what a node said */

static const char NOTHING[] = "nothing: it goes on by itself";
static const char RAISE_THE_CAP[] =
    "raise max_fee_per_gas in [fees] of bursar.conf and restart `bursar run`, or wait for fees to fall";

static void say(struct diagnosis *ret, enum diagnosis_kind kind, const char *action, const char *format, ...)
    BURSAR_PRINTF(4, 5);
static void say(struct diagnosis *ret, enum diagnosis_kind kind, const char *action, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ret->text.cause, sizeof ret->text.cause, format, args);
    va_end(args);
    (void)snprintf(ret->text.action, sizeof ret->text.action, "%s", action);
    ret->kind = kind;
}

/* -- the whole treasury -------------------------------------------------------------------------------------------- */

static bool by_executor(const struct situation *situation, struct diagnosis *ret)
{
    const struct treasury *treasury = &situation->treasury;
    char since[WORDS_TIME_TEXT_BYTES];
    switch (executor_presence(treasury, situation->now_ms)) {
    case EXECUTOR_RUNNING:
        return false;
    case EXECUTOR_NONE:
        say(ret, DIAGNOSIS_WAITING, "start `bursar run`", "no executor is running");
        return true;
    case EXECUTOR_LOST:
        words_duration((situation->now_ms - treasury->lease_renewed_ms) / 1000, since);
        say(ret, DIAGNOSIS_WAITING, "start `bursar run`; `bursar doctor` says whether the old one is still there",
            "the executor %.200s has not renewed its lease for %s", treasury->lease_holder, since);
        return true;
    }
    return false;
}

static bool by_halt(const struct situation *situation, struct diagnosis *ret)
{
    enum halt_code halt = situation_halt(situation);
    const char *name = halt_code_name(halt);
    if (halt == HALT_NONE)
        return false;
    say(ret, DIAGNOSIS_WAITING, halt_action(halt), "the treasury is halted (%s): %.400s", name ? name : "unknown",
        situation->treasury.halt_reason);
    return true;
}

static bool by_money(const struct situation *situation, struct diagnosis *ret)
{
    const struct money_record *money = &situation->money;
    if (money->cause == MONEY_NONE)
        return false;
    if (money->cause == MONEY_PERSON)
        say(ret, DIAGNOSIS_WAITING, money_action(money->cause), "the money breaker was opened by %.100s: %.300s",
            money->actor, money->detail);
    else
        say(ret, DIAGNOSIS_WAITING, money_action(money->cause), "the money breaker is open (%s): %.400s",
            money_cause_name(money->cause), money->detail);
    return true;
}

static bool by_breaker(const struct situation *situation, struct diagnosis *ret)
{
    const struct bursar_breaker_view *breaker = &situation->breaker;
    char at[RFC3339_TEXT_BYTES] = "";
    switch (breaker->state) {
    case BURSAR_BREAKER_CLOSED:
        return false;
    case BURSAR_BREAKER_HALF_OPEN:
        say(ret, DIAGNOSIS_WAITING, NOTHING, "the circuit breaker is half-open: it lets trials through, one at a time");
        return true;
    case BURSAR_BREAKER_OPEN:
        if (breaker->next_change_at_ms != BURSAR_BREAKER_NEVER)
            rfc3339_from_seconds(breaker->next_change_at_ms / 1000, at);
        if (breaker->forced && at[0]) {
            say(ret, DIAGNOSIS_WAITING, "nothing, or `bursar breaker close --reason TEXT` when it may go on before",
                "the circuit breaker was opened until %s by %.100s: %.300s", at, situation->breaker_record.actor,
                situation->breaker_record.reason);
            return true;
        }
        if (breaker->forced) {
            say(ret, DIAGNOSIS_WAITING, "`bursar breaker close --reason TEXT` when it may go on",
                "the circuit breaker was opened by %.100s: %.300s", situation->breaker_record.actor,
                situation->breaker_record.reason);
            return true;
        }
        say(ret, DIAGNOSIS_WAITING, "nothing, if the node is back: `bursar doctor` looks at each",
            "the circuit breaker is open, because the node kept failing; it tries again at %s",
            at[0] ? at : "a later time");
        return true;
    }
    return false;
}

static bool by_node(const struct situation *situation, struct diagnosis *ret)
{
    if (!situation_is_blind(situation))
        return false;
    say(ret, DIAGNOSIS_WAITING, "nothing, if the node comes back; else `bursar doctor` looks at each node",
        "the executor's last look at the chain failed: %.400s", situation->snapshot.last_error);
    return true;
}

/* Both holds that fees cause name the setting that would end them. */
static bool holds_for_fees(const struct situation *situation)
{
    return strstr(situation->snapshot.hold, "max_fee_per_gas") != NULL;
}

static bool by_hold(const struct situation *situation, struct diagnosis *ret)
{
    if (!situation->snapshot.hold[0])
        return false;
    say(ret, DIAGNOSIS_WAITING,
        holds_for_fees(situation) ? RAISE_THE_CAP
                                  : "nothing, if it passes by itself; else `bursar doctor` looks into it",
        "the executor holds: %.450s", situation->snapshot.hold);
    return true;
}

/* -- queued ---------------------------------------------------------------------------------------------------------
 */

/* "block/120" */
static bool epoch_now(const struct situation *situation, uint64_t *ret)
{
    const char *slash = strchr(situation->treasury.epoch_source, '/');
    uint64_t length;
    if (!slash || !u64_from_text(slash + 1, strlen(slash + 1), 1, UINT64_MAX, &length))
        return false;
    bool is_time = strncmp(situation->treasury.epoch_source, "time", strlen("time")) == 0;
    *ret = (is_time ? situation->now_ms / 1000 : situation->treasury.anchor.number) / length;
    return is_time || situation->treasury.is_pinned;
}

static bool by_schedule(const struct disbursement_record *record, const struct situation *situation,
                        struct diagnosis *ret)
{
    char at[RFC3339_TEXT_BYTES];
    uint64_t epoch;
    switch (record->schedule) {
    case SCHEDULE_NOW:
        return false;
    case SCHEDULE_TIME:
        if (situation->now_ms / 1000 >= record->schedule_value)
            return false;
        rfc3339_from_seconds(record->schedule_value, at);
        say(ret, DIAGNOSIS_WAITING, NOTHING, "not due before %s", at);
        return true;
    case SCHEDULE_EPOCH:
        if (!epoch_now(situation, &epoch) || epoch >= record->schedule_value)
            return false;
        say(ret, DIAGNOSIS_WAITING, NOTHING, "not due before epoch %llu; the chain is in epoch %llu (%s)",
            (ull)record->schedule_value, (ull)epoch, situation->treasury.epoch_source);
        return true;
    }
    return false;
}

static void diagnose_due(const struct situation *situation, struct diagnosis *ret)
{
    const struct lane *lane = &situation->lane;
    if (by_halt(situation, ret) || by_money(situation, ret) || by_executor(situation, ret) ||
        by_breaker(situation, ret) || by_node(situation, ret) || by_hold(situation, ret))
        return;
    if (lane->in_flight >= situation->limits.max_in_flight)
        say(ret, DIAGNOSIS_WAITING, NOTHING, "%llu payments are in flight, as many as max_in_flight allows",
            (ull)lane->in_flight);
    else
        say(ret, DIAGNOSIS_WAITING, NOTHING, "due: its turn comes with the next ticks of the executor");
}

static void diagnose_queued(const struct disbursement_record *record, const struct situation *situation,
                            struct diagnosis *ret)
{
    const char *state = state_name(record->blocked_on_state);
    if (record->blocked_on_ref)
        say(ret, DIAGNOSIS_WAITING, "nothing: it is paid after that one is finalized",
            "waits for '%.128s', which is %s", record->blocked_on_ref, state ? state : "not paid");
    else if (!by_schedule(record, situation, ret))
        diagnose_due(situation, ret);
}

/* -- staged ---------------------------------------------------------------------------------------------------------
 */

/* Blocks that were read since it was signed, as the executor counts them. */
static uint64_t waited_blocks(const struct disbursement_record *record, const struct situation *situation)
{
    uint64_t signed_at = record->newest.head_number, read = situation->treasury.scan.number;
    return read > signed_at ? read - signed_at : 0;
}

/* Of an attempt that was adopted, nobody knows. */
static void describe_wait(const struct disbursement_record *record, uint64_t blocks, char *ret, size_t capacity)
{
    bool is_known = record->newest.head_number > 0 || blocks < YOUNG_CHAIN_BLOCKS;
    (void)snprintf(ret, capacity, is_known ? "%llu blocks after it was signed" : "signed some time ago", (ull)blocks);
}

/* Would a replacement have to offer more than it may? By its own fee, or by what the executor has said of the market.
 */
static bool is_at_cap(const struct disbursement_record *record, const struct situation *situation)
{
    const unsigned __int128 next = (unsigned __int128)record->newest.max_fee_per_gas_wei * (100 + REPLACE_BUMP_PERCENT);
    return next > (unsigned __int128)situation->limits.max_fee_per_gas_wei * 100 || holds_for_fees(situation);
}

/* In a pool, or refused there for its fee. `why` begins the sentence. */
static void diagnose_fee(const struct disbursement_record *record, const struct situation *situation, const char *why,
                         struct diagnosis *ret)
{
    const uint64_t waited = waited_blocks(record, situation), after = situation->limits.replace_after_blocks;
    char offered[WORDS_FEE_TEXT_BYTES], cap[WORDS_FEE_TEXT_BYTES];
    char since[64];
    describe_wait(record, waited, since, sizeof since);
    words_fee(record->newest.max_fee_per_gas_wei, offered);
    words_fee(situation->limits.max_fee_per_gas_wei, cap);
    if (after == 0 && waited >= SETTLING_BLOCKS)
        say(ret, DIAGNOSIS_BLOCKED, "set replace_after_blocks in [fees] of bursar.conf and restart `bursar run`",
            "%s, %s with at most %s per gas; replace_after_blocks = 0 replaces nothing", why, since, offered);
    else if (after > 0 && waited >= after && is_at_cap(record, situation))
        say(ret, DIAGNOSIS_BLOCKED, RAISE_THE_CAP,
            "%s, %s with at most %s per gas, and a replacement that helps would exceed max_fee_per_gas, %s", why, since,
            offered, cap);
    else if (after > 0 && waited >= after)
        say(ret, DIAGNOSIS_WAITING, NOTHING, "%s, %s: it is replaced with a higher fee", why, since);
    else
        say(ret, DIAGNOSIS_WAITING, NOTHING, "%s, %s", why, since);
}

/* The lowest nonce in flight was handed over, and a node has said something about it. */
static void diagnose_offered(const struct disbursement_record *record, const struct situation *situation,
                             struct diagnosis *ret)
{
    const struct shown_attempt *newest = &record->newest;
    const ull nonce = (ull)record->nonce;
    const char *words = newest->message && newest->message[0] ? newest->message : "no details";
    char account[ADDRESS_TEXT_BYTES], action[BLOCKED_TEXT_MAX_BYTES];
    address_to_text(&situation->treasury.address, account);
    switch ((enum submit_verdict)newest->verdict) {
    case SUBMIT_NONCE_TOO_LOW:
    case SUBMIT_CONTESTED:
        if (waited_blocks(record, situation) < SETTLING_BLOCKS) {
            say(ret, DIAGNOSIS_WAITING, NOTHING, "nonce %llu is used: looking for it in the next blocks", nonce);
            return;
        }
        say(ret, DIAGNOSIS_BLOCKED,
            "find out who else has the key and uses it; `bursar reconcile --dry-run` shows what the chain has",
            "the node says that nonce %llu is used (%.*s), and none of ours is seen in a block: somebody else may "
            "have sent from this account",
            nonce, NODE_WORDS_MAX_BYTES, words);
        return;
    case SUBMIT_UNDERPRICED:
        if (newest->seq > 1 || waited_blocks(record, situation) < SETTLING_BLOCKS) {
            say(ret, DIAGNOSIS_WAITING, NOTHING, "the node wants a higher fee for nonce %llu: it is offered more",
                nonce);
            return;
        }
        say(ret, DIAGNOSIS_BLOCKED,
            "find out who else has the key and uses it: what is in the pool at this nonce is not ours",
            "the node refuses nonce %llu (%.*s): another transaction of this account holds it", nonce,
            NODE_WORDS_MAX_BYTES, words);
        return;
    case SUBMIT_INSUFFICIENT_FUNDS:
        (void)snprintf(action, sizeof action, "send funds to %s", account);
        say(ret, DIAGNOSIS_BLOCKED, action, "the node says that the account can't pay for it (%.*s)",
            NODE_WORDS_MAX_BYTES, words);
        return;
    case SUBMIT_REFUSED:
        say(ret, DIAGNOSIS_BLOCKED,
            "ask who runs the node why, or add another node to `rpc` in bursar.conf; it is offered again meanwhile",
            "the node refuses its transaction: %.*s", NODE_WORDS_MAX_BYTES, words);
        return;
    case SUBMIT_FEE_TOO_LOW:
        diagnose_fee(record, situation, "its fee is below what blocks take now", ret);
        return;
    case SUBMIT_UNKNOWN:
    case SUBMIT_UNSENT:
        say(ret, DIAGNOSIS_WAITING, "nothing, if the node comes back; else `bursar doctor` looks at each node",
            "the node has not answered when it was handed over (%.*s): the same bytes are offered again",
            NODE_WORDS_MAX_BYTES, words);
        return;
    case SUBMIT_ACCEPTED:
    case SUBMIT_KNOWN:
        break;
    }
    diagnose_fee(record, situation, "in the node's pool, not mined yet", ret);
}

static void diagnose_staged(const struct disbursement_record *record, const struct situation *situation,
                            struct diagnosis *ret)
{
    const uint64_t lowest = situation_lowest_in_flight(situation);
    const ull nonce = (ull)record->nonce;
    if (by_halt(situation, ret) || (record->newest.seq == 0 && !record->cancel_wanted && by_money(situation, ret)) ||
        by_executor(situation, ret))
        return;
    if (record->newest.seq == 0)
        say(ret, DIAGNOSIS_WAITING, NOTHING, "bound to nonce %llu, about to be signed", nonce);
    else if (record->newest.sends == 0 && (by_breaker(situation, ret) || by_node(situation, ret)))
        return;
    else if (by_node(situation, ret))
        return;
    else if (record->cancel_wanted && record->newest.purpose != SIGN_SELF)
        say(ret, DIAGNOSIS_WAITING, NOTHING,
            "a cancel was asked for: a transfer of 0 to self is offered at nonce %llu next; whichever is mined decides",
            nonce);
    else if (record->nonce > lowest)
        say(ret, DIAGNOSIS_WAITING,
            "nothing here: `bursar status` says what holds up the lowest one, if something does",
            "its nonce %llu can be mined only after nonce %llu, which is not yet", nonce, (ull)lowest);
    else if (record->newest.sends == 0)
        say(ret, DIAGNOSIS_WAITING, NOTHING, "signed for nonce %llu, about to be handed to the node", nonce);
    else
        diagnose_offered(record, situation, ret);
}

/* Other halts stop binding only: what is in a block goes on to become final. */
static bool sees_another_chain(enum halt_code halt)
{
    return halt == HALT_WRONG_CHAIN || halt == HALT_GENESIS_MISMATCH || halt == HALT_ANCHOR_MISMATCH;
}

static void diagnose_executed(const struct disbursement_record *record, const struct situation *situation,
                              struct diagnosis *ret)
{
    const ull block = (ull)record->block.number, final = (ull)situation->treasury.anchor.number;
    if (sees_another_chain(situation_halt(situation)) && by_halt(situation, ret))
        return;
    if (by_executor(situation, ret) || by_node(situation, ret))
        return;
    if (situation->limits.finality_blocks > 0)
        say(ret, DIAGNOSIS_WAITING, NOTHING, "in block %llu; final with %llu confirmations (final up to block %llu)",
            block, (ull)situation->limits.finality_blocks, final);
    else
        say(ret, DIAGNOSIS_WAITING, NOTHING, "in block %llu, which is not final yet (the chain is up to block %llu)",
            block, final);
}

void diagnose(const struct disbursement_record *record, const struct situation *situation, struct diagnosis *ret)
{
    *ret = (struct diagnosis){ .kind = DIAGNOSIS_NONE };
    if (blocked_describe(record, &situation->snapshot, &situation->treasury.address, &ret->text)) {
        ret->kind = DIAGNOSIS_BLOCKED;
        return;
    }
    switch (record->state) {
    case STATE_DRAFT:
    case STATE_VOTING:
        say(ret, DIAGNOSIS_WAITING, "nothing here: it is queued once it is approved", "it is not approved yet");
        return;
    case STATE_QUEUED:
        diagnose_queued(record, situation, ret);
        return;
    case STATE_STAGED:
        diagnose_staged(record, situation, ret);
        return;
    case STATE_EXECUTED:
        diagnose_executed(record, situation, ret);
        return;
    case STATE_FINALIZED:
    case STATE_CANCELLED:
    case STATE_FAILED:
    case STATE_ROLLED_BACK:
        return;
    }
}
