/* Makes and heals a treasury's nodes. */
#include "node_set.h"

void node_set_grow(struct node_set *set, struct sim_chain *chain, struct random *random)
{
    set->count = set->quorum = 1;
    set->liar = SIZE_MAX;
    set->chain = chain;
    if (!random_chance(random, 1, 3))
        return;
    set->count = 2 + random_below(random, NODE_SET_MAX_COUNT - 1);
    for (size_t i = 1; i < set->count; i++)
        set->nodes[i] = sim_node_new(chain, (enum sim_node_kind)random_below(random, SIM_NODE_KINDS),
                                     (unsigned)random_below(random, SIM_POOLS_MAX_COUNT));
    set->quorum = random_chance(random, 1, 4) ? 1 : 2;
    if (set->quorum == 2)
        set->liar = random_below(random, set->count);
}

struct sim_node *node_set_pick(const struct node_set *set, uint32_t draw)
{
    return set->nodes[draw % set->count];
}

void node_set_cut_off(struct node_set *set, size_t node, enum sim_node_reach reach, uint64_t until_step)
{
    sim_node_set_reach(set->nodes[node], reach);
    set->cut_off_until[node] = until_step;
}

void node_set_move(struct node_set *set, struct sim_chain *other, uint64_t until_step)
{
    size_t which = set->count == 1 ? 0 : set->liar;
    if (which >= set->count)
        return;
    sim_node_move(set->nodes[which], other);
    set->moved_until = until_step;
    set->was_moved = set->was_moved || set->count == 1;
}

static void move_back(struct node_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        sim_node_move(set->nodes[i], set->chain);
    set->moved_until = 0;
}

void node_set_advance(struct node_set *set, uint64_t step)
{
    if (set->moved_until && set->moved_until <= step)
        move_back(set);
    for (size_t i = 0; i < set->count; i++) {
        if (set->cut_off_until[i] && set->cut_off_until[i] <= step)
            node_set_cut_off(set, i, SIM_NODE_REACHED, 0);
    }
}

void node_set_heal(struct node_set *set)
{
    move_back(set);
    for (size_t i = 0; i < set->count; i++) {
        sim_node_heal(set->nodes[i]);
        node_set_cut_off(set, i, SIM_NODE_REACHED, 0);
    }
}

uint64_t node_set_lies_told(const struct node_set *set, enum sim_lie lie)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < set->count; i++)
        sum += sim_node_lies_told(set->nodes[i], lie);
    return sum;
}

void node_set_free(struct node_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        sim_node_free(set->nodes[i]);
    set->count = 0;
}
