/* What happens to the money breaker, and to the money. */
#include "world.h"

#define RATE_MIN_WEI 5000000 /* above what any row asks for: no single payment is above any limit */

static void draw_limits(struct random *random, struct money_limits *ret)
{
    if (random_chance(random, 1, 2)) {
        ret->reverts = 1 + random_below(random, 5);
        ret->window_ms = 1000 * (1 + random_below(random, 300));
    }
    ret->watches_foreign_nonce = random_chance(random, 2, 3);
    ret->watches_balance = random_chance(random, 4, 5);
    if (random_chance(random, 1, 8))
        ret->balance_tolerance = bursar_amount_from_u64(random_below(random, 1000000));
    if (random_chance(random, 1, 4))
        ret->payments_per_hour = 5 + random_below(random, 100);
    for (enum sim_token token = SIM_TOKEN_NONE; token < SIM_TOKENS && random_chance(random, 1, 3); token++) {
        struct money_rate *rate = &ret->rates[ret->rate_count++];
        rate->asset.is_token = token != SIM_TOKEN_NONE;
        if (rate->asset.is_token)
            rate->asset.token = sim_token_address(token);
        rate->per_hour = bursar_amount_from_u64(RATE_MIN_WEI + random_below(random, 20 * (uint64_t)RATE_MIN_WEI));
    }
}

void world_limit_money(struct world *world)
{
    for (size_t i = 0; i < world->treasury_count; i++) {
        struct random random = random_stream(&world->random, "money", i);
        draw_limits(&random, &world->treasuries[i].setup.config.money);
    }
}

bool world_command_money(struct world *world, struct sim_treasury *treasury, bool opens)
{
    struct money_witness *witness = &treasury->witness.money;
    if (!opens)
        money_witness_closing(witness);
    const bool is_done = office_money(&world->office, &treasury->payer, opens);
    money_witness_commanded(witness, opens, is_done);
    return is_done;
}

void world_open_money_midway(struct process *process, const struct event *event)
{
    if (!process->is_up || process->is_frozen || process->freeze_in)
        return;
    process->freeze_at = event->b % 2 ? "bind" : "attempts_add";
    process->freeze_in = 1;
    process->freeze_steps = 1 + event->c % 3;
    process->opens_money = true;
}

void world_close_money(struct world *world, struct sim_treasury *treasury)
{
    if (office_sees_money_open(&world->office, &treasury->payer))
        (void)world_command_money(world, treasury, false);
}

/* From a single wei to all that is there. */
void world_take_money(struct world *world, struct sim_treasury *treasury, const struct event *event)
{
    static const uint64_t limits_wei[] = { 1, 1000, 50000000, UINT64_MAX };
    const uint64_t most = limits_wei[event->a % 8 < 3 ? event->a % 8 : event->a % 64 == 63 ? 3 : 2];
    sim_chain_take(world->chain, &treasury->payer.address,
                   bursar_amount_from_u64(most == UINT64_MAX ? most : 1 + event->b % most));
    treasury->witness.money.any_taken = true;
    world->counts.taken++;
}
