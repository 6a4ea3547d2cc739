/* The chain seam over a host's callbacks: views, blocks and receipts from the last look, and handing over. */
#include "embed/host_chain.h"

#include "embed/host_look.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <stdlib.h>
#include <string.h>

#define HASH_DOMAIN "bursar-host-block-v1"

struct host_chain {
    struct host_chain_config config;
    struct host_look look; /* of the last observe: what one tick sees is of one moment */
    bool has_look;
    bool has_news;
};

static void put_u64(uint8_t *ret, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)(value >> (56 - 8 * i));
}

void host_block_hash(uint64_t chain_id, const struct bursar_address *account, uint64_t number, struct bursar_hash *ret)
{
    uint8_t bytes[sizeof HASH_DOMAIN - 1 + 8 + BURSAR_ADDRESS_BYTES + 8];
    uint8_t *at = bytes;
    memcpy(at, HASH_DOMAIN, sizeof HASH_DOMAIN - 1);
    at += sizeof HASH_DOMAIN - 1;
    put_u64(at, chain_id);
    memcpy(at + 8, account->bytes, BURSAR_ADDRESS_BYTES);
    put_u64(at + 8 + BURSAR_ADDRESS_BYTES, number);
    keccak256(bytes, sizeof bytes, ret);
}

enum bursar_status host_chain_new(const struct host_chain_config *config, struct host_chain **ret,
                                  struct bursar_error *err)
{
    struct host_chain *chain = calloc(1, sizeof *chain);
    if (!chain)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    chain->config = *config;
    *ret = chain;
    return BURSAR_OK;
}

void host_chain_free(struct host_chain *chain)
{
    if (!chain)
        return;
    host_look_clear(&chain->look);
    free(chain);
}

bool host_chain_has_news(const struct host_chain *chain)
{
    return chain->has_news;
}

static struct bursar_hash hash_of(const struct host_chain *chain, uint64_t number)
{
    struct bursar_hash hash;
    host_block_hash(chain->config.chain_id, &chain->config.account, number, &hash);
    return hash;
}

static struct chain_head head_of(const struct host_chain *chain, uint64_t number)
{
    uint64_t time_s = chain->look.head.time_s;
    if (time_s == 0)
        time_s = chain->config.clock.wall_ms(chain->config.clock.ctx) / 1000;
    struct chain_head head = { .block = { number, hash_of(chain, number) }, .timestamp_s = time_s };
    if (number > 0)
        head.parent_hash = hash_of(chain, number - 1);
    return head;
}

/* A host that does not say what the account holds is taken to know what it does. */
static struct bursar_amount balance_of(const struct host_look *look)
{
    struct bursar_amount most = { .limb = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    return look->head.has_balance ? look->head.balance : most;
}

static enum bursar_status observe(void *ctx, const struct chain_query *query, struct chain_view *ret,
                                  struct bursar_error *err)
{
    struct host_chain *chain = ctx;
    const struct host_look *look = &chain->look;
    chain->has_look = false;
    enum bursar_status status = host_look_take(&chain->config, &chain->look, err);
    if (status != BURSAR_OK)
        return status;
    chain->has_look = true;
    chain->has_news = false;
    struct chain_view view = { .chain_id = chain->config.chain_id,
                               .genesis_hash = hash_of(chain, 0),
                               .latest = head_of(chain, look->latest_number),
                               .has_final = true,
                               .final = head_of(chain, look->final_number),
                               .has_anchor_block = query->has_anchor && query->anchor_number <= look->latest_number,
                               .nonce_latest = look->nonce_latest,
                               .nonce_final = look->nonce_latest,
                               .nonce_pending = look->nonce_pending,
                               .balance = balance_of(look) };
    if (view.has_anchor_block)
        view.anchor_hash = hash_of(chain, query->anchor_number);
    if (look->has_fork) /* another block than the one that was read: the executor goes back */
        view.latest.block.hash.bytes[0] ^= 1;
    *ret = view;
    return BURSAR_OK;
}

static enum bursar_status check_look(const struct host_chain *chain, struct bursar_error *err)
{
    return chain->has_look ? BURSAR_OK : bursar_fail(err, BURSAR_EINTERNAL, "the host's chain was not looked at");
}

static enum bursar_status show_block(const struct host_chain *chain, uint64_t number, struct chain_block *ret,
                                     struct bursar_error *err)
{
    const struct host_look *look = &chain->look;
    *ret = (struct chain_block){ 0 };
    if (number > look->latest_number || (look->has_fork && number > look->fork_number))
        return BURSAR_OK;
    *ret = (struct chain_block){ .is_present = true, .head = head_of(chain, number) };
    size_t count = 0;
    for (size_t i = 0; i < look->count; i++)
        count += look->inclusions[i].number == number;
    if (count == 0)
        return BURSAR_OK;
    ret->transactions = calloc(count, sizeof *ret->transactions);
    if (!ret->transactions)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    for (size_t i = 0; i < look->count; i++) {
        if (look->inclusions[i].number == number)
            ret->transactions[ret->transaction_count++] = look->inclusions[i].hash;
    }
    return BURSAR_OK;
}

static enum bursar_status blocks(void *ctx, const uint64_t *numbers, size_t count, struct chain_block *ret,
                                 struct bursar_error *err)
{
    struct host_chain *chain = ctx;
    enum bursar_status status = check_look(chain, err);
    size_t done = 0;
    for (; done < count && status == BURSAR_OK; done++)
        status = show_block(chain, numbers[done], &ret[done], err);
    if (status != BURSAR_OK)
        chain_blocks_clear(ret, done);
    return status;
}

static enum bursar_status receipts(void *ctx, const struct bursar_hash *hashes, size_t count, struct chain_receipt *ret,
                                   struct bursar_error *err)
{
    struct host_chain *chain = ctx;
    enum bursar_status status = check_look(chain, err);
    if (status != BURSAR_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const struct host_inclusion *inclusion = host_look_find(&chain->look, &hashes[i]);
        ret[i] = (struct chain_receipt){ 0 };
        if (!inclusion || !inclusion->is_final)
            continue;
        ret[i] = (struct chain_receipt){ .is_present = true,
                                         .succeeded = inclusion->succeeded,
                                         .block = { inclusion->number, hash_of(chain, inclusion->number) },
                                         .gas_used = 1, /* fee = gas used x price */
                                         .effective_gas_price_wei = inclusion->fee };
    }
    return BURSAR_OK;
}

/* The executor follows hashes, never transactions; whoever compares more has to ask the host. */
static enum bursar_status transactions(void *ctx, const struct bursar_hash *hashes, size_t count,
                                       struct chain_transaction *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)hashes;
    (void)count;
    (void)ret;
    return bursar_fail(err, BURSAR_EREFUSED, "a host's chain shows no transactions");
}

/* What a destination is, is the host's to know: dependency_check. */
static enum bursar_status has_code(void *ctx, const struct chain_block_ref *at, const struct bursar_address *addresses,
                                   size_t count, bool *ret, struct bursar_error *err)
{
    (void)ctx;
    (void)at;
    (void)addresses;
    (void)err;
    for (size_t i = 0; i < count; i++)
        ret[i] = false;
    return BURSAR_OK;
}

_Static_assert((int)BURSAR_SUBMIT_ACCEPTED == SUBMIT_ACCEPTED && (int)BURSAR_SUBMIT_KNOWN == SUBMIT_KNOWN &&
                   (int)BURSAR_SUBMIT_NONCE_TOO_LOW == SUBMIT_NONCE_TOO_LOW &&
                   (int)BURSAR_SUBMIT_UNDERPRICED == SUBMIT_UNDERPRICED &&
                   (int)BURSAR_SUBMIT_FEE_TOO_LOW == SUBMIT_FEE_TOO_LOW &&
                   (int)BURSAR_SUBMIT_INSUFFICIENT_FUNDS == SUBMIT_INSUFFICIENT_FUNDS &&
                   (int)BURSAR_SUBMIT_REFUSED == SUBMIT_REFUSED && (int)BURSAR_SUBMIT_UNKNOWN == SUBMIT_UNKNOWN &&
                   (int)BURSAR_SUBMIT_UNSENT == SUBMIT_UNSENT,
               "verdicts are stored, and are the same inside and outside");
_Static_assert(BURSAR_SUBMIT_MESSAGE_MAX_BYTES == SUBMIT_MESSAGE_MAX_BYTES, "the submitter writes into a result");

static enum submit_verdict hand_over(struct host_chain *chain, const struct raw_transaction *raw,
                                     struct submit_result *result)
{
    const struct bursar_submission submission = {
        .size = sizeof submission, .bytes = raw->bytes, .length_bytes = raw->length_bytes, .transaction = raw->hash
    };
    const struct bursar_submitter *submitter = &chain->config.submitter;
    enum bursar_submit_verdict verdict = submitter->submit(submitter->ctx, &submission, result->message);
    result->message[sizeof result->message - 1] = '\0';
    if (verdict < BURSAR_SUBMIT_ACCEPTED || verdict > BURSAR_SUBMIT_UNSENT) {
        (void)snprintf(result->message, sizeof result->message, "the submitter answered %d, which is no verdict",
                       (int)verdict);
        return SUBMIT_UNKNOWN;
    }
    return (enum submit_verdict)verdict;
}

/* Behind one that may not have arrived nothing is sent: nonces are used in order, and one failure is one. */
static enum bursar_status submit(void *ctx, const struct raw_transaction *raw, size_t count, struct submit_result *ret,
                                 struct bursar_error *err)
{
    struct host_chain *chain = ctx;
    enum bursar_status status = BURSAR_OK;
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct submit_result){ .verdict = SUBMIT_UNSENT };
        if (status == BURSAR_OK && atomic_load(chain->config.stop))
            status = bursar_fail(err, BURSAR_ECANCELLED, "shutting down");
        if (status != BURSAR_OK)
            continue;
        ret[i].verdict = hand_over(chain, &raw[i], &ret[i]);
        if (ret[i].verdict == SUBMIT_UNKNOWN || ret[i].verdict == SUBMIT_UNSENT)
            status = bursar_fail(err, ret[i].verdict == SUBMIT_UNKNOWN ? BURSAR_EUNKNOWN : BURSAR_EUNREACHABLE,
                                 "the submitter failed: %s", *ret[i].message ? ret[i].message : "it did not say why");
        if (!chain->config.observer.look && (ret[i].verdict == SUBMIT_ACCEPTED || ret[i].verdict == SUBMIT_KNOWN))
            chain->has_news = true;
    }
    return status;
}

struct chain host_chain_interface(struct host_chain *chain)
{
    return (struct chain){ .ctx = chain,
                           .observe = observe,
                           .blocks = blocks,
                           .receipts = receipts,
                           .transactions = transactions,
                           .has_code = has_code,
                           .submit = submit };
}
