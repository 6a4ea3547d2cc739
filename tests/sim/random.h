/* The simulator's only source of chance: a seeded generator (xoshiro256**) with named sub-streams. A sub-stream depends
 * on the seed and its name alone, not on what was drawn elsewhere: taking one kind of event out of a run leaves the
 * draws of every other kind as they were. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t key; /* of this stream: what its sub-streams are derived from */
    uint64_t state[4];
};

struct random random_new(uint64_t seed);
/* The sub-stream of that name and number; does not draw from `parent`, whose draws do not matter to it either. */
struct random random_stream(const struct random *parent, const char *name, uint64_t number);

uint64_t random_u64(struct random *random);
/* Uniform in [0, limit), without bias; 0 for a limit of 0. */
uint64_t random_below(struct random *random, uint64_t limit);
/* Uniform in [low, high], high >= low. */
uint64_t random_between(struct random *random, uint64_t low, uint64_t high);
/* True `in` times of `of`. */
bool random_chance(struct random *random, uint64_t in, uint64_t of);
void random_fill(struct random *random, void *ret, size_t count);
/* Not a draw: the same value for the same two words, well mixed. */
uint64_t random_mix(uint64_t a, uint64_t b);

#endif
