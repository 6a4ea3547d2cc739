/* See rate.h. Counted in thousandths of a request, so that a millisecond is worth requests_per_s of them. */
#include "http/rate.h"

#include <string.h>

#define ONE 1000

static struct rate_bucket *bucket_of(struct rate *rate, const uint8_t client[RATE_CLIENT_BYTES], uint64_t now_ms)
{
    struct rate_bucket *quietest = &rate->buckets[0];
    for (size_t i = 0; i < RATE_CLIENTS_MAX_COUNT; i++) {
        struct rate_bucket *bucket = &rate->buckets[i];
        if (bucket->filled_ms > 0 && memcmp(bucket->client, client, RATE_CLIENT_BYTES) == 0)
            return bucket;
        if (bucket->filled_ms < quietest->filled_ms)
            quietest = bucket;
    }
    memcpy(quietest->client, client, RATE_CLIENT_BYTES);
    quietest->filled_ms = now_ms;
    quietest->thousandths = (uint64_t)rate->requests_per_s * ONE;
    return quietest;
}

bool rate_allow(struct rate *rate, const uint8_t client[RATE_CLIENT_BYTES], uint64_t now_ms, uint64_t *ret_wait_ms)
{
    uint64_t now = now_ms > 0 ? now_ms : 1;
    uint64_t full = (uint64_t)rate->requests_per_s * ONE;
    struct rate_bucket *bucket = bucket_of(rate, client, now);
    uint64_t passed_ms = now > bucket->filled_ms ? now - bucket->filled_ms : 0;
    bucket->thousandths = passed_ms >= ONE || bucket->thousandths + passed_ms * rate->requests_per_s > full
                              ? full
                              : bucket->thousandths + passed_ms * rate->requests_per_s;
    bucket->filled_ms = now;
    if (bucket->thousandths >= ONE) {
        bucket->thousandths -= ONE;
        return true;
    }
    *ret_wait_ms = (ONE - bucket->thousandths + rate->requests_per_s - 1) / rate->requests_per_s;
    return false;
}
