/* What the tests of the money breaker in the executor have in common. */
#ifndef TESTS_EXECUTOR_MONEY_WORLD_H
#define TESTS_EXECUTOR_MONEY_WORLD_H

#include "world.h"

#define IDLE_LIMIT 100 /* rounds */

/* cmocka set-up and tear-down: two reverts within an hour open it, and two rows are bound at a time. */
int set_up(void **state);
int tear_down(void **state);

/* What a person does. */
void force(struct world *world, bool opens);
void ask_to_cancel(struct world *world, size_t row);
/* Transactions to rows `first` and on revert. */
void make_revert(struct world *world, size_t first, size_t count);
void pass(struct world *world, uint64_t ms);
/* How many intents, attempts, and events that opened it there are. */
int64_t bound(struct world *world);
int64_t attempts(struct world *world);
int64_t openings(struct world *world);
/* As the executor reports it, and as its snapshot says. */
bool is_open(struct world *world, const char *cause);
/* Steps and blocks. */
void run_until_open(struct world *world, const char *cause);
void run_and_stay_closed(struct world *world, size_t limit);
/* Four rows are sent, and then somebody else's takes the nonce of row 1. */
void send_foreign(struct world *world);

#endif
