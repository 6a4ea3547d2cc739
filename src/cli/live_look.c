/* What `status` sees for itself. The order of reads matters: an executor may be writing at the same time. */
#include "cli/live_look.h"

#include "signer/signing_log.h"

#include <stdarg.h>
#include <string.h>

static void found_halt(struct live_look *look, enum halt_code code, const char *format, ...) BURSAR_PRINTF(3, 4);
static void found_halt(struct live_look *look, enum halt_code code, const char *format, ...)
{
    if (look->halt != HALT_NONE)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(look->halt_reason, sizeof look->halt_reason, format, args);
    va_end(args);
    look->halt = code;
}

static void copy_nodes(const struct nodes *nodes, struct live_look *ret)
{
    ret->node_count = nodes ? nodes_count(nodes) : 0;
    for (size_t i = 0; i < ret->node_count; i++) {
        struct node_health health;
        struct live_node *node = &ret->nodes[i];
        nodes_look(nodes, i, &health);
        node->state = health.state;
        node->has_latest = health.has_latest;
        node->latest_block = health.latest_block;
        (void)snprintf(node->url, sizeof node->url, "%s", health.name);
        (void)snprintf(node->last_error, sizeof node->last_error, "%s", health.last_error);
    }
}

void live_look_at_node(const struct session *session, const struct treasury_config *section,
                       const struct treasury *treasury, uint32_t timeout_ms, struct live_look *ret)
{
    (void)session;
    struct node node = { 0 };
    struct bursar_error err = { 0 };
    struct chain_query query = { .account = treasury->address,
                                 .has_anchor = treasury->is_pinned,
                                 .anchor_number = treasury->anchor.number,
                                 .finality_blocks = (uint32_t)section->finality_blocks,
                                 .chain_id = section->chain_id,
                                 .has_pins = treasury->is_pinned,
                                 .genesis_hash = treasury->genesis_hash,
                                 .anchor_hash = treasury->anchor.hash };
    enum bursar_status status = node_open(&node, section, timeout_ms, NULL, NULL, &err);
    if (status == BURSAR_OK)
        status = node.chain.observe(node.chain.ctx, &query, &ret->view, &err);
    if (status != BURSAR_OK)
        (void)snprintf(ret->node_error, sizeof ret->node_error, "%s", err.message);
    else if (ret->view.chain_id != section->chain_id)
        found_halt(ret, HALT_WRONG_CHAIN, "the node is on chain %llu, the treasury on chain %llu",
                   (unsigned long long)ret->view.chain_id, (unsigned long long)section->chain_id);
    else if (treasury->is_pinned && !hash_equal(&ret->view.genesis_hash, &treasury->genesis_hash))
        found_halt(ret, HALT_GENESIS_MISMATCH, "the node shows another genesis block than the one pinned");
    else
        ret->has_view = true;
    if (status == BURSAR_OK && !ret->has_view)
        (void)snprintf(ret->node_error, sizeof ret->node_error, "%s", ret->halt_reason);
    copy_nodes(node.nodes, ret);
    node_close(&node);
}

/* The newest attempt of the last bound nonces. */
struct newest_attempt {
    bool found;
    uint64_t nonce;
    struct bursar_hash hash;
};

#define LAST_NONCES_COUNT 100

static enum bursar_status keep_newest(void *ctx, const struct intent_record *record)
{
    struct newest_attempt *newest = ctx;
    if (record->has_attempt)
        *newest = (struct newest_attempt){ .found = true, .nonce = record->nonce, .hash = record->hash };
    return BURSAR_OK;
}

static enum bursar_status open_log(const struct treasury_config *section, const struct treasury *treasury,
                                   struct signing_log **ret, struct bursar_error *err)
{
    char path[SIGNING_LOG_PATH_MAX_BYTES];
    enum bursar_status status = signing_log_path(section->keystore, section->chain_id, path, err);
    return status == BURSAR_OK ? signing_log_open_read_only(path, section->chain_id, &treasury->address, ret, err)
                               : status;
}

/* The log is read before the store: what is bound before it is signed can't look unbound then. */
static enum bursar_status look_behind(const struct session *session, const struct treasury_config *section,
                                      const struct treasury *treasury, struct lane *ret_lane, struct live_look *look,
                                      struct bursar_error *err)
{
    struct signing_log *log = NULL;
    struct signing_log_extent extent;
    enum bursar_status status = open_log(section, treasury, &log, err);
    if (status != BURSAR_OK)
        return status;
    signing_log_extent(log, &extent);
    signing_log_close(log);
    status = session->store.lane_read(session->store.ctx, treasury->id, ret_lane, err);
    if (status == BURSAR_OK && extent.entries > 0 && extent.next_nonce > ret_lane->next_nonce)
        found_halt(look, HALT_STORE_BEHIND_LOG,
                   "the signing log has signatures up to nonce %llu, the store has bound nonces below %llu only",
                   (unsigned long long)(extent.next_nonce - 1), (unsigned long long)ret_lane->next_nonce);
    return status;
}

/* The other way round, the store first: what is staged was in the log before. */
static enum bursar_status look_lost(const struct session *session, const struct treasury_config *section,
                                    const struct treasury *treasury, const struct lane *lane, struct live_look *look,
                                    struct bursar_error *err)
{
    struct newest_attempt newest = { 0 };
    uint64_t from = treasury->first_nonce;
    if (lane->next_nonce > LAST_NONCES_COUNT && lane->next_nonce - LAST_NONCES_COUNT > from)
        from = lane->next_nonce - LAST_NONCES_COUNT;
    enum bursar_status status =
        session->store.intents(session->store.ctx, treasury->id, from, LAST_NONCES_COUNT, keep_newest, &newest, err);
    if (status != BURSAR_OK || !newest.found)
        return status;
    struct signing_log *log = NULL;
    status = open_log(section, treasury, &log, err);
    if (status != BURSAR_OK)
        return status;
    bool is_there = false;
    status = signing_log_has_transaction(log, newest.nonce, &newest.hash, &is_there, err);
    signing_log_close(log);
    if (status == BURSAR_ENOTFOUND)
        status = BURSAR_OK;
    if (status == BURSAR_OK && !is_there)
        found_halt(look, HALT_SIGNING_LOG_LOST,
                   "the store has a signed transaction for nonce %llu that the signing log does not know",
                   (unsigned long long)newest.nonce);
    return status;
}

void live_look_at_log(const struct session *session, const struct treasury_config *section,
                      const struct treasury *treasury, struct live_look *ret)
{
    struct bursar_error err = { 0 };
    struct lane lane = { 0 };
    enum bursar_status status = look_behind(session, section, treasury, &lane, ret, &err);
    if (status == BURSAR_OK)
        status = look_lost(session, section, treasury, &lane, ret, &err);
    if (status == BURSAR_ENOTFOUND)
        found_halt(ret, HALT_SIGNING_LOG_LOST, "%.500s", err.message);
    else if (status != BURSAR_OK)
        found_halt(ret, HALT_SIGNER, "%.500s", err.message);
}
