/* The life of a process. */
#include "process.h"

#include "signer/private_key.h"

#include <string.h>

static uint64_t shifted(uint64_t now_ms, int64_t offset_ms)
{
    return offset_ms < 0 && (uint64_t)-offset_ms > now_ms ? 0 : now_ms + (uint64_t)offset_ms;
}

uint64_t process_wall_ms(void *ctx)
{
    const struct process *process = ctx;
    return shifted(*process->setup->now_ms, process->wall_offset_ms);
}

uint64_t process_monotonic_ms(void *ctx)
{
    const struct process *process = ctx;
    return shifted(*process->setup->now_ms, process->monotonic_offset_ms);
}

/* --- calls through a seam --- */

enum bursar_status seam_dead(struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_ESTORAGE, "this process is dead");
}

static void die(struct process *process, const char *when, const char *call)
{
    process->is_dead = process->user.is_dead = true;
    trace_headline(process->setup->trace, "      %s dies %s %s", process->name, when, call);
}

static void freeze(struct process *process, const char *call)
{
    struct disk *disk = process->setup->disk;
    trace_headline(process->setup->trace, "      %s is frozen before %s", process->name, call);
    process->is_frozen = true;
    disk_enter(disk, NULL);
    fiber_pause();
    disk_enter(disk, &process->user);
    process->is_frozen = false;
    if (!process->is_dead)
        trace_headline(process->setup->trace, "      %s goes on with %s", process->name, call);
}

/* Its turn, when this call is one that counts. */
static bool comes_up(uint64_t *countdown, const char *at, const char *call)
{
    if (*countdown == 0 || (at && strcmp(at, call) != 0))
        return false;
    return --*countdown == 0;
}

bool seam_enter(struct process *process, const char *call)
{
    if (process->is_dead)
        return false;
    process->calls++;
    if (comes_up(&process->freeze_in, process->freeze_at, call) && fiber_is_inside())
        freeze(process, call);
    if (!process->is_dead && comes_up(&process->die_in, process->die_at, call)) {
        if (!process->die_after)
            die(process, "before", call);
        else
            process->die_now = true;
    }
    return !process->is_dead;
}

enum bursar_status seam_leave(struct process *process, const char *call, enum bursar_status status,
                              struct bursar_error *err)
{
    trace_line(process->setup->trace, "      %s %s: %s", process->name, call, bursar_status_text(status));
    if (process->user.is_dead && !process->is_dead) {
        process->is_dead = true;
        trace_headline(process->setup->trace, "      %s dies in %s: %s", process->name, call, process->user.died_at);
    } else if (process->die_now) {
        die(process, "after", call);
    }
    process->die_now = false;
    return process->is_dead ? seam_dead(err) : status;
}

struct bursar_hash seam_true_genesis(const struct process *process)
{
    const struct sim_chain *chain = process->setup->true_chain;
    return sim_chain_block(chain, sim_chain_at(chain, sim_chain_head(chain), 0))->hash;
}

void seam_acts(struct process *process, const char *call)
{
    struct witness *witness = process->setup->witness;
    if (process->sees_other && !witness->is_pinned_wrongly)
        finding_add(witness->finding, PROPERTY_BELIEVED, *witness->step,
                    "%s after a look at a chain with another genesis block", call);
}

/* --- starting and ending --- */

static void run_step(void *ctx)
{
    struct process *process = ctx;
    process->error = (struct bursar_error){ 0 };
    process->status = executor_step(process->executor, &process->next_wake_ms, &process->report, &process->error);
}

bool process_init(struct process *process, const struct process_setup *setup, uint64_t number)
{
    process->setup = setup;
    process->user.number = number;
    (void)snprintf(process->name, sizeof process->name, "p%llu", (unsigned long long)number);
    process->fiber = fiber_new(run_step, process);
    way_init(&process->way, setup->nodes, &process->is_dead);
    return process->fiber != NULL;
}

/* What the kernel takes back. */
static void clear_away(struct process *process)
{
    executor_free(process->executor);
    bursar_breaker_free(process->breaker);
    way_close(&process->way);
    local_signer_free(process->local_signer);
    sqlite_store_close(process->sqlite);
    process->executor = NULL;
    process->breaker = NULL;
    process->local_signer = NULL;
    process->sqlite = NULL;
    disk_enter(process->setup->disk, NULL);
    process->is_up = process->is_dead = process->die_now = process->log_is_orphan = process->sees_other = false;
    process->opens_money = false;
    process->die_in = process->freeze_in = 0;
    process->user.is_dead = false;
    process->user.die_at_operation = 0;
    process->report = (struct executor_report){ 0 };
    process->money = (struct money_view){ 0 };
}

static enum bursar_status make_signer(struct process *process, struct bursar_error *err)
{
    const struct process_setup *setup = process->setup;
    struct private_key *key = NULL;
    enum bursar_status status = private_key_new(setup->secret, &key, err);
    if (status == BURSAR_OK)
        status = local_signer_new(setup->chain_id, key, setup->log_path, &process->local_signer, err);
    if (status != BURSAR_OK) {
        private_key_free(key);
        return status;
    }
    process->signer = local_signer_interface(process->local_signer);
    return BURSAR_OK;
}

static enum bursar_status make_chain(struct process *process, struct bursar_error *err)
{
    const struct process_setup *setup = process->setup;
    const struct way_setup way = { .set = setup->nodes,
                                   .lanes = setup->lanes,
                                   .clock = { process, process_wall_ms, process_monotonic_ms },
                                   .finding = setup->witness->finding,
                                   .step = setup->witness->step };
    return way_open(&process->way, &way, &process->chain, err);
}

static enum bursar_status start(struct process *process, struct bursar_error *err)
{
    const struct process_setup *setup = process->setup;
    struct executor_config config = setup->config;
    enum bursar_status status =
        sqlite_store_open(setup->store_path, SQLITE_MODE_WRITE, NULL, NULL, &process->sqlite, err);
    if (status != BURSAR_OK)
        return status;
    process->store = sqlite_store_interface(process->sqlite);
    status = make_signer(process, err);
    if (status == BURSAR_OK)
        status = make_chain(process, err);
    if (status == BURSAR_OK && setup->has_breaker)
        status = bursar_breaker_new(&setup->breaker, &process->breaker, err);
    if (status != BURSAR_OK)
        return status;
    struct executor_env env = { .store = seam_store(process),
                                .chain = seam_chain(process),
                                .signer = seam_signer(process),
                                .clock = { process, process_wall_ms, process_monotonic_ms },
                                .breaker = process->breaker };
    config.identity = process->name;
    return executor_new(&config, &env, &process->executor, err);
}

bool process_start(struct process *process)
{
    struct bursar_error err = { 0 };
    disk_enter(process->setup->disk, &process->user);
    enum bursar_status status = start(process, &err);
    process->is_dead = process->user.is_dead;
    process->is_up = status == BURSAR_OK && !process->is_dead;
    trace_headline(process->setup->trace, "      %s starts: %s%s%s", process->name,
                   process->is_dead ? "dies" : bursar_status_text(status), *err.message ? ", " : "", err.message);
    if (!process->is_up)
        clear_away(process);
    disk_enter(process->setup->disk, NULL);
    process->error = err;
    process->wake_at_ms = 0;
    return process->is_up;
}

/* A dead one that waits on its fiber is let go on, to its end. */
static void unwind(struct process *process)
{
    disk_enter(process->setup->disk, &process->user);
    if (fiber_is_paused(process->fiber))
        fiber_run(process->fiber);
    clear_away(process);
}

void process_kill(struct process *process)
{
    if (!process->is_up)
        return;
    trace_headline(process->setup->trace, "      %s is killed", process->name);
    process->is_dead = process->user.is_dead = true;
    unwind(process);
}

void process_stop(struct process *process)
{
    if (!process->is_up)
        return;
    if (process->is_frozen) {
        process_kill(process);
        return;
    }
    trace_headline(process->setup->trace, "      %s stops", process->name);
    disk_enter(process->setup->disk, &process->user);
    clear_away(process);
}

enum process_end process_step(struct process *process)
{
    disk_enter(process->setup->disk, &process->user);
    fiber_run(process->fiber);
    if (fiber_is_paused(process->fiber))
        return PROCESS_FROZE;
    process->is_dead = process->is_dead || process->user.is_dead;
    if (process->is_dead) {
        clear_away(process);
        return PROCESS_DIED;
    }
    disk_enter(process->setup->disk, NULL);
    if (process->status == BURSAR_OK || process->status == BURSAR_EBUSY)
        return PROCESS_WENT_ON;
    /* As `bursar run` does when the store can't be relied on. */
    trace_headline(process->setup->trace, "      %s ends: %s", process->name, process->error.message);
    process_stop(process);
    return PROCESS_ENDED;
}

void process_free(struct process *process)
{
    process_kill(process);
    way_free(&process->way);
    fiber_free(process->fiber);
    *process = (struct process){ 0 };
}
