/* A host program that pays through libbursar, on a chain of its own.
 *
 *     cc embed.c $(pkg-config --cflags --libs bursar) -o embed && ./embed
 *
 * Everything that is the host's is here: a chain in memory with a pool, blocks and finality; a signer with a format of
 * its own; a submitter whose answers get lost now and then; an epoch source; a dependency check; an observer. It pays a
 * handful of salaries, prints what happened, and exits 0 only if each was paid exactly once. */
#include <bursar/bursar.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHAIN_ID 4242
#define FINALITY_BLOCKS 2
#define TRANSACTIONS_MAX 64
#define PEOPLE 6
#define PATIENCE_S 30

/* -- the chain -------------------------------------------------------------------------------------------------------
 */

struct transaction {
    struct bursar_hash id;
    uint64_t nonce;
    struct bursar_address to;
    uint64_t amount;
    uint64_t height; /* of its block; 0: still in the pool */
};

/* Only the executor's thread comes here: callbacks are never called concurrently. main() looks once it has ended. */
struct chain {
    uint64_t height;
    uint64_t next_nonce; /* of the treasury's account */
    struct transaction transactions[TRANSACTIONS_MAX];
    size_t count;
    unsigned submissions;
    unsigned lost_answers;
};

static struct transaction *chain_find(struct chain *chain, const struct bursar_hash *id)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (memcmp(chain->transactions[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
            return &chain->transactions[i];
    }
    return NULL;
}

/* A block takes from the pool whatever comes next in nonce order, once. */
static void chain_mine(struct chain *chain)
{
    chain->height++;
    for (size_t i = 0; i < chain->count; i++) {
        struct transaction *transaction = &chain->transactions[i];
        if (transaction->height == 0 && transaction->nonce == chain->next_nonce) {
            transaction->height = chain->height;
            chain->next_nonce++;
        }
    }
}

/* -- the host's callbacks --------------------------------------------------------------------------------------------
 */

struct host {
    struct chain chain;
    unsigned checks;
    unsigned ticks;
};

static bool epoch_source(void *ctx, uint64_t *ret_epoch)
{
    const struct host *host = ctx;
    *ret_epoch = host->chain.height / 3;
    return true;
}

#define BYTES_LENGTH (8 + BURSAR_ADDRESS_BYTES + 8)

static void put_u64(uint8_t *bytes, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* A real host would sign; this chain believes everybody. */
static enum bursar_status sign(void *ctx, const struct bursar_sign_request *request, struct bursar_signed *ret,
                               struct bursar_error *err)
{
    uint64_t amount = 0;
    (void)ctx;
    if (!bursar_amount_to_u64(request->amount, &amount))
        return bursar_fail(err, BURSAR_EINVAL, "this chain counts in 64 bits");
    put_u64(ret->bytes, request->nonce);
    memcpy(ret->bytes + 8, request->destination.bytes, BURSAR_ADDRESS_BYTES);
    put_u64(ret->bytes + 8 + BURSAR_ADDRESS_BYTES, amount);
    ret->length_bytes = BYTES_LENGTH;
    return BURSAR_OK; /* its id: the library takes the hash of the bytes */
}

/* Every third answer gets lost, though what was submitted has arrived. */
static enum bursar_submit_verdict submit(void *ctx, const struct bursar_submission *submission,
                                         char ret_message[BURSAR_SUBMIT_MESSAGE_MAX_BYTES])
{
    struct chain *chain = &((struct host *)ctx)->chain;
    enum bursar_submit_verdict verdict = BURSAR_SUBMIT_KNOWN;
    if (!chain_find(chain, &submission->transaction)) {
        if (chain->count == TRANSACTIONS_MAX)
            return BURSAR_SUBMIT_REFUSED;
        struct transaction *transaction = &chain->transactions[chain->count++];
        transaction->id = submission->transaction;
        transaction->nonce = get_u64(submission->bytes);
        memcpy(transaction->to.bytes, submission->bytes + 8, BURSAR_ADDRESS_BYTES);
        transaction->amount = get_u64(submission->bytes + 8 + BURSAR_ADDRESS_BYTES);
        verdict = BURSAR_SUBMIT_ACCEPTED;
    }
    if (++chain->submissions % 3 == 0) {
        chain->lost_answers++;
        (void)snprintf(ret_message, BURSAR_SUBMIT_MESSAGE_MAX_BYTES, "the answer got lost");
        return BURSAR_SUBMIT_UNKNOWN;
    }
    return verdict;
}

/* dan's contract is not signed at first; eve has left, and must not be paid. */
static enum bursar_dependency dependency_check(void *ctx, const struct bursar_disbursement *disbursement,
                                               char ret_reason[BURSAR_DEPENDENCY_REASON_MAX_BYTES])
{
    struct host *host = ctx;
    host->checks++;
    if (strcmp(disbursement->memo, "dan") == 0 && host->chain.height < 5)
        return BURSAR_DEPENDENCY_WAIT;
    if (strcmp(disbursement->memo, "eve") == 0) {
        (void)snprintf(ret_reason, BURSAR_DEPENDENCY_REASON_MAX_BYTES, "eve has left");
        return BURSAR_DEPENDENCY_CANCELLED;
    }
    return BURSAR_DEPENDENCY_READY;
}

static void telemetry(void *ctx, enum bursar_breaker_state state, uint64_t failures, uint64_t successes)
{
    struct host *host = ctx;
    (void)state;
    (void)failures;
    (void)successes;
    host->ticks++;
}

/* Looking is what makes time go by here: a block each time. */
static enum bursar_status head(void *ctx, struct bursar_chain_head *ret, struct bursar_error *err)
{
    struct chain *chain = &((struct host *)ctx)->chain;
    (void)err;
    chain_mine(chain);
    ret->height = chain->height;
    return BURSAR_OK;
}

static enum bursar_status look(void *ctx, const struct bursar_hash *id, struct bursar_sighting *ret,
                               struct bursar_error *err)
{
    struct chain *chain = &((struct host *)ctx)->chain;
    const struct transaction *transaction = chain_find(chain, id);
    (void)err;
    if (!transaction)
        ret->state = BURSAR_SIGHTING_NOT_SEEN;
    else if (transaction->height == 0)
        ret->state = BURSAR_SIGHTING_PENDING;
    else if (transaction->height + FINALITY_BLOCKS > chain->height)
        ret->state = BURSAR_SIGHTING_INCLUDED;
    else
        ret->state = BURSAR_SIGHTING_FINAL_SUCCESS;
    ret->height = transaction ? transaction->height : 0;
    return BURSAR_OK;
}

/* -- what is owed ----------------------------------------------------------------------------------------------------
 */

static const char *const people[PEOPLE] = { "ann", "bob", "cy", "dan", "eve", "flo" };

static struct bursar_address address_of(size_t person)
{
    struct bursar_address address = { { 0xa0 } };
    address.bytes[BURSAR_ADDRESS_BYTES - 1] = (uint8_t)(person + 1);
    return address;
}

static uint64_t salary_of(size_t person)
{
    return 1000 * (person + 1);
}

static enum bursar_status submit_salaries(struct bursar_store *store, int64_t treasury, struct bursar_error *err)
{
    static const char *const after_bob[] = { "2026-03/bob" };
    struct bursar_payment payments[PEOPLE] = { 0 };
    char refs[PEOPLE][32];
    for (size_t i = 0; i < PEOPLE; i++) {
        (void)snprintf(refs[i], sizeof refs[i], "2026-03/%s", people[i]);
        payments[i].size = sizeof payments[i];
        payments[i].ref = refs[i];
        payments[i].destination = address_of(i);
        payments[i].amount = bursar_amount_from_u64(salary_of(i));
        payments[i].memo = people[i];
    }
    payments[2].depends_on = after_bob; /* cy is paid when bob is */
    payments[2].depends_on_count = 1;
    payments[5].schedule = BURSAR_SCHEDULE_EPOCH; /* flo from epoch 3 on */
    payments[5].schedule_value = 3;
    enum bursar_status status = bursar_store_submit(store, treasury, payments, PEOPLE, "payroll", NULL, err);
    if (status == BURSAR_OK) /* a host that is not sure whether it did this simply does it again */
        status = bursar_store_submit(store, treasury, payments, PEOPLE, "payroll", NULL, err);
    return status;
}

/* -- running ---------------------------------------------------------------------------------------------------------
 */

static bool print_one(void *ctx, const struct bursar_disbursement *disbursement)
{
    char amount[BURSAR_AMOUNT_TEXT_BYTES];
    (void)ctx;
    bursar_amount_to_text(disbursement->amount, amount);
    (void)printf("%-12s %6s  %-10s", disbursement->ref, amount, bursar_state_name(disbursement->state));
    if (disbursement->has_block)
        (void)printf("  nonce %llu, block %llu", (unsigned long long)disbursement->nonce,
                     (unsigned long long)disbursement->block_number);
    (void)printf("\n");
    return true;
}

/* Until all but eve are paid. */
static enum bursar_status wait_until_done(struct bursar_store *store, int64_t treasury, struct bursar_error *err)
{
    const struct timespec nap = { .tv_nsec = 20000000 };
    struct bursar_snapshot snapshot = { .size = sizeof snapshot };
    for (int naps = 0; naps < PATIENCE_S * 50; naps++) {
        enum bursar_status status = bursar_store_snapshot(store, treasury, &snapshot, err);
        if (status != BURSAR_OK)
            return status;
        if (snapshot.states[BURSAR_STATE_FINALIZED] + snapshot.states[BURSAR_STATE_CANCELLED] == PEOPLE)
            return BURSAR_OK;
        (void)nanosleep(&nap, NULL);
    }
    return bursar_fail(err, BURSAR_EUNKNOWN, "not done after %d s; last error: %.200s; hold: %.200s", PATIENCE_S,
                       snapshot.last_error, snapshot.hold);
}

static enum bursar_status run_executor(struct host *host, struct bursar_store *store, int64_t treasury,
                                       const char *signing_log, struct bursar_error *err)
{
    const struct bursar_breaker_config defaults = BURSAR_BREAKER_DEFAULTS;
    struct bursar_breaker *breaker = NULL;
    struct bursar_executor_handle *handle = NULL;
    enum bursar_status status = bursar_breaker_new(&defaults, &breaker, err);
    if (status != BURSAR_OK)
        return status;
    const struct bursar_executor_config config = {
        .size = sizeof config,
        .identity = "example host",
        .poll_interval = 50,
        .lease_ttl = 5000,
        .epoch_source = { host, epoch_source },
        .signer = { host, sign, signing_log },
        .submitter = { host, submit },
        .dependency_check = { host, dependency_check },
        .circuit_breaker = breaker,
        .circuit_breaker_telemetry = { host, telemetry },
        .observer = { host, head, look },
        .money_breaker = { .max_reverts = 3 }, /* so many that fail within an hour: a person looks first */
    };
    status = bursar_executor_spawn(store, treasury, &config, &handle, err);
    if (status == BURSAR_OK) {
        status = submit_salaries(store, treasury, err);
        if (status == BURSAR_OK)
            status = wait_until_done(store, treasury, err);
        bursar_executor_shutdown(handle);
        struct bursar_error ended = { 0 };
        enum bursar_status joined = bursar_executor_join(handle, &ended);
        if (status == BURSAR_OK && joined != BURSAR_OK)
            status = bursar_fail(err, joined, "%s", ended.message);
    }
    (void)bursar_breaker_free(breaker);
    return status;
}

/* The chain has the last word: whom it paid, how often, how much. */
static bool each_paid_once(const struct chain *chain)
{
    bool good = true;
    for (size_t i = 0; i < PEOPLE; i++) {
        const struct bursar_address address = address_of(i);
        unsigned expected = strcmp(people[i], "eve") == 0 ? 0 : 1, paid = 0;
        for (size_t k = 0; k < chain->count; k++) {
            const struct transaction *transaction = &chain->transactions[k];
            if (transaction->height > 0 && memcmp(transaction->to.bytes, address.bytes, sizeof address.bytes) == 0)
                paid += transaction->amount == salary_of(i) ? 1 : 100;
        }
        if (paid != expected)
            (void)fprintf(stderr, "%s was paid %u times instead of %u\n", people[i], paid, expected);
        good = good && paid == expected;
    }
    return good;
}

static enum bursar_status run(struct host *host, const char *directory, struct bursar_error *err)
{
    char url[512], signing_log[512];
    struct bursar_store *store = NULL;
    int64_t treasury = 0;
    (void)snprintf(url, sizeof url, "sqlite:%.400s/payroll.db", directory);
    (void)snprintf(signing_log, sizeof signing_log, "%.400s/payroll.signlog", directory);
    const struct bursar_treasury registration = { .size = sizeof registration,
                                                  .name = "payroll",
                                                  .chain_id = CHAIN_ID,
                                                  .account = { { 0xee } },
                                                  .epoch_source = "blocks/3",
                                                  .first_nonce = 0,
                                                  .signing_log = signing_log };
    enum bursar_status status = bursar_store_open(url, BURSAR_STORE_CREATE, &store, err);
    if (status == BURSAR_OK)
        status = bursar_store_treasury(store, &registration, &treasury, err);
    if (status == BURSAR_OK)
        status = run_executor(host, store, treasury, signing_log, err);
    if (store && treasury) {
        struct bursar_error ignored;
        if (bursar_store_list(store, treasury, 0, 0, PEOPLE, print_one, NULL, &ignored) != BURSAR_OK)
            (void)fprintf(stderr, "embed: %s\n", ignored.message);
    }
    (void)bursar_store_close(store);
    return status;
}

static void remove_files(const char *directory)
{
    static const char *const names[] = { "payroll.db", "payroll.db-wal", "payroll.db-shm", "payroll.db-lease",
                                         "payroll.signlog" };
    char path[512];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%.400s/%s", directory, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}

int main(void)
{
    static struct host host;
    struct bursar_error err = { 0 };
    char directory[256];
    const char *base = getenv("TMPDIR");
    (void)snprintf(directory, sizeof directory, "%.200s/bursar-example-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(directory)) {
        perror("embed: no temporary directory");
        return 1;
    }
    enum bursar_status status = run(&host, directory, &err);
    remove_files(directory);
    (void)printf("%u ticks, %u checks, %u submissions, %u answers lost\n", host.ticks, host.checks,
                 host.chain.submissions, host.chain.lost_answers);
    if (status != BURSAR_OK) {
        (void)fprintf(stderr, "embed: %s: %s\n", bursar_status_text(status), err.message);
        return 1;
    }
    return each_paid_once(&host.chain) ? 0 : 1;
}
