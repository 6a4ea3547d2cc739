/* Following the chain: reorgs are found by the hashes of the blocks read before, inclusion by the hashes of the
 * transactions in new ones (INV-8). */
#include "executor/tick.h"

#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

enum bursar_status tick_settle(struct executor *executor, const struct settlement *settlement, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    uint64_t now_ms = executor->env.clock.wall_ms(executor->env.clock.ctx);
    return store->settle(store->ctx, executor->fence, now_ms, settlement, err);
}

/* Reads blocks [first, first + count); false when the node failed. */
static bool read_blocks(struct executor *executor, struct tick *tick, uint64_t first, size_t count,
                        struct chain_block *ret)
{
    struct chain *chain = &executor->env.chain;
    struct bursar_error fault = { 0 };
    uint64_t numbers[CHAIN_BLOCKS_MAX_COUNT] = { 0 };
    for (size_t i = 0; i < count; i++)
        numbers[i] = first + i;
    if (chain->blocks(chain->ctx, numbers, count, ret, &fault) == BURSAR_OK)
        return true;
    tick_note_fault(executor, tick, &fault);
    return false;
}

/* The newest of these marks that is still canonical; *ret_found false when none is. */
static bool newest_canonical(struct executor *executor, struct tick *tick, const struct block_mark *marks, size_t count,
                             struct block_mark *ret, bool *ret_found)
{
    struct chain *chain = &executor->env.chain;
    struct chain_block blocks[CHAIN_BLOCKS_MAX_COUNT] = { 0 };
    uint64_t numbers[CHAIN_BLOCKS_MAX_COUNT];
    struct bursar_error fault = { 0 };
    *ret_found = false;
    for (size_t i = 0; i < count; i++)
        numbers[i] = marks[i].number;
    if (chain->blocks(chain->ctx, numbers, count, blocks, &fault) != BURSAR_OK) {
        tick_note_fault(executor, tick, &fault);
        return false;
    }
    for (size_t i = count; i-- > 0 && !*ret_found;) {
        if (blocks[i].is_present && hash_equal(&blocks[i].head.block.hash, &marks[i].hash)) {
            *ret = marks[i];
            *ret_found = true;
        }
    }
    chain_blocks_clear(blocks, count);
    return true;
}

/* Goes back through the blocks read before, newest first, to one that is still canonical; at last to the anchor. */
static enum bursar_status find_fork(struct executor *executor, struct tick *tick, struct block_mark *ret,
                                    bool *ret_found, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    const struct treasury *treasury = &tick->treasury;
    struct block_mark marks[CHAIN_BLOCKS_MAX_COUNT];
    uint64_t above = treasury->scan.number + 1;
    *ret_found = false;
    while (above > treasury->anchor.number + 1) {
        uint64_t from = above > CHAIN_BLOCKS_MAX_COUNT ? above - CHAIN_BLOCKS_MAX_COUNT : 0;
        if (from <= treasury->anchor.number)
            from = treasury->anchor.number + 1;
        size_t count = 0;
        enum bursar_status status =
            store->scanned_select(store->ctx, treasury->id, from, (size_t)(above - from), marks, &count, err);
        if (status != BURSAR_OK)
            return status;
        if (count && !newest_canonical(executor, tick, marks, count, ret, ret_found))
            return BURSAR_OK;
        if (*ret_found)
            return BURSAR_OK;
        above = from;
    }
    *ret = treasury->anchor; /* plan_identity has just seen that it is canonical */
    *ret_found = true;
    return BURSAR_OK;
}

static enum bursar_status rewind_scan(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct block_mark fork;
    bool found = false;
    enum bursar_status status = find_fork(executor, tick, &fork, &found, err);
    if (status != BURSAR_OK || !found)
        return status;
    note(&executor->env.notes, NOTE_WARN, "reorg: blocks above %llu, read up to %llu, are no longer canonical",
         (unsigned long long)fork.number, (unsigned long long)tick->treasury.scan.number);
    struct settlement settlement = { .has_fork = true, .fork_number = fork.number, .has_scan = true, .scan = fork };
    status = tick_settle(executor, &settlement, err);
    if (status == BURSAR_OK) {
        tick->treasury.scan = fork;
        executor->lag_ticks = 0;
    }
    return status;
}

/* How many of the blocks read link up, starting from `parent`. */
static size_t linked_prefix(const struct chain_block *blocks, size_t count, const struct block_mark *parent)
{
    const struct bursar_hash *above = &parent->hash;
    size_t linked = 0;
    while (linked < count && blocks[linked].is_present && hash_equal(&blocks[linked].head.parent_hash, above)) {
        above = &blocks[linked].head.block.hash;
        linked++;
    }
    return linked;
}

/* Which of our flights are in these blocks? *ret is malloc'd. */
static enum bursar_status collect_included(struct executor *executor, const struct chain_block *blocks, size_t count,
                                           struct included_attempt **ret, size_t *ret_count, struct bursar_error *err)
{
    struct scratch *scratch = &executor->scratch;
    enum bursar_status status = flights_watch(executor, err);
    if (status != BURSAR_OK)
        return status;
    struct included_attempt *included = calloc(scratch->flight_count + 1, sizeof *included);
    if (!included)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    size_t found = 0;
    for (size_t b = 0; b < count; b++) {
        for (size_t t = 0; t < blocks[b].transaction_count && found < scratch->flight_count; t++) {
            const struct watched *watched =
                plan_find_watched(scratch->watched, scratch->watched_count, &blocks[b].transactions[t]);
            if (watched)
                included[found++] = (struct included_attempt){ .attempt = watched->attempt,
                                                               .intent = watched->flight->intent,
                                                               .nonce = watched->flight->nonce,
                                                               .purpose = watched->purpose,
                                                               .hash = watched->hash,
                                                               .block = head_mark(&blocks[b].head) };
        }
    }
    *ret = included;
    *ret_count = found;
    return BURSAR_OK;
}

static enum bursar_status settle_blocks(struct executor *executor, struct tick *tick, const struct chain_block *blocks,
                                        size_t count, struct bursar_error *err)
{
    struct block_mark marks[CHAIN_BLOCKS_MAX_COUNT];
    struct included_attempt *included = NULL;
    struct settlement settlement = { .scanned = marks, .scanned_count = count, .has_scan = true };
    enum bursar_status status = collect_included(executor, blocks, count, &included, &settlement.included_count, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        marks[i] = head_mark(&blocks[i].head);
    settlement.included = included;
    settlement.scan = marks[count - 1];
    status = tick_settle(executor, &settlement, err);
    if (status == BURSAR_OK) {
        tick->treasury.scan = settlement.scan;
        if (settlement.included_count)
            flights_drop(&executor->scratch, included, settlement.included_count);
    }
    free(included);
    return status;
}

/* Reads and settles the next blocks above the cursor, which is canonical; *ret_read how many. */
static enum bursar_status read_on(struct executor *executor, struct tick *tick, size_t *ret_read,
                                  struct bursar_error *err)
{
    struct chain_block blocks[CHAIN_BLOCKS_MAX_COUNT] = { 0 };
    uint64_t missing = tick->view.latest.block.number - tick->treasury.scan.number;
    size_t count = missing < CHAIN_BLOCKS_MAX_COUNT ? (size_t)missing : CHAIN_BLOCKS_MAX_COUNT;
    *ret_read = 0;
    if (!read_blocks(executor, tick, tick->treasury.scan.number + 1, count, blocks))
        return BURSAR_OK;
    size_t linked = linked_prefix(blocks, count, &tick->treasury.scan);
    enum bursar_status status = BURSAR_OK;
    if (linked)
        status = settle_blocks(executor, tick, blocks, linked, err);
    else if (blocks[0].is_present) /* the cursor's block has just been replaced */
        status = rewind_scan(executor, tick, err);
    if (status == BURSAR_OK)
        *ret_read = linked;
    chain_blocks_clear(blocks, count);
    return status;
}

/* With nothing unfinished there is nothing to look for in between. */
static enum bursar_status skip_to_latest(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct block_mark latest = head_mark(&tick->view.latest);
    struct settlement settlement = { .scanned = &latest, .scanned_count = 1, .has_scan = true, .scan = latest };
    enum bursar_status status = tick_settle(executor, &settlement, err);
    if (status == BURSAR_OK)
        tick->treasury.scan = latest;
    return status;
}

/* Is the newest block that was read still where it was? Decides about heads that did not grow. */
static enum bursar_status check_cursor(struct executor *executor, struct tick *tick, bool *ret_canonical,
                                       struct bursar_error *err)
{
    const struct block_mark *scan = &tick->treasury.scan;
    const struct chain_head *latest = &tick->view.latest;
    *ret_canonical = true;
    if (latest->block.number < scan->number) {
        /* A lagging node, or a chain that lost blocks: believe it when it goes on saying so. Moving back is harmless,
         * the same bytes are handed over again. */
        *ret_canonical = false;
        tick->verdict.holds = true;
        (void)snprintf(tick->verdict.reason, sizeof tick->verdict.reason,
                       "the node's head %llu is below block %llu that was read before",
                       (unsigned long long)latest->block.number, (unsigned long long)scan->number);
        return ++executor->lag_ticks < LAG_TICKS ? BURSAR_OK : rewind_scan(executor, tick, err);
    }
    executor->lag_ticks = 0;
    if (latest->block.number == scan->number && !hash_equal(&latest->block.hash, &scan->hash)) {
        *ret_canonical = false;
        return rewind_scan(executor, tick, err);
    }
    return BURSAR_OK;
}

enum bursar_status tick_follow(struct executor *executor, struct tick *tick, struct bursar_error *err)
{
    struct store *store = &executor->env.store;
    bool canonical = false;
    enum bursar_status status = flights_load(executor, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, tick->treasury.id, &tick->lane, err);
    if (status == BURSAR_OK)
        status = check_cursor(executor, tick, &canonical, err);
    if (status != BURSAR_OK || !canonical)
        return status;
    const uint64_t latest = tick->view.latest.block.number;
    if (tick->treasury.scan.number < latest && tick->lane.lowest_unfinished_nonce == tick->lane.next_nonce)
        status = skip_to_latest(executor, tick, err);
    for (size_t total = 0; status == BURSAR_OK && tick->treasury.scan.number < latest;) {
        size_t count = 0;
        if (total >= SCAN_BLOCKS_PER_TICK) {
            tick->go_on = true;
            break;
        }
        status = read_on(executor, tick, &count, err);
        if (count == 0)
            break;
        total += count;
    }
    tick->is_current = status == BURSAR_OK && tick->treasury.scan.number == latest &&
                       hash_equal(&tick->treasury.scan.hash, &tick->view.latest.block.hash);
    return status;
}
