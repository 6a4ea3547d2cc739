/* Builds the chain of a process, as the command line does it for its URLs. */
#include "way.h"

#include <stdio.h>

void way_init(struct way *way, const struct node_set *set, const bool *is_dead)
{
    way->count = set->count;
    for (size_t i = 0; i < way->count; i++)
        way->networks[i] = sim_network_new(set->nodes[i], is_dead);
}

void way_free(struct way *way)
{
    for (size_t i = 0; i < way->count; i++)
        sim_network_free(way->networks[i]);
    *way = (struct way){ .count = 0 };
}

void way_close(struct way *way)
{
    nodes_free(way->nodes);
    way->nodes = NULL;
    for (size_t i = 0; i < way->count; i++) {
        evm_chain_free(way->evms[i]);
        way->evms[i] = NULL;
        sim_network_reset(way->networks[i]);
    }
}

uint64_t way_faults_met(const struct way *way, enum sim_network_fault_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < way->count; i++)
        sum += sim_network_faults_met(way->networks[i], kind);
    return sum;
}

/* --- what is heard --- */

static void hear(struct way *way, const struct submit_result *said, size_t count)
{
    for (size_t i = 0; i < count; i++)
        way->may_have_arrived[i] = way->may_have_arrived[i] || said[i].verdict == SUBMIT_UNKNOWN;
}

/* Somebody has it, or nobody knows. */
static bool is_open(enum submit_verdict verdict)
{
    return verdict == SUBMIT_ACCEPTED || verdict == SUBMIT_KNOWN || verdict == SUBMIT_UNKNOWN ||
           verdict == SUBMIT_CONTESTED;
}

void way_judge(struct way *way, const struct submit_result *merged, size_t count)
{
    for (size_t i = 0; i < count && way->count > 1; i++) {
        if (way->may_have_arrived[i] && !is_open(merged[i].verdict))
            finding_add(way->finding, PROPERTY_FALSE_VERDICT, *way->step,
                        "a transaction is called %s, and a node that gave no answer may have it",
                        submit_verdict_name(merged[i].verdict));
        way->may_have_arrived[i] = false;
    }
}

/* --- one of several: its driver, overheard --- */

#define PASSED_ON(name, parameters, ...)                                                                               \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        const struct chain *chain = &((struct way_member *)ctx)->chain;                                                \
        return chain->name(chain->ctx, __VA_ARGS__, err);                                                              \
    }

#define OVERHEARD(name, parameters, ...)                                                                               \
    static enum bursar_status name parameters                                                                          \
    {                                                                                                                  \
        const struct way_member *member = ctx;                                                                         \
        enum bursar_status status = member->chain.name(member->chain.ctx, __VA_ARGS__, err);                           \
        hear(member->way, ret, count);                                                                                 \
        return status;                                                                                                 \
    }

PASSED_ON(observe, (void *ctx, const struct chain_query *query, struct chain_view *ret, struct bursar_error *err),
          query, ret)
PASSED_ON(blocks, (void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret, struct bursar_error *err),
          numbers, count, ret)
PASSED_ON(receipts,
          (void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
           struct bursar_error *err),
          hashes, count, ret)
PASSED_ON(transactions,
          (void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_transaction *ret,
           struct bursar_error *err),
          hashes, count, ret)
PASSED_ON(bodies,
          (void *ctx, const struct bursar_address *account, const uint64_t *numbers, size_t count,
           struct chain_body *ret, struct bursar_error *err),
          account, numbers, count, ret)
PASSED_ON(raws,
          (void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_raw *ret, struct bursar_error *err),
          hashes, count, ret)
PASSED_ON(has_code,
          (void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses, size_t count, bool *ret,
           struct bursar_error *err),
          at, addresses, count, ret)
PASSED_ON(tokens,
          (void *ctx, const struct chain_block_ref *at, const struct bursar_address *list, size_t count,
           struct chain_token *ret, struct bursar_error *err),
          at, list, count, ret)
PASSED_ON(token_balances,
          (void *ctx, const struct chain_block_ref *at, const struct bursar_address *account,
           const struct bursar_address *list, size_t count, struct chain_token_balance *ret, struct bursar_error *err),
          at, account, list, count, ret)
PASSED_ON(estimate,
          (void *ctx, const struct chain_trial *trial, const struct chain_payload *calls, size_t count,
           struct chain_estimate *ret, struct bursar_error *err),
          trial, calls, count, ret)
PASSED_ON(submit_start,
          (void *ctx, size_t lane, const struct raw_transaction *list, size_t count, struct bursar_error *err), lane,
          list, count)
OVERHEARD(submit,
          (void *ctx, const struct raw_transaction *list, size_t count, struct submit_result *ret,
           struct bursar_error *err),
          list, count, ret)
OVERHEARD(submit_finish,
          (void *ctx, size_t lane, const struct raw_transaction *list, size_t count, struct submit_result *ret,
           struct bursar_error *err),
          lane, list, count, ret)

static struct chain overheard(struct way *way, size_t i)
{
    struct way_member *member = &way->members[i];
    *member = (struct way_member){ .way = way, .chain = evm_chain_interface(way->evms[i]) };
    return (struct chain){ .ctx = member,
                           .observe = observe,
                           .blocks = blocks,
                           .receipts = receipts,
                           .transactions = transactions,
                           .bodies = bodies,
                           .raws = raws,
                           .has_code = has_code,
                           .tokens = tokens,
                           .token_balances = token_balances,
                           .estimate = estimate,
                           .submit = submit,
                           .lanes = member->chain.lanes,
                           .submit_start = submit_start,
                           .submit_finish = submit_finish };
}

static void take_trouble(void *ctx, struct rpc_trouble *ret)
{
    evm_chain_take_trouble(ctx, ret);
}

/* --- all of them --- */

static enum bursar_status open_driver(struct way *way, size_t i, size_t lanes, struct bursar_error *err)
{
    enum bursar_status status = evm_chain_new(sim_network_rpc(way->networks[i], 0), &way->evms[i], err);
    for (size_t lane = 0; lane < lanes && status == BURSAR_OK; lane++)
        status = evm_chain_add_lane(way->evms[i], sim_network_rpc(way->networks[i], 1 + lane), err);
    return status;
}

static enum bursar_status add_member(struct way *way, size_t i, struct bursar_error *err)
{
    char name[32];
    (void)snprintf(name, sizeof name, "http://node%zu", i);
    struct nodes_member member = {
        .name = name, .chain = overheard(way, i), .trouble_ctx = way->evms[i], .take_trouble = take_trouble
    };
    return nodes_add(way->nodes, &member, err);
}

enum bursar_status way_open(struct way *way, const struct way_setup *setup, struct chain *ret, struct bursar_error *err)
{
    const struct nodes_config config = { .quorum = setup->set->quorum, .clock = setup->clock };
    enum bursar_status status = BURSAR_OK;
    way->finding = setup->finding;
    way->step = setup->step;
    for (size_t i = 0; i < way->count && status == BURSAR_OK; i++)
        status = open_driver(way, i, setup->lanes, err);
    if (status != BURSAR_OK)
        return status;
    if (way->count == 1) {
        *ret = evm_chain_interface(way->evms[0]);
        return BURSAR_OK;
    }
    status = nodes_new(&config, &way->nodes, err);
    for (size_t i = 0; i < way->count && status == BURSAR_OK; i++)
        status = add_member(way, i, err);
    return status == BURSAR_OK ? nodes_interface(way->nodes, ret, err) : status;
}
