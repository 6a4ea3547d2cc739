/* What each event does. `who`, `a`, `b`, `c` are taken modulo what there is. */
#include "adoption.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <unistd.h>

#define LOG_COPY_MAX_BYTES (4 * 1024 * 1024)

static struct process *process_of(struct world *world, const struct event *event)
{
    return &world->processes[event->who % world->process_count];
}

static struct sim_treasury *treasury_of(struct world *world, const struct event *event)
{
    return &world->treasuries[event->who % world->treasury_count];
}

/* --- inputs --- */

static void put_on_chain(struct world *world, const struct input_file *file)
{
    for (size_t i = 0; i < file->row_count; i++) {
        const struct input_row *row = &world->inputs.rows[file->first_row + i];
        if (row->kind == DESTINATION_CODE || row->kind == DESTINATION_REFUSING)
            sim_chain_put_code(world->chain, &row->destination);
        if (row->kind == DESTINATION_REVERTING || row->kind == DESTINATION_REFUSING)
            sim_chain_set_reverting(world->chain, &row->destination, true);
    }
}

static void import(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    struct file_wish wish = { .number = event->step,
                              .treasury = treasury->number,
                              .rows = 1 + event->a % FILE_ROWS_MAX_COUNT,
                              .seed = random_mix(world->seed, event->step),
                              .now_s = world->now_ms / 1000,
                              .now_epoch = sim_chain_height(world->chain) / treasury->setup.config.epoch.length };
    struct input_file *file = inputs_add_file(&world->inputs, &wish);
    if (!file)
        return;
    put_on_chain(world, file);
    (void)office_import(&world->office, &world->inputs, file, &treasury->payer);
}

static void cancel(struct world *world, const struct event *event)
{
    if (world->inputs.file_count == 0)
        return;
    /* Rather the newest file: what is old is paid. */
    size_t back = event->a % 3 < world->inputs.file_count ? event->a % 3 : 0;
    const struct input_file *file = &world->inputs.files[world->inputs.file_count - 1 - back];
    struct input_row *row = &world->inputs.rows[file->first_row + event->b % file->row_count];
    enum cancelled before = row->cancelled;
    office_cancel(&world->office, row, &world->treasuries[row->treasury].payer);
    /* A store that went back may have forgotten that it was bound. */
    if (world->treasuries[row->treasury].causes.old_store && before != CANCELLED_FOR_SURE &&
        row->cancelled == CANCELLED_FOR_SURE)
        row->cancelled = CANCELLED_MAYBE;
}

static void command_breaker(struct world *world, struct sim_treasury *treasury, enum breaker_command command)
{
    bool is_done = office_breaker(&world->office, &treasury->payer, command);
    /* A command that failed may have been carried out all the same. */
    treasury->witness.is_stopped = is_done && command == BREAKER_COMMAND_OPEN;
}

static void repair(struct world *world)
{
    for (size_t i = 0; i < world->inputs.row_count; i++) {
        const struct input_row *row = &world->inputs.rows[i];
        if (row->kind == DESTINATION_REVERTING)
            sim_chain_set_reverting(world->chain, &row->destination, false);
    }
    world_persuade(world);
}

void world_persuade(struct world *world)
{
    for (size_t i = 0; i < world->inputs.row_count; i++) {
        const struct input_row *row = &world->inputs.rows[i];
        if (row->kind == DESTINATION_REFUSING && !row->refuses_for_ever)
            sim_chain_set_reverting(world->chain, &row->destination, false);
    }
    for (enum sim_token token = SIM_TOKEN_HONEST; token < SIM_TOKENS; token++) {
        const struct bursar_address address = sim_token_address(token);
        sim_chain_set_reverting(world->chain, &address, false);
        sim_chain_set_refusing(world->chain, &address, false);
    }
}

/* Every `one_in`th of them, whether it was paid before or not. */
static void refuse(struct world *world, uint32_t one_in, uint32_t which)
{
    const struct bursar_address honest = sim_token_address(SIM_TOKEN_HONEST),
                                false_ = sim_token_address(SIM_TOKEN_FALSE);
    if (one_in == 1)
        sim_chain_set_reverting(world->chain, &honest, which % 2 == 0);
    else
        sim_chain_set_refusing(world->chain, &false_, which % 3 != 0);
    for (size_t i = 0; i < world->inputs.row_count; i++) {
        const struct input_row *row = &world->inputs.rows[i];
        if (row->kind == DESTINATION_REFUSING && row->leader % one_in == which % one_in)
            sim_chain_set_reverting(world->chain, &row->destination, true);
    }
}

/* --- processes --- */

/* The calls between which it matters most; NULL: any. */
static const char *place_of(uint32_t draw)
{
    static const char *const places[] = {
        "bind",          "sign",   "attempts_add",       "submit",     "submit_start",
        "submit_finish", "settle", "submissions_record", "lease_take", "lease_renew"
    };
    draw %= 2 * COUNT_OF(places);
    return draw < COUNT_OF(places) ? places[draw] : NULL;
}

static void schedule_death(struct process *process, const struct event *event)
{
    if (!process->is_up)
        return;
    process->down_steps = 1 + event->c % 6;
    if (event->kind == EVENT_KILL_CALL) {
        process->die_at = place_of(event->a / 32);
        process->die_in = 1 + event->a % (process->die_at ? 3 : 32);
        process->die_after = event->b % 2;
    } else {
        process->user.die_at_operation = process->user.operations + 1 + event->a % 60;
        process->user.die_how = (enum disk_death)(event->b % 3);
    }
}

static void schedule_freeze(struct world *world, const struct event *event)
{
    struct process *process = process_of(world, event);
    if (!process->is_up || process->is_frozen)
        return;
    process->freeze_at = place_of(event->a / 32);
    process->freeze_in = 1 + event->a % (process->freeze_at ? 3 : 32);
    process->freeze_steps = 1 + event->b % (event->c % 3 ? 4 : 40);
    process->passes_on = event->kind == EVENT_PASS_ON;
    if (process->passes_on)
        process->freeze_steps += 6;
}

void world_kill_all(struct world *world, uint32_t down_steps)
{
    for (size_t i = 0; i < world->process_count; i++) {
        process_kill(&world->processes[i]);
        world->processes[i].start_at_step = world->step + down_steps + i % 2;
    }
}

/* From here on the store may be an older one: people do again what it may have forgotten, at the end. */
static void store_went_back(struct world *world)
{
    for (size_t i = 0; i < world->treasury_count; i++) {
        world->treasuries[i].causes.old_store = true;
        witness_store_replaced(&world->treasuries[i].witness);
    }
    for (size_t i = 0; i < world->inputs.row_count; i++) {
        if (world->inputs.rows[i].cancelled == CANCELLED_FOR_SURE)
            world->inputs.rows[i].cancelled = CANCELLED_MAYBE;
    }
}

/* Never both a store and a log: who loses the newest of both has no record left of what was sent. */
static bool may_go_back(const struct world *world, bool is_store)
{
    for (size_t i = 0; i < world->treasury_count; i++) {
        if (is_store ? world->treasuries[i].causes.old_log : world->treasuries[i].causes.old_store)
            return false;
    }
    return true;
}

static void lose_power(struct world *world, const struct event *event)
{
    struct random random = random_stream(&world->random, "power", event->step);
    world_kill_all(world, 1 + event->a % 4);
    if (!disk_lose_power(world->disk, &random))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the simulated power could not be lost");
    world->counts.power_losses++;
}

/* Under its own name lies another file with the same bytes from now on, as on another host. */
static bool replace_log(const struct sim_treasury *treasury)
{
    static uint8_t bytes[LOG_COPY_MAX_BYTES];
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s.copy", treasury->log_path);
    int from = open(treasury->log_path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return false;
    ssize_t length = pread(from, bytes, sizeof bytes, 0);
    (void)close(from);
    int to = open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (to < 0)
        return false;
    bool ok = length >= 0 && pwrite(to, bytes, (size_t)length, 0) == length && fsync(to) == 0;
    (void)close(to);
    ok = ok && unlink(treasury->log_path) == 0 && link(copy, treasury->log_path) == 0;
    (void)unlink(copy);
    int directory = open(DISK_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = ok && directory >= 0 && fsync(directory) == 0;
    if (directory >= 0)
        (void)close(directory);
    return ok;
}

void world_pass_on(struct world *world, struct process *process)
{
    struct sim_treasury *treasury = &world->treasuries[world->owner[process - world->processes]];
    size_t others = 0;
    process->passes_on = false;
    for (size_t i = 0; i < world->process_count; i++)
        others += &world->processes[i] != process && world->owner[i] == treasury->number;
    if (others == 0 || !disk_exists(world->disk, treasury->log_name))
        return;
    trace_headline(&world->trace, "      the locks of %s pass on", process->name);
    /* Whoever waits has the old lock's file open: starts anew. */
    for (size_t i = 0; i < world->process_count; i++) {
        struct process *other = &world->processes[i];
        if (other == process || world->owner[i] != treasury->number)
            continue;
        process_kill(other);
        other->start_at_step = world->step + 1;
    }
    disk_enter(world->disk, NULL);
    (void)unlink(DISK_ROOT "/store.db-lease");
    if (!replace_log(treasury))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the signing log could not be replaced");
    process->log_is_orphan = true;
    process->passed_token = treasury->witness.token;
    world->counts.passed_on++;
}

/* --- old copies --- */

static void keep_store(struct world *world)
{
    if (world->store_copy_count == COPIES_MAX_COUNT)
        return;
    size_t copy = disk_keep(world->disk, "store.db");
    if (copy != SIZE_MAX)
        world->store_copies[world->store_copy_count++] = copy;
}

/* A copy may be older than the first final block: what a moved node shows would be believed. */
static bool is_any_moved(const struct world *world)
{
    for (size_t i = 0; i < world->treasury_count; i++) {
        if (world->treasuries[i].nodes.moved_until)
            return true;
    }
    return false;
}

static void put_back_store(struct world *world, const struct event *event)
{
    if (world->store_copy_count == 0 || !may_go_back(world, true) || is_any_moved(world))
        return;
    world_kill_all(world, 1);
    if (!disk_put_back(world->disk, world->store_copies[event->a % world->store_copy_count]))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the old store could not be put back");
    store_went_back(world);
}

static void keep_log(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    if (treasury->log_copy_count == COPIES_MAX_COUNT)
        return;
    size_t copy = disk_keep(world->disk, treasury->log_name);
    if (copy != SIZE_MAX)
        treasury->log_copies[treasury->log_copy_count++] = copy;
}

static void put_back_log(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    if (treasury->log_copy_count == 0 || !may_go_back(world, false))
        return;
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->owner[i] != treasury->number)
            continue;
        process_kill(&world->processes[i]);
        world->processes[i].start_at_step = world->step + 1;
    }
    if (!disk_put_back(world->disk, treasury->log_copies[event->a % treasury->log_copy_count]))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the old signing log could not be put back");
    treasury->causes.old_log = true;
}

static void lose_store(struct world *world)
{
    if (!may_go_back(world, true))
        return;
    world_kill_all(world, 1);
    if (!disk_remove(world->disk, "store.db"))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the store could not be lost");
    store_went_back(world);
    people_init_anew(world);
}

static void lose_log(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    if (!may_go_back(world, false) || disk_counted(world->disk).errors[DISK_EIO_SYNC])
        return;
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->owner[i] != treasury->number)
            continue;
        process_kill(&world->processes[i]);
        world->processes[i].start_at_step = world->step + 1;
    }
    if (!disk_remove(world->disk, treasury->log_name))
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "the signing log could not be lost");
    treasury->causes.old_log = true;
}

static void adopt(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    const struct adoption_wish wish = { .imports = event->a % 4 != 0,
                                        .stops = event->a / 4 % 8 != 0,
                                        /* What is final on another history is nobody's to adopt. */
                                        .is_dry_run = event->b % 8 == 0 || treasury->nodes.moved_until,
                                        .assigns = event->b / 8 % 2,
                                        .die_in = event->c % 2 ? 1 + event->c / 2 % 40 : 0 };
    (void)people_adopt(world, treasury, &wish);
}

/* --- faults --- */

static void disk_fault(struct world *world, const struct event *event)
{
    size_t which = event->who % (world->process_count + 1);
    struct disk_user *user = which == world->process_count ? &world->office_user : &world->processes[which].user;
    unsigned kind = event->a % DISK_ERROR_COUNT;
    user->errors[kind].skip = event->b % 30;
    user->errors[kind].count = 1 + event->c % 3;
}

static void network_fault(struct world *world, const struct event *event)
{
    struct sim_network_fault fault = { .kind = (enum sim_network_fault_kind)(event->a % SIM_NETWORK_FAULTS),
                                       .only = (enum sim_network_only)(event->b % 3),
                                       .skip = event->b / 3 % 6,
                                       .count = 1 + event->c % 4,
                                       .amount = event->c / 4 % 8 };
    const struct way *way = &process_of(world, event)->way;
    (void)sim_network_script(way->networks[(event->b >> 16) % way->count], &fault);
}

static void node_fault(struct world *world, const struct event *event)
{
    struct sim_treasury *treasury = treasury_of(world, event);
    enum sim_method method = (enum sim_method)(event->c % SIM_METHODS);
    enum sim_lie lie = (enum sim_lie)(event->b % SIM_LIES_OF_ANY);
    struct sim_node *node = node_set_pick(&treasury->nodes, event->b >> 16);
    switch (event->a % 8) {
    case 0:
        sim_node_set_lag(node, event->b % 9);
        return;
    case 1:
        sim_node_set_method_lag(node, method, event->b % 6);
        return;
    case 2:
        sim_node_set_stuck(node, event->b % 2);
        return;
    case 3:
        sim_node_set_method_stuck(node, method, event->b % 2);
        return;
    case 4:
        sim_node_heal(node);
        sim_chain_set_gossip(world->chain, 1 + event->b % (SIM_POOLS_MAX_COUNT - 1), event->c % 2);
        return;
    default:
        break;
    }
    /* A lie about the genesis block halts for good; there would be nothing else to see. */
    if (lie == SIM_LIE_OTHER_GENESIS && (event->c % 4 != 0 || treasury->nodes.quorum > 1))
        lie = SIM_LIE_RATE_LIMIT;
    sim_node_script(node, lie, event->c % 5, 1 + event->c / 5 % 4, 1 + event->c / 20 % 5);
}

/* --- the chain --- */

static void evict(struct world *world, const struct event *event)
{
    const struct bursar_address *sender = &treasury_of(world, event)->payer.address;
    static const uint32_t masks[] = { SIM_ALL_POOLS, 1u << SIM_POOL_MINER, SIM_ALL_POOLS & ~(1u << SIM_POOL_MINER) };
    uint32_t mask = masks[event->c % 3];
    if (event->b % 4 == 0)
        sim_chain_evict_tail(world->chain, mask, sender, 1 + event->a % 8);
    else
        sim_chain_evict(world->chain, mask, sender, event->a, 1 + event->b / 4 % 4);
}

static void change_base_fee(struct world *world, const struct event *event)
{
    sim_chain_set_base_fee_target(world->chain, event->a % 3 == 0 ? 2000 : 5 + event->b % 60);
    world->base_fee_until = world->step + 10 + event->c % 40;
}

static void send_foreign(struct world *world, const struct event *event)
{
    const struct bursar_address *from = &treasury_of(world, event)->payer.address;
    uint64_t nonce = sim_chain_account(world->chain, sim_chain_head(world->chain), from).nonce;
    struct sim_foreign foreign = { .from = *from,
                                   .to = { .bytes = { 0xff, 0xff } },
                                   .nonce = nonce + event->a % 3,
                                   .value = bursar_amount_from_u64(1 + event->b % 1000),
                                   .max_fee_per_gas_wei = 3000,
                                   .max_priority_fee_per_gas_wei = 20 };
    static const uint32_t masks[] = { SIM_ALL_POOLS, 1u << SIM_POOL_MINER };
    const struct inputs *inputs = &world->inputs;
    if (event->b / 1000 % 2 == 0 && inputs->row_count) { /* what is owed, or was */
        const struct input_row *row = &inputs->rows[event->b / 4000 % inputs->row_count];
        if (address_equal(&world->treasuries[row->treasury].payer.address, from)) {
            foreign.to = row->destination;
            foreign.value = row->amount;
        }
    }
    (void)sim_chain_send_foreign(world->chain, &foreign, masks[event->c % 2]);
}

static void deposit(struct world *world, const struct event *event)
{
    sim_chain_deposit(world->chain, &treasury_of(world, event)->payer.address,
                      bursar_amount_from_u64(1000000 + event->a % 40000000));
}

static void jump(struct world *world, const struct event *event)
{
    static const int64_t spans_ms[] = { 2000, 70000, 3600000, 86400000 };
    struct process *process = process_of(world, event);
    int64_t ms = spans_ms[event->a % 4] + (int64_t)(event->b % 1000);
    if (event->kind == EVENT_MONOTONIC_JUMP)
        process->monotonic_offset_ms += ms; /* it never goes back */
    else
        process->wall_offset_ms += event->c % 2 ? ms : -ms;
}

void world_apply(struct world *world, const struct event *event)
{
    char text[160];
    event_text(event, text, sizeof text);
    trace_headline(&world->trace, "%s", text);
    world->counts.events++;
    disk_enter(world->disk, NULL);
    switch (event->kind) {
    case EVENT_IMPORT:
        import(world, event);
        break;
    case EVENT_CANCEL:
        cancel(world, event);
        break;
    case EVENT_CANCEL_SENT:
        office_cancel_sent(&world->office, &world->inputs, &treasury_of(world, event)->payer, event->a);
        break;
    case EVENT_RETRY:
        (void)office_retry_all(&world->office, &treasury_of(world, event)->payer);
        break;
    case EVENT_REPAIR:
        repair(world);
        break;
    case EVENT_REFUSE:
        refuse(world, 1 + event->a % 4, event->b);
        break;
    case EVENT_BREAKER:
        command_breaker(world, treasury_of(world, event), (enum breaker_command)(BREAKER_COMMAND_OPEN + event->a % 3));
        break;
    case EVENT_KILL_CALL:
    case EVENT_KILL_DISK:
        schedule_death(process_of(world, event), event);
        break;
    case EVENT_STOP:
        process_stop(process_of(world, event));
        process_of(world, event)->start_at_step = world->step + 1 + event->a % 5;
        break;
    case EVENT_FREEZE:
    case EVENT_PASS_ON:
        schedule_freeze(world, event);
        break;
    case EVENT_POWER_LOSS:
        lose_power(world, event);
        break;
    case EVENT_KEEP_STORE:
        keep_store(world);
        break;
    case EVENT_PUT_BACK_STORE:
        put_back_store(world, event);
        break;
    case EVENT_KEEP_LOG:
        keep_log(world, event);
        break;
    case EVENT_PUT_BACK_LOG:
        put_back_log(world, event);
        break;
    case EVENT_WALL_JUMP:
    case EVENT_MONOTONIC_JUMP:
        jump(world, event);
        break;
    case EVENT_DISK_FAULT:
        disk_fault(world, event);
        break;
    case EVENT_NETWORK_FAULT:
        network_fault(world, event);
        break;
    case EVENT_NODE_FAULT:
        node_fault(world, event);
        break;
    case EVENT_REORG:
        (void)sim_chain_reorg(world->chain, 1 + event->a % 12, (enum sim_orphans)(event->b % 3), event->c % 2);
        break;
    case EVENT_LOSE_BLOCKS:
        (void)sim_chain_lose(world->chain, 1 + event->a % 5, (enum sim_orphans)(event->b % 3));
        break;
    case EVENT_EVICT:
        evict(world, event);
        break;
    case EVENT_DROP_POOL:
        sim_chain_drop_pools(world->chain, event->a % 2 ? SIM_ALL_POOLS : 1u << event->b % SIM_POOLS_MAX_COUNT);
        break;
    case EVENT_BASE_FEE:
        change_base_fee(world, event);
        break;
    case EVENT_NO_BLOCKS:
        world->blocks_stall = world->step + 1 + event->a % 12;
        break;
    case EVENT_BLOCKS:
        sim_chain_mine(world->chain, 1 + event->a % 8);
        break;
    case EVENT_DEPOSIT:
        deposit(world, event);
        break;
    case EVENT_FOREIGN:
        send_foreign(world, event);
        break;
    case EVENT_NODE_CUT_OFF:
        world_cut_off_node(world, treasury_of(world, event), event);
        break;
    case EVENT_NODE_LIES:
        world_node_lies(treasury_of(world, event), event);
        break;
    case EVENT_LOSE_STORE:
        lose_store(world);
        break;
    case EVENT_LOSE_LOG:
        lose_log(world, event);
        break;
    case EVENT_NODE_MOVES:
        world_move_node(world, treasury_of(world, event), event);
        break;
    case EVENT_ADOPT:
        adopt(world, event);
        break;
    case EVENT_MONEY_LIMITS:
        world_limit_money(world);
        break;
    case EVENT_MONEY:
        if (event->a % 4 == 0)
            world_open_money_midway(process_of(world, event), event);
        else
            (void)world_command_money(world, treasury_of(world, event), event->a % 4 == 1);
        break;
    case EVENT_CLOSE_MONEY:
        world_close_money(world, treasury_of(world, event));
        break;
    case EVENT_TAKE:
        world_take_money(world, treasury_of(world, event), event);
        break;
    case EVENT_KIND_COUNT:
        break;
    }
}
