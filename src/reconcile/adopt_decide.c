/* What becomes of each nonce. Where a transaction has paid something, which disbursement that was is decided for all of
 * them together (adopt_match.c). */
#include "reconcile/adopt_parts.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_ROWS 1000

typedef unsigned long long ull;

const struct payload *sight_pays(const struct sight *sight)
{
    return sight->seen == SEEN_NOWHERE || sight->is_cancellation ? &sight->signed_payload : &sight->payload;
}

static void stop(struct sight *sight, enum adopt_step step, enum adopt_trouble trouble)
{
    sight->step = step;
    sight->trouble = trouble;
}

/* Bytes that may be out, or are in a block that is not final: adopted as they are, or not at all. */
static void take_bytes(struct sight *sight)
{
    if (sight->raw.bytes)
        sight->step = ADOPT_IN_FLIGHT;
    else
        stop(sight, ADOPT_WAIT, TROUBLE_NO_BYTES);
}

static void take_payment(struct sight *sight)
{
    sight->purpose = SIGN_PAYMENT;
    if (sight->is_final)
        sight->step = sight->succeeded ? ADOPT_PAID : ADOPT_REVERTED;
    else
        take_bytes(sight);
}

/* INV-4: only what is exhibited in a final block. */
static void take_foreign(struct sight *sight)
{
    sight->purpose = PURPOSE_FOREIGN;
    if (sight->is_final)
        sight->step = ADOPT_FOREIGN;
    else
        stop(sight, ADOPT_WAIT, TROUBLE_NOT_FINAL);
}

static void take_self_transfer(struct sight *sight)
{
    bool is_payments = sight->pays || (sight->intent && sight->kind == INTENT_PAYMENT);
    sight->purpose = SIGN_SELF;
    if (sight->is_final)
        sight->step = is_payments ? ADOPT_CANCELLED : ADOPT_SELF;
    else
        take_bytes(sight);
}

/* Final before, on a chain whose history was replaced: it must still be there, and have ended the same way. Nothing
 * leads back from paid (INV-7). */
static void decide_settled(struct sight *sight)
{
    if (sight->seen == SEEN_MINED && !sight->is_final && sight->in_store)
        stop(sight, ADOPT_WAIT, TROUBLE_NOT_FINAL);
    else if (!sight->is_final || !sight->in_store ||
             (sight->purpose != PURPOSE_FOREIGN && sight->succeeded != sight->has_ended_well))
        stop(sight, ADOPT_UNDECIDED, TROUBLE_VANISHED);
    else if (!hash_equal(&sight->block.hash, &sight->stored_block.hash))
        sight->step = ADOPT_MOVED;
}

/* INV-7: the key has signed the transfer of 0 to self, and will sign nothing else any more; the store has not heard of
 * it. */
static bool is_cancelled_elsewhere(const struct sight *sight)
{
    return sight->kind == INTENT_PAYMENT && sight->has_self && !sight->is_being_cancelled;
}

/* Bound in the store, and not final there. True: it is a claim. */
static bool decide_bound(const struct adopt_plan *plan, struct sight *sight)
{
    bool is_its_own = payload_compare(&sight->payload, &sight->bound) == 0;
    if (plan->is_rebased && sight->status == INTENT_INCLUDED && !sight->is_final) {
        sight->step = ADOPT_REOPENED; /* the block it was seen in may be gone */
        return false;
    }
    if (sight->seen == SEEN_NOWHERE) {
        if (sight->kind == INTENT_PAYMENT && sight->has_payment &&
            payload_compare(&sight->signed_payload, &sight->bound) != 0)
            stop(sight, ADOPT_UNDECIDED, TROUBLE_TWO_PAYLOADS);
        else if (is_cancelled_elsewhere(sight))
            sight->step = ADOPT_CANCELLING;
        return false;
    }
    if (sight->in_store && sight->seen == SEEN_POOL && is_cancelled_elsewhere(sight)) {
        sight->step = ADOPT_CANCELLING;
        return false;
    }
    if (sight->in_store && (!plan->is_rebased || !sight->is_final))
        return false; /* the executor follows it */
    if (sight->in_store && sight->purpose == PURPOSE_FOREIGN)
        take_foreign(sight);
    else if (sight->kind == INTENT_PAYMENT && is_its_own)
        take_payment(sight); /* INV-4: whatever its hash */
    else if (payload_is_self_transfer(&sight->payload, &plan->treasury.address) &&
             (sight->in_log || sight->in_store || sight->kind != INTENT_PAYMENT))
        take_self_transfer(sight);
    else if (payload_is_self_transfer(&sight->payload, &plan->treasury.address) || !sight->is_final)
        take_foreign(sight);
    else
        return true;
    return false;
}

/* The store knows nothing of the nonce. True: it is a claim. */
static bool decide_unbound(const struct adopt_plan *plan, struct sight *sight)
{
    if (sight->seen != SEEN_NOWHERE) {
        if (!payload_is_self_transfer(&sight->payload, &plan->treasury.address))
            return true;
        sight->is_cancellation = sight->has_payment; /* and the question is, of what */
        if (!sight->has_payment)
            take_self_transfer(sight);
        return sight->has_payment;
    }
    if (sight->has_payment)
        return true;
    if (!sight->has_self && sight->nonce < plan->view.nonce_pending)
        stop(sight, ADOPT_WAIT, TROUBLE_IN_POOL);
    else
        sight->step = ADOPT_FILL; /* INV-5: nothing above it could ever be mined */
    return false;
}

/* --- claims --- */

struct claiming {
    struct adopt_plan *plan;
    struct claim *claims;
    size_t *sights; /* of each claim */
    size_t count;
    struct payload *payloads; /* sorted */
    size_t capacity;          /* of plan->candidates */
    int64_t last_id;
    size_t rows;
    struct bursar_error *err;
};

static int compare_payloads(const void *left, const void *right)
{
    return payload_compare(left, right);
}

static enum bursar_status take_content(void *ctx, const struct content_record *record)
{
    struct claiming *claiming = ctx;
    struct adopt_plan *plan = claiming->plan;
    struct payload payload = payload_of_content(record, true); /* with its tag it is certainly this one's */
    claiming->last_id = record->id;
    claiming->rows++;
    if (!bsearch(&payload, claiming->payloads, claiming->count, sizeof payload, compare_payloads))
        payload = payload_of_content(record, false);
    if (!bsearch(&payload, claiming->payloads, claiming->count, sizeof payload, compare_payloads))
        return BURSAR_OK;
    if (plan->candidate_count == ADOPT_CANDIDATES_MAX_COUNT)
        return bursar_fail(claiming->err, BURSAR_ELIMIT,
                           "more than %d disbursements owe what the transactions have paid",
                           ADOPT_CANDIDATES_MAX_COUNT);
    if (plan->candidate_count == claiming->capacity) {
        size_t capacity = claiming->capacity ? claiming->capacity * 2 : 256;
        struct candidate *grown = realloc(plan->candidates, capacity * sizeof *grown);
        if (!grown)
            return bursar_fail(claiming->err, BURSAR_ENOMEM, "out of memory");
        plan->candidates = grown;
        claiming->capacity = capacity;
    }
    plan->candidates[plan->candidate_count++] = (struct candidate){ .id = record->id,
                                                                    .version = record->version,
                                                                    .state = record->state,
                                                                    .payload = payload,
                                                                    .waits = record->waits,
                                                                    .schedule = record->schedule,
                                                                    .schedule_value = record->schedule_value };
    return BURSAR_OK;
}

/* Everything that owes what some transaction has paid, in whatever state. */
static enum bursar_status find_candidates(struct adopt_look *look, struct claiming *claiming, struct bursar_error *err)
{
    const struct store *store = &look->env->store;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < claiming->count; i++)
        claiming->payloads[i] = claiming->claims[i].payload;
    if (claiming->count == 0)
        return BURSAR_OK;
    qsort(claiming->payloads, claiming->count, sizeof *claiming->payloads, compare_payloads);
    do {
        claiming->rows = 0;
        status =
            store->contents(store->ctx, look->env->treasury, claiming->last_id, PAGE_ROWS, take_content, claiming, err);
    } while (status == BURSAR_OK && claiming->rows == PAGE_ROWS);
    return status;
}

/* Its nonce belongs to another payment: bound in the store, or signed by the key. */
static bool is_promised(const struct sight *sight)
{
    return sight->intent != 0 || (sight->seen != SEEN_NOWHERE && sight->has_payment && !sight->is_cancellation &&
                                  payload_compare(&sight->payload, &sight->signed_payload) != 0);
}

static void add_claim(struct claiming *claiming, struct sight *sight)
{
    bool is_seen = sight->seen != SEEN_NOWHERE;
    claiming->sights[claiming->count] = (size_t)(sight - claiming->plan->sights);
    claiming->claims[claiming->count++] =
        (struct claim){ .nonce = sight->nonce,
                        .hash = is_seen ? sight->hash : sight->signed_hash,
                        .payload = *sight_pays(sight),
                        .has_reverted = sight->is_final && !sight->succeeded && !sight->is_cancellation,
                        .is_cancelled = sight->is_final && sight->is_cancellation,
                        .is_bound = is_promised(sight) };
}

static void take_match(const struct adopt_plan *plan, struct sight *sight, const struct match *match)
{
    sight->equal = match->equal;
    switch (match->verdict) {
    case MATCH_PAYS:
        sight->pays = plan->candidates[match->candidate].id;
        sight->pays_version = plan->candidates[match->candidate].version;
        sight->pays_state = plan->candidates[match->candidate].state;
        if (sight->is_cancellation)
            take_self_transfer(sight);
        else if (sight->seen != SEEN_NOWHERE)
            take_payment(sight);
        else
            sight->step = sight->has_self ? ADOPT_CANCELLING : ADOPT_SIGN_AGAIN;
        return;
    case MATCH_PAYS_NOTHING:
        if (sight->seen == SEEN_NOWHERE)
            sight->step = ADOPT_FILL;
        else if (sight->is_cancellation)
            take_self_transfer(sight);
        else
            take_foreign(sight);
        return;
    case MATCH_NOTHING:
        stop(sight, ADOPT_UNDECIDED, TROUBLE_UNMATCHED);
        return;
    case MATCH_SURPLUS:
        stop(sight, ADOPT_UNDECIDED, TROUBLE_SURPLUS);
        return;
    case MATCH_BOUND:
        stop(sight, ADOPT_UNDECIDED, TROUBLE_BOUND);
        return;
    case MATCH_UNKNOWN_ID:
        stop(sight, ADOPT_UNDECIDED, TROUBLE_UNKNOWN_ID);
        return;
    case MATCH_NOT_FREE:
        stop(sight, ADOPT_UNDECIDED, TROUBLE_NOT_FREE);
        return;
    }
}

static enum bursar_status decide_claims(struct adopt_look *look, struct claiming *claiming, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    struct match *matches = calloc(claiming->count + 1, sizeof *matches);
    enum bursar_status status = BURSAR_OK;
    if (!matches || !claims_match(claiming->claims, claiming->count, plan->candidates, plan->candidate_count,
                                  look->options->assignments, look->options->assignment_count, matches))
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < claiming->count && status == BURSAR_OK; i++)
        take_match(plan, &plan->sights[claiming->sights[i]], &matches[i]);
    free(matches);
    return status;
}

/* For the event log. */
static void write_detail(struct sight *sight)
{
    char hash[HASH_TEXT_BYTES] = "";
    const char *known = sight->in_log ? "in the signing log" : "found on the chain";
    if (sight->seen != SEEN_NOWHERE)
        hash_to_text(&sight->hash, hash);
    if (sight->step == ADOPT_REOPENED)
        (void)snprintf(sight->detail, sizeof sight->detail, "nonce %llu: the block it was in is gone from the chain",
                       (ull)sight->nonce);
    else if (sight->step == ADOPT_FOREIGN)
        (void)snprintf(sight->detail, sizeof sight->detail, "nonce %llu was used by %s, which pays none of ours",
                       (ull)sight->nonce, hash);
    else if (sight->seen == SEEN_NOWHERE)
        (void)snprintf(sight->detail, sizeof sight->detail, "nonce %llu, adopted: %s", (ull)sight->nonce,
                       sight->step == ADOPT_FILL ? "to be filled" : "signed before, seen nowhere");
    else if (sight->is_final)
        (void)snprintf(sight->detail, sizeof sight->detail, "nonce %llu, adopted: %s, %s, final in block %llu",
                       (ull)sight->nonce, hash, known, (ull)sight->block.number);
    else
        (void)snprintf(sight->detail, sizeof sight->detail, "nonce %llu, adopted: %s, %s", (ull)sight->nonce, hash,
                       known);
}

static void sum_up(struct adopt_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct sight *sight = &plan->sights[i];
        if (sight->step == ADOPT_UNDECIDED || sight->step == ADOPT_WAIT)
            plan->undecided++;
        else if (sight->step != ADOPT_NOT)
            plan->changes++;
        write_detail(sight);
    }
}

enum bursar_status adopt_decide(struct adopt_look *look, struct bursar_error *err)
{
    struct adopt_plan *plan = look->plan;
    struct claiming claiming = { .plan = plan, .err = err };
    claiming.claims = calloc(plan->count + 1, sizeof *claiming.claims);
    claiming.sights = calloc(plan->count + 1, sizeof *claiming.sights);
    claiming.payloads = calloc(plan->count + 1, sizeof *claiming.payloads);
    enum bursar_status status = BURSAR_OK;
    if (!claiming.claims || !claiming.sights || !claiming.payloads)
        status = bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < plan->count && status == BURSAR_OK; i++) {
        struct sight *sight = &plan->sights[i];
        if (sight->intent && sight->status == INTENT_FINAL)
            decide_settled(sight);
        else if (sight->intent ? decide_bound(plan, sight) : decide_unbound(plan, sight))
            add_claim(&claiming, sight);
    }
    if (status == BURSAR_OK)
        status = find_candidates(look, &claiming, err);
    if (status == BURSAR_OK)
        status = decide_claims(look, &claiming, err);
    if (status == BURSAR_OK)
        sum_up(plan);
    free(claiming.claims);
    free(claiming.sights);
    free(claiming.payloads);
    return status;
}
