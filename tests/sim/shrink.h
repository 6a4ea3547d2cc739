/* Makes a failing list of events short: what is left out changes nothing about what the rest means. */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "world.h"

struct shrinking {
    uint64_t seed;
    uint32_t steps;
    enum property property; /* must still be found */
    uint32_t runs_max;
};

/* Replaces `list` by a part of it that is found wrong in the same way. Returns how many runs it took. */
uint32_t shrink(const struct shrinking *shrinking, struct event_list *list);

#endif
