/* One look at the chain through several nodes.
 *
 * Nodes are asked in order of preference until `quorum` of them agree: on the chain id, the genesis block, the anchor,
 * and on one final block with the account's nonce in it. Nodes are rarely at the same height, so those that are further
 * on are asked again for the final block that all of them have. Who disagrees with what was agreed is set aside; those
 * that were not needed are looked at now and then too, or a node that lags behind all others would never be noticed.
 *
 * The balance in that block is agreed upon afterwards: those who agreed may not know it, or one of them lies, and then
 * the others are asked. Without a quorum it is not known; that fails no look, and nobody is set aside for it (INV-10).
 *
 * What the asker is pinned to comes first: nodes that contradict it can only agree among themselves, to be believed,
 * when there is no quorum of nodes that do not. */
#include "base/bytes.h"
#include "chain/nodes_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What a view is with regard to what the asker is pinned to. */
enum stance {
    STANCE_RIGHT,
    STANCE_BEHIND, /* does not have the anchor yet */
    STANCE_WRONG,  /* contradicts it */
};

struct sighting {
    bool is_seen;
    struct chain_view view;
    bool is_limited; /* `limited` is what it showed with nothing above `limit` final */
    uint64_t limit;
    struct chain_view limited;
};

struct look {
    struct nodes *nodes;
    const struct chain_query *query;
    struct sighting sightings[NODES_MAX_COUNT];
    uint32_t asked;
    size_t unsuitable;     /* nodes that refused: not a chain or node we can work with */
    unsigned second_looks; /* still allowed: INV-11 */
    bool is_cancelled;
    struct excuses excuses;
};

enum bursar_status node_see(struct nodes *nodes, size_t i, const struct node_call *call,
                            const struct chain_query *query, struct chain_view *ret, struct bursar_error *err)
{
    struct node_entry *entry = &nodes->entries[i];
    struct bursar_error reason = { 0 };
    enum bursar_status status = entry->member.chain.observe(entry->member.chain.ctx, query, ret, &reason);
    node_told(nodes, i, call, status, &reason);
    if (status != BURSAR_OK)
        return bursar_fail(err, status, "%s", reason.message);
    entry->has_latest = true;
    entry->latest_block = ret->latest.block.number;
    return BURSAR_OK;
}

static enum stance stance_of(const struct chain_query *query, const struct chain_view *view)
{
    if (query->chain_id != 0 && view->chain_id != query->chain_id)
        return STANCE_WRONG;
    if (query->has_pins && !hash_equal(&view->genesis_hash, &query->genesis_hash))
        return STANCE_WRONG;
    if (query->has_anchor && !view->has_anchor_block)
        return STANCE_BEHIND;
    if (query->has_pins && query->has_anchor && !hash_equal(&view->anchor_hash, &query->anchor_hash))
        return STANCE_WRONG;
    return STANCE_RIGHT;
}

/* Asks node `i` for the first time in this look. */
static void see_first(struct look *look, size_t i, enum asking_pass pass)
{
    struct nodes *nodes = look->nodes;
    struct sighting *sighting = &look->sightings[i];
    struct node_call call;
    struct bursar_error err = { 0 };
    if ((look->asked >> i & 1) || !node_may_ask(nodes, i, pass, &call))
        return;
    look->asked |= UINT32_C(1) << i;
    enum bursar_status status = node_see(nodes, i, &call, look->query, &sighting->view, &err);
    sighting->is_seen = status == BURSAR_OK;
    look->is_cancelled = status == BURSAR_ECANCELLED;
    if (status == BURSAR_OK)
        return;
    look->unsuitable += status == BURSAR_EREFUSED;
    excuses_add(&look->excuses, nodes->entries[i].name, status, err.message);
}

/* What node `i` says of the block at `limit`, which is below its own final one. NULL: it said nothing. */
static const struct chain_view *see_at(struct look *look, size_t i, uint64_t limit)
{
    struct sighting *sighting = &look->sightings[i];
    struct chain_query query = *look->query;
    struct node_call call;
    struct bursar_error err = { 0 };
    if (sighting->is_limited && sighting->limit == limit)
        return &sighting->limited;
    enum asking_pass pass = look->nodes->entries[i].aside == ASIDE_LAGS ? PASS_LAGGING : PASS_BROKEN;
    if (look->second_looks == 0 || look->is_cancelled || !node_may_ask(look->nodes, i, pass, &call))
        return NULL;
    look->second_looks--;
    query.has_final_limit = true;
    query.final_limit = limit;
    enum bursar_status status = node_see(look->nodes, i, &call, &query, &sighting->limited, &err);
    sighting->is_limited = status == BURSAR_OK;
    sighting->limit = limit;
    look->is_cancelled = status == BURSAR_ECANCELLED;
    if (status == BURSAR_OK)
        return &sighting->limited;
    sighting->is_seen = false; /* it failed after all */
    excuses_add(&look->excuses, look->nodes->entries[i].name, status, err.message);
    return NULL;
}

static bool is_of(const struct look *look, size_t i, enum stance stance)
{
    const struct sighting *sighting = &look->sightings[i];
    return sighting->is_seen && stance_of(look->query, &sighting->view) == stance;
}

/* Does node `i` vouch for everything that is final in `said`? */
static bool vouches(struct look *look, size_t i, const struct chain_view *said)
{
    const struct chain_view *view = &look->sightings[i].view;
    if (!views_share_chain(view, said) || view->has_anchor_block != said->has_anchor_block)
        return false;
    if (!said->has_final || !view->has_final)
        return said->has_final == view->has_final;
    if (view->final.block.number < said->final.block.number)
        return false;
    if (view->final.block.number > said->final.block.number)
        view = see_at(look, i, said->final.block.number);
    return view && views_share_chain(view, said) && view->has_final &&
           view->final.block.number == said->final.block.number &&
           hash_equal(&view->final.block.hash, &said->final.block.hash) && view->nonce_final == said->nonce_final;
}

static size_t count_bits(uint32_t bits)
{
    return (size_t)__builtin_popcount(bits);
}

/* The first node of this stance that a quorum agrees with, and who that is. */
static bool find_agreement(struct look *look, enum stance stance, size_t *ret_leader, uint32_t *ret_members)
{
    const struct nodes *nodes = look->nodes;
    for (size_t leader = 0; leader < nodes->count; leader++) {
        uint32_t members = 0;
        for (size_t i = 0; i < nodes->count && is_of(look, leader, stance); i++) {
            if (is_of(look, i, stance) && (i == leader || vouches(look, i, &look->sightings[leader].view)))
                members |= UINT32_C(1) << i;
        }
        if (count_bits(members) < nodes->config.quorum)
            continue;
        *ret_leader = leader;
        *ret_members = members;
        return true;
    }
    return false;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* The member whose head is the quorum's: as many have a block at that height as must agree about what is in it. */
static size_t choose_base(const struct look *look, uint32_t members)
{
    uint64_t heads[NODES_MAX_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < look->nodes->count; i++) {
        if (members >> i & 1)
            heads[count++] = look->sightings[i].view.latest.block.number;
    }
    qsort(heads, count, sizeof *heads, compare_numbers);
    uint64_t wanted = heads[count - look->nodes->config.quorum];
    for (size_t i = 0; i < look->nodes->count; i++) {
        if ((members >> i & 1) && look->sightings[i].view.latest.block.number == wanted)
            return i;
    }
    return 0;
}

/* What node `i`, which vouches for it, says of the final block in `said`; NULL: it was asked about another since. */
static const struct chain_view *view_at_final(const struct look *look, size_t i, const struct chain_view *said)
{
    const struct sighting *sighting = &look->sightings[i];
    if (sighting->view.final.block.number == said->final.block.number)
        return &sighting->view;
    return sighting->is_limited && sighting->limit == said->final.block.number ? &sighting->limited : NULL;
}

/* The first balance in the final block of `said` that a quorum of `members` shows. */
static bool find_balance(const struct look *look, uint32_t members, const struct chain_view *said,
                         struct chain_view *agreed)
{
    struct bursar_amount known[NODES_MAX_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < look->nodes->count; i++) {
        const struct chain_view *view = members >> i & 1 ? view_at_final(look, i, said) : NULL;
        if (view && view->has_balance_final)
            known[count++] = view->balance_final;
    }
    for (size_t i = 0; i < count && !agreed->has_balance_final; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += bursar_amount_compare(known[i], known[k]) == 0;
        agreed->has_balance_final = same >= look->nodes->config.quorum;
        agreed->balance_final = agreed->has_balance_final ? known[i] : (struct bursar_amount){ 0 };
    }
    return agreed->has_balance_final;
}

/* Whoever else has to be asked for it, and vouches for the rest, becomes a member. */
static void agree_on_balance(struct look *look, size_t leader, uint32_t *members, struct chain_view *agreed)
{
    const struct chain_view *said = &look->sightings[leader].view;
    bool is_known = !said->has_final || find_balance(look, *members, said, agreed);
    for (size_t i = 0; i < look->nodes->count && !is_known && !look->is_cancelled; i++) {
        see_first(look, i, PASS_HEALTHY);
        if ((*members >> i & 1) || !is_of(look, i, STANCE_RIGHT) || !vouches(look, i, said))
            continue;
        *members |= UINT32_C(1) << i;
        is_known = find_balance(look, *members, said, agreed);
    }
}

/* Head, balance and fees of one node at one block; the leader's final block, which all members vouch for. */
static void compose(const struct look *look, size_t leader, uint32_t members, struct chain_view *ret)
{
    const struct chain_view *said = &look->sightings[leader].view;
    *ret = look->sightings[choose_base(look, members)].view;
    ret->has_final = said->has_final;
    ret->final = said->final;
    ret->nonce_final = said->nonce_final;
    ret->has_balance_final = false; /* see agree_on_balance */
    ret->balance_final = (struct bursar_amount){ 0 };
    for (size_t i = 0; i < look->nodes->count; i++) {
        const struct chain_view *view = &look->sightings[i].view;
        /* INV-12: what any of them has seen of our account can only veto. */
        if ((members >> i & 1) && view->nonce_pending > ret->nonce_pending)
            ret->nonce_pending = view->nonce_pending;
    }
}

/* Those seen whom the agreement does not include, and those who lag behind the rest. */
static void judge_all(struct look *look, uint32_t members, const struct chain_view *agreed)
{
    struct nodes *nodes = look->nodes;
    struct chain_view reference = *agreed;
    uint64_t heads[NODES_MAX_COUNT];
    size_t count = 0;
    char reason[NODE_REASON_MAX_BYTES];
    for (size_t i = 0; i < nodes->count; i++) {
        if (look->sightings[i].is_seen &&
            view_judge(look->query, &look->sightings[i].view, agreed, reason) != ASIDE_LIES)
            heads[count++] = look->sightings[i].view.latest.block.number;
    }
    if (count == 0)
        return;
    qsort(heads, count, sizeof *heads, compare_numbers);
    /* The median: no single one of three makes the others look slow by claiming a high number. */
    reference.latest.block.number = heads[count / 2];
    for (size_t i = 0; i < nodes->count; i++) {
        const struct sighting *sighting = &look->sightings[i];
        if (!sighting->is_seen)
            continue;
        bool has_other = !(members >> i & 1) && sighting->is_limited && agreed->has_final &&
                         sighting->limit == agreed->final.block.number;
        enum set_aside aside =
            view_judge(look->query, has_other ? &sighting->limited : &sighting->view, &reference, reason);
        if (aside == ASIDE_NOT)
            node_take_back(nodes, i);
        else
            node_set_aside(nodes, i, aside, reason);
    }
}

/* Also those who were not needed, and those set aside: are they where the others are? */
static void survey(struct look *look, const struct chain_view *agreed)
{
    struct nodes *nodes = look->nodes;
    uint64_t now_ms = nodes->config.clock.monotonic_ms(nodes->config.clock.ctx);
    if (nodes->has_surveyed && now_ms - nodes->surveyed_at_ms < NODES_SURVEY_MS)
        return;
    struct chain_query query = *look->query;
    query.has_final_limit = agreed->has_final;
    query.final_limit = agreed->final.block.number;
    for (size_t i = 0; i < nodes->count && !look->is_cancelled; i++) {
        struct sighting *sighting = &look->sightings[i];
        struct node_entry *entry = &nodes->entries[i];
        struct node_call call = { 0 };
        struct bursar_error err = { 0 };
        if ((look->asked >> i & 1) || now_ms < entry->rests_until_ms ||
            !bursar_breaker_allow_request(entry->breaker, now_ms, &call.ticket))
            continue;
        look->asked |= UINT32_C(1) << i;
        enum bursar_status status = node_see(nodes, i, &call, &query, &sighting->view, &err);
        sighting->is_seen = status == BURSAR_OK;
        look->is_cancelled = status == BURSAR_ECANCELLED;
    }
    nodes->has_surveyed = true;
    nodes->surveyed_at_ms = now_ms;
}

/* The others agree: remembers what on, and who does not. */
static void conclude(struct look *look, uint32_t members, const struct chain_view *agreed)
{
    struct nodes *nodes = look->nodes;
    survey(look, agreed);
    judge_all(look, members, agreed);
    nodes->has_agreed = true;
    nodes->query = *look->query;
    nodes->agreed = *agreed;
}

static enum bursar_status give_up(struct look *look, struct bursar_error *err)
{
    const struct nodes *nodes = look->nodes;
    size_t seen = 0;
    for (size_t i = 0; i < nodes->count; i++)
        seen += look->sightings[i].is_seen;
    excuses_add_unasked(&look->excuses, nodes, look->asked);
    if (look->unsuitable >= nodes->config.quorum)
        return bursar_fail(err, BURSAR_EREFUSED, "%s", look->excuses.text);
    if (seen >= nodes->config.quorum)
        return bursar_fail(err, BURSAR_EUNREACHABLE,
                           "the nodes disagree: of %zu that answered no %zu show the same chain and the same final "
                           "block; see `nodes` in `bursar status --json`%s%.200s",
                           seen, nodes->config.quorum, look->excuses.text[0] ? "; " : "", look->excuses.text);
    if (nodes->config.quorum == 1)
        return bursar_fail(err, look->excuses.status ? look->excuses.status : BURSAR_EUNREACHABLE, "%s",
                           look->excuses.text);
    return bursar_fail(err, BURSAR_EUNREACHABLE, "%zu nodes must agree and %zu of %zu answered: %.400s",
                       nodes->config.quorum, seen, nodes->count, look->excuses.text);
}

/* Asks until enough agree. */
static bool ask_until_agreed(struct look *look, size_t *ret_leader, uint32_t *ret_members)
{
    const struct nodes *nodes = look->nodes;
    for (enum asking_pass pass = PASS_HEALTHY; pass <= PASS_LAGGING; pass++) {
        for (size_t i = 0; i < nodes->count; i++) {
            uint32_t before = look->asked;
            see_first(look, i, pass);
            if (look->is_cancelled)
                return false;
            if (look->asked != before && look->sightings[i].is_seen &&
                count_bits(look->asked) >= nodes->config.quorum &&
                find_agreement(look, STANCE_RIGHT, ret_leader, ret_members))
                return true;
        }
    }
    return false;
}

static enum bursar_status see_alone(struct nodes *nodes, const struct chain_query *query, struct chain_view *ret,
                                    struct bursar_error *err)
{
    struct node_call call;
    struct excuses excuses = { 0 };
    if (node_may_ask(nodes, 0, PASS_HEALTHY, &call))
        return node_see(nodes, 0, &call, query, ret, err);
    excuses_add_unasked(&excuses, nodes, 0);
    return bursar_fail(err, BURSAR_EUNREACHABLE, "%s", excuses.text);
}

enum bursar_status nodes_observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                 struct bursar_error *err)
{
    struct nodes *nodes = ctx;
    struct chain_view agreed;
    uint32_t members = 0;
    size_t leader = 0;
    if (nodes->count == 1)
        return see_alone(nodes, query, ret, err);
    struct look look = { .nodes = nodes, .query = query, .second_looks = (unsigned)(2 * nodes->count) };
    bool is_right = ask_until_agreed(&look, &leader, &members);
    if (look.is_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s", look.excuses.text);
    /* A quorum that contradicts what was pinned, or lacks it: the asker has to be told (INV-8). */
    if (!is_right && !find_agreement(&look, STANCE_WRONG, &leader, &members) &&
        !find_agreement(&look, STANCE_BEHIND, &leader, &members))
        return give_up(&look, err);
    compose(&look, leader, members, &agreed);
    if (is_right) {
        agree_on_balance(&look, leader, &members, &agreed);
        conclude(&look, members, &agreed);
    }
    *ret = agreed;
    return BURSAR_OK;
}

bool node_vet(struct nodes *nodes, size_t i, enum asking_pass pass, struct excuses *excuses)
{
    struct node_entry *entry = &nodes->entries[i];
    struct chain_query query = nodes->query;
    struct chain_view view;
    struct node_call call;
    struct bursar_error err = { 0 };
    char reason[NODE_REASON_MAX_BYTES];
    if (nodes->count == 1 || entry->is_vetted || !nodes->has_agreed)
        return true;
    if (!node_may_ask(nodes, i, pass, &call))
        return false;
    query.has_final_limit = nodes->agreed.has_final;
    query.final_limit = nodes->agreed.final.block.number;
    enum bursar_status status = node_see(nodes, i, &call, &query, &view, &err);
    if (status != BURSAR_OK) {
        excuses_add(excuses, entry->name, status, err.message);
        return false;
    }
    enum set_aside aside = view_judge(&query, &view, &nodes->agreed, reason);
    if (aside == ASIDE_NOT)
        node_take_back(nodes, i);
    else
        node_set_aside(nodes, i, aside, reason);
    return aside == ASIDE_NOT;
}
