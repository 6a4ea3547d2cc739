/* The decisions of a tick. Nothing here reads a clock, a store, a node or a key. */
#include "executor/planner.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

static void halt(struct verdict *verdict, enum halt_code code)
{
    verdict->halt = code;
    verdict->holds = true;
}

void plan_identity(const struct treasury *treasury, const struct chain_view *view, struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    if (view->chain_id != treasury->chain_id) {
        halt(ret, HALT_WRONG_CHAIN);
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "the node is on chain %llu, this treasury on chain %llu: check the rpc setting",
                       (ull)view->chain_id, (ull)treasury->chain_id);
        return;
    }
    if (!treasury->is_pinned)
        return;
    if (!hash_equal(&view->genesis_hash, &treasury->genesis_hash)) { /* INV-8 */
        halt(ret, HALT_GENESIS_MISMATCH);
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "the node's chain %llu has another genesis block than the one this treasury was set up on",
                       (ull)view->chain_id);
        return;
    }
    if (!view->has_anchor_block) { /* a lagging read decides nothing */
        ret->holds = true;
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "the node does not have block %llu yet, which was final already: it is catching up",
                       (ull)treasury->anchor.number);
        return;
    }
    bool differs = !hash_equal(&view->anchor_hash, &treasury->anchor.hash);
    if (differs && (!view->has_final || view->final.block.number < treasury->anchor.number)) {
        ret->holds = true; /* to this node it is not final yet: it lags, on a branch that the others have left */
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "the node has another block %llu than the one that was final, and none of it is final to it: it "
                       "is catching up",
                       (ull)treasury->anchor.number);
        return;
    }
    if (differs) { /* INV-8 */
        halt(ret, HALT_ANCHOR_MISMATCH);
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "block %llu was final and has another hash now: the node is on another history of this chain",
                       (ull)treasury->anchor.number);
    }
}

void plan_adoption(const struct chain_view *view, const struct signing_log_extent *log, struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    uint64_t sent = view->nonce_latest > view->nonce_pending ? view->nonce_latest : view->nonce_pending;
    if (sent == 0 || log->entries > 0)
        return;
    halt(ret, HALT_ACCOUNT_HISTORY);
    (void)snprintf(
        ret->reason, sizeof ret->reason,
        "the account has sent %llu transactions before and there is no record of them here; earlier payments "
        "are unknown and would be repeated",
        (ull)sent);
}

static bool behind_log(const struct treasury *treasury, const struct lane *lane, const struct signing_log_extent *log,
                       struct verdict *ret)
{
    if (log->entries == 0)
        return false;
    if (log->next_nonce <= lane->next_nonce && log->first_nonce >= treasury->first_nonce)
        return false;
    halt(ret, HALT_STORE_BEHIND_LOG); /* INV-12 */
    (void)snprintf(
        ret->reason, sizeof ret->reason,
        "the signing log holds signatures for nonces %llu to %llu, the store knows %llu to below %llu: the store "
        "is older than what was signed (a restored copy, or a new one)",
        (ull)log->first_nonce, (ull)(log->next_nonce - 1), (ull)treasury->first_nonce, (ull)lane->next_nonce);
    return true;
}

static bool behind_chain(const struct lane *lane, const struct chain_view *view, struct verdict *ret)
{
    if (view->nonce_latest <= lane->next_nonce)
        return false;
    halt(ret, HALT_STORE_BEHIND_CHAIN); /* INV-12 */
    (void)snprintf(ret->reason, sizeof ret->reason,
                   "the account's next nonce on the chain is %llu, the store's is %llu: something else sends from this "
                   "account, or the store is an older copy",
                   (ull)view->nonce_latest, (ull)lane->next_nonce);
    return true;
}

static void watch_pending(struct pending_watch *watch, bool shows, uint64_t now_ms)
{
    if (!watch->is_above && shows) {
        *watch = (struct pending_watch){ .is_above = true, .above_since_ms = now_ms };
    } else if (shows) {
        watch->is_quiet = false;
    } else if (watch->is_above && !watch->is_quiet) {
        watch->is_quiet = true;
        watch->quiet_since_ms = now_ms;
    } else if (watch->is_above && now_ms - watch->quiet_since_ms >= PENDING_SETTLES_MS) {
        *watch = (struct pending_watch){ 0 };
    }
}

void plan_pending(struct pending_watch *watch, uint64_t next_nonce, const struct chain_view *view, uint64_t now_ms,
                  struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    watch_pending(watch, view->nonce_pending > next_nonce, now_ms);
    if (!watch->is_above)
        return;
    if (!watch->is_quiet && now_ms - watch->above_since_ms >= PENDING_SETTLES_MS)
        watch->is_halted = true;
    if (watch->is_halted)
        halt(ret, HALT_STORE_BEHIND_CHAIN); /* INV-12 */
    ret->holds = true;
    if (watch->is_quiet)
        (void)snprintf(
            ret->reason, sizeof ret->reason,
            "a moment ago the node's pool held transactions of this account beyond nonce %llu: looking again",
            (ull)next_nonce);
    else
        (void)snprintf(
            ret->reason, sizeof ret->reason,
            "with those that wait in the node's pool, the account's next nonce is %llu, the store's is %llu: "
            "something else sends from this account, or the store is an older copy",
            (ull)view->nonce_pending, (ull)next_nonce);
}

/* A gap: nothing of ours is mined above a nonce of the account that nobody uses. All of ours from the first on are
 * bound, and their bytes can be signed again; so this one is not ours, or the node contradicts itself. */
static bool is_gap_below(const struct treasury *treasury, const struct chain_view *view, const struct flight *lowest,
                         struct verdict *ret)
{
    if (view->nonce_latest >= lowest->nonce)
        return false;
    ret->holds = true;
    if (view->nonce_latest < treasury->first_nonce)
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "nonces %llu to %llu of the account are not used, and nothing of ours can be mined before they "
                       "are: they are older than this treasury, whose first is %llu. If nothing waits to use them any "
                       "more, stop the executor and fill them with `bursar reconcile --adopt`",
                       (ull)view->nonce_latest, (ull)(treasury->first_nonce - 1), (ull)treasury->first_nonce);
    else
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "the node says that the account's next nonce is %llu, and has shown all below %llu in blocks",
                       (ull)view->nonce_latest, (ull)lowest->nonce);
    return true;
}

bool plan_is_contested(const struct flight *flight)
{
    return flight->has_attempt && !flight->is_explained &&
           (flight->verdict == SUBMIT_NONCE_TOO_LOW || flight->verdict == SUBMIT_UNDERPRICED ||
            flight->verdict == SUBMIT_CONTESTED);
}

static void hold_contested(const struct flight *flights, size_t count, struct verdict *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (!plan_is_contested(&flights[i]))
            continue;
        ret->holds = true;
        (void)snprintf(
            ret->reason, sizeof ret->reason,
            "the node refused nonce %llu (%s): another transaction may hold it; it is offered again until it is "
            "seen in a block",
            (ull)flights[i].nonce, submit_verdict_name((enum submit_verdict)flights[i].verdict));
        return;
    }
}

void plan_nonces(const struct treasury *treasury, const struct lane *lane, const struct signing_log_extent *log,
                 const struct chain_view *view, bool is_current, const struct flight *flights, size_t flight_count,
                 struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    if (behind_log(treasury, lane, log, ret) || behind_chain(lane, view, ret))
        return;
    if (!is_current) {
        ret->holds = true;
        (void)snprintf(ret->reason, sizeof ret->reason, "reading blocks: not all up to %llu are read yet",
                       (ull)view->latest.block.number);
        return;
    }
    if (flight_count && is_gap_below(treasury, view, &flights[0], ret))
        return;
    if (flight_count == 0 || flights[0].nonce >= view->nonce_latest) {
        hold_contested(flights, flight_count, ret);
        return;
    }
    /* INV-4: used, and no attempt of ours is in a canonical block. */
    ull nonce = (ull)flights[0].nonce;
    if (view->has_final && flights[0].nonce < view->nonce_final) {
        halt(ret, HALT_FOREIGN_NONCE);
        (void)snprintf(
            ret->reason, sizeof ret->reason,
            "nonce %llu was used, finally, by a transaction that is not in the store: something else sends from "
            "this account",
            nonce);
        return;
    }
    ret->holds = true;
    (void)snprintf(ret->reason, sizeof ret->reason,
                   "nonce %llu is used and none of our transactions is seen in a block for it: waiting for finality",
                   nonce);
}

void plan_signature_known(const struct intent_record *intent, bool found, const struct signed_payload *payload,
                          struct verdict *ret)
{
    *ret = (struct verdict){ 0 };
    ull nonce = (ull)intent->nonce;
    if (intent->has_attempt && (intent->purpose == PURPOSE_FOREIGN || intent->purpose == PURPOSE_FOUND))
        return; /* signed elsewhere, and known from the chain only */
    if (!found || !(payload->has_payment || payload->has_self_transfer)) {
        if (!intent->has_attempt)
            return;                       /* bound and never signed: it simply will be */
        halt(ret, HALT_SIGNING_LOG_LOST); /* INV-12 */
        (void)snprintf(
            ret->reason, sizeof ret->reason,
            "the store holds signed bytes for nonce %llu that the signing log does not know: the log was lost or "
            "replaced by an older copy",
            nonce);
        return;
    }
    if (intent->kind != INTENT_PAYMENT || !payload->has_payment)
        return;
    struct bursar_hash data_hash;
    keccak256(intent->data.bytes, intent->data.length_bytes, &data_hash);
    if (address_equal(&payload->to, &intent->to) && bursar_amount_compare(payload->value, intent->value) == 0 &&
        hash_equal(&payload->data_hash, &data_hash))
        return;
    halt(ret, HALT_STORE_BEHIND_LOG);
    (void)snprintf(
        ret->reason, sizeof ret->reason,
        "for nonce %llu the signing log holds another payment than the store: the store is not the one that was "
        "signed from",
        nonce);
}

void plan_fees(const struct chain_view *view, const struct fee_caps *caps, struct fees *ret)
{
    uint64_t base = view->next_base_fee_per_gas_wei;
    uint64_t tip = view->suggested_priority_fee_per_gas_wei;
    uint64_t wanted;
    if (tip > caps->max_priority_fee_per_gas_wei)
        tip = caps->max_priority_fee_per_gas_wei;
    if (__builtin_mul_overflow(base, 2, &wanted) || __builtin_add_overflow(wanted, tip, &wanted) ||
        wanted > caps->max_fee_per_gas_wei)
        wanted = caps->max_fee_per_gas_wei;
    ret->max_fee_per_gas_wei = wanted;
    ret->max_priority_fee_per_gas_wei = tip < wanted ? tip : wanted;
    ret->above_cap = base > caps->max_fee_per_gas_wei;
}

/* At least `percent` more, and at least 1; false when that does not fit. */
static bool bump(uint64_t fee, uint64_t percent, uint64_t *ret)
{
    const unsigned __int128 wanted = ((unsigned __int128)fee * (100 + percent) + 99) / 100;
    if (wanted >= UINT64_MAX)
        return false;
    *ret = (uint64_t)wanted > fee ? (uint64_t)wanted : fee + 1;
    return true;
}

/* Has it waited long enough, and would other fees help? One that can't be mined at these fees is as stuck as the one
 * that all others wait for. */
static bool is_stuck(const struct flight *flight, const struct patience *patience, const struct chain_view *view)
{
    const uint64_t head = view->latest.block.number;
    const uint64_t since =
        flight->head_number > patience->progress_number ? flight->head_number : patience->progress_number;
    if (flight->nonce < view->nonce_latest) /* used: one of the attempts is in a block, or a stranger is */
        return false;
    if (flight->verdict == SUBMIT_UNDERPRICED && flight->seq > 1)
        return head > flight->head_number;
    if (head < since || head - since < patience->after_blocks)
        return false;
    return patience->is_lowest || flight->max_fee_per_gas_wei < view->next_base_fee_per_gas_wei;
}

enum replacement plan_replacement(const struct flight *flight, const struct patience *patience,
                                  const struct chain_view *view, const struct fee_caps *caps, struct fees *ret)
{
    const bool cancels = flight->cancel_wanted && flight->purpose != SIGN_SELF;
    const uint64_t percent = flight->verdict == SUBMIT_UNDERPRICED && flight->seq > 1 ? 100 : REPLACE_BUMP_PERCENT;
    uint64_t max_fee, tip;
    struct fees now;
    if (!flight->has_attempt || patience->after_blocks == 0)
        return REPLACE_NOT;
    if (!is_stuck(flight, patience, view) && !(cancels && flight->nonce >= view->nonce_latest))
        return REPLACE_NOT;
    plan_fees(view, caps, &now);
    if (!bump(flight->max_fee_per_gas_wei, percent, &max_fee) ||
        !bump(flight->max_priority_fee_per_gas_wei, percent, &tip) || max_fee > caps->max_fee_per_gas_wei ||
        now.above_cap)
        return REPLACE_AT_CAP;
    ret->max_fee_per_gas_wei = max_fee > now.max_fee_per_gas_wei ? max_fee : now.max_fee_per_gas_wei;
    ret->max_priority_fee_per_gas_wei = tip > now.max_priority_fee_per_gas_wei ? tip : now.max_priority_fee_per_gas_wei;
    ret->above_cap = now.above_cap;
    return ret->max_priority_fee_per_gas_wei > ret->max_fee_per_gas_wei ? REPLACE_AT_CAP : REPLACE_NOW;
}

bool plan_worst_case(const struct bursar_amount *value, uint64_t gas_limit, uint64_t max_fee_per_gas_wei,
                     struct bursar_amount *ret)
{
    struct bursar_amount gas;
    return bursar_amount_multiply(bursar_amount_from_u64(max_fee_per_gas_wei), gas_limit, &gas) &&
           bursar_amount_add(*value, gas, ret);
}

void plan_available(const struct bursar_amount *balance, const struct flight *flights, size_t flight_count,
                    uint64_t unsigned_max_fee_per_gas_wei, struct bursar_amount *ret)
{
    struct bursar_amount left = *balance;
    for (size_t i = 0; i < flight_count; i++) {
        const struct flight *flight = &flights[i];
        uint64_t max_fee = flight->has_attempt ? flight->max_fee_per_gas_wei : unsigned_max_fee_per_gas_wei;
        struct bursar_amount cost;
        if (!plan_worst_case(&flight->value, flight->gas_limit, max_fee, &cost) ||
            !bursar_amount_subtract(left, cost, &left)) {
            *ret = (struct bursar_amount){ 0 };
            return;
        }
    }
    *ret = left;
}

bool plan_broadcast(const struct flight *flight, uint64_t nonce_pending, uint64_t now_ms)
{
    if (!flight->has_attempt)
        return false;
    if (flight->sends == 0 || flight->last_sent_ms == 0 || flight->last_sent_ms > now_ms)
        return true; /* a wall clock that jumped back must not silence us */
    uint64_t since_ms = now_ms - flight->last_sent_ms;
    bool pool_lacks_it = flight->nonce >= nonce_pending || plan_is_contested(flight);
    return since_ms >= (pool_lacks_it ? REBROADCAST_GRACE_MS : REBROADCAST_MS);
}

static int compare_hashes(const void *a, const void *b)
{
    const struct watched *left = a, *right = b;
    return memcmp(left->hash.bytes, right->hash.bytes, BURSAR_HASH_BYTES);
}

void plan_sort_watched(struct watched *watched, size_t count)
{
    if (count)
        qsort(watched, count, sizeof *watched, compare_hashes);
}

const struct watched *plan_find_watched(const struct watched *watched, size_t count, const struct bursar_hash *hash)
{
    const struct watched key = { .hash = *hash };
    return count ? bsearch(&key, watched, count, sizeof *watched, compare_hashes) : NULL;
}

uint64_t plan_epoch(const struct epoch_source *source, const struct chain_head *final)
{
    uint64_t clock = source->kind == EPOCH_TIME ? final->timestamp_s : final->block.number;
    return source->length ? clock / source->length : 0;
}
