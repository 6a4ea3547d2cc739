/* People put a treasury right whose store was lost or went back, or whose signing log was lost: `bursar reconcile
 * --dry-run`, then `--adopt`, by the very calls that the command makes; and what must be so after it. */
#ifndef SIM_ADOPTION_H
#define SIM_ADOPTION_H

#include "world.h"

struct adoption_wish {
    bool imports;    /* its payment files first, all of them: the store may have forgotten them */
    bool stops;      /* its processes first; they are started again after it */
    bool is_dry_run; /* and nothing more */
    bool assigns;    /* says of what is undecided that it pays none of ours; only with all files in the store */
    uint64_t die_in; /* operations on the disk, once it writes; 0: lives */
};

enum adoption_end {
    ADOPTION_FAILED = 1,    /* refused, unreachable, died, or a dry run */
    ADOPTION_UNDECIDED = 2, /* a person, or time, must decide: nothing was written */
    ADOPTION_DONE = 3,
};
enum adoption_end people_adopt(struct world *world, struct sim_treasury *treasury, const struct adoption_wish *wish);

/* `bursar init`, after the store was lost: the same treasuries, and their signing logs as they are. */
void people_init_anew(struct world *world);

#endif
