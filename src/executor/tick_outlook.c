/* What paying each row of a batch takes: most are plain transfers; what holds code is tried out before it is bound, so
 * that what would be reverted is found out without a nonce, and its neighbours go on. */
#include "executor/tick.h"

#include <stdio.h>
#include <stdlib.h>

#define ESTIMATES_PER_TICK 50

/* Which of the destinations hold code. */
static enum bursar_status look_for_code(struct executor *executor, const struct tick *tick, const struct due_row *rows,
                                        size_t count, bool *ret, struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_address *destinations = calloc(count, sizeof *destinations);
    if (!destinations)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        destinations[i] = rows[i].destination;
    enum bursar_status status = chain->has_code(chain->ctx, &tick->view.latest.block, destinations, count, ret, err);
    free(destinations);
    return status;
}

/* INV-5: a failed read decides nothing but that it is made again. */
static void stay_unknown(struct outlook *outlook, const struct bursar_error *fault)
{
    outlook->estimate = (struct chain_estimate){ .outcome = ESTIMATE_UNKNOWN };
    (void)snprintf(outlook->estimate.words, sizeof outlook->estimate.words, "%.*s", CHAIN_WORDS_MAX_BYTES - 1,
                   fault->message);
    if (fault->status == BURSAR_ESTALE || fault->status == BURSAR_ECANCELLED) /* in the next tick, at another block */
        outlook->kind = OUTLOOK_LATER;
}

/* Tries out what is to be: those of the outlooks that are ESTIMATED. */
static void try_out(struct executor *executor, struct tick *tick, const struct due_row *rows, size_t count,
                    struct outlook *outlooks)
{
    struct chain *chain = &executor->env.chain;
    struct chain_payload calls[ESTIMATES_PER_TICK];
    struct chain_estimate estimates[ESTIMATES_PER_TICK];
    struct call_data data[ESTIMATES_PER_TICK];
    struct outlook *tried[ESTIMATES_PER_TICK];
    struct bursar_error fault = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < count && n < ESTIMATES_PER_TICK; i++) {
        if (outlooks[i].kind != OUTLOOK_ESTIMATED)
            continue;
        plan_payment(&rows[i], executor->config.tags, &calls[n].to, &calls[n].value, &data[n]);
        calls[n].data = data[n].bytes;
        calls[n].data_bytes = data[n].length_bytes;
        calls[n].may_return_false = rows[i].asset.is_token;
        tried[n++] = &outlooks[i];
    }
    if (n == 0 || !chain->estimate)
        return;
    const struct chain_trial trial = { .at = tick->view.latest.block,
                                       .from = tick->treasury.address,
                                       .gas_max = GAS_LIMIT_MAX };
    enum bursar_status status = chain->estimate(chain->ctx, &trial, calls, n, estimates, &fault);
    if (status != BURSAR_OK)
        tick_note_fault(executor, tick, &fault);
    for (size_t i = 0; i < n; i++) {
        if (status == BURSAR_OK)
            tried[i]->estimate = estimates[i];
        else
            stay_unknown(tried[i], &fault);
    }
}

enum bursar_status tick_purses(struct executor *executor, const struct tick *tick, struct purse *purses, size_t count,
                               struct bursar_error *err)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_address tokens[PURSES_MAX_COUNT];
    struct chain_token_balance balances[PURSES_MAX_COUNT];
    if (count == 0 || !chain->token_balances)
        return BURSAR_OK;
    for (size_t i = 0; i < count; i++)
        tokens[i] = purses[i].token;
    enum bursar_status status = chain->token_balances(chain->ctx, &tick->view.latest.block, &tick->treasury.address,
                                                      tokens, count, balances, err);
    for (size_t i = 0; i < count && status == BURSAR_OK; i++) {
        if (balances[i].is_known)
            plan_purse_available(&purses[i], &balances[i].amount, executor->scratch.flights,
                                 executor->scratch.flight_count);
    }
    return status;
}

bool tick_outlooks(struct executor *executor, struct tick *tick, const struct due_row *rows, size_t count,
                   const struct fees *fees, struct purse *purses, size_t *ret_purse_count, struct outlook *ret)
{
    struct bursar_error fault = { 0 };
    bool has_code[DUE_MAX_ROWS];
    if (look_for_code(executor, tick, rows, count, has_code, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return false;
    }
    *ret_purse_count = plan_purses(rows, count, purses);
    if (tick_purses(executor, tick, purses, *ret_purse_count, &fault) != BURSAR_OK)
        tick_note_fault(executor, tick, &fault); /* what owes tokens is asked about again, the others go on */
    plan_outlooks(rows, has_code, count, executor->env.chain.estimate != NULL, ESTIMATES_PER_TICK,
                  fees->max_fee_per_gas_wei, &executor->snapshot.available, purses, *ret_purse_count, ret);
    try_out(executor, tick, rows, count, ret);
    for (size_t i = 0; i < count; i++)
        tick->go_on = tick->go_on || (ret[i].kind == OUTLOOK_LATER && !tick->failed);
    return true;
}
