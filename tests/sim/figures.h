/* What a hunt over many seeds met, as a table line. */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

#include "world.h"

struct figures {
    uint64_t seeds, violations;
    uint64_t digest; /* of all their traces */
    double cpu_seconds;
    struct world_counts counts;
};

void figures_add(struct figures *figures, const struct world *world);
void figures_print(const struct figures *figures);
/* CPU time of this program so far. */
double figures_cpu_now(void);

#endif
