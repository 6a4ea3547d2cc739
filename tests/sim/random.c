/* splitmix64 to spread a seed over the state, xoshiro256** to draw from it: small, fast, and the same everywhere. */
#include "random.h"

#include <string.h>

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t finish(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t random_mix(uint64_t a, uint64_t b)
{
    return finish(finish(a + 0x9e3779b97f4a7c15) ^ (b + 0xd1b54a32d192ed03));
}

struct random random_new(uint64_t seed)
{
    struct random random = { .key = random_mix(seed, 0) };
    for (size_t i = 0; i < 4; i++)
        random.state[i] = finish(random.key + (i + 1) * 0x9e3779b97f4a7c15);
    return random;
}

struct random random_stream(const struct random *parent, const char *name, uint64_t number)
{
    uint64_t key = parent->key;
    for (const char *at = name; *at; at++)
        key = random_mix(key, (unsigned char)*at);
    return random_new(random_mix(key ^ strlen(name), number));
}

uint64_t random_u64(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t drawn = rotate_left(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return drawn;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    if (limit == 0)
        return 0;
    uint64_t uneven = (0 - limit) % limit; /* 2^64 mod limit: so many of the lowest values would favour some results */
    for (;;) {
        uint64_t drawn = random_u64(random);
        if (drawn >= uneven)
            return drawn % limit;
    }
}

uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
    uint64_t span = high - low;
    return span == UINT64_MAX ? random_u64(random) : low + random_below(random, span + 1);
}

bool random_chance(struct random *random, uint64_t in, uint64_t of)
{
    return random_below(random, of) < in;
}

void random_fill(struct random *random, void *ret, size_t count)
{
    uint8_t *bytes = ret;
    for (size_t at = 0; at < count; at += 8) {
        uint64_t drawn = random_u64(random);
        memcpy(bytes + at, &drawn, count - at < 8 ? count - at : 8);
    }
}
