/* What happens to one of several nodes, or to the only one: it can't be reached, lies about what a quorum decides, or
 * is restarted on another history of the chain. */
#include "world.h"

#include "base/cleanup.h"

void world_cut_off_node(struct world *world, struct sim_treasury *treasury, const struct event *event)
{
    struct node_set *nodes = &treasury->nodes;
    if (nodes->count > 1)
        node_set_cut_off(nodes, event->a % nodes->count,
                         (enum sim_node_reach)(SIM_NODE_DOWN + event->b % (SIM_NODE_REACHES - SIM_NODE_DOWN)),
                         world->step + 1 + event->c % 30);
}

/* Once, or every time from now on. */
void world_node_lies(struct sim_treasury *treasury, const struct event *event)
{
    static const enum sim_lie lies[] = { SIM_LIE_FALSE_OUTCOME, SIM_LIE_FALSE_FINAL,    SIM_LIE_FALSE_NONCE,
                                         SIM_LIE_FALSE_BLOCK,   SIM_LIE_EMPTY_BLOCK,    SIM_LIE_FALSE_CODE,
                                         SIM_LIE_OTHER_GENESIS, SIM_LIE_OTHER_CHAIN_ID, SIM_LIE_FALSE_BALANCE };
    const struct node_set *nodes = &treasury->nodes;
    if (nodes->liar < nodes->count)
        sim_node_script(nodes->nodes[nodes->liar], lies[event->a % COUNT_OF(lies)], event->c % 4,
                        event->b % 3 ? 1 + event->b / 3 % 20 : UINT32_MAX, 1 + event->c / 4 % 5);
}

/* Ahead of the chain that it left, and with plenty on every account. */
static struct sim_chain *make_other_chain(const struct world *world)
{
    struct sim_chain *chain = sim_chain_new(sim_chain_settings(world->chain));
    for (size_t i = 0; i < world->treasury_count; i++) {
        const struct sim_treasury *treasury = &world->treasuries[i];
        sim_chain_set_first_nonce(chain, &treasury->payer.address, treasury->first_nonce);
        sim_chain_deposit(chain, &treasury->payer.address, bursar_amount_from_u64(1000000000000000000ull));
    }
    sim_chain_set_next_time(chain, world->now_ms / 1000 + 1000);
    sim_chain_mine(chain, sim_chain_height(world->chain) + 3);
    return chain;
}

/* What was never seen to be final can't be missed. */
static bool is_anchored(const struct world *world, const struct sim_treasury *treasury)
{
    struct sqlite_store *sqlite = NULL;
    struct treasury stored = { 0 };
    struct bursar_error err = { 0 };
    if (sqlite_store_open(world->office.store_path, SQLITE_MODE_READ, NULL, NULL, &sqlite, &err) != BURSAR_OK)
        return false;
    struct store store = sqlite_store_interface(sqlite);
    bool ok = store.treasury_get(store.ctx, treasury->payer.id, &stored, &err) == BURSAR_OK;
    sqlite_store_close(sqlite);
    return ok && stored.is_pinned && stored.anchor.number > 0;
}

void world_move_node(struct world *world, struct sim_treasury *treasury, const struct event *event)
{
    if (treasury->nodes.moved_until || treasury->causes.old_store || !is_anchored(world, treasury))
        return;
    if (!world->other_chain)
        world->other_chain = make_other_chain(world);
    node_set_move(&treasury->nodes, world->other_chain, world->step + 1 + event->a % 20);
}
