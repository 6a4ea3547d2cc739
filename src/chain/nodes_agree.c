/* Reads that decide: each item needs `quorum` nodes that say the same of it. With a quorum of one, that is whoever
 * answers first. A node that does not have something yet and one that has it disagree like any two: then further nodes
 * are asked, and when none is left the read has failed, and is no fact (INV-5). */
#include "chain/nodes_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One read under way; `answers[i]` is node i's, NULL without one. */
struct reading {
    struct nodes *nodes;
    const struct read_kind *kind;
    const void *question;
    size_t count;
    void *answers[NODES_MAX_COUNT];
    uint32_t asked;
    size_t answered;
    struct excuses excuses;
};

static const void *item(const struct reading *reading, size_t node, size_t i)
{
    const char *items = reading->answers[node];
    return items ? items + i * reading->kind->item_bytes : NULL;
}

/* Asks node `i` into `ret`. *ret_asked false: it may not be asked in this pass, or was before. */
static enum bursar_status ask_node(struct reading *reading, size_t i, enum asking_pass pass, void *ret, bool *ret_asked,
                                   struct bursar_error *err)
{
    struct nodes *nodes = reading->nodes;
    struct node_entry *entry = &nodes->entries[i];
    struct node_call call;
    struct bursar_error reason = { 0 };
    *ret_asked = false;
    if ((reading->asked >> i & 1) || !node_vet(nodes, i, pass, &reading->excuses) ||
        !node_may_ask(nodes, i, pass, &call))
        return BURSAR_OK;
    *ret_asked = true;
    reading->asked |= UINT32_C(1) << i;
    enum bursar_status status =
        reading->kind->ask(&entry->member.chain, reading->question, reading->count, ret, &reason);
    node_told(nodes, i, &call, status, &reason);
    if (status == BURSAR_OK)
        return BURSAR_OK;
    excuses_add(&reading->excuses, entry->name, status, reason.message);
    return bursar_fail(err, status, "%s", reason.message);
}

static enum bursar_status give_up(struct reading *reading, struct bursar_error *err)
{
    const struct nodes *nodes = reading->nodes;
    struct excuses *excuses = &reading->excuses;
    if (excuses->is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", excuses->text);
    excuses_add_unasked(excuses, nodes, reading->asked);
    if (nodes->config.quorum == 1)
        return bursar_fail(err, excuses->status ? excuses->status : BURSAR_EUNREACHABLE, "%s", excuses->text);
    if (reading->answered >= nodes->config.quorum)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "no %zu of the %zu nodes that answered agree about %s%s%.300s",
                           nodes->config.quorum, reading->answered, reading->kind->noun, excuses->text[0] ? "; " : "",
                           excuses->text);
    return bursar_fail(err, BURSAR_EUNREACHABLE, "%zu nodes must agree about %s and %zu answered: %.350s",
                       nodes->config.quorum, reading->kind->noun, reading->answered, excuses->text);
}

/* Whoever answers first. */
static enum bursar_status read_first(struct reading *reading, void *ret, struct bursar_error *err)
{
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING; pass++) {
        for (size_t i = 0; i < reading->nodes->count; i++) {
            bool was_asked;
            enum bursar_status status = ask_node(reading, i, pass, ret, &was_asked, err);
            if (was_asked && (status == BURSAR_OK || reading->nodes->count == 1))
                return status;
            if (reading->excuses.is_cancelled)
                return give_up(reading, err);
        }
    }
    return give_up(reading, err);
}

/* The first node whose answer about item `i` a quorum gives; NODES_MAX_COUNT when there is none. */
static size_t find_agreed(const struct reading *reading, size_t i)
{
    const size_t count = reading->nodes->count;
    for (size_t node = 0; node < count; node++) {
        size_t same = 0;
        for (size_t other = 0; other < count && reading->answers[node]; other++)
            same += reading->answers[other] &&
                    (other == node || reading->kind->same(item(reading, node, i), item(reading, other, i)));
        if (same >= reading->nodes->config.quorum)
            return node;
    }
    return NODES_MAX_COUNT;
}

static bool all_agreed(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (find_agreed(reading, i) == NODES_MAX_COUNT)
            return false;
    }
    return true;
}

static bool weaken(const struct reading *reading, size_t i, void *ret)
{
    const void *answers[NODES_MAX_COUNT];
    size_t count = 0;
    for (size_t node = 0; node < reading->nodes->count; node++) {
        if (reading->answers[node])
            answers[count++] = item(reading, node, i);
    }
    return reading->kind->weaken && reading->kind->weaken(answers, count, ret);
}

/* Who says of this item what can't be true beside the agreed answer? */
static void blame(const struct reading *reading, size_t i, size_t agreed)
{
    struct nodes *nodes = reading->nodes;
    char reason[NODE_REASON_MAX_BYTES];
    (void)snprintf(reason, sizeof reason, "contradicts the others about %s", reading->kind->noun);
    for (size_t node = 0; node < nodes->count; node++) {
        if (reading->answers[node] && node != agreed && nodes->entries[node].aside != ASIDE_LIES &&
            reading->kind->contradict(nodes, item(reading, node, i), item(reading, agreed, i)))
            node_set_aside(nodes, node, ASIDE_LIES, reason);
    }
}

/* The agreed answer about each item, moved into `ret`. False when there is one about which nobody agrees. */
static bool assemble(struct reading *reading, void *ret)
{
    const size_t size = reading->kind->item_bytes;
    for (size_t i = 0; i < reading->count; i++) {
        char *to = (char *)ret + i * size;
        size_t agreed = find_agreed(reading, i);
        if (agreed == NODES_MAX_COUNT) {
            if (weaken(reading, i, to))
                continue;
            if (reading->kind->clear)
                reading->kind->clear(ret, i);
            return false;
        }
        blame(reading, i, agreed);
        char *from = (char *)reading->answers[agreed] + i * size;
        memcpy(to, from, size);
        memset(from, 0, size); /* what it owns has moved */
        for (size_t node = agreed + 1; reading->kind->merge && node < reading->nodes->count; node++) {
            if (reading->answers[node] && reading->kind->same(to, item(reading, node, i)))
                reading->kind->merge(to, item(reading, node, i));
        }
    }
    return true;
}

static void forget_answers(struct reading *reading)
{
    for (size_t i = 0; i < reading->nodes->count; i++) {
        if (reading->answers[i] && reading->kind->clear)
            reading->kind->clear(reading->answers[i], reading->count);
        free(reading->answers[i]);
    }
}

static enum bursar_status gather(struct reading *reading, struct bursar_error *err)
{
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING; pass++) {
        for (size_t i = 0; i < reading->nodes->count; i++) {
            bool was_asked;
            struct bursar_error ignored = { 0 };
            void *answers = calloc(reading->count, reading->kind->item_bytes);
            if (!answers)
                return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
            if (ask_node(reading, i, pass, answers, &was_asked, &ignored) != BURSAR_OK || !was_asked) {
                free(answers);
                if (reading->excuses.is_cancelled)
                    return give_up(reading, err);
                continue;
            }
            reading->answers[i] = answers;
            reading->answered++;
            if (reading->answered >= reading->nodes->config.quorum && all_agreed(reading))
                return BURSAR_OK;
        }
    }
    return BURSAR_OK;
}

enum bursar_status nodes_read_agreed(struct nodes *nodes, const struct read_kind *kind, const void *question,
                                     size_t count, void *ret, struct bursar_error *err)
{
    struct reading reading = { .nodes = nodes, .kind = kind, .question = question, .count = count };
    if (count == 0)
        return BURSAR_OK;
    if (nodes->config.quorum == 1)
        return read_first(&reading, ret, err);
    enum bursar_status status = gather(&reading, err);
    if (status == BURSAR_OK && (reading.answered < nodes->config.quorum || !assemble(&reading, ret)))
        status = give_up(&reading, err);
    forget_answers(&reading);
    return status;
}
