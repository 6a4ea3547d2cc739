/* What each kind of node says, and the few ways in which they differ. Private to the sim_node*.c files. */
#ifndef SIM_NODE_WORDS_H
#define SIM_NODE_WORDS_H

#include "sim_map.h"
#include "sim_node.h"

struct sim_words {
    long long code;
    const char *text;
};

struct sim_manner {
    struct sim_words verdicts[SIM_POOL_VERDICTS];
    struct sim_words unknown_block; /* state at a block that it does not have */
    struct sim_words nothing_final; /* text NULL: JSON null; "" : genesis counts as final */
    const char *header_method;      /* NULL: none */
    bool knows_hash_pins, runs_programs, serves_orphans;
    bool wants_base_fee, counts_all_costs, any_fee_rise_replaces;
};

const struct sim_manner *sim_manner_of(enum sim_node_kind kind);

#endif
