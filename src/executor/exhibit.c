/* What final blocks show of nonces that we can't explain. */
#include "executor/exhibit.h"

#include "base/bytes.h"

#include <stdio.h>

typedef unsigned long long ull;

void search_start(struct search *search, const struct chain_head *final, uint64_t low)
{
    *search = (struct search){ .state = SEARCH_OPEN,
                               .top = final->block.number,
                               .next = { final->block.number, final->block.hash },
                               .low = low < final->block.number ? low : final->block.number };
}

static bool are_linked(const struct search *search, const struct chain_body *bodies, size_t count)
{
    const struct bursar_hash *expected = &search->next.hash;
    for (size_t i = count; i-- > 0;) {
        const struct chain_head *head = &bodies[i].head;
        if (!bodies[i].is_present || head->block.number != search->next.number - (count - 1 - i) ||
            !hash_equal(&head->block.hash, expected))
            return false;
        expected = &head->parent_hash;
    }
    return true;
}

static const struct flight *flight_of(const struct flight *flights, size_t count, uint64_t nonce)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (flights[middle].nonce < nonce)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && flights[low].nonce == nonce ? &flights[low] : NULL;
}

bool search_take(struct search *search, const struct chain_body *bodies, size_t count, const struct flight *flights,
                 size_t flight_count, uint64_t nonce_final)
{
    bool is_below = false; /* an earlier nonce of the account: what is looked for is not further down */
    if (count == 0 || !are_linked(search, bodies, count))
        return false;
    for (size_t b = 0; b < count; b++) {
        for (size_t i = 0; i < bodies[b].sent_count && search->count < EXHIBIT_MAX_COUNT; i++) {
            const struct chain_sent *sent = &bodies[b].sent[i];
            const struct flight *flight = flight_of(flights, flight_count, sent->transaction.nonce);
            is_below = is_below || (flight_count && sent->transaction.nonce < flights[0].nonce);
            if (!flight || flight->nonce >= nonce_final)
                continue;
            search->checked_id = 0; /* INV-4: nothing was held against this one yet */
            search->is_checked = false;
            search->found[search->count++] =
                (struct exhibit){ .nonce = flight->nonce,
                                  .intent = flight->intent,
                                  .hash = sent->hash,
                                  .block = { bodies[b].head.block.number, bodies[b].head.block.hash },
                                  .payload = payload_of_transaction(&sent->transaction) };
        }
    }
    if (search->count)
        return true;
    const uint64_t lowest = bodies[0].head.block.number;
    if (is_below || lowest <= search->low || search->top - lowest >= EXHIBIT_BLOCKS_MAX_COUNT)
        search->state = SEARCH_IN_VAIN;
    else
        search->next = (struct block_mark){ lowest - 1, bodies[0].head.parent_hash };
    return true;
}

void exhibit_judge(struct exhibit *exhibit, const struct flight *flight, const struct watched *own,
                   const struct signed_payload *logged, const struct bursar_address *account)
{
    const struct payload bound = payload_of_flight(flight);
    exhibit->kind = EXHIBIT_FOREIGN;
    exhibit->purpose = PURPOSE_FOREIGN;
    if (own) {
        exhibit->kind = EXHIBIT_ATTEMPT;
        exhibit->attempt = own->attempt;
        exhibit->purpose = own->purpose;
    } else if (flight->kind == INTENT_PAYMENT && payload_compare(&exhibit->payload, &bound) == 0) {
        exhibit->kind = EXHIBIT_FOUND;
        exhibit->purpose = PURPOSE_FOUND;
    } else if (logged->has_self_transfer && payload_is_self_transfer(&exhibit->payload, account)) {
        exhibit->kind = EXHIBIT_CANCEL;
        exhibit->purpose = PURPOSE_SELF_TRANSFER;
    }
}

static bool is_unpaid(enum disbursement_state state)
{
    switch (state) {
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_QUEUED:
    case STATE_STAGED:
    case STATE_EXECUTED:
    case STATE_FAILED:
        return true;
    case STATE_FINALIZED:
    case STATE_CANCELLED:
    case STATE_ROLLED_BACK:
        return false;
    }
    return true;
}

bool exhibit_matches(const struct exhibit *exhibit, const struct content_record *content)
{
    const struct payload owed = payload_of_content(content, false), tagged = payload_of_content(content, true);
    return is_unpaid(content->state) &&
           (payload_compare(&exhibit->payload, &owed) == 0 || payload_compare(&exhibit->payload, &tagged) == 0);
}

static void tell_found(const struct exhibit *exhibit, uint32_t finality_blocks, struct verdict *ret)
{
    char hash[HASH_TEXT_BYTES], why[200];
    hash_to_text(&exhibit->hash, hash);
    if (exhibit->match)
        (void)snprintf(why, sizeof why, "it pays what disbursement %lld still owes", (long long)exhibit->match);
    else
        (void)snprintf(why, sizeof why, "where finality is a number of confirmations (%u), that is no proof for good",
                       (unsigned)finality_blocks);
    ret->halt = HALT_FOREIGN_NONCE;
    (void)snprintf(ret->reason, sizeof ret->reason,
                   "nonce %llu was used by %s in block %llu, which is not ours: %s. A person must decide before what "
                   "the nonce was bound to is paid with another one",
                   (ull)exhibit->nonce, hash, (ull)exhibit->block.number, why);
}

void exhibit_verdict(const struct search *search, const struct flight *lowest, uint32_t finality_blocks,
                     struct verdict *ret)
{
    *ret = (struct verdict){ .holds = true };
    for (size_t i = 0; i < search->count; i++) {
        if (search->found[i].kind != EXHIBIT_FOREIGN || !(finality_blocks || search->found[i].match))
            continue;
        tell_found(&search->found[i], finality_blocks, ret);
        return;
    }
    if (search->state != SEARCH_IN_VAIN) {
        (void)snprintf(ret->reason, sizeof ret->reason,
                       "nonce %llu was used, finally, by a transaction that is not in the store: looking for it in "
                       "block %llu and below",
                       (ull)lowest->nonce, (ull)search->next.number);
        return;
    }
    ret->halt = HALT_FOREIGN_NONCE;
    (void)snprintf(ret->reason, sizeof ret->reason,
                   "nonce %llu was used, finally, by a transaction that is not in the store, and the node shows none "
                   "with it in blocks %llu to %llu: nothing is freed without having seen it",
                   (ull)lowest->nonce, (ull)search->next.number, (ull)search->top);
}
