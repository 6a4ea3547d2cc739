/* Every node by itself; then what they show together: the chain, its time, its fees. */
#include "doctor/checks.h"

#include "base/bytes.h"
#include "chain/nodes.h"
#include "doctor/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_MAX_BYTES 96
#define HEAD_OLD_S 300       /* a chain that has made no block for so long, or a node that has not heard of one */
#define CLOCK_AHEAD_MAX_S 30 /* so far may a block be ahead of this machine's clock */

static const char NEEDS_A_NODE[] = "it needs a node that shows this treasury's chain";

enum node_grade {
    NODE_GOOD = 1,
    NODE_SILENT = 2, /* no usable answer */
    NODE_UNFIT = 3,  /* answers, and can't be used for what it lacks */
    NODE_OTHER = 4,  /* another chain, or another history of it */
    NODE_BEHIND = 5, /* lacks what was final already */
};

struct node_sight {
    enum node_grade grade;
    struct chain_view view;
    struct bursar_error err;
    struct verdict verdict; /* of plan_identity */
    uint64_t latency_ms, seen_ms;
    char client[CLIENT_MAX_BYTES]; /* "" when it does not say */
    bool is_syncing;
};

/* What only tells a person more: a node that does not answer it is none the worse. */
static void ask_client(const struct doctor_node *node, struct node_sight *sight)
{
    struct rpc_request requests[] = { { "web3_clientVersion", json_array() }, { "eth_syncing", json_array() } };
    struct rpc_reply replies[2] = { { 0 } };
    struct bursar_error err;
    if (node->rpc.call(node->rpc.ctx, requests, 2, replies, &err) != BURSAR_OK)
        sight->client[0] = 0;
    if (replies[0].outcome == RPC_RESULT && json_is_string(replies[0].result))
        (void)snprintf(sight->client, sizeof sight->client, "%s", json_string_value(replies[0].result));
    sight->is_syncing = replies[1].outcome == RPC_RESULT && json_is_object(replies[1].result);
    rpc_replies_clear(replies, 2);
}

static enum node_grade grade_of(const struct examination *e, struct node_sight *sight)
{
    struct treasury treasury = { .chain_id = e->subject->chain_id };
    if (e->is_stored)
        treasury = e->situation.treasury;
    plan_identity(&treasury, &sight->view, &sight->verdict);
    if (sight->verdict.halt != HALT_NONE)
        return NODE_OTHER;
    return sight->verdict.holds ? NODE_BEHIND : NODE_GOOD;
}

static void look_at(const struct examination *e, const struct doctor_node *node, struct node_sight *sight)
{
    const struct clock *clock = &e->doctor->clock;
    const struct treasury *treasury = &e->situation.treasury;
    const struct chain_query query = { .account = e->account,
                                       .has_anchor = e->is_stored && treasury->is_pinned,
                                       .anchor_number = treasury->anchor.number,
                                       .finality_blocks = (uint32_t)e->subject->limits.finality_blocks };
    const uint64_t start_ms = clock->monotonic_ms(clock->ctx);
    enum bursar_status status = node->chain.observe(node->chain.ctx, &query, &sight->view, &sight->err);
    sight->latency_ms = clock->monotonic_ms(clock->ctx) - start_ms;
    sight->seen_ms = clock->wall_ms(clock->ctx);
    if (status == BURSAR_OK)
        sight->grade = grade_of(e, sight);
    else
        sight->grade = status == BURSAR_EREFUSED ? NODE_UNFIT : NODE_SILENT;
    if (sight->grade != NODE_SILENT)
        ask_client(node, sight);
}

static uint64_t age_s(const struct node_sight *sight)
{
    uint64_t now_s = sight->seen_ms / 1000, then_s = sight->view.latest.timestamp_s;
    return now_s > then_s ? now_s - then_s : 0;
}

static void tell_good(const struct examination *e, const struct doctor_node *node, const struct node_sight *sight,
                      uint64_t highest)
{
    const struct chain_view *view = &sight->view;
    const uint64_t head = view->latest.block.number;
    struct finding finding = { .name = "node", .subject = node->name, .result = CHECK_OK };
    char age[WORDS_TIME_TEXT_BYTES], final[64] = "nothing is final yet";
    words_duration(age_s(sight), age);
    if (view->has_final)
        (void)snprintf(final, sizeof final, "final up to %" PRIu64, view->final.block.number);
    if (highest - head > NODES_LAG_MAX_BLOCKS || sight->is_syncing) {
        finding.result = CHECK_WARNING;
        finding.action = "nothing, if it is catching up; else look at that node's own log and peers";
        doctor_tell(e->doctor, finding, "lags: %s%" PRIu64 " blocks behind the others, at block %" PRIu64 " (%s)",
                    sight->is_syncing ? "still syncing, " : "", highest - head, head, sight->client);
        return;
    }
    if (!view->has_final) {
        finding.result = CHECK_WARNING;
        finding.action = "nothing, on a young chain; else set `finality` in bursar.conf to a number of confirmations";
    } else if (age_s(sight) > HEAD_OLD_S) {
        finding.result = CHECK_WARNING;
        finding.action = "nothing, on a chain that makes blocks only when there is something to put in; else look at "
                         "that node's own log and peers";
    }
    doctor_tell(e->doctor, finding, "answers in %" PRIu64 " ms, chain %" PRIu64 ", block %" PRIu64 ", %s old, %s%s%s",
                sight->latency_ms, view->chain_id, head, age, final, sight->client[0] ? ", " : "", sight->client);
}

/* The error without the URL that it begins with: that is the subject already. */
static const char *words_of(const struct doctor_node *node, const struct node_sight *sight)
{
    const char *words = sight->err.message[0] ? sight->err.message : sight->verdict.reason;
    size_t length = strlen(node->name);
    return strncmp(words, node->name, length) == 0 && strncmp(words + length, ": ", 2) == 0 ? words + length + 2
                                                                                            : words;
}

static void tell_bad(const struct examination *e, const struct doctor_node *node, const struct node_sight *sight)
{
    /* Others may do without it: whether they can is told by the next check. */
    const bool is_only_one = e->subject->node_count == 1;
    const char *name = e->subject->name;
    char action[CHECK_TEXT_MAX_BYTES] = "";
    struct finding finding = {
        .name = "node", .subject = node->name, .result = CHECK_WRONG, .grade = GRADE_PERSON, .action = action
    };
    switch (sight->grade) {
    case NODE_GOOD:
        return;
    case NODE_SILENT:
        finding.result = is_only_one ? CHECK_WRONG : CHECK_WARNING;
        finding.grade = GRADE_UNREACHABLE;
        (void)snprintf(action, sizeof action,
                       "start that node, or correct its URL in `rpc` of [treasury %s] in bursar.conf", name);
        break;
    case NODE_BEHIND:
        finding.result = is_only_one ? CHECK_WRONG : CHECK_WARNING;
        finding.grade = GRADE_UNREACHABLE;
        (void)snprintf(action, sizeof action, "nothing, if it is catching up; else look at that node's own log");
        break;
    case NODE_UNFIT:
        (void)snprintf(action, sizeof action,
                       strstr(sight->err.message, "finality")
                           ? "set `finality` of [treasury %s] in bursar.conf to a number of confirmations"
                           : "name another node in `rpc` of [treasury %s] in bursar.conf",
                       name);
        break;
    case NODE_OTHER:
        finding.grade = is_only_one ? GRADE_SAFETY : GRADE_PERSON;
        (void)snprintf(action, sizeof action, "%s",
                       is_only_one ? halt_action(sight->verdict.halt)
                                   : "take it out of `rpc` in bursar.conf, or point that URL at a node of this chain");
        break;
    }
    doctor_tell(e->doctor, finding, "%.600s", words_of(node, sight));
}

/* Can they decide what needs a quorum? */
static void check_chain(struct examination *e, const struct node_sight *sights)
{
    const size_t quorum = e->subject->quorum;
    size_t good = 0, other = 0;
    enum halt_code halt = HALT_NONE;
    for (size_t i = 0; i < e->subject->node_count; i++) {
        good += sights[i].grade == NODE_GOOD;
        other += sights[i].grade == NODE_OTHER;
        if (sights[i].grade == NODE_OTHER && halt == HALT_NONE)
            halt = sights[i].verdict.halt;
    }
    struct finding finding = { .name = "chain", .result = CHECK_OK };
    if (good == 0 && e->subject->node_count <= 1) { /* that was told just now */
        finding.result = CHECK_NOT_CHECKED;
        doctor_tell(e->doctor, finding, "%s", NEEDS_A_NODE);
        return;
    }
    if (good < quorum) {
        bool halts = other >= quorum;
        finding.result = CHECK_WRONG;
        finding.grade = halts ? GRADE_SAFETY : GRADE_UNREACHABLE;
        finding.action = halts ? halt_action(halt) : "see to the nodes above: nothing is decided without the quorum";
    }
    if (e->subject->node_count == 1) {
        doctor_tell(e->doctor, finding, "the node shows the chain of this treasury");
        return;
    }
    doctor_tell(e->doctor, finding, "%zu of %zu nodes %s the chain of this treasury, %zu must agree", good,
                e->subject->node_count, good == 1 ? "shows" : "show", quorum);
}

static void check_clock(struct examination *e, const struct node_sight *sight)
{
    const uint64_t head_s = sight->view.latest.timestamp_s, now_s = sight->seen_ms / 1000;
    struct finding finding = { .name = "clock", .result = CHECK_OK };
    char off[WORDS_TIME_TEXT_BYTES];
    words_duration(head_s > now_s ? head_s - now_s : age_s(sight), off);
    if (head_s > now_s + CLOCK_AHEAD_MAX_S) {
        finding.result = CHECK_WRONG;
        finding.grade = GRADE_PERSON;
        finding.action = "set this machine's clock (`timedatectl set-ntp true`); if it is right, look at the node's";
        doctor_tell(e->doctor, finding, "the newest block is %s ahead of this machine's clock", off);
        return;
    }
    if (age_s(sight) > HEAD_OLD_S) {
        finding.result = CHECK_WARNING;
        finding.action = "compare `date -u` with another machine; if it is right, the chain or the node stands still";
        doctor_tell(e->doctor, finding, "the newest block is %s older than this machine's clock", off);
        return;
    }
    doctor_tell(e->doctor, finding, "within %s of the newest block", off);
}

static void check_fees(struct examination *e)
{
    struct finding finding = { .name = "fees", .result = CHECK_OK };
    struct fees fees;
    char base[WORDS_FEE_TEXT_BYTES], cap[WORDS_FEE_TEXT_BYTES];
    plan_fees(&e->view, &e->subject->caps, &fees);
    words_fee(e->view.next_base_fee_per_gas_wei, base);
    words_fee(e->subject->caps.max_fee_per_gas_wei, cap);
    if (fees.above_cap) {
        finding.result = CHECK_WRONG;
        finding.grade = GRADE_PERSON;
        finding.action = "wait for fees to fall, or raise max_fee_per_gas in [fees] of bursar.conf and restart "
                         "`bursar run`";
        doctor_tell(e->doctor, finding, "the next base fee, %s, is above max_fee_per_gas, %s: nothing is paid", base,
                    cap);
        return;
    }
    doctor_tell(e->doctor, finding, "the next base fee is %s, max_fee_per_gas %s", base, cap);
}

static void skip_chain(const struct examination *e)
{
    static const char *const names[] = { "clock", "fees" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        doctor_tell(e->doctor, (struct finding){ .name = names[i], .result = CHECK_NOT_CHECKED }, "%s", NEEDS_A_NODE);
}

void check_nodes(struct examination *e)
{
    const struct doctor_subject *subject = e->subject;
    struct node_sight *sights = calloc(subject->node_count ? subject->node_count : 1, sizeof *sights);
    const struct node_sight *first = NULL;
    uint64_t highest = 0;
    for (size_t i = 0; sights && i < subject->node_count; i++) {
        look_at(e, &subject->nodes[i], &sights[i]);
        if (sights[i].grade != NODE_GOOD)
            continue;
        const struct chain_view *view = &sights[i].view;
        highest = view->latest.block.number > highest ? view->latest.block.number : highest;
        e->nonce_pending = view->nonce_pending > e->nonce_pending ? view->nonce_pending : e->nonce_pending;
        if (!first)
            first = &sights[i];
    }
    for (size_t i = 0; sights && i < subject->node_count; i++) {
        if (sights[i].grade == NODE_GOOD)
            tell_good(e, &subject->nodes[i], &sights[i], highest);
        else
            tell_bad(e, &subject->nodes[i], &sights[i]);
    }
    if (sights)
        check_chain(e, sights);
    e->has_view = first != NULL;
    if (first) {
        e->view = first->view;
        e->seen_ms = first->seen_ms;
        check_clock(e, first);
        check_fees(e);
    } else {
        skip_chain(e);
    }
    free(sights);
}
