/* How many requests a client may make: a token bucket each, for a bounded number of clients. Pure; the caller locks. */
#ifndef HTTP_RATE_H
#define HTTP_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATE_CLIENTS_MAX_COUNT 512
#define RATE_CLIENT_BYTES 16

struct rate_bucket {
    uint8_t client[RATE_CLIENT_BYTES];
    uint64_t filled_ms; /* monotonic; 0: not in use */
    uint64_t thousandths;
};

struct rate {
    uint32_t requests_per_s; /* and as many at once */
    struct rate_bucket buckets[RATE_CLIENTS_MAX_COUNT];
};

/* May this client (an IPv6 or mapped IPv4 address) make one now? If not, *ret_wait_ms is when. With more clients than
 * there are buckets, the one that was quiet longest is forgotten. */
bool rate_allow(struct rate *rate, const uint8_t client[RATE_CLIENT_BYTES], uint64_t now_ms, uint64_t *ret_wait_ms);

#endif
