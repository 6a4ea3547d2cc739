/* Runs the parts of the command in its order, with an own way to the nodes and as one that can die. */
#include "adoption.h"

#include "base/bytes.h"
#include "reconcile/adopt.h"

#include <stdlib.h>
#include <string.h>

#define ASSIGNMENTS_MAX_COUNT 64
#define LEASE_TTL_MS 15000
#define DIGEST_START 0x9e3779b97f4a7c15ull

typedef unsigned long long ull;

/* One run of the command. */
struct adopter {
    struct world *world;
    struct sim_treasury *treasury;
    struct sqlite_store *sqlite;
    struct store store;
    struct signing_log *log; /* NULL: there is none */
    struct way way;
    struct chain chain;
    bool has_lease, is_adopted;
    struct fence fence;
    struct assignment assignments[ASSIGNMENTS_MAX_COUNT];
    size_t assignment_count;
    struct adopt_plan plan;
};

static void wait_no_time(void *ctx, uint64_t wait_ms)
{
    (void)ctx;
    (void)wait_ms;
}

static enum bursar_status open_log(struct adopter *now, bool writes, struct bursar_error *err)
{
    const struct sim_treasury *treasury = now->treasury;
    enum bursar_status status =
        writes
            ? signing_log_open(treasury->log_path, WORLD_CHAIN_ID, &treasury->payer.address, &now->log, err)
            : signing_log_open_read_only(treasury->log_path, WORLD_CHAIN_ID, &treasury->payer.address, &now->log, err);
    return status == BURSAR_ENOTFOUND ? BURSAR_OK : status;
}

static enum bursar_status open_all(struct adopter *now, bool writes, struct bursar_error *err)
{
    const struct world *world = now->world;
    const struct way_setup way = { .set = &now->treasury->nodes,
                                   .clock = world_clock(now->world),
                                   .finding = &now->world->finding,
                                   .step = &world->step };
    enum bursar_status status = sqlite_store_open(
        world->office.store_path, writes ? SQLITE_MODE_WRITE : SQLITE_MODE_READ, NULL, NULL, &now->sqlite, err);
    if (status != BURSAR_OK)
        return status;
    now->store = sqlite_store_interface(now->sqlite);
    way_init(&now->way, &now->treasury->nodes, NULL);
    status = way_open(&now->way, &way, &now->chain, err);
    return status == BURSAR_OK ? open_log(now, writes, err) : status;
}

static enum bursar_status take_lease(struct adopter *now, struct bursar_error *err)
{
    enum bursar_status status = now->store.lease_take(now->store.ctx, now->treasury->payer.id, "somebody", LEASE_TTL_MS,
                                                      now->world->now_ms, &now->fence, err);
    now->has_lease = status == BURSAR_OK;
    if (now->has_lease)
        witness_taken(&now->treasury->witness, now->fence.lease_epoch);
    return status;
}

static enum bursar_status write_plan(struct adopter *now, const struct reconcile_env *env, struct bursar_error *err)
{
    const struct sim_treasury *treasury = now->treasury;
    const struct decision decision = { .actor = "somebody", .reason = "adopted", .at_ms = now->world->now_ms };
    enum bursar_status status = BURSAR_OK;
    if (!now->log) {
        status = signing_log_create(treasury->log_path, WORLD_CHAIN_ID, &treasury->payer.address, err);
        if (status == BURSAR_OK)
            status = signing_log_open(treasury->log_path, WORLD_CHAIN_ID, &treasury->payer.address, &now->log, err);
    }
    if (status == BURSAR_OK)
        status = adopt_write(env, now->log, &now->plan, &decision, &now->fence, err);
    money_witness_adopted(&now->treasury->witness.money, status);
    now->is_adopted = status == BURSAR_OK;
    return status;
}

static enum bursar_status carry_out(struct adopter *now, bool writes, struct bursar_error *err)
{
    const struct adopt_options options = { .assignments = now->assignments, .assignment_count = now->assignment_count };
    enum bursar_status status = open_all(now, writes, err);
    if (status == BURSAR_OK && writes)
        status = take_lease(now, err);
    if (status != BURSAR_OK)
        return status;
    const struct reconcile_env env = { .store = now->store,
                                       .chain = now->chain,
                                       .log_path = now->treasury->log_path,
                                       .treasury = now->treasury->payer.id,
                                       .finality_blocks = now->treasury->setup.config.finality_blocks,
                                       .wait = wait_no_time };
    status = adopt_look(&env, now->log, &options, &now->plan, err);
    if (status == BURSAR_OK && writes && !now->plan.undecided && adopt_plan_changes(&now->plan))
        status = write_plan(now, &env, err);
    return status;
}

/* The command, from its start to its end. The plan stays, to be looked at. */
static enum bursar_status run(struct adopter *now, bool writes, uint64_t die_in, struct bursar_error *err)
{
    struct world *world = now->world;
    struct disk_user *user = &world->office_user;
    struct bursar_error ignored;
    disk_enter(world->disk, user);
    user->die_at_operation = die_in ? user->operations + die_in : 0;
    enum bursar_status status = carry_out(now, writes, err);
    if (now->has_lease && !user->is_dead &&
        now->store.lease_release(now->store.ctx, now->fence, &ignored) == BURSAR_OK && now->is_adopted)
        now->treasury->witness.token = now->fence.lease_epoch;
    if (user->is_dead) {
        trace_headline(&world->trace, "      reconcile dies in %s", user->died_at);
        world->counts.deaths++;
        status = BURSAR_ESTORAGE;
    }
    signing_log_close(now->log);
    way_close(&now->way);
    way_free(&now->way);
    sqlite_store_close(now->sqlite);
    now->log = NULL;
    now->sqlite = NULL;
    user->is_dead = false;
    user->die_at_operation = 0;
    disk_enter(world->disk, NULL);
    return status;
}

/* --- what was seen, and what it must come to --- */

static void broken(const struct adopter *now, const char *what, uint64_t nonce)
{
    finding_add(&now->world->finding, PROPERTY_ADOPT_UNTRUE, now->world->step, "t%u, nonce %llu: %s",
                now->treasury->number, (ull)nonce, what);
}

static uint64_t digest(const struct adopt_plan *plan)
{
    uint64_t sum = DIGEST_START;
    for (size_t i = 0; i < plan->count; i++) {
        const struct sight *sight = &plan->sights[i];
        uint64_t hash;
        memcpy(&hash, sight->hash.bytes, sizeof hash);
        sum = random_mix(sum, sight->nonce);
        sum = random_mix(sum, (uint64_t)sight->step << 8 | (uint64_t)sight->trouble);
        sum = random_mix(sum, (uint64_t)sight->pays);
        sum = random_mix(sum, sight->seen == SEEN_NOWHERE ? 0 : hash);
    }
    return sum;
}

static uint64_t lies_told(const struct sim_treasury *treasury)
{
    uint64_t sum = 0;
    for (int lie = 0; lie < SIM_LIES; lie++)
        sum += node_set_lies_told(&treasury->nodes, (enum sim_lie)lie);
    return sum;
}

static int compare_ids(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* One transaction to one disbursement. */
static void check_plan(const struct adopter *now)
{
    const struct adopt_plan *plan = &now->plan;
    int64_t *ids = calloc(plan->count + 1, sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; ids && i < plan->count; i++) {
        if (plan->sights[i].pays)
            ids[count++] = plan->sights[i].pays;
    }
    if (count > 1)
        qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++) {
        if (ids[i] == ids[i - 1])
            broken(now, "its disbursement is another nonce's too", (uint64_t)ids[i]);
    }
    free(ids);
}

/* What all of its nodes hold, and do not hide, is not for signing again. */
static void check_pool(const struct adopter *now)
{
    const struct node_set *nodes = &now->treasury->nodes;
    uint32_t mask = 0;
    for (size_t i = 0; i < nodes->count; i++)
        mask |= 1u << sim_node_pool(nodes->nodes[i]);
    for (size_t i = 0; i < now->plan.count; i++) {
        const struct sight *sight = &now->plan.sights[i];
        if (sight->step != ADOPT_SIGN_AGAIN)
            continue;
        uint32_t tx = sim_chain_find(now->world->chain, &sight->signed_hash);
        if (tx != SIM_NONE && (sim_chain_transaction(now->world->chain, tx)->pools & mask) == mask)
            broken(now, "it waits in the pool, and would be signed again", sight->nonce);
    }
}

struct states {
    const struct adopter *of;
    size_t left; /* paid ones not found to be final yet */
};

static enum bursar_status take_state(void *ctx, const struct content_record *record)
{
    struct states *states = ctx;
    const struct adopt_plan *plan = &states->of->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct sight *sight = &plan->sights[i];
        if (sight->step == ADOPT_PAID && sight->pays == record->id && record->state != STATE_FINALIZED)
            broken(states->of, "it was adopted as paid, and is not called final", sight->nonce);
    }
    return BURSAR_OK;
}

/* After it was done: a second look finds nothing to do. */
static void check_done(struct adopter *done)
{
    struct adopter again = { .world = done->world, .treasury = done->treasury };
    struct states states = { .of = done };
    struct bursar_error err = { 0 };
    uint64_t lies = lies_told(done->treasury);
    enum bursar_status status = run(&again, false, 0, &err);
    if (status == BURSAR_OK && lies == lies_told(done->treasury) &&
        (again.plan.changes || again.plan.undecided || adopt_plan_changes(&again.plan)))
        broken(done, "adopted, and a second look finds more to adopt",
               again.plan.count ? again.plan.sights[0].nonce : 0);
    adopt_plan_free(&again.plan);
    disk_enter(done->world->disk, NULL);
    if (sqlite_store_open(done->world->office.store_path, SQLITE_MODE_READ, NULL, NULL, &again.sqlite, &err) !=
        BURSAR_OK)
        return;
    struct store store = sqlite_store_interface(again.sqlite);
    (void)!store.contents(store.ctx, done->treasury->payer.id, 0, LIST_MAX_ROWS, take_state, &states, &err);
    sqlite_store_close(again.sqlite);
}

/* --- a person --- */

/* What it pays has been cancelled meanwhile, or nobody ever asked for it, or somebody else has paid it with a nonce of
 * another payment: it is none of ours. */
static void disown(struct adopter *now, const struct sight *sight)
{
    now->assignments[now->assignment_count++] = (struct assignment){
        .has_hash = true, .hash = sight->seen == SEEN_NOWHERE ? sight->signed_hash : sight->hash, .is_foreign = true
    };
}

static void decide(struct adopter *now, const struct adopt_plan *plan)
{
    for (size_t i = 0; i < plan->count && now->assignment_count < ASSIGNMENTS_MAX_COUNT; i++) {
        const struct sight *sight = &plan->sights[i];
        if (sight->step == ADOPT_UNDECIDED && (sight->trouble == TROUBLE_SURPLUS ||
                                               sight->trouble == TROUBLE_UNMATCHED || sight->trouble == TROUBLE_BOUND))
            disown(now, sight);
    }
}

/* The oracle counts such a payment, and the store does not. */
static void remember_disowned(struct adopter *now)
{
    for (size_t i = 0; i < now->assignment_count; i++) {
        uint32_t index = sim_chain_find(now->world->chain, &now->assignments[i].hash);
        const struct sim_transaction *tx = index == SIM_NONE ? NULL : sim_chain_transaction(now->world->chain, index);
        struct bursar_address to = { 0 };
        struct bursar_amount amount;
        if (tx && !(sim_token_at(&tx->to) && sim_token_reads(tx->data, tx->data_bytes, &to, &amount)))
            to = tx->to;
        struct input_row *leader = tx && !tx->is_foreign ? inputs_leader(&now->world->inputs, &to) : NULL;
        now->treasury->has_disowned = true;
        if (leader)
            leader->disowned++;
    }
}

/* False: not all of them are in the store. */
static bool import_all(struct world *world, const struct sim_treasury *treasury)
{
    bool ok = true;
    for (size_t i = 0; i < world->inputs.file_count; i++) {
        struct input_file *file = &world->inputs.files[i];
        if (file->treasury == treasury->number)
            ok = office_import(&world->office, &world->inputs, file, &treasury->payer) && ok;
    }
    return ok;
}

static void stop_all(struct world *world, const struct sim_treasury *treasury)
{
    for (size_t i = 0; i < world->process_count; i++) {
        if (world->owner[i] != treasury->number)
            continue;
        process_stop(&world->processes[i]);
        world->processes[i].start_at_step = world->step + 1;
    }
}

static void tell(const struct adopter *now, const char *what, enum bursar_status status, const struct bursar_error *err)
{
    const struct adopt_plan *plan = &now->plan;
    size_t steps[ADOPT_WAIT + 1] = { 0 };
    char text[240] = "";
    for (size_t i = 0; i < plan->count; i++)
        steps[plan->sights[i].step]++;
    for (int step = ADOPT_NOT + 1; step <= ADOPT_WAIT; step++) {
        size_t used = strlen(text);
        if (steps[step])
            (void)snprintf(text + used, sizeof text - used, ", %zu %s", steps[step],
                           adopt_step_name((enum adopt_step)step));
    }
    trace_headline(&now->world->trace, "%llu   reconcile %s t%u: %s%s%s%s", (ull)now->world->step, what,
                   now->treasury->number, bursar_status_text(status), *err->message ? ", " : "", err->message, text);
}

static enum adoption_end adopt(struct adopter *now, uint64_t die_in, uint64_t expected)
{
    struct bursar_error err = { 0 };
    uint64_t lies = lies_told(now->treasury);
    enum bursar_status status = run(now, true, die_in, &err);
    tell(now, "--adopt", status, &err);
    if (status != BURSAR_OK) {
        now->treasury->adoption_failed = true;
        return ADOPTION_FAILED;
    }
    check_plan(now);
    if (expected && lies == lies_told(now->treasury) && digest(&now->plan) != expected)
        broken(now, "the dry run said something else", now->plan.count ? now->plan.sights[0].nonce : 0);
    if (now->plan.undecided)
        return ADOPTION_UNDECIDED;
    check_done(now);
    remember_disowned(now);
    now->treasury->was_adopted = true;
    now->treasury->adoption_failed = false;
    now->treasury->causes.old_store = now->treasury->causes.old_log = false;
    now->world->counts.adopted++;
    return ADOPTION_DONE;
}

enum adoption_end people_adopt(struct world *world, struct sim_treasury *treasury, const struct adoption_wish *wish)
{
    struct adopter first = { .world = world, .treasury = treasury };
    struct adopter second = { .world = world, .treasury = treasury };
    enum adoption_end end = ADOPTION_FAILED;
    struct bursar_error err = { 0 };
    bool knows_all = wish->imports && import_all(world, treasury);
    if (wish->stops)
        stop_all(world, treasury);
    uint64_t lies = lies_told(treasury);
    enum bursar_status status = run(&first, false, 0, &err);
    tell(&first, "--dry-run", status, &err);
    if (status == BURSAR_OK) {
        check_plan(&first);
        if (lies == lies_told(treasury))
            check_pool(&first);
    }
    if (status == BURSAR_OK && !wish->is_dry_run) {
        if (wish->assigns && knows_all) /* else it might be paid again, once its file is there */
            decide(&second, &first.plan);
        bool is_same = second.assignment_count == 0 && wish->stops && lies == lies_told(treasury);
        end = adopt(&second, wish->die_in, is_same ? digest(&first.plan) : 0);
    }
    adopt_plan_free(&first.plan);
    adopt_plan_free(&second.plan);
    return end;
}

/* --- init --- */

static enum bursar_status add_anew(struct world *world, const struct store *store, struct sim_treasury *treasury,
                                   struct bursar_error *err)
{
    const struct sim_chain *chain = world->chain;
    const struct bursar_address *account = &treasury->payer.address;
    uint32_t head = sim_chain_head(chain);
    uint64_t final_number = sim_chain_final_number(chain);
    struct signing_log_extent extent = { 0 };
    struct signing_log *log = NULL;
    char name[16];
    (void)snprintf(name, sizeof name, "t%u", treasury->number);
    enum bursar_status status = signing_log_open_read_only(treasury->log_path, WORLD_CHAIN_ID, account, &log, err);
    if (status != BURSAR_OK)
        return status;
    signing_log_extent(log, &extent);
    signing_log_close(log);
    status = store->treasury_add(store->ctx, name, WORLD_CHAIN_ID, account, WORLD_EPOCH_TEXT, &treasury->payer.id, err);
    if (status != BURSAR_OK)
        return status;
    treasury->setup.config.treasury = treasury->payer.id;
    struct bursar_hash genesis = sim_chain_block(chain, sim_chain_at(chain, head, 0))->hash;
    struct block_mark anchor = { final_number, sim_chain_block(chain, sim_chain_at(chain, head, final_number))->hash };
    uint64_t sent = sim_chain_pending_nonce(chain, SIM_POOL_MINER, head, account);
    return store->treasury_pin(store->ctx, treasury->payer.id, &genesis, extent.entries ? extent.first_nonce : sent,
                               &anchor, &anchor, err);
}

void people_init_anew(struct world *world)
{
    struct sqlite_store *sqlite = NULL;
    struct bursar_error err = { 0 };
    disk_enter(world->disk, NULL);
    enum bursar_status status = sqlite_store_create(world->office.store_path, &sqlite, &err);
    if (status == BURSAR_OK) {
        struct store store = sqlite_store_interface(sqlite);
        for (size_t i = 0; i < world->treasury_count && status == BURSAR_OK; i++)
            status = add_anew(world, &store, &world->treasuries[i], &err);
        sqlite_store_close(sqlite);
    }
    if (status != BURSAR_OK)
        finding_add(&world->finding, PROPERTY_BROKEN, world->step, "a new store can't be made: %s", err.message);
}
