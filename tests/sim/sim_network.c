/* Requests on their way. What a caller is told is what the HTTP transport would tell it: certainly not sent, or not
 * known (INV-5). */
#include "sim_network.h"

#include "sim_map.h"

#define BUSY_RETRY_AFTER_MS 3000
#define SEND_METHOD "eth_sendRawTransaction"

struct connection {
    struct sim_network *network;
    bool is_started, is_answered;
    struct rpc_request requests[RPC_START_MAX_CALLS]; /* not answered yet: owned */
    struct rpc_reply replies[RPC_START_MAX_CALLS];    /* answered */
    size_t count;
    enum bursar_status status;
    struct bursar_error error;
    struct rpc_trouble trouble; /* not taken yet */
};

/* A transaction that arrives when the chain is that high. */
struct delayed {
    uint64_t height;
    json_t *params;
};

struct sim_network {
    struct sim_node *node;
    const bool *is_dead;
    enum sim_network_lanes lanes;
    bool last_words_arrive;
    struct sim_network_fault faults[SIM_NETWORK_FAULTS_MAX_COUNT];
    size_t fault_count;
    struct delayed *delayed;
    size_t delayed_count, delayed_capacity;
    uint64_t met[SIM_NETWORK_FAULTS], requests;
    struct connection connections[SIM_CONNECTIONS_MAX_COUNT];
};

const char *sim_network_fault_name(enum sim_network_fault_kind kind)
{
    static const char *const names[SIM_NETWORK_FAULTS] = {
        [SIM_NETWORK_UNREACHABLE] = "unreachable",
        [SIM_NETWORK_REQUEST_LOST] = "request_lost",
        [SIM_NETWORK_REPLY_LOST] = "reply_lost",
        [SIM_NETWORK_HTTP_ERROR] = "http_error",
        [SIM_NETWORK_HTTP_ERROR_LATE] = "http_error_late",
        [SIM_NETWORK_GARBAGE] = "garbage",
        [SIM_NETWORK_REFUSED_BATCH] = "refused_batch",
        [SIM_NETWORK_CUT] = "cut",
        [SIM_NETWORK_UNANSWERED] = "unanswered",
        [SIM_NETWORK_TWICE] = "twice",
        [SIM_NETWORK_DELAYED] = "delayed",
        [SIM_NETWORK_AGAIN] = "again",
    };
    return names[kind];
}

struct sim_network *sim_network_new(struct sim_node *node, const bool *is_dead)
{
    struct sim_network *network = sim_allocate(1, sizeof *network);
    network->node = node;
    network->is_dead = is_dead;
    for (size_t i = 0; i < SIM_CONNECTIONS_MAX_COUNT; i++)
        network->connections[i].network = network;
    return network;
}

void sim_network_free(struct sim_network *network)
{
    if (!network)
        return;
    sim_network_reset(network);
    for (size_t i = 0; i < network->delayed_count; i++)
        json_decref(network->delayed[i].params);
    free(network->delayed);
    free(network);
}

void sim_network_set_node(struct sim_network *network, struct sim_node *node)
{
    network->node = node;
}

bool sim_network_script(struct sim_network *network, const struct sim_network_fault *fault)
{
    if (network->fault_count == SIM_NETWORK_FAULTS_MAX_COUNT)
        return false;
    network->faults[network->fault_count++] = *fault;
    return true;
}

void sim_network_set_lanes(struct sim_network *network, enum sim_network_lanes lanes)
{
    network->lanes = lanes;
}

void sim_network_set_last_words(struct sim_network *network, bool arrive)
{
    network->last_words_arrive = arrive;
}

void sim_network_heal(struct sim_network *network)
{
    network->fault_count = 0;
}

uint64_t sim_network_faults_met(const struct sim_network *network, enum sim_network_fault_kind kind)
{
    return network->met[kind];
}

uint64_t sim_network_requests(const struct sim_network *network)
{
    return network->requests;
}

size_t sim_network_delayed(const struct sim_network *network)
{
    return network->delayed_count;
}

/* --- what is delayed --- */

static void deliver_until(struct sim_network *network, uint64_t height)
{
    size_t kept = 0;
    for (size_t i = 0; i < network->delayed_count; i++) {
        struct rpc_reply nobody_waits = { 0 };
        struct delayed *late = &network->delayed[i];
        if (late->height > height) {
            network->delayed[kept++] = *late;
            continue;
        }
        sim_node_answer(network->node, SEND_METHOD, late->params, &nobody_waits);
        rpc_replies_clear(&nobody_waits, 1);
        json_decref(late->params);
    }
    network->delayed_count = kept;
}

void sim_network_deliver(struct sim_network *network)
{
    if (network->delayed_count > 0)
        deliver_until(network, sim_chain_height(sim_node_chain(network->node)));
}

void sim_network_flush(struct sim_network *network)
{
    deliver_until(network, UINT64_MAX);
}

static void delay(struct sim_network *network, const struct rpc_request *requests, size_t count, uint64_t blocks)
{
    uint64_t height = sim_chain_height(sim_node_chain(network->node));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(requests[i].method, SEND_METHOD) != 0)
            continue;
        network->delayed =
            sim_grow(network->delayed, network->delayed_count, &network->delayed_capacity, sizeof *network->delayed);
        network->delayed[network->delayed_count++] =
            (struct delayed){ .height = height + blocks, .params = json_incref(requests[i].params) };
    }
}

/* --- one request --- */

static bool applies(const struct sim_network_fault *fault, bool is_submit)
{
    return fault->only == SIM_ANY_REQUEST || (fault->only == SIM_ONLY_SUBMITS) == is_submit;
}

/* The fault that this request meets; SIM_NETWORK_FAULTS: none. A request that meets one is not seen by the others. */
static enum sim_network_fault_kind meet(struct sim_network *network, const struct rpc_request *requests,
                                        uint64_t *ret_amount)
{
    bool is_submit = strcmp(requests[0].method, SEND_METHOD) == 0;
    enum sim_network_fault_kind met = SIM_NETWORK_FAULTS;
    size_t kept = 0;
    for (size_t i = 0; i < network->fault_count; i++) {
        struct sim_network_fault *fault = &network->faults[i];
        if (met == SIM_NETWORK_FAULTS && applies(fault, is_submit)) {
            if (fault->skip > 0) {
                fault->skip--;
            } else if (fault->count > 0) {
                fault->count--;
                met = fault->kind;
                *ret_amount = fault->amount;
            }
        }
        if (fault->count > 0)
            network->faults[kept++] = *fault;
    }
    network->fault_count = kept;
    if (met != SIM_NETWORK_FAULTS)
        network->met[met]++;
    return met;
}

static void answer(struct sim_network *network, const struct rpc_request *requests, size_t count, struct rpc_reply *ret)
{
    for (size_t i = 0; i < count; i++)
        sim_node_answer(network->node, requests[i].method, requests[i].params, &ret[i]);
}

/* Gives up the replies there are. */
static void leave_unanswered(struct rpc_reply *replies, size_t count, enum rpc_outcome outcome, const char *message)
{
    for (size_t i = 0; i < count; i++) {
        rpc_replies_clear(&replies[i], 1);
        replies[i].outcome = outcome;
        replies[i].code = 0;
        (void)snprintf(replies[i].message, sizeof replies[i].message, "%s", message);
    }
}

/* No usable reply at all. */
static enum bursar_status fail_all(struct rpc_reply *replies, size_t count, enum bursar_status status,
                                   const char *message, struct bursar_error *err)
{
    leave_unanswered(replies, count, status == BURSAR_EUNREACHABLE ? RPC_UNSENT : RPC_UNKNOWN, message);
    return bursar_fail(err, status, "%s", message);
}

static enum bursar_status answer_some(struct rpc_reply *replies, size_t first, size_t count, size_t of,
                                      struct bursar_error *err)
{
    leave_unanswered(replies + first, count, RPC_UNKNOWN, "the node did not answer this call");
    if (count == 0)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EPROTOCOL, "%zu of %zu calls got no usable answer", count, of);
}

/* Delivers again, after `replies` were given; which answers count is the caller's to say. */
static void deliver_again(struct sim_network *network, const struct rpc_request *requests, size_t count,
                          struct rpc_reply *replies, bool second_counts)
{
    for (size_t i = 0; i < count; i++) {
        struct rpc_reply second;
        sim_node_answer(network->node, requests[i].method, requests[i].params, &second);
        if (second_counts) {
            rpc_replies_clear(&replies[i], 1);
            replies[i] = second;
        } else {
            rpc_replies_clear(&second, 1);
        }
    }
}

/* Whatever is scripted: there is no way to this node. */
static enum bursar_status carry_nowhere(struct sim_network *network, const struct rpc_request *requests, size_t count,
                                        struct rpc_reply *ret, struct rpc_trouble *trouble, struct bursar_error *err)
{
    switch (sim_node_reach(network->node)) {
    case SIM_NODE_MUTE:
        network->met[SIM_NETWORK_REPLY_LOST]++;
        answer(network, requests, count, ret);
        return fail_all(ret, count, BURSAR_EUNKNOWN, "no complete reply in time", err);
    case SIM_NODE_BUSY:
        network->met[SIM_NETWORK_REFUSED_BATCH]++;
        trouble->retry_after_ms = BUSY_RETRY_AFTER_MS;
        return fail_all(ret, count, BURSAR_EUNKNOWN, "HTTP 429: too many requests", err);
    case SIM_NODE_DOWN:
    case SIM_NODE_REACHED:
    case SIM_NODE_REACHES:
        break;
    }
    network->met[SIM_NETWORK_UNREACHABLE]++;
    return fail_all(ret, count, BURSAR_EUNREACHABLE, "connection refused", err);
}

/* One request of 1 .. RPC_START_MAX_CALLS calls, with what happens to it on the way. Params stay with the caller; `ret`
 * holds nothing. */
static enum bursar_status carry_request(struct sim_network *network, const struct rpc_request *requests, size_t count,
                                        struct rpc_reply *ret, struct rpc_trouble *trouble, struct bursar_error *err)
{
    uint64_t amount = 0;
    for (size_t i = 0; i < count; i++)
        ret[i].result = ret[i].data = NULL;
    network->requests++;
    if (sim_node_reach(network->node) != SIM_NODE_REACHED)
        return carry_nowhere(network, requests, count, ret, trouble, err);
    enum sim_network_fault_kind fault = meet(network, requests, &amount);
    size_t some = amount < count ? (size_t)amount : count;
    switch (fault) {
    case SIM_NETWORK_UNREACHABLE:
        return fail_all(ret, count, BURSAR_EUNREACHABLE, "connection refused", err);
    case SIM_NETWORK_REQUEST_LOST:
        return fail_all(ret, count, BURSAR_EUNKNOWN, "no complete reply in time", err);
    case SIM_NETWORK_REPLY_LOST:
        answer(network, requests, count, ret);
        return fail_all(ret, count, BURSAR_EUNKNOWN, "the reply was cut off", err);
    case SIM_NETWORK_HTTP_ERROR:
        return fail_all(ret, count, BURSAR_EUNKNOWN, "HTTP 502: the reply is not JSON", err);
    case SIM_NETWORK_HTTP_ERROR_LATE:
        answer(network, requests, count, ret);
        return fail_all(ret, count, BURSAR_EUNKNOWN, "HTTP 502: the reply is not JSON", err);
    case SIM_NETWORK_GARBAGE:
        answer(network, requests, count, ret);
        return fail_all(ret, count, BURSAR_EPROTOCOL, "the reply is not JSON", err);
    case SIM_NETWORK_REFUSED_BATCH:
        return fail_all(ret, count, BURSAR_EPROTOCOL,
                        "the node answered the request as a whole with an error: too many requests (429)", err);
    case SIM_NETWORK_CUT:
        answer(network, requests, some, ret);
        return answer_some(ret, some, count - some, count, err);
    case SIM_NETWORK_UNANSWERED:
        answer(network, requests, count, ret);
        return answer_some(ret, 0, some ? some : 1, count, err);
    case SIM_NETWORK_TWICE:
        answer(network, requests, count, ret);
        deliver_again(network, requests, count, ret, amount > 0);
        return BURSAR_OK;
    case SIM_NETWORK_DELAYED:
        delay(network, requests, count, amount);
        return fail_all(ret, count, BURSAR_EUNKNOWN, "no complete reply in time", err);
    case SIM_NETWORK_AGAIN:
        delay(network, requests, count, amount);
        break;
    case SIM_NETWORK_FAULTS:
        break;
    }
    answer(network, requests, count, ret);
    return BURSAR_OK;
}

static enum bursar_status carry(struct connection *connection, const struct rpc_request *requests, size_t count,
                                struct rpc_reply *ret, struct bursar_error *err)
{
    struct rpc_trouble *trouble = &connection->trouble;
    enum bursar_status status = carry_request(connection->network, requests, count, ret, trouble, err);
    trouble->is_transport_fault = trouble->is_transport_fault || status != BURSAR_OK;
    return status;
}

/* --- struct rpc --- */

static bool is_dead(const struct sim_network *network)
{
    return network->is_dead && *network->is_dead;
}

static void release(struct rpc_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(requests[i].params);
        requests[i].params = NULL;
    }
}

static enum bursar_status call(void *ctx, struct rpc_request *requests, size_t count, struct rpc_reply *ret,
                               struct bursar_error *err)
{
    struct connection *connection = ctx;
    enum bursar_status status = BURSAR_OK;
    size_t done = 0;
    if (is_dead(connection->network))
        status = bursar_fail(err, BURSAR_EUNREACHABLE, "this process is dead");
    else if (connection->is_started)
        status = bursar_fail(err, BURSAR_EINTERNAL, "a request is under way already");
    while (done < count && status == BURSAR_OK) {
        size_t some = count - done < RPC_START_MAX_CALLS ? count - done : RPC_START_MAX_CALLS;
        status = carry(connection, requests + done, some, ret + done, err);
        done += some;
    }
    for (size_t i = done; i < count; i++) {
        ret[i] = (struct rpc_reply){ .outcome = RPC_UNSENT };
        (void)snprintf(ret[i].message, sizeof ret[i].message, "not sent");
    }
    release(requests, count);
    return status;
}

/* Delivers what was started, for whoever waits for the replies. */
static void deliver_started(struct connection *connection)
{
    connection->status =
        carry(connection, connection->requests, connection->count, connection->replies, &connection->error);
    connection->is_answered = true;
    release(connection->requests, connection->count);
}

static enum bursar_status start(void *ctx, struct rpc_request *requests, size_t count, struct bursar_error *err)
{
    struct connection *connection = ctx;
    enum bursar_status status = BURSAR_OK;
    if (is_dead(connection->network))
        status = bursar_fail(err, BURSAR_EUNREACHABLE, "this process is dead");
    else if (connection->is_started)
        status = bursar_fail(err, BURSAR_EINTERNAL, "a request is under way already");
    else if (count == 0 || count > RPC_START_MAX_CALLS)
        status = bursar_fail(err, BURSAR_ELIMIT, "%zu calls in one request", count);
    if (status != BURSAR_OK) {
        release(requests, count);
        return status;
    }
    memcpy(connection->requests, requests, count * sizeof *requests);
    for (size_t i = 0; i < count; i++)
        requests[i].params = NULL;
    connection->count = count;
    connection->is_started = true;
    connection->is_answered = false;
    if (connection->network->lanes == SIM_LANES_AT_START)
        deliver_started(connection);
    return BURSAR_OK;
}

/* Nobody waits for what is under way any more. */
static void abandon(struct connection *connection)
{
    if (!connection->is_started)
        return;
    if (connection->is_answered)
        rpc_replies_clear(connection->replies, connection->count);
    else
        release(connection->requests, connection->count);
    connection->is_started = false;
}

static enum bursar_status finish(void *ctx, struct rpc_reply *ret, struct bursar_error *err)
{
    struct connection *connection = ctx;
    const struct sim_network *network = connection->network;
    size_t count = connection->count;
    if (!connection->is_started)
        return bursar_fail(err, BURSAR_EINTERNAL, "no request is under way");
    if (!connection->is_answered && (!is_dead(network) || network->last_words_arrive))
        deliver_started(connection);
    if (is_dead(network)) {
        abandon(connection);
        for (size_t i = 0; i < count; i++)
            ret[i].result = ret[i].data = NULL;
        return fail_all(ret, count, BURSAR_EUNKNOWN, "this process is dead", err);
    }
    memcpy(ret, connection->replies, count * sizeof *ret);
    connection->is_started = false;
    if (connection->status == BURSAR_OK)
        return BURSAR_OK;
    return bursar_fail(err, connection->status, "%s", connection->error.message);
}

static void take_trouble(void *ctx, struct rpc_trouble *ret)
{
    struct connection *connection = ctx;
    *ret = connection->trouble;
    connection->trouble = (struct rpc_trouble){ 0 };
}

struct rpc sim_network_rpc(struct sim_network *network, size_t connection)
{
    return (struct rpc){ .ctx = &network->connections[connection],
                         .call = call,
                         .start = start,
                         .finish = finish,
                         .take_trouble = take_trouble };
}

void sim_network_reset(struct sim_network *network)
{
    for (size_t i = 0; i < SIM_CONNECTIONS_MAX_COUNT; i++) {
        abandon(&network->connections[i]);
        network->connections[i].trouble = (struct rpc_trouble){ 0 };
    }
}
