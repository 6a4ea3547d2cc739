/* The last judgement: everything is healed and rests. What is not paid needs a cause that is true; what the store and
 * `reconcile` say is held against the chain. */
#include "oracle.h"

#include "base/bytes.h"
#include "reconcile/reconcile.h"

#include <string.h>

#define TRANSFER_GAS 21000
#define CONTRACT_GAS_MAX 100000 /* with its margin */
#define MAX_TIP_WEI 2
#define MARK_LAG_BLOCKS 20 /* closed just now; or finality takes longer, as configured */

typedef unsigned long long ull;

/* One treasury at the end. */
struct judgement {
    struct world *world;
    struct sim_treasury *treasury;
    struct store store;
    enum halt_code halt;
    bool forced_open, money_open;
    bool foreign_mined, foreign_pooled;
    bool foreign_pays;                    /* ... and pays what some row asks for: only a person can tell */
    size_t foreign_count, foreign_stored; /* in blocks; and known to the store as such, or as a payment */
    struct bursar_amount found;           /* paid by them, and taken for the payments that they are */
    struct bursar_amount foreign_fees;    /* of those that the store knows: not of any before its first nonce */
    struct bursar_amount spendable;       /* by one payment, beyond its fees */
    struct bursar_amount spendable_by_contract;
    size_t rows_seen;
    uint64_t reconcile_differences;
    char first_difference[200];
};

static void finding(struct judgement *now, enum property property, const char *what, const char *ref)
{
    finding_add(&now->world->finding, property, now->world->step, "t%u: %s%s%s", now->treasury->number, ref,
                *ref ? ": " : "", what);
}

static void see_report(struct judgement *now)
{
    const struct world *world = now->world;
    for (size_t i = 0; i < world->process_count; i++) {
        const struct executor_report *report = &world->processes[i].report;
        if (world->owner[i] != now->treasury->number || !report->holds_lease)
            continue;
        now->halt = report->halt;
        now->forced_open = report->forced_open;
        now->money_open = report->money_open;
    }
}

/* Somebody else's transaction of this account: in a block; or only in a pool, where it shows and may never be mined. */
static bool was_foreign_used(const struct world *world, const struct bursar_address *account, bool also_pooled)
{
    size_t count = sim_chain_transaction_count(world->chain);
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(world->chain, i);
        if (tx->is_foreign && memcmp(tx->from.bytes, account->bytes, sizeof account->bytes) == 0 &&
            (tx->canonical != SIM_NONE || (also_pooled && tx->pools != 0)))
            return true;
    }
    return false;
}

static void count_foreign(struct judgement *now)
{
    const struct sim_chain *chain = now->world->chain;
    size_t count = sim_chain_transaction_count(chain);
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(chain, i);
        if (!tx->is_foreign || tx->canonical == SIM_NONE || !address_equal(&tx->from, &now->treasury->payer.address))
            continue;
        const struct input_row *leader = inputs_leader(&now->world->inputs, &tx->to);
        now->foreign_count++;
        now->foreign_pays =
            now->foreign_pays || (leader && !leader->token && bursar_amount_compare(leader->amount, tx->value) == 0);
    }
}

static bool add_fee(const struct sim_inclusion *inclusion, struct bursar_amount *sum)
{
    struct bursar_amount fee;
    return bursar_amount_multiply(bursar_amount_from_u64(inclusion->gas_price_wei), inclusion->gas_used, &fee) &&
           bursar_amount_add(*sum, fee, sum);
}

struct attempts_seen {
    struct judgement *now;
    uint64_t nonce;
    unsigned seq;
    size_t rows;
};

static enum bursar_status judge_attempt(void *ctx, const struct attempt_record *attempt)
{
    struct attempts_seen *seen = ctx;
    struct judgement *now = seen->now;
    const struct sim_chain *chain = now->world->chain;
    seen->nonce = attempt->nonce;
    seen->seq = attempt->seq;
    seen->rows++;
    bool is_exhibited = attempt->purpose == PURPOSE_FOREIGN || attempt->purpose == PURPOSE_FOUND;
    uint32_t index = sim_chain_find(chain, &attempt->hash);
    const struct sim_transaction *tx = index == SIM_NONE ? NULL : sim_chain_transaction(chain, index);
    if (!tx || tx->canonical == SIM_NONE) {
        if (is_exhibited)
            finding(now, PROPERTY_STORE_UNTRUE, "what it says has used a nonce has not", "");
        return BURSAR_OK;
    }
    if (attempt->purpose == PURPOSE_FOREIGN && !tx->is_foreign && !now->treasury->was_adopted)
        finding(now, PROPERTY_STORE_UNTRUE, "what it calls somebody else's is its own", "");
    now->foreign_stored += tx->is_foreign;
    if (tx->is_foreign && !add_fee(sim_chain_inclusion(chain, tx->canonical), &now->foreign_fees))
        finding(now, PROPERTY_SUMS, "a sum leaves 256 bits", "");
    if (attempt->purpose != PURPOSE_FOREIGN && tx->is_foreign && sim_chain_inclusion(chain, tx->canonical)->succeeded &&
        !bursar_amount_add(now->found, tx->value, &now->found))
        finding(now, PROPERTY_SUMS, "a sum leaves 256 bits", "");
    return BURSAR_OK;
}

static void see_foreign(struct judgement *now)
{
    struct attempts_seen seen = { .now = now };
    struct bursar_error err = { 0 };
    enum bursar_status status;
    count_foreign(now);
    do {
        seen.rows = 0;
        status = now->store.attempts(now->store.ctx, now->treasury->payer.id, seen.nonce, seen.seq, LIST_MAX_ROWS,
                                     judge_attempt, &seen, &err);
    } while (status == BURSAR_OK && seen.rows == LIST_MAX_ROWS);
    if (status != BURSAR_OK)
        finding(now, PROPERTY_BROKEN, err.message, "the attempts can't be listed");
}

/* --- halts --- */

static void tell_halt(const struct judgement *now)
{
    struct treasury stored = { 0 };
    struct bursar_error err = { 0 };
    if (now->store.treasury_get(now->store.ctx, now->treasury->payer.id, &stored, &err) != BURSAR_OK)
        stored = (struct treasury){ 0 };
    trace_headline(&now->world->trace, "t%u rests: halt %s%s%s%s", now->treasury->number,
                   now->halt ? halt_code_name(now->halt) : "none", now->forced_open ? ", breaker forced open" : "",
                   *stored.halt_reason ? ": " : "", stored.halt_reason);
}

static bool halt_is_justified(const struct judgement *now)
{
    const struct causes *causes = &now->treasury->causes;
    switch (now->halt) {
    case HALT_NONE:
        return true;
    case HALT_FOREIGN_NONCE: /* what is exhibited frees by itself, but for these */
        return now->treasury->was_adopted ||
               (now->foreign_mined && (now->foreign_pays || now->treasury->setup.config.finality_blocks > 0));
    case HALT_STORE_BEHIND_CHAIN:
        /* Signed anew after an adoption, because no node showed its bytes, and mined as it was signed at first. */
        return now->foreign_pooled || causes->old_store || now->treasury->was_adopted;
    case HALT_ACCOUNT_HISTORY:
        return now->foreign_pooled;
    case HALT_STORE_BEHIND_LOG:
        return causes->old_store || now->treasury->adoption_failed;
    case HALT_SIGNING_LOG_LOST:
        return causes->old_log;
    case HALT_GENESIS_MISMATCH:
        return now->treasury->nodes.quorum == 1 && node_set_lies_told(&now->treasury->nodes, SIM_LIE_OTHER_GENESIS) > 0;
    case HALT_ANCHOR_MISMATCH:
        return now->treasury->nodes.was_moved;
    case HALT_WRONG_CHAIN:
    case HALT_SIGNER:
    case HALT_CHAIN_UNSUITABLE:
        return false;
    }
    return false;
}

static void judge_halt(struct judgement *now)
{
    if (!halt_is_justified(now))
        finding(now, PROPERTY_HALT_UNTRUE, halt_code_name(now->halt), "");
    if (now->halt == HALT_NONE && now->foreign_stored != now->foreign_count && !now->treasury->was_adopted)
        finding(now, PROPERTY_HALT_UNTRUE, "somebody else used the key, nothing is halted, and it is not known", "");
}

/* --- rows --- */

static bool is_beyond_means(const struct judgement *now, const struct input_row *row)
{
    if (row->token) /* of tokens there are plenty */
        return bursar_amount_is_zero(now->spendable_by_contract);
    return bursar_amount_compare(row->amount,
                                 row->kind == DESTINATION_PLAIN ? now->spendable : now->spendable_by_contract) > 0;
}

static bool is_refused(const struct judgement *now, const struct input_row *row)
{
    const struct sim_chain *chain = now->world->chain;
    const struct bursar_address token = sim_token_address(row->token);
    if (row->token)
        return sim_chain_reverts(chain, &token) || sim_chain_refuses(chain, &token);
    return row->kind == DESTINATION_REFUSING && sim_chain_reverts(chain, &row->destination);
}

static const char *unpaid_without_cause(const struct judgement *now, const struct input_row *row,
                                        const struct disbursement_record *record)
{
    if (now->halt != HALT_NONE || now->forced_open || now->money_open)
        return NULL;
    if (record->state != STATE_QUEUED)
        return "it is still on its way";
    switch (record->blocked) {
    case BLOCK_FUNDS:
        if (!now->world->stays_poor)
            return "it waits for funds, and there are plenty";
        return is_beyond_means(now, row) ? NULL : "it waits for funds that are there";
    case BLOCK_REVERTS:
        return is_refused(now, row) ? NULL : "nothing refuses it";
    case BLOCK_UNESTIMATED:
        return "it was not asked again";
    case BLOCK_DESTINATION_CODE:
    case BLOCK_GAS:
        return "it could be paid";
    case BLOCK_TOKEN:
        return "it could be paid, and is called owing a token that could not";
    case BLOCK_DEPENDENCY:
        return row->dependency_count > 0 ? NULL : "it waits for others, and never said so";
    case BLOCK_NONE:
        return row->dependency_count > 0 && record->blocked_on_ref ? NULL : "it is due, and was not paid";
    case BLOCK_FAILED:
        return "it is queued, and called failed";
    }
    return "?";
}

/* A store that learns of a cancelled payment anew can't know which of several that owe the same it was. */
static bool an_equal_was_cancelled(const struct judgement *now, const struct input_row *row)
{
    const struct input_row *leader = &now->world->inputs.rows[row->leader];
    return now->treasury->was_adopted && leader->cancelled_for_sure + leader->cancelled_perhaps > 0;
}

static enum bursar_status judge_row(void *ctx, const struct disbursement_record *record)
{
    struct judgement *now = ctx;
    struct input_row *row = inputs_by_ref(&now->world->inputs, record->ref);
    const char *why = NULL;
    now->rows_seen++;
    if (!row || row->treasury != now->treasury->number) {
        finding(now, PROPERTY_STORE_UNTRUE, "nobody asked for it", record->ref);
        return BURSAR_OK;
    }
    trace_line(&now->world->trace, "    %s is %s", record->ref, state_name(record->state));
    switch (record->state) {
    case STATE_FINALIZED:
        now->world->inputs.rows[row->leader].finalized++;
        if (record->is_short != (row->token == SIM_TOKEN_FEE))
            finding(now, PROPERTY_STORE_UNTRUE, "what was paid short is not called so, or the other way round",
                    record->ref);
        break;
    case STATE_CANCELLED:
        if (row->cancelled == CANCELLED_NOT && !an_equal_was_cancelled(now, row))
            finding(now, PROPERTY_STORE_UNTRUE, "nobody cancelled it", record->ref);
        break;
    case STATE_FAILED:
        if (row->kind == DESTINATION_PLAIN) /* a contract may have come between check and payment */
            finding(now, PROPERTY_NOT_PAID, "it failed, and nothing there reverts", record->ref);
        break;
    case STATE_QUEUED:
    case STATE_STAGED:
    case STATE_EXECUTED:
        why = unpaid_without_cause(now, row, record);
        if (why)
            finding(now, PROPERTY_NOT_PAID, why, record->ref);
        break;
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_ROLLED_BACK:
        finding(now, PROPERTY_STORE_UNTRUE, "it should never get there", record->ref);
        break;
    }
    return BURSAR_OK;
}

/* As many as were paid are called final; while halted, the store may not have seen it all. */
static void judge_finality(struct judgement *now)
{
    const struct inputs *inputs = &now->world->inputs;
    size_t asked = 0;
    for (size_t i = 0; i < inputs->row_count; i++) {
        const struct input_row *row = &inputs->rows[i];
        if (row->treasury != now->treasury->number)
            continue;
        asked++;
        if (row->finalized > row->paid + row->by_hand)
            finding(now, PROPERTY_STORE_UNTRUE, "called final, and not paid", row->ref);
        if (row->finalized + row->disowned < row->paid && now->halt == HALT_NONE && !now->forced_open)
            finding(now, PROPERTY_STORE_UNTRUE, "paid, and not called final", row->ref);
    }
    if (asked != now->rows_seen)
        finding(now, PROPERTY_STORE_UNTRUE, "rows are missing from the store", "");
}

static void judge_rows(struct judgement *now)
{
    struct list_filter filter = { .limit = LIST_MAX_ROWS };
    struct bursar_error err = { 0 };
    if (now->store.list(now->store.ctx, now->treasury->payer.id, &filter, judge_row, now, &err) != BURSAR_OK)
        finding(now, PROPERTY_BROKEN, err.message, "the store can't be listed");
    judge_finality(now);
}

/* --- reconcile --- */

static void take_difference(void *ctx, const struct reconcile_difference *difference)
{
    struct judgement *now = ctx;
    if (!*now->first_difference)
        (void)snprintf(now->first_difference, sizeof now->first_difference, "%.190s", difference->what);
}

static void wait_no_time(void *ctx, uint64_t wait_ms)
{
    (void)ctx;
    (void)wait_ms;
}

/* What the chain says was paid and burnt by what we sent. */
static void sum_on_chain(const struct judgement *now, struct bursar_amount *ret_paid, struct bursar_amount *ret_fees)
{
    const struct sim_chain *chain = now->world->chain;
    size_t count = sim_chain_transaction_count(chain);
    *ret_paid = now->found;
    *ret_fees = now->foreign_fees;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(chain, i);
        if (tx->canonical == SIM_NONE || tx->is_foreign ||
            memcmp(tx->from.bytes, now->treasury->payer.address.bytes, sizeof tx->from.bytes) != 0)
            continue;
        const struct sim_inclusion *inclusion = sim_chain_inclusion(chain, tx->canonical);
        bool ok = add_fee(inclusion, ret_fees);
        if (inclusion->succeeded)
            ok = ok && bursar_amount_add(*ret_paid, tx->value, ret_paid);
        if (!ok)
            finding_add(&now->world->finding, PROPERTY_SUMS, now->world->step, "a sum leaves 256 bits");
    }
}

static void judge_result(struct judgement *now, const struct reconcile_result *result)
{
    struct bursar_amount paid, fees;
    switch (now->halt) {
    case HALT_NONE:
        if (result->differences > 0)
            finding(now, PROPERTY_RECONCILE_UNTRUE, now->first_difference, "reconcile finds a difference");
        break;
    case HALT_FOREIGN_NONCE:
    case HALT_STORE_BEHIND_CHAIN:
    case HALT_ACCOUNT_HISTORY:
    case HALT_STORE_BEHIND_LOG:
    case HALT_SIGNING_LOG_LOST:
        if (result->differences == 0)
            finding(now, PROPERTY_RECONCILE_UNTRUE, "reconcile finds no difference", halt_code_name(now->halt));
        return;
    case HALT_WRONG_CHAIN:
    case HALT_GENESIS_MISMATCH:
    case HALT_ANCHOR_MISMATCH:
    case HALT_SIGNER:
    case HALT_CHAIN_UNSUITABLE:
        return;
    }
    if (now->forced_open || now->money_open || now->treasury->has_disowned)
        return;
    sum_on_chain(now, &paid, &fees);
    if (bursar_amount_compare(paid, result->paid_total) != 0 || bursar_amount_compare(fees, result->fees_total) != 0)
        finding(now, PROPERTY_RECONCILE_UNTRUE, "reconcile's totals are not the chain's", "");
    if (result->in_flight != 0)
        finding(now, PROPERTY_RECONCILE_UNTRUE, "reconcile sees something in flight, everything rests", "");
}

static void judge_reconcile(struct judgement *now)
{
    struct bursar_error err = { 0 };
    struct reconcile_result result = { 0 };
    struct way way = { 0 };
    struct chain chain;
    const struct way_setup setup = { .set = &now->treasury->nodes,
                                     .clock = world_clock(now->world),
                                     .finding = &now->world->finding,
                                     .step = &now->world->step };
    way_init(&way, &now->treasury->nodes, NULL);
    enum bursar_status status = way_open(&way, &setup, &chain, &err);
    if (status == BURSAR_OK) {
        struct reconcile_env env = { .store = now->store,
                                     .chain = chain,
                                     .log_path = now->treasury->log_path,
                                     .treasury = now->treasury->payer.id,
                                     .finality_blocks = now->treasury->setup.config.finality_blocks,
                                     .wait = wait_no_time };
        status = reconcile(&env, take_difference, now, &result, &err);
    }
    if (status == BURSAR_OK)
        judge_result(now, &result);
    else
        finding(now, PROPERTY_BROKEN, err.message, "reconcile fails");
    trace_line(&now->world->trace, "    t%u reconcile: %llu checked, %llu differences", now->treasury->number,
               (ull)result.checked, (ull)result.differences);
    way_close(&way);
    way_free(&way);
}

/* --- the money breaker --- */

/* Where nothing stands against it, the account's balance is looked at up to the newest final block. */
static void judge_money(struct judgement *now)
{
    const struct money_limits *limits = &now->treasury->setup.config.money;
    const struct money_witness *witness = &now->treasury->witness.money;
    struct money_record record = { 0 };
    struct bursar_error err = { 0 };
    if (now->store.money_load(now->store.ctx, now->treasury->payer.id, &record, &err) != BURSAR_OK) {
        finding(now, PROPERTY_BROKEN, err.message, "the money breaker can't be read");
        return;
    }
    money_witness_loaded(witness, &record);
    if (now->halt == HALT_NONE && record.cause == MONEY_NONE &&
        ((witness->was_missing && limits->watches_balance) || (witness->was_foreign && limits->watches_foreign_nonce)))
        finding(now, PROPERTY_NOT_TRIPPED, "what opens the money breaker has happened, and it is closed", "");
    if (limits->watches_balance && now->halt == HALT_NONE &&
        (!record.has_mark || record.mark_number + MARK_LAG_BLOCKS < sim_chain_final_number(now->world->chain)))
        finding(now, PROPERTY_NOT_TRIPPED, "nobody looks at what the account has any more", "");
}

/* What one payment could use of the balance: all else is settled. */
static void see_funds(struct judgement *now)
{
    const struct sim_chain *chain = now->world->chain;
    uint32_t head = sim_chain_head(chain);
    struct bursar_amount fee, balance = sim_chain_account(chain, head, &now->treasury->payer.address).balance;
    uint64_t max_fee = sim_chain_block(chain, head)->next_base_fee_per_gas_wei * 2 + MAX_TIP_WEI;
    now->spendable = now->spendable_by_contract = (struct bursar_amount){ 0 };
    if (!bursar_amount_multiply(bursar_amount_from_u64(max_fee), TRANSFER_GAS, &fee) ||
        !bursar_amount_subtract(balance, fee, &now->spendable))
        now->spendable = (struct bursar_amount){ 0 };
    if (!bursar_amount_multiply(bursar_amount_from_u64(max_fee), CONTRACT_GAS_MAX, &fee) ||
        !bursar_amount_subtract(balance, fee, &now->spendable_by_contract))
        now->spendable_by_contract = (struct bursar_amount){ 0 };
}

void oracle_judge(struct world *world)
{
    struct sqlite_store *sqlite = NULL;
    struct bursar_error err = { 0 };
    disk_enter(world->disk, NULL);
    for (size_t i = 0; i < world->inputs.row_count; i++)
        world->inputs.rows[i].finalized = 0;
    if (sqlite_store_open(world->office.store_path, SQLITE_MODE_READ, NULL, NULL, &sqlite, &err) != BURSAR_OK) {
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the store can't be opened: %s", err.message);
        return;
    }
    for (size_t i = 0; i < world->treasury_count; i++) {
        struct judgement now = { .world = world,
                                 .treasury = &world->treasuries[i],
                                 .store = sqlite_store_interface(sqlite) };
        see_report(&now);
        see_funds(&now);
        now.foreign_mined = was_foreign_used(world, &now.treasury->payer.address, false);
        now.foreign_pooled = was_foreign_used(world, &now.treasury->payer.address, true);
        world->counts.halted += now.halt != HALT_NONE;
        see_foreign(&now);
        tell_halt(&now);
        judge_halt(&now);
        judge_rows(&now);
        judge_money(&now);
        judge_reconcile(&now);
    }
    sqlite_store_close(sqlite);
}
