/* What the planner's tests start from: a pinned treasury, and a chain that is as it should be. */
#ifndef TESTS_PLANNER_FIXTURE_H
#define TESTS_PLANNER_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/planner.h"

#define GWEI 1000000000ull

struct bursar_amount wei(uint64_t value);
struct bursar_hash hash_of(uint8_t byte);
struct treasury a_treasury(void);
struct chain_view a_view(void);

#endif
