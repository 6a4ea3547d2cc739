/* The way between one executor and its node: `struct rpc` connections on which requests and replies get lost, come
 * late, or come twice. One request is one batch of calls. Everything that happens is set by the caller. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "sim_node.h"

enum sim_network_fault_kind {
    SIM_NETWORK_UNREACHABLE = 0, /* not connected: certainly not delivered, and the caller is told so */
    SIM_NETWORK_REQUEST_LOST,    /* not delivered, but the caller can't know */
    SIM_NETWORK_REPLY_LOST,      /* delivered, the caller can't know */
    SIM_NETWORK_HTTP_ERROR,      /* 502, not delivered */
    SIM_NETWORK_HTTP_ERROR_LATE, /* 502, delivered all the same */
    SIM_NETWORK_GARBAGE,         /* delivered, and the reply is no JSON-RPC */
    SIM_NETWORK_REFUSED_BATCH,   /* "too many requests" instead of answers; not delivered */
    SIM_NETWORK_CUT,        /* the first `amount` calls are delivered and answered, the others not even delivered */
    SIM_NETWORK_UNANSWERED, /* all are delivered, and answered but for the first `amount` (at least one) */
    SIM_NETWORK_TWICE,      /* delivered twice, the caller gets the first answers (amount 0) or the second ones */
    SIM_NETWORK_DELAYED,    /* time-out for the caller; transactions arrive `amount` blocks later */
    SIM_NETWORK_AGAIN,      /* as it should be; transactions arrive once more `amount` blocks later */
    SIM_NETWORK_FAULTS,
};
const char *sim_network_fault_name(enum sim_network_fault_kind kind);

enum sim_network_only {
    SIM_ANY_REQUEST = 0,
    SIM_ONLY_READS,
    SIM_ONLY_SUBMITS, /* requests of eth_sendRawTransaction */
};

/* After `skip` more requests of that sort the next `count` fare so. */
struct sim_network_fault {
    enum sim_network_fault_kind kind;
    enum sim_network_only only;
    uint64_t skip, count, amount;
};

/* When a request that is started is delivered. */
enum sim_network_lanes {
    SIM_LANES_AT_START = 0,
    SIM_LANES_AT_FINISH = 1,
};

#define SIM_NETWORK_FAULTS_MAX_COUNT 32
#define SIM_CONNECTIONS_MAX_COUNT 9

struct sim_network;

/* `node` is borrowed. `is_dead` (may be NULL) is borrowed: while it is true nothing is delivered any more and every
 * call fails, for a process that died and is being unwound. */
struct sim_network *sim_network_new(struct sim_node *node, const bool *is_dead);
void sim_network_free(struct sim_network *network); /* NULL is fine */
/* Connection 0 is for calls, 1 .. for lanes; they share faults. Below SIM_CONNECTIONS_MAX_COUNT. */
struct rpc sim_network_rpc(struct sim_network *network, size_t connection);
/* Talks to another node from now on (a load balancer, a changed configuration). */
void sim_network_set_node(struct sim_network *network, struct sim_node *node);

/* False when too many are scripted already. Of several that apply to a request, the oldest does. */
bool sim_network_script(struct sim_network *network, const struct sim_network_fault *fault);
void sim_network_set_lanes(struct sim_network *network, enum sim_network_lanes lanes);
/* What a dying process had started and not finished (with SIM_LANES_AT_FINISH) is lost, or arrives all the same. */
void sim_network_set_last_words(struct sim_network *network, bool arrive);
/* Cancels all faults; what is delayed still arrives. */
void sim_network_heal(struct sim_network *network);
/* Hands over what was delayed until the chain's present height. After every new block. */
void sim_network_deliver(struct sim_network *network);
/* Hands over everything that is still delayed. */
void sim_network_flush(struct sim_network *network);
/* For a process that starts anew: nothing is under way on any connection any more. */
void sim_network_reset(struct sim_network *network);

uint64_t sim_network_faults_met(const struct sim_network *network, enum sim_network_fault_kind kind);
uint64_t sim_network_requests(const struct sim_network *network);
size_t sim_network_delayed(const struct sim_network *network);

#endif
