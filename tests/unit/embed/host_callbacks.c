/* The host's callbacks over its ledger. */
#include "host.h"

#include "base/bytes.h"
#include "eth/keccak.h"

#include <string.h>
#include <unistd.h>

#define BYTES_LENGTH (8 + BURSAR_ADDRESS_BYTES + BURSAR_AMOUNT_BE_BYTES)

static void called(struct host *host)
{
    if (++host->callbacks == host->die_at)
        _exit(0);
}

static bool epoch(void *ctx, uint64_t *ret)
{
    struct host *host = ctx;
    (void)pthread_mutex_lock(&host->lock);
    bool known = !host->epoch_unknown;
    *ret = host->epoch;
    called(host);
    (void)pthread_mutex_unlock(&host->lock);
    return known;
}

static uint64_t nonce_floor(void *ctx)
{
    return ((struct host *)ctx)->nonce_floor;
}

static enum bursar_status sign(void *ctx, const struct bursar_sign_request *request, struct bursar_signed *ret,
                               struct bursar_error *err)
{
    struct host *host = ctx;
    (void)pthread_mutex_lock(&host->lock);
    host->signatures++;
    enum bursar_status fails = request->nonce == host->signer_fails_at ? host->signer_fails : BURSAR_OK;
    (void)pthread_mutex_unlock(&host->lock);
    if (fails != BURSAR_OK)
        return bursar_fail(err, fails, "the vault is closed");
    for (int i = 0; i < 8; i++)
        ret->bytes[i] = (uint8_t)(request->nonce >> (56 - 8 * i));
    memcpy(ret->bytes + 8, request->destination.bytes, BURSAR_ADDRESS_BYTES);
    bursar_amount_to_be(request->amount, ret->bytes + 8 + BURSAR_ADDRESS_BYTES);
    ret->length_bytes = BYTES_LENGTH;
    (void)pthread_mutex_lock(&host->lock);
    called(host);
    (void)pthread_mutex_unlock(&host->lock);
    return BURSAR_OK; /* the id is left to the library: keccak256 of the bytes */
}

static struct host_entry *enter(struct host *host, const struct bursar_submission *submission)
{
    for (size_t i = 0; i < host->ledger_count; i++) {
        if (hash_equal(&host->ledger[i].transaction, &submission->transaction))
            return &host->ledger[i];
    }
    if (host->ledger_count == HOST_LEDGER_MAX)
        return NULL;
    struct host_entry *entry = &host->ledger[host->ledger_count++];
    *entry = (struct host_entry){ .transaction = submission->transaction };
    for (int i = 0; i < 8; i++)
        entry->nonce = entry->nonce << 8 | submission->bytes[i];
    memcpy(entry->destination.bytes, submission->bytes + 8, BURSAR_ADDRESS_BYTES);
    entry->amount = bursar_amount_from_be(submission->bytes + 8 + BURSAR_ADDRESS_BYTES);
    return entry;
}

static enum bursar_submit_verdict submit_locked(struct host *host, const struct bursar_submission *submission,
                                                char *ret_message)
{
    uint64_t nonce = 0;
    for (int i = 0; i < 8; i++)
        nonce = nonce << 8 | submission->bytes[i];
    host->submissions++;
    bool is_told = host->says != 0 && nonce >= host->says_from;
    if (is_told)
        (void)snprintf(ret_message, BURSAR_SUBMIT_MESSAGE_MAX_BYTES, "as told: %d", (int)host->says);
    if (is_told && !host->applies_anyway)
        return host->says;
    struct host_entry *entry = enter(host, submission);
    if (!entry)
        return BURSAR_SUBMIT_REFUSED;
    entry->submissions++;
    bool is_known = entry->submissions > 1;
    if (host->pays_when_accepted)
        entry->is_paid = true;
    else if (entry->sighting.state == BURSAR_SIGHTING_NOT_SEEN)
        entry->sighting.state = BURSAR_SIGHTING_PENDING;
    return is_told ? host->says : is_known ? BURSAR_SUBMIT_KNOWN : BURSAR_SUBMIT_ACCEPTED;
}

static enum bursar_submit_verdict submit(void *ctx, const struct bursar_submission *submission,
                                         char ret_message[BURSAR_SUBMIT_MESSAGE_MAX_BYTES])
{
    struct host *host = ctx;
    (void)pthread_mutex_lock(&host->lock);
    enum bursar_submit_verdict verdict = submit_locked(host, submission, ret_message);
    called(host);
    (void)pthread_mutex_unlock(&host->lock);
    if (host->at_submit)
        host->at_submit(host);
    return verdict;
}

static enum bursar_dependency check(void *ctx, const struct bursar_disbursement *disbursement,
                                    char ret_reason[BURSAR_DEPENDENCY_REASON_MAX_BYTES])
{
    struct host *host = ctx;
    size_t id = (size_t)disbursement->id % HOST_LEDGER_MAX;
    host->checks[id]++;
    (void)snprintf(ret_reason, BURSAR_DEPENDENCY_REASON_MAX_BYTES, "the host's word on %s", disbursement->ref);
    return host->answers[id] ? host->answers[id] : BURSAR_DEPENDENCY_READY;
}

static void report(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes)
{
    struct host *host = ctx;
    (void)pthread_mutex_lock(&host->lock);
    host->reports++;
    host->told_state = state;
    host->told_failures = failures;
    host->told_successes = successes;
    called(host);
    (void)pthread_mutex_unlock(&host->lock);
}

static void go_on(struct host *host)
{
    for (size_t i = 0; i < host->ledger_count; i++) {
        struct bursar_sighting *sighting = &host->ledger[i].sighting;
        if (sighting->state == BURSAR_SIGHTING_INCLUDED)
            sighting->state = BURSAR_SIGHTING_FINAL_SUCCESS;
    }
    host->head.height++;
    for (size_t i = 0; i < host->ledger_count; i++) {
        if (host->ledger[i].sighting.state != BURSAR_SIGHTING_PENDING)
            continue;
        host->ledger[i].sighting =
            (struct bursar_sighting){ .state = BURSAR_SIGHTING_INCLUDED, .height = host->head.height };
        host->ledger[i].is_paid = true;
    }
}

static enum bursar_status head(void *ctx, struct bursar_chain_head *ret, struct bursar_error *err)
{
    struct host *host = ctx;
    if (host->observer_fails)
        return bursar_fail(err, host->observer_fails, "the observatory is closed");
    size_t size = ret->size;
    if (host->goes_on)
        go_on(host);
    *ret = host->head;
    ret->size = size;
    called(host);
    return BURSAR_OK;
}

static enum bursar_status look(void *ctx, const struct bursar_hash *transaction, struct bursar_sighting *ret,
                               struct bursar_error *err)
{
    struct host *host = ctx;
    (void)err;
    host->looks++;
    for (size_t i = 0; i < host->ledger_count; i++) {
        if (hash_equal(&host->ledger[i].transaction, transaction)) {
            size_t size = ret->size;
            *ret = host->ledger[i].sighting;
            ret->size = size;
        }
    }
    called(host);
    return BURSAR_OK;
}

void host_fill_callbacks(struct host *host)
{
    struct bursar_executor_config *config = &host->config;
    config->epoch_source = (struct bursar_epoch_source){ host, epoch };
    config->signer = (struct bursar_signer){ host, sign, host->log_path };
    config->submitter = (struct bursar_submitter){ host, submit };
    config->dependency_check = (struct bursar_dependency_check){ host, check };
    config->nonce_floor = (struct bursar_nonce_floor){ host, nonce_floor };
    config->circuit_breaker_telemetry = (struct bursar_circuit_breaker_telemetry){ host, report };
}

void host_observes(struct host *host)
{
    host->pays_when_accepted = false;
    host->config.observer = (struct bursar_observer){ host, head, look };
}
