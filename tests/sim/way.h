/* The way from one process to the nodes of its treasury: a network and a driver for each, as they are; and where there
 * are several, all of them as one chain, as they are too. What each node said of what was handed over is held against
 * what came of it: a node that gave no answer may have the bytes, whatever others said (INV-5). */
#ifndef SIM_WAY_H
#define SIM_WAY_H

#include "finding.h"
#include "node_set.h"
#include "sim_network.h"

#include "chain/evm.h"
#include "chain/nodes.h"

struct way;

/* One of the nodes, with what it was heard to say. */
struct way_member {
    struct way *way;
    struct chain chain;
};

struct way_setup {
    const struct node_set *set;
    size_t lanes;
    struct clock clock;
    struct finding *finding;
    const uint64_t *step;
};

struct way {
    size_t count;
    struct sim_network *networks[NODE_SET_MAX_COUNT]; /* outlive what is opened: faults are scripted there */
    struct evm_chain *evms[NODE_SET_MAX_COUNT];
    struct way_member members[NODE_SET_MAX_COUNT];
    struct nodes *nodes; /* NULL: there is one */
    struct finding *finding;
    const uint64_t *step;
    bool may_have_arrived[CHAIN_ITEMS_MAX_COUNT]; /* at one node at least, as it was heard; of the hand-over at hand */
};

/* `is_dead` as for sim_network_new. */
void way_init(struct way *way, const struct node_set *set, const bool *is_dead);
void way_free(struct way *way);
/* What is opened is to be closed also after a failure. */
enum bursar_status way_open(struct way *way, const struct way_setup *setup, struct chain *ret,
                            struct bursar_error *err);
void way_close(struct way *way);
uint64_t way_faults_met(const struct way *way, enum sim_network_fault_kind kind);
/* What all of them together were taken to say of what was just handed over. */
void way_judge(struct way *way, const struct submit_result *merged, size_t count);

#endif
