/* Step by step: events, processes, blocks; then calm until everybody rests. */
#include "adoption.h"
#include "oracle.h"

#include "base/bytes.h"
#include "executor/planner.h"

#include <string.h>

#define STEP_MS 1000
#define TICKS_A_STEP 6
#define CHECK_EVERY_STEPS 16
#define CALM_STEPS_MAX 20000
#define IDLE_STEPS_MAX 400 /* longer than any time-out: the chain saw nothing of us */
#define REST_STEPS 4
#define CLOSE_EVERY_STEPS 4
#define ADOPTIONS_MAX 8
#define PAYING_BLOCKS (RECHECK_MAX_BLOCKS + 20) /* who died while asking asks again after as long, and pays */
#define SEARCH_REST_STEPS 40                    /* what was looked for in vain is looked for again */
#define PLENTY_WEI 1000000000000000000ull

static void after_tick(struct world *world, struct process *process, enum process_end end)
{
    switch (end) {
    case PROCESS_WENT_ON:
        process->wake_at_ms = world->now_ms + (process->status == BURSAR_OK ? process->next_wake_ms : STEP_MS);
        return;
    case PROCESS_FROZE:
        process->thaw_at_step = world->step + process->freeze_steps;
        world->counts.frozen++;
        if (process->passes_on)
            world_pass_on(world, process);
        if (process->opens_money)
            (void)world_command_money(world, &world->treasuries[world->owner[process - world->processes]], true);
        process->opens_money = false;
        return;
    case PROCESS_DIED:
        process->start_at_step = world->step + process->down_steps;
        world->counts.deaths++;
        return;
    case PROCESS_ENDED:
        process->start_at_step = world->step + 1;
        return;
    }
}

/* Whose locks have passed on goes on only when somebody else leads: what it signs as long as it still leads would be in
 * a log that nobody reads. */
static bool was_taken_over(const struct process *process)
{
    return !process->log_is_orphan || process->setup->witness->token != process->passed_token;
}

static void run_process(struct world *world, struct process *process)
{
    if (!process->is_up && process->start_at_step <= world->step && !process_start(process))
        process->start_at_step = world->step + 2;
    if (process->is_frozen && (process->thaw_at_step > world->step || !was_taken_over(process)))
        return;
    for (int i = 0; i < TICKS_A_STEP && process->is_up && process->wake_at_ms <= world->now_ms; i++) {
        after_tick(world, process, process_step(process));
        if (process->is_frozen || world->finding.property != PROPERTY_NONE)
            return;
    }
}

static void see_nonces(struct world *world)
{
    uint32_t head = sim_chain_head(world->chain);
    for (size_t i = 0; i < world->treasury_count; i++) {
        struct sim_treasury *treasury = &world->treasuries[i];
        uint64_t nonce = sim_chain_account(world->chain, head, &treasury->payer.address).nonce;
        if (nonce > treasury->witness.nonce_reached)
            treasury->witness.nonce_reached = nonce;
    }
}

static void run_processes(struct world *world)
{
    see_nonces(world);
    /* Who comes first changes: who waits must get its chance. */
    for (size_t i = 0; i < world->process_count && world->finding.property == PROPERTY_NONE; i++)
        run_process(world, &world->processes[(i + world->step) % world->process_count]);
}

static void move_chain(struct world *world)
{
    if (world->base_fee_until == world->step)
        sim_chain_set_base_fee_target(world->chain, world->base_fee_wei);
    if (world->step >= world->blocks_stall && world->step % world->steps_a_block == 0) {
        sim_chain_set_next_time(world->chain, world->now_ms / 1000);
        sim_chain_mine(world->chain, 1);
        if (world->other_chain)
            sim_chain_mine(world->other_chain, 1);
    }
    for (size_t i = 0; i < world->process_count; i++) {
        for (size_t node = 0; node < world->processes[i].way.count; node++)
            sim_network_deliver(world->processes[i].way.networks[node]);
    }
    const struct sim_block *head = sim_chain_block(world->chain, sim_chain_head(world->chain));
    uint64_t mark;
    memcpy(&mark, head->hash.bytes, sizeof mark);
    trace_number(&world->trace, mark);
}

static void one_step(struct world *world)
{
    for (size_t i = 0; i < world->treasury_count; i++)
        node_set_advance(&world->treasuries[i].nodes, world->step);
    run_processes(world);
    move_chain(world);
    if (world->step % CHECK_EVERY_STEPS == 0)
        oracle_check(world);
    world->step++;
    world->now_ms += STEP_MS;
}

/* --- calm --- */

static void heal(struct world *world)
{
    for (unsigned pool = 0; pool < SIM_POOLS_MAX_COUNT; pool++) {
        sim_chain_set_gossip(world->chain, pool, false); /* so that each hands on what others lost */
        sim_chain_set_gossip(world->chain, pool, true);
    }
    sim_chain_set_base_fee_target(world->chain, world->base_fee_wei);
    world->blocks_stall = 0;
    for (size_t i = 0; i <= world->process_count; i++) {
        struct process *process = i < world->process_count ? &world->processes[i] : NULL;
        struct disk_user *user = process ? &process->user : &world->office_user;
        for (int kind = 0; kind < DISK_ERROR_COUNT; kind++)
            user->errors[kind].count = 0;
        user->die_at_operation = 0;
        if (!process)
            continue;
        process->die_in = process->freeze_in = process->thaw_at_step = process->start_at_step = 0;
        for (size_t node = 0; node < process->way.count; node++) {
            sim_network_heal(process->way.networks[node]);
            sim_network_flush(process->way.networks[node]);
        }
    }
    for (size_t i = 0; i < world->treasury_count; i++)
        node_set_heal(&world->treasuries[i].nodes);
}

/* People come back to what they wanted, and see to it. */
static void make_good(struct world *world)
{
    struct inputs *inputs = &world->inputs;
    for (size_t i = 0; i < inputs->file_count; i++) {
        struct input_file *file = &inputs->files[i];
        if (!office_import(&world->office, inputs, file, &world->treasuries[file->treasury].payer))
            finding_add(&world->finding, PROPERTY_BROKEN, world->step, "file %u can't be imported", file->number);
    }
    for (size_t i = 0; i < world->treasury_count; i++) {
        const struct payer *payer = &world->treasuries[i].payer;
        if (!world->stays_poor)
            sim_chain_deposit(world->chain, &payer->address, bursar_amount_from_u64(PLENTY_WEI));
        if (!world->stays_open)
            world->treasuries[i].witness.is_stopped = false;
        if (!world->stays_open)
            world_close_money(world, &world->treasuries[i]);
        if (!world->stays_open && !office_breaker(&world->office, payer, BREAKER_COMMAND_CLOSE))
            finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the breaker can't be closed");
        if (!office_retry_all(&world->office, payer))
            finding_add(&world->finding, PROPERTY_BROKEN, world->step, "what failed can't be retried");
    }
    world_persuade(world);
    world->persuaded_at_block = sim_chain_height(world->chain);
}

static bool rests(const struct world *world, unsigned treasury)
{
    for (size_t i = 0; i < world->process_count; i++) {
        const struct executor_report *report = &world->processes[i].report;
        if (world->owner[i] == treasury && world->processes[i].is_up && report->holds_lease &&
            (report->is_idle || report->halt != HALT_NONE || report->forced_open ||
             (world->stays_open && report->money_waits)))
            return true;
    }
    return false;
}

static bool is_searched_for(const struct world *world)
{
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->processes[i].is_up && world->processes[i].report.halt == HALT_FOREIGN_NONCE)
            return true;
    }
    return false;
}

static bool fees_are_settled(const struct world *world)
{
    const struct sim_block *head = sim_chain_block(world->chain, sim_chain_head(world->chain));
    return head->next_base_fee_per_gas_wei == head->base_fee_per_gas_wei;
}

/* As `bursar status` would. */
static void tell_unrest(struct world *world)
{
    struct sqlite_store *sqlite = NULL;
    struct snapshot snapshot = { .hold = "?" };
    struct bursar_error err = { 0 };
    unsigned t = 0;
    while (t + 1 < world->treasury_count && rests(world, t))
        t++;
    disk_enter(world->disk, NULL);
    if (sqlite_store_open(world->office.store_path, SQLITE_MODE_READ, NULL, NULL, &sqlite, &err) == BURSAR_OK) {
        struct store store = sqlite_store_interface(sqlite);
        if (store.snapshot_read(store.ctx, world->treasuries[t].payer.id, &snapshot, &err) != BURSAR_OK)
            snapshot = (struct snapshot){ .hold = "?" };
        sqlite_store_close(sqlite);
    }
    finding_add(&world->finding, PROPERTY_NOT_IDLE, world->step,
                "t%u: no rest after %d calm steps without a payment, base fee %s; it holds: %.150s; last error: %.150s",
                t, IDLE_STEPS_MAX, fees_are_settled(world) ? "settled" : "moving", snapshot.hold, snapshot.last_error);
}

/* Contracts that changed their mind, or that wait for money, are asked again after some blocks only. */
static bool may_rest(const struct world *world)
{
    if (sim_chain_height(world->chain) > world->persuaded_at_block + RECHECK_MAX_BLOCKS + PAYING_BLOCKS)
        return true;
    for (size_t i = 0; i < world->inputs.row_count; i++) {
        const struct input_row *row = &world->inputs.rows[i];
        if ((row->kind == DESTINATION_CODE || row->kind == DESTINATION_REFUSING || row->kind == DESTINATION_TOKEN) &&
            row->paid < row->asked)
            return false;
    }
    return true;
}

/* What it opens for goes on to happen: payments above a limit are made by and by. */
static void close_money(struct world *world)
{
    for (size_t i = 0; i < world->process_count && !world->stays_open && world->step % CLOSE_EVERY_STEPS == 0; i++) {
        struct sim_treasury *treasury = &world->treasuries[world->owner[i]];
        if (world->processes[i].report.holds_lease && world->processes[i].report.money_open &&
            !world_command_money(world, treasury, false))
            finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the money breaker can't be closed");
    }
}

/* True once everybody rests; false when nothing has been mined for long, and nobody does. */
static bool wait_for_rest(struct world *world)
{
    uint64_t mined = 0;
    unsigned resting = 0, idle_steps = 0;
    for (int i = 0; i < CALM_STEPS_MAX && idle_steps < IDLE_STEPS_MAX; i++) {
        one_step(world);
        close_money(world);
        if (world->finding.property != PROPERTY_NONE)
            return true;
        bool all = fees_are_settled(world); /* what is affordable changes with them */
        for (unsigned t = 0; t < world->treasury_count; t++)
            all = all && rests(world, t);
        resting = all ? resting + 1 : 0;
        if (resting >= (is_searched_for(world) ? SEARCH_REST_STEPS : REST_STEPS) && may_rest(world))
            return true;
        idle_steps = sim_chain_counts(world->chain)->mined == mined && !all ? idle_steps + 1 : 0;
        mined = sim_chain_counts(world->chain)->mined;
    }
    return false;
}

static void calm_down(struct world *world)
{
    trace_headline(&world->trace, "%llu everything is healed", (unsigned long long)world->step);
    disk_enter(world->disk, NULL);
    heal(world);
    make_good(world);
    bool rested = wait_for_rest(world);
    if (!rested && world->stays_poor) {
        /* What is in flight may have become dearer than it was when it was bound: only a deposit helps. */
        world->stays_poor = false;
        make_good(world);
        rested = wait_for_rest(world);
    }
    if (!rested)
        tell_unrest(world);
}

/* --- what halted is adopted, until nothing is halted --- */

static bool is_halted(const struct world *world, unsigned treasury)
{
    for (size_t i = 0; i < world->process_count; i++) {
        const struct executor_report *report = &world->processes[i].report;
        if (world->owner[i] == treasury && report->holds_lease && report->halt != HALT_NONE)
            return true;
    }
    return false;
}

/* A stranger's transaction that stays in a pool, unmined, is waited for: nobody can say what it will be. */
static bool waits_for_stranger(const struct world *world, unsigned treasury)
{
    const struct bursar_address *account = &world->treasuries[treasury].payer.address;
    size_t count = sim_chain_counts(world->chain)->foreign ? sim_chain_transaction_count(world->chain) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_transaction *tx = sim_chain_transaction(world->chain, i);
        if (tx->is_foreign && tx->pools && tx->canonical == SIM_NONE && address_equal(&tx->from, account))
            return true;
    }
    return false;
}

static bool adopt_halted(struct world *world)
{
    const struct adoption_wish wish = { .imports = true, .stops = true, .assigns = true };
    bool any = false;
    for (unsigned i = 0; i < world->treasury_count; i++) {
        if (!is_halted(world, i) || waits_for_stranger(world, i))
            continue;
        any = true;
        (void)people_adopt(world, &world->treasuries[i], &wish);
    }
    return any;
}

static void adopt_all(struct world *world)
{
    unsigned rounds = 0;
    for (unsigned i = 0; i < world->treasury_count; i++)
        rounds += is_halted(world, i);
    if (rounds == 0 || world->finding.property != PROPERTY_NONE)
        return;
    for (rounds = 0; rounds < ADOPTIONS_MAX && adopt_halted(world); rounds++) {
        if (!wait_for_rest(world) && world->finding.property == PROPERTY_NONE)
            tell_unrest(world);
        if (world->finding.property != PROPERTY_NONE)
            return;
    }
    oracle_check(world);
    oracle_judge(world);
    for (unsigned i = 0; i < world->treasury_count && rounds == ADOPTIONS_MAX; i++) {
        if (is_halted(world, i) && !waits_for_stranger(world, i))
            finding_add(&world->finding, PROPERTY_ADOPT_UNTRUE, world->step,
                        "t%u is halted after %d adoptions with everything healed", i, ADOPTIONS_MAX);
    }
}

static void count_up(struct world *world)
{
    struct world_counts *counts = &world->counts;
    struct disk_counters disk = disk_counted(world->disk);
    for (int i = 0; i < DISK_ERROR_COUNT; i++)
        counts->disk_faults += disk.errors[i];
    counts->reorgs = sim_chain_counts(world->chain)->reorgs;
    for (size_t i = 0; i < world->process_count; i++) {
        counts->calls += world->processes[i].calls;
        for (int kind = 0; kind < SIM_NETWORK_FAULTS; kind++)
            counts->network_faults += way_faults_met(&world->processes[i].way, (enum sim_network_fault_kind)kind);
    }
    for (size_t i = 0; i < world->treasury_count; i++) {
        counts->money_trips += world->treasuries[i].witness.money.trips;
        counts->fenced += world->treasuries[i].witness.fenced;
        counts->stale_signatures += world->treasuries[i].witness.stale_signatures;
        for (int lie = 0; lie < SIM_LIES; lie++)
            counts->node_lies += node_set_lies_told(&world->treasuries[i].nodes, (enum sim_lie)lie);
    }
    for (size_t i = 0; i < world->inputs.row_count; i++)
        counts->payouts += world->inputs.rows[i].paid;
    if (disk.host_errors)
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the machine's own file system failed");
}

void world_run(struct world *world, const struct event_list *events, uint32_t steps)
{
    size_t next = 0;
    while (world->step < steps && world->finding.property == PROPERTY_NONE) {
        while (next < events->count && events->items[next].step <= world->step) {
            see_nonces(world); /* an event may undo what was just mined */
            world_apply(world, &events->items[next++]);
        }
        one_step(world);
    }
    if (world->finding.property == PROPERTY_NONE)
        calm_down(world);
    if (world->finding.property == PROPERTY_NONE) {
        oracle_check(world);
        oracle_judge(world);
        adopt_all(world);
    }
    count_up(world);
    trace_headline(&world->trace, "%llu %s%s%s", (unsigned long long)world->step,
                   property_name(world->finding.property), *world->finding.text ? ": " : "", world->finding.text);
}
