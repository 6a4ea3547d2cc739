/* The list of nodes: who may be asked, how each fared, and who is set aside. What their answers mean together is
 * decided in nodes_observe.c, nodes_agree.c and nodes_submit.c. */
#include "chain/nodes.h"

#include "chain/nodes_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Three failures, and a node is asked again after a minute; one answer brings it back. */
static const struct bursar_breaker_config BREAKER = {
    .failure_threshold = 3, .success_threshold = 1, .timeout_ms = 60000, .window_ms = 300000
};

enum bursar_status nodes_new(const struct nodes_config *config, struct nodes **ret, struct bursar_error *err)
{
    struct nodes *nodes = calloc(1, sizeof *nodes);
    if (!nodes)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    nodes->config = *config;
    *ret = nodes;
    return BURSAR_OK;
}

void nodes_free(struct nodes *nodes)
{
    if (!nodes)
        return;
    for (size_t i = 0; i < nodes->count; i++)
        bursar_breaker_free(nodes->entries[i].breaker);
    free(nodes);
}

void nodes_set_notes(struct nodes *nodes, struct note_sink notes)
{
    nodes->config.notes = notes;
}

enum bursar_status nodes_add(struct nodes *nodes, const struct nodes_member *member, struct bursar_error *err)
{
    if (nodes->count == NODES_MAX_COUNT)
        return bursar_fail(err, BURSAR_ELIMIT, "more than %d nodes", NODES_MAX_COUNT);
    struct node_entry *entry = &nodes->entries[nodes->count];
    entry->member = *member;
    (void)snprintf(entry->name, sizeof entry->name, "%s", member->name);
    /* Two keys at one provider look alike: told apart by their place. */
    for (size_t i = 0; i < nodes->count; i++) {
        if (strcmp(nodes->entries[i].name, member->name) == 0)
            (void)snprintf(entry->name, sizeof entry->name, "%.300s (URL %zu)", member->name, nodes->count + 1);
    }
    entry->member.name = entry->name;
    nodes->count++;
    return BURSAR_OK;
}

enum bursar_status nodes_interface(struct nodes *nodes, struct chain *ret, struct bursar_error *err)
{
    size_t lanes = CHAIN_LANES_MAX_COUNT;
    if (nodes->config.quorum < 1 || nodes->config.quorum > nodes->count)
        return bursar_fail(err, BURSAR_EINVAL, "a quorum of %zu among %zu nodes", nodes->config.quorum, nodes->count);
    for (size_t i = 0; i < nodes->count; i++) {
        struct node_entry *entry = &nodes->entries[i];
        if (entry->member.chain.lanes < lanes)
            lanes = entry->member.chain.lanes;
        if (nodes->count == 1 || entry->breaker)
            continue;
        enum bursar_status status = bursar_breaker_new(&BREAKER, &entry->breaker, err);
        if (status != BURSAR_OK)
            return status;
    }
    *ret = (struct chain){ .ctx = nodes, .observe = nodes_observe, .lanes = lanes };
    nodes_put_reads(ret);
    nodes_put_submits(ret);
    return BURSAR_OK;
}

static uint64_t now_ms(const struct nodes *nodes)
{
    return nodes->config.clock.monotonic_ms(nodes->config.clock.ctx);
}

bool node_may_ask(struct nodes *nodes, size_t i, enum asking_pass pass, struct node_call *ret)
{
    struct node_entry *entry = &nodes->entries[i];
    *ret = (struct node_call){ 0 };
    /* A liar is not asked again until it agrees with what was found without it (see survey). */
    if (entry->aside == ASIDE_LIES || (entry->aside == ASIDE_LAGS) != (pass == PASS_LAGGING))
        return false;
    if (now_ms(nodes) < entry->rests_until_ms)
        return false;
    if (!entry->breaker || bursar_breaker_allow_request(entry->breaker, now_ms(nodes), &ret->ticket))
        return true;
    ret->is_forced = pass != PASS_HEALTHY;
    return ret->is_forced;
}

static void note_failure(struct nodes *nodes, struct node_entry *entry, const struct bursar_error *err)
{
    (void)snprintf(entry->last_error, sizeof entry->last_error, "%s", err->message);
    if (!entry->is_failing && nodes->count > 1)
        note(&nodes->config.notes, NOTE_WARN, "node %.300s fails: %.300s", entry->name, err->message);
    entry->is_failing = true;
}

static void note_success(struct nodes *nodes, struct node_entry *entry)
{
    if (entry->is_failing && nodes->count > 1)
        note(&nodes->config.notes, NOTE_INFO, "node %.300s answers again", entry->name);
    entry->is_failing = false;
}

/* Only the way to the node counts: an error that it answers with shows that it is there. */
static void tell_breaker(struct nodes *nodes, struct node_entry *entry, const struct node_call *call,
                         enum bursar_status status, const struct rpc_trouble *trouble)
{
    if (!entry->breaker)
        return;
    if (status == BURSAR_ECANCELLED || (trouble->is_transport_fault && trouble->retry_after_ms > 0))
        bursar_breaker_abandon(entry->breaker, call->ticket); /* it said when to come back: no need to find out */
    else if (trouble->is_transport_fault)
        bursar_breaker_record_failure(entry->breaker, call->ticket, now_ms(nodes));
    else if (call->is_forced)
        bursar_breaker_reset(entry->breaker, now_ms(nodes));
    else
        bursar_breaker_record_success(entry->breaker, call->ticket, now_ms(nodes));
}

void node_told(struct nodes *nodes, size_t i, const struct node_call *call, enum bursar_status status,
               const struct bursar_error *err)
{
    struct node_entry *entry = &nodes->entries[i];
    struct rpc_trouble trouble = { 0 };
    entry->is_tried = true;
    entry->member.take_trouble(entry->member.trouble_ctx, &trouble);
    /* Drivers try some things out, which may fail: what counts is whether they got their answer. */
    trouble.is_transport_fault = trouble.is_transport_fault && status != BURSAR_OK;
    if (trouble.retry_after_ms > RPC_RETRY_AFTER_MAX_MS)
        trouble.retry_after_ms = RPC_RETRY_AFTER_MAX_MS;
    if (trouble.retry_after_ms > 0)
        entry->rests_until_ms = now_ms(nodes) + trouble.retry_after_ms;
    tell_breaker(nodes, entry, call, status, &trouble);
    if (trouble.is_transport_fault)
        entry->is_vetted = false; /* INV-8: whoever answers next may be another */
    if (status == BURSAR_OK)
        note_success(nodes, entry);
    else if (status != BURSAR_ECANCELLED)
        note_failure(nodes, entry, err);
}

void node_set_aside(struct nodes *nodes, size_t i, enum set_aside aside, const char *reason)
{
    struct node_entry *entry = &nodes->entries[i];
    if (entry->aside != aside)
        note(&nodes->config.notes, NOTE_WARN, "node %.300s is set aside: it %.250s", entry->name, reason);
    entry->aside = aside;
    entry->is_vetted = aside == ASIDE_LAGS; /* behind, but on the right chain */
    (void)snprintf(entry->aside_reason, sizeof entry->aside_reason, "%s", reason);
}

void node_take_back(struct nodes *nodes, size_t i)
{
    struct node_entry *entry = &nodes->entries[i];
    if (entry->aside != ASIDE_NOT)
        note(&nodes->config.notes, NOTE_INFO, "node %.300s agrees with the others again", entry->name);
    entry->aside = ASIDE_NOT;
    entry->aside_reason[0] = '\0';
    entry->is_vetted = true;
}

void excuses_add(struct excuses *excuses, const char *name, enum bursar_status status, const char *text)
{
    size_t used = strlen(excuses->text);
    /* Faults of the way to a node name it already. */
    bool is_named = strncmp(text, name, strlen(name)) == 0;
    if (excuses->status == BURSAR_OK)
        excuses->status = status;
    excuses->is_cancelled = excuses->is_cancelled || status == BURSAR_ECANCELLED;
    (void)snprintf(excuses->text + used, sizeof excuses->text - used, "%s%.120s%s%.200s", used ? "; " : "",
                   is_named ? "" : name, is_named ? "" : ": ", text);
}

void excuses_add_unasked(struct excuses *excuses, const struct nodes *nodes, uint32_t asked)
{
    for (size_t i = 0; i < nodes->count; i++) {
        const struct node_entry *entry = &nodes->entries[i];
        char text[NODE_REASON_MAX_BYTES + 32];
        if (asked >> i & 1)
            continue;
        if (entry->aside != ASIDE_NOT)
            (void)snprintf(text, sizeof text, "set aside: it %s", entry->aside_reason);
        else if (now_ms(nodes) < entry->rests_until_ms)
            (void)snprintf(text, sizeof text, "has asked to be left alone for another %llu ms",
                           (unsigned long long)(entry->rests_until_ms - now_ms(nodes)));
        else
            continue; /* was not needed */
        excuses_add(excuses, entry->name, BURSAR_EUNREACHABLE, text);
    }
}

const char *node_state_name(enum node_state state)
{
    switch (state) {
    case NODE_UNTRIED:
        return "untried";
    case NODE_OK:
        return "ok";
    case NODE_FAILING:
        return "failing";
    case NODE_RESTING:
        return "resting";
    case NODE_LAGGING:
        return "lagging";
    case NODE_LYING:
        return "lying";
    }
    return NULL;
}

static enum node_state state_of(const struct nodes *nodes, const struct node_entry *entry)
{
    if (entry->aside == ASIDE_LIES)
        return NODE_LYING;
    if (entry->aside == ASIDE_LAGS)
        return NODE_LAGGING;
    if (now_ms(nodes) < entry->rests_until_ms)
        return NODE_RESTING;
    if (entry->is_failing)
        return NODE_FAILING;
    return entry->is_tried ? NODE_OK : NODE_UNTRIED;
}

size_t nodes_count(const struct nodes *nodes)
{
    return nodes->count;
}

void nodes_look(const struct nodes *nodes, size_t index, struct node_health *ret)
{
    const struct node_entry *entry = &nodes->entries[index];
    *ret = (struct node_health){ .name = entry->name,
                                 .state = state_of(nodes, entry),
                                 .last_error = entry->aside ? entry->aside_reason : entry->last_error,
                                 .has_latest = entry->has_latest,
                                 .latest_block = entry->latest_block };
}
