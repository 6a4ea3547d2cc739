/* A second stack, so that a process can be held up in the middle of a tick while others go on.
 *
 * One thread, one fiber running at a time: fiber_run leads into it, fiber_pause back out to whoever ran it. */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stdbool.h>

struct fiber;
typedef void fiber_function(void *ctx);

/* NULL without memory. */
struct fiber *fiber_new(fiber_function *run, void *ctx);
/* Runs it from its beginning, or on from where it paused, until it pauses or returns. */
void fiber_run(struct fiber *fiber);
/* It has begun, and not returned yet. */
bool fiber_is_paused(const struct fiber *fiber);
/* Called on a fiber: back to fiber_run. */
void fiber_pause(void);
/* Is the code that asks running on a fiber? */
bool fiber_is_inside(void);
/* Not paused: what lies on its stack would be lost. NULL is fine. */
void fiber_free(struct fiber *fiber);

#endif
