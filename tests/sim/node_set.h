/* The nodes of one treasury: one, or several of which a quorum must agree. Of several, one may lie about what only a
 * quorum decides; the others are no more reliable than any node, and no less honest. */
#ifndef SIM_NODE_SET_H
#define SIM_NODE_SET_H

#include "random.h"
#include "sim_node.h"

#define NODE_SET_MAX_COUNT 3

struct node_set {
    struct sim_node *nodes[NODE_SET_MAX_COUNT];
    size_t count, quorum;
    size_t liar; /* SIZE_MAX: none, because any single one is believed */
    struct sim_chain *chain;
    uint64_t moved_until;                       /* step; 0: all are on the chain they belong to */
    bool was_moved;                             /* the only one, ever */
    uint64_t cut_off_until[NODE_SET_MAX_COUNT]; /* step */
};

/* The first one is made by the caller; every third treasury gets more. */
void node_set_grow(struct node_set *set, struct sim_chain *chain, struct random *random);
/* The one that an event means; with a set of one, that one. */
struct sim_node *node_set_pick(const struct node_set *set, uint32_t draw);
/* No way to it until then, in one of several manners. */
void node_set_cut_off(struct node_set *set, size_t node, enum sim_node_reach reach, uint64_t until_step);
/* One of them is restarted on another history of the chain until then: the liar, or the only one. */
void node_set_move(struct node_set *set, struct sim_chain *other, uint64_t until_step);
/* Who is back by now. At every step. */
void node_set_advance(struct node_set *set, uint64_t step);
void node_set_heal(struct node_set *set);
uint64_t node_set_lies_told(const struct node_set *set, enum sim_lie lie);
void node_set_free(struct node_set *set);

#endif
