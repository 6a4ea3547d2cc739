/* Handing transactions over to several nodes: all healthy ones get the same bytes, so that one node that drops what it
 * takes costs nothing. What they say is merged: whoever has taken it has taken it; whoever gave no answer may have
 * (INV-5), which no refusal of another outweighs. */
#include "chain/nodes_parts.h"

#include <stdio.h>
#include <string.h>

/* How much a verdict says about where the bytes are: of several, the one with the highest rank stands. */
static int rank(enum submit_verdict verdict)
{
    switch (verdict) {
    case SUBMIT_ACCEPTED:
        return 10;
    case SUBMIT_KNOWN:
        return 9;
    case SUBMIT_CONTESTED:
        return 8;
    case SUBMIT_UNKNOWN:
        return 7;
    case SUBMIT_NONCE_TOO_LOW: /* something else may hold the nonce (INV-4) */
        return 6;
    case SUBMIT_UNDERPRICED:
        return 5;
    case SUBMIT_FEE_TOO_LOW: /* what follows passes by itself, or can be helped */
        return 4;
    case SUBMIT_INSUFFICIENT_FUNDS:
        return 3;
    case SUBMIT_REFUSED:
        return 2;
    case SUBMIT_UNSENT:
        return 1;
    }
    return 0;
}

static bool contests(enum submit_verdict verdict)
{
    return verdict == SUBMIT_NONCE_TOO_LOW || verdict == SUBMIT_UNDERPRICED;
}

/* One node's verdict on top of what others said. */
static void merge(const char *name, const struct submit_result *said, struct submit_result *sum)
{
    bool is_contested = (contests(said->verdict) && sum->verdict == SUBMIT_UNKNOWN) ||
                        (contests(sum->verdict) && said->verdict == SUBMIT_UNKNOWN);
    if (rank(said->verdict) > rank(sum->verdict)) {
        bool is_named = said->message[0] == '\0' || strncmp(said->message, name, strlen(name)) == 0;
        sum->verdict = said->verdict;
        (void)snprintf(sum->message, sizeof sum->message, "%.100s%s%.150s", is_named ? "" : name, is_named ? "" : ": ",
                       said->message);
    }
    if (is_contested)
        sum->verdict = SUBMIT_CONTESTED;
}

static void begin(struct submit_result *ret, size_t count, const char *message)
{
    for (size_t i = 0; i < count; i++) {
        ret[i].verdict = SUBMIT_UNSENT;
        (void)snprintf(ret[i].message, sizeof ret[i].message, "%.250s", message);
    }
}

static void merge_all(const struct nodes *nodes, size_t node, size_t count, struct submit_result *ret)
{
    for (size_t i = 0; i < count; i++)
        merge(nodes->entries[node].name, &nodes->results[i], &ret[i]);
}

/* OK when each got a verdict from somebody. */
static enum bursar_status sum_up(const struct submit_result *results, size_t count, const struct excuses *excuses,
                                 struct bursar_error *err)
{
    bool is_unsent = false;
    for (size_t i = 0; i < count; i++) {
        if (results[i].verdict == SUBMIT_UNKNOWN)
            return bursar_fail(err, BURSAR_EUNKNOWN, "%s", excuses->text);
        is_unsent = is_unsent || results[i].verdict == SUBMIT_UNSENT;
    }
    return is_unsent ? bursar_fail(err, excuses->status ? excuses->status : BURSAR_EUNREACHABLE, "%s", excuses->text)
                     : BURSAR_OK;
}

/* Hands over to one node; its verdicts are in nodes->results. */
static void submit_to(struct nodes *nodes, size_t i, const struct node_call *call, const struct raw_transaction *list,
                      size_t count, struct excuses *excuses)
{
    const struct chain *chain = &nodes->entries[i].member.chain;
    struct bursar_error err = { 0 };
    enum bursar_status status = chain->submit(chain->ctx, list, count, nodes->results, &err);
    node_told(nodes, i, call, status, &err);
    if (status != BURSAR_OK)
        excuses_add(excuses, nodes->entries[i].name, status, err.message);
}

/* A node that is the only one, in its own words. */
static enum bursar_status submit_alone(struct nodes *nodes, const struct raw_transaction *list, size_t count,
                                       struct submit_result *ret, struct bursar_error *err)
{
    const struct chain *chain = &nodes->entries[0].member.chain;
    struct excuses excuses = { 0 };
    struct node_call call;
    struct bursar_error reason = { 0 };
    if (!node_may_ask(nodes, 0, PASS_HEALTHY, &call)) {
        excuses_add_unasked(&excuses, nodes, 0);
        begin(ret, count, excuses.text);
        return bursar_fail(err, BURSAR_EUNREACHABLE, "%s", excuses.text);
    }
    enum bursar_status status = chain->submit(chain->ctx, list, count, ret, &reason);
    node_told(nodes, 0, &call, status, &reason);
    return status == BURSAR_OK ? status : bursar_fail(err, status, "%s", reason.message);
}

static enum bursar_status submit(void *ctx, const struct raw_transaction *list, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    struct nodes *nodes = ctx;
    struct excuses excuses = { 0 };
    struct node_call call;
    uint32_t asked = 0;
    if (nodes->count == 1)
        return submit_alone(nodes, list, count, ret, err);
    begin(ret, count, "not sent");
    if (count > CHAIN_ITEMS_MAX_COUNT)
        return bursar_fail(err, BURSAR_ELIMIT, "%zu transactions at once, at most %d are allowed", count,
                           CHAIN_ITEMS_MAX_COUNT);
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING && !asked && count; pass++) {
        for (size_t i = 0; i < nodes->count && !excuses.is_cancelled; i++) {
            if (!node_vet(nodes, i, pass, &excuses) || !node_may_ask(nodes, i, pass, &call))
                continue;
            asked |= UINT32_C(1) << i;
            submit_to(nodes, i, &call, list, count, &excuses);
            merge_all(nodes, i, count, ret);
        }
    }
    if (excuses.is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", excuses.text);
    excuses_add_unasked(&excuses, nodes, asked);
    return sum_up(ret, count, &excuses, err);
}

static enum bursar_status start_on(struct nodes *nodes, size_t i, size_t lane, const struct node_call *call,
                                   const struct raw_transaction *list, size_t count, struct excuses *excuses)
{
    const struct chain *chain = &nodes->entries[i].member.chain;
    struct bursar_error err = { 0 };
    enum bursar_status status = chain->submit_start(chain->ctx, lane, list, count, &err);
    if (status == BURSAR_OK) {
        nodes->lanes[lane].started |= UINT32_C(1) << i;
        nodes->lanes[lane].calls[i] = *call;
        return status;
    }
    if (nodes->entries[i].breaker)
        bursar_breaker_abandon(nodes->entries[i].breaker, call->ticket); /* nothing was sent */
    excuses_add(excuses, nodes->entries[i].name, status, err.message);
    return status;
}

static enum bursar_status submit_start(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                       struct bursar_error *err)
{
    struct nodes *nodes = ctx;
    struct excuses excuses = { 0 };
    struct node_call call;
    uint32_t asked = 0;
    if (lane >= CHAIN_LANES_MAX_COUNT || nodes->lanes[lane].started || count > CHAIN_LANE_ITEMS_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINTERNAL, "lane %zu does not take %zu transactions now", lane, count);
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING && !nodes->lanes[lane].started; pass++) {
        for (size_t i = 0; i < nodes->count && !excuses.is_cancelled; i++) {
            if (!node_vet(nodes, i, pass, &excuses) || !node_may_ask(nodes, i, pass, &call))
                continue;
            asked |= UINT32_C(1) << i;
            (void)start_on(nodes, i, lane, &call, list, count, &excuses);
        }
    }
    if (nodes->lanes[lane].started)
        return BURSAR_OK;
    if (excuses.is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", excuses.text);
    excuses_add_unasked(&excuses, nodes, asked);
    return bursar_fail(err, excuses.status ? excuses.status : BURSAR_EUNREACHABLE, "%s", excuses.text);
}

static enum bursar_status finish_alone(struct nodes *nodes, size_t lane, const struct raw_transaction *list,
                                       size_t count, struct submit_result *ret, struct bursar_error *err)
{
    const struct chain *chain = &nodes->entries[0].member.chain;
    struct bursar_error reason = { 0 };
    nodes->lanes[lane].started = 0;
    enum bursar_status status = chain->submit_finish(chain->ctx, lane, list, count, ret, &reason);
    node_told(nodes, 0, &nodes->lanes[lane].calls[0], status, &reason);
    return status == BURSAR_OK ? status : bursar_fail(err, status, "%s", reason.message);
}

static enum bursar_status submit_finish(void *ctx, size_t lane, const struct raw_transaction *list, size_t count,
                                        struct submit_result *ret, struct bursar_error *err)
{
    struct nodes *nodes = ctx;
    struct excuses excuses = { 0 };
    if (nodes->count == 1 && lane < CHAIN_LANES_MAX_COUNT)
        return finish_alone(nodes, lane, list, count, ret, err);
    begin(ret, count, "not sent");
    if (lane >= CHAIN_LANES_MAX_COUNT || !nodes->lanes[lane].started || count > CHAIN_LANE_ITEMS_MAX_COUNT)
        return bursar_fail(err, BURSAR_EINTERNAL, "nothing is under way on lane %zu", lane);
    for (size_t i = 0; i < nodes->count; i++) {
        const struct chain *chain = &nodes->entries[i].member.chain;
        struct bursar_error reason = { 0 };
        if (!(nodes->lanes[lane].started >> i & 1))
            continue;
        enum bursar_status status = chain->submit_finish(chain->ctx, lane, list, count, nodes->results, &reason);
        node_told(nodes, i, &nodes->lanes[lane].calls[i], status, &reason);
        if (status != BURSAR_OK)
            excuses_add(&excuses, nodes->entries[i].name, status, reason.message);
        merge_all(nodes, i, count, ret);
    }
    nodes->lanes[lane].started = 0;
    enum bursar_status status = sum_up(ret, count, &excuses, err);
    if (status != BURSAR_OK && excuses.is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", excuses.text);
    return status;
}

void nodes_put_submits(struct chain *ret)
{
    ret->submit = submit;
    ret->submit_start = submit_start;
    ret->submit_finish = submit_finish;
}
