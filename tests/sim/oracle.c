/* What must be true at any time. */
#include "oracle.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

struct nonce_use {
    uint32_t leader; /* + 1; 0: none */
    bool is_dead;    /* used by somebody else, or by a cancel that was forgotten: its payment may have another one */
};

struct uses {
    struct nonce_use *of[TREASURIES_MAX_COUNT];
    size_t count[TREASURIES_MAX_COUNT];
};

static const struct sim_treasury *treasury_of(const struct world *world, const struct bursar_address *account)
{
    for (size_t i = 0; i < world->treasury_count; i++) {
        if (address_equal(&world->treasuries[i].payer.address, account))
            return &world->treasuries[i];
    }
    return NULL;
}

static struct nonce_use *use_at(struct uses *uses, unsigned treasury, uint64_t nonce)
{
    if (nonce >= uses->count[treasury]) {
        size_t count = (size_t)nonce * 2 + 64;
        struct nonce_use *of = realloc(uses->of[treasury], count * sizeof *of);
        if (!of)
            abort(); /* nothing that was judged before would be worth anything */
        memset(of + uses->count[treasury], 0, (count - uses->count[treasury]) * sizeof *of);
        uses->of[treasury] = of;
        uses->count[treasury] = count;
    }
    return &uses->of[treasury][nonce];
}

/* It may pay what a row asks for, as if by hand. */
static void check_foreign(struct world *world, const struct sim_treasury *treasury, const struct sim_transaction *tx)
{
    struct input_row *leader = inputs_leader(&world->inputs, &tx->to);
    if (leader && !leader->token && leader->treasury == treasury->number && tx->canonical != SIM_NONE &&
        bursar_amount_compare(leader->amount, tx->value) == 0 &&
        sim_chain_inclusion(world->chain, tx->canonical)->succeeded)
        leader->by_hand++;
}

/* Whatever was handed over pays a row what it is owed, and means it for ever. */
static void check_transaction(struct world *world, const struct sim_transaction *tx, struct uses *uses)
{
    const struct sim_treasury *treasury = treasury_of(world, &tx->from);
    char text[HASH_TEXT_BYTES];
    if (!treasury)
        return;
    if (tx->is_foreign) {
        check_foreign(world, treasury, tx);
        return;
    }
    if (address_equal(&tx->to, &tx->from) && bursar_amount_is_zero(tx->value))
        return;
    struct bursar_address to = tx->to;
    struct bursar_amount amount = tx->value;
    const enum sim_token token = sim_token_at(&tx->to);
    bool is_payment = token
                          ? bursar_amount_is_zero(tx->value) && sim_token_reads(tx->data, tx->data_bytes, &to, &amount)
                          : tx->data_bytes == 0;
    struct input_row *leader = inputs_leader(&world->inputs, &to);
    if (!is_payment || !leader || leader->token != token || leader->treasury != treasury->number ||
        bursar_amount_compare(leader->amount, amount) != 0) {
        hash_to_text(&tx->hash, text);
        finding_add(&world->finding, PROPERTY_PAID_UNASKED, world->step, "nobody asked for transaction %s", text);
        return;
    }
    uint32_t index = (uint32_t)(leader - world->inputs.rows) + 1;
    struct nonce_use *use = use_at(uses, treasury->number, tx->nonce);
    if (use->leader && use->leader != index)
        finding_add(&world->finding, PROPERTY_TWO_PAYLOADS, world->step, "nonce %llu of t%u pays two things: %s and %s",
                    (ull)tx->nonce, treasury->number, world->inputs.rows[use->leader - 1].ref, leader->ref);
    if (!use->leader && !use->is_dead)
        leader->nonces++;
    use->leader = index;
    if (tx->canonical == SIM_NONE)
        return;
    const struct sim_inclusion *inclusion = sim_chain_inclusion(world->chain, tx->canonical);
    if (inclusion->succeeded && (!token || !bursar_amount_is_zero(inclusion->moved)))
        leader->paid++;
}

static bool kills_nonce(const struct sim_treasury *treasury, const struct sim_transaction *tx)
{
    return tx->is_foreign || (treasury->was_adopted && address_equal(&tx->to, &tx->from));
}

static void see_dead(const struct world *world, struct uses *uses)
{
    bool any = sim_chain_counts(world->chain)->foreign > 0;
    for (size_t i = 0; i < world->treasury_count; i++)
        any = any || world->treasuries[i].was_adopted;
    size_t count = any ? sim_chain_transaction_count(world->chain) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(world->chain, i);
        const struct sim_treasury *treasury = treasury_of(world, &tx->from);
        if (treasury && tx->canonical != SIM_NONE && kills_nonce(treasury, tx))
            use_at(uses, treasury->number, tx->nonce)->is_dead = true;
    }
}

static void check_row(struct world *world, const struct input_row *row)
{
    struct finding *finding = &world->finding;
    if (row->paid > row->asked)
        finding_add(finding, PROPERTY_PAID_TWICE, world->step, "%s was paid: %u payments for %u refs", row->ref,
                    row->paid, row->asked);
    else if (row->paid + row->cancelled_for_sure > row->asked)
        finding_add(finding, PROPERTY_PAID_CANCELLED, world->step, "%s was paid although it had been cancelled",
                    row->ref);
    /* What reverted is retried, with another nonce. */
    if (row->kind == DESTINATION_PLAIN && row->nonces > row->asked)
        finding_add(finding, PROPERTY_TWO_NONCES, world->step, "%s went out with %u nonces for %u refs", row->ref,
                    row->nonces, row->asked);
}

void oracle_check(struct world *world)
{
    struct inputs *inputs = &world->inputs;
    struct uses uses = { 0 };
    for (size_t i = 0; i < inputs->row_count; i++)
        inputs->rows[i].paid = inputs->rows[i].by_hand = inputs->rows[i].nonces = inputs->rows[i].cancelled_for_sure =
            inputs->rows[i].cancelled_perhaps = 0;
    for (size_t i = 0; i < inputs->row_count; i++) {
        struct input_row *leader = &inputs->rows[inputs->rows[i].leader];
        leader->cancelled_for_sure += inputs->rows[i].cancelled == CANCELLED_FOR_SURE;
        leader->cancelled_perhaps += inputs->rows[i].cancelled == CANCELLED_MAYBE;
    }
    size_t count = sim_chain_transaction_count(world->chain);
    see_dead(world, &uses);
    for (uint32_t i = 0; i < count; i++)
        check_transaction(world, sim_chain_transaction(world->chain, i), &uses);
    for (size_t i = 0; i < inputs->row_count; i++)
        check_row(world, &inputs->rows[i]);
    if (!sim_chain_conserves(world->chain))
        finding_add(&world->finding, PROPERTY_SUMS, world->step, "balances and fees are not what was deposited");
    for (size_t i = 0; i < TREASURIES_MAX_COUNT; i++)
        free(uses.of[i]);
}
