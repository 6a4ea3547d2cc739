/* A person's assignments first, then content by content: transactions in order of nonce, reverted ones last, meet
 * disbursements in the order in which they are paid. */
#include "reconcile/adopt_match.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* What waits for another one, or for a time, is paid after what does not. */
static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = payload_compare(&a->payload, &b->payload);
    if (order == 0)
        order = (int)a->waits - (int)b->waits;
    if (order == 0)
        order = (int)a->schedule - (int)b->schedule;
    if (order == 0)
        order = compare_numbers(a->schedule_value, b->schedule_value);
    return order ? order : (a->id > b->id) - (a->id < b->id);
}

static int compare_claims(const void *left, const void *right)
{
    const struct claim *a = *(const struct claim *const *)left, *b = *(const struct claim *const *)right;
    int order = payload_compare(&a->payload, &b->payload);
    if (order == 0) /* what has paid comes before what came to nothing */
        order = (int)(a->has_reverted || a->is_cancelled) - (int)(b->has_reverted || b->is_cancelled);
    return order ? order : compare_numbers(a->nonce, b->nonce);
}

void candidates_equal(const struct candidate *candidates, size_t count, const struct payload *payload,
                      size_t *ret_first, size_t *ret_end)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (payload_compare(&candidates[middle].payload, payload) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_first = low;
    while (low < count && payload_compare(&candidates[low].payload, payload) == 0)
        low++;
    *ret_end = low;
}

static struct assignment *assignment_of(struct assignment *assignments, size_t count, const struct claim *claim)
{
    for (size_t i = 0; i < count; i++) {
        if (assignments[i].has_hash && hash_equal(&assignments[i].hash, &claim->hash))
            return &assignments[i];
    }
    return NULL;
}

static bool is_unpaid(const struct candidate *candidate)
{
    return candidate->state == STATE_QUEUED && !candidate->is_taken;
}

/* What a person has said. One that failed may be named too: then it was retried. */
static void obey(const struct claim *claim, struct assignment *assignment, struct candidate *candidates, size_t count,
                 struct match *ret)
{
    size_t first, end;
    assignment->is_used = true;
    if (assignment->is_foreign) {
        ret->verdict = MATCH_PAYS_NOTHING;
        return;
    }
    ret->verdict = MATCH_UNKNOWN_ID;
    candidates_equal(candidates, count, &claim->payload, &first, &end);
    for (size_t i = first; i < end; i++) {
        if (candidates[i].id != assignment->id)
            continue;
        bool is_free = !candidates[i].is_taken && !claim->is_bound &&
                       (candidates[i].state == STATE_QUEUED || candidates[i].state == STATE_FAILED);
        ret->verdict = is_free ? MATCH_PAYS : MATCH_NOT_FREE;
        ret->candidate = i;
        candidates[i].is_taken = candidates[i].is_taken || is_free;
    }
}

/* The claims on one content, in order; `next` walks over its candidates. */
struct group {
    size_t first, end; /* candidates */
    size_t next;       /* the first that may be unpaid */
    size_t equal;
};

static void group_start(const struct claim *claim, const struct candidate *candidates, size_t count, struct group *ret)
{
    candidates_equal(candidates, count, &claim->payload, &ret->first, &ret->end);
    ret->next = ret->first;
    ret->equal = 0;
    for (size_t i = ret->first; i < ret->end; i++)
        ret->equal += candidates[i].state == STATE_QUEUED;
}

static void match_one(const struct claim *claim, struct candidate *candidates, struct group *group,
                      bool unmatched_is_foreign, struct match *ret)
{
    while (group->next < group->end && !is_unpaid(&candidates[group->next]))
        group->next++;
    bool is_any_unpaid = group->next < group->end;
    if (is_any_unpaid && !claim->is_bound) {
        ret->verdict = MATCH_PAYS;
        ret->candidate = group->next;
        candidates[group->next].is_taken = true;
    } else if (claim->has_reverted || (claim->is_cancelled && group->first < group->end)) {
        ret->verdict = MATCH_PAYS_NOTHING;
    } else if (is_any_unpaid) { /* INV-4 */
        ret->verdict = MATCH_BOUND;
    } else if (group->first == group->end) {
        ret->verdict = unmatched_is_foreign ? MATCH_PAYS_NOTHING : MATCH_NOTHING;
    } else {
        ret->verdict = MATCH_SURPLUS;
    }
}

static bool is_unmatched_foreign(struct assignment *assignments, size_t count)
{
    bool is = false;
    for (size_t i = 0; i < count; i++) {
        if (!assignments[i].has_hash)
            is = assignments[i].is_used = true;
    }
    return is;
}

bool claims_match(const struct claim *claims, size_t claim_count, struct candidate *candidates, size_t candidate_count,
                  struct assignment *assignments, size_t assignment_count, struct match *ret)
{
    bool unmatched_is_foreign = is_unmatched_foreign(assignments, assignment_count);
    struct group group = { 0 };
    const struct claim **sorted = (const struct claim **)calloc(claim_count + 1, sizeof *sorted);
    if (!sorted)
        return false;
    if (candidate_count)
        qsort(candidates, candidate_count, sizeof *candidates, compare_candidates);
    for (size_t i = 0; i < claim_count; i++) {
        struct assignment *assignment = assignment_of(assignments, assignment_count, &claims[i]);
        sorted[i] = &claims[i];
        ret[i] = (struct match){ 0 };
        if (assignment)
            obey(&claims[i], assignment, candidates, candidate_count, &ret[i]);
    }
    if (claim_count)
        qsort((void *)sorted, claim_count, sizeof *sorted, compare_claims);
    for (size_t i = 0; i < claim_count; i++) {
        struct match *match = &ret[sorted[i] - claims];
        if (i == 0 || payload_compare(&sorted[i]->payload, &sorted[i - 1]->payload) != 0)
            group_start(sorted[i], candidates, candidate_count, &group);
        match->equal = group.equal;
        if (match->verdict == 0)
            match_one(sorted[i], candidates, &group, unmatched_is_foreign, match);
    }
    free((void *)sorted);
    return true;
}
