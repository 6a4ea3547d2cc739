/* The signer as the executor sees it: what it signs is right and recorded first, what it must not sign it refuses. */
#include "base/cleanup.h"
#include "eth/keccak.h"
#include "scratch.h"
#include "signer/local_signer.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static char log_path[SCRATCH_PATH_BYTES];
static const uint8_t some_data[] = { 1, 2, 3 };

/* Takes the place of the C library's: counts, and fails when told to. */
static int data_syncs;
static int data_sync_errno;

int fdatasync(int fd)
{
    data_syncs++;
    if (data_sync_errno) {
        errno = data_sync_errno;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static struct sign_request payment(uint64_t nonce, uint64_t value)
{
    return (struct sign_request){
        .lease_epoch = 1,
        .nonce = nonce,
        .purpose = SIGN_PAYMENT,
        .max_priority_fee_per_gas_wei = 2,
        .max_fee_per_gas_wei = 100,
        .gas_limit = 21000,
        .to = { { 0xaa, (uint8_t)nonce } },
        .value = bursar_amount_from_u64(value),
    };
}

static struct sign_request replacement(uint64_t nonce, uint64_t value)
{
    struct sign_request request = payment(nonce, value);
    request.purpose = SIGN_REPLACEMENT;
    request.max_fee_per_gas_wei = 200;
    return request;
}

static struct sign_request self_transfer(uint64_t nonce)
{
    struct sign_request request = payment(nonce, 0);
    request.purpose = SIGN_SELF;
    request.to = known_address(0);
    request.max_fee_per_gas_wei = 300;
    return request;
}

static struct local_signer *new_signer(void)
{
    struct local_signer *signer;
    assert_int_equal(local_signer_new(TEST_CHAIN_ID, known_key(0), log_path, &signer, NULL), BURSAR_OK);
    return signer;
}

static struct local_signer *acquired(void)
{
    struct local_signer *signer = new_signer();
    struct signer seam = local_signer_interface(signer);
    struct bursar_error err = { 0 };
    enum bursar_status status = seam.acquire(seam.ctx, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, BURSAR_OK);
    return signer;
}

static void sign(struct local_signer *signer, const struct sign_request *requests, size_t count,
                 struct signed_transaction *ret)
{
    struct signer seam = local_signer_interface(signer);
    struct bursar_error err = { 0 };
    enum bursar_status status = seam.sign(seam.ctx, requests, count, ret, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, BURSAR_OK);
}

/* What a single request comes to; the answer itself is dropped. */
static enum bursar_status sign_status(struct local_signer *signer, struct sign_request request)
{
    struct signed_transaction answer;
    sign(signer, &request, 1, &answer);
    enum bursar_status status = answer.error.status;
    assert_true((status == BURSAR_OK) == (answer.raw != NULL));
    assert_true((status == BURSAR_OK) == (answer.error.message[0] == '\0'));
    signed_transaction_clear(&answer);
    return status;
}

static uint64_t entries(struct local_signer *signer)
{
    struct signer seam = local_signer_interface(signer);
    struct signing_log_extent extent;
    assert_int_equal(seam.log_extent(seam.ctx, &extent, NULL), BURSAR_OK);
    return extent.entries;
}

static int each_set_up(void **state)
{
    struct bursar_address account = known_address(0);
    if (scratch_set_up(state) != 0)
        return -1;
    scratch_path(log_path, "log");
    return signing_log_create(log_path, TEST_CHAIN_ID, &account, NULL) == BURSAR_OK ? 0 : -1;
}

static void a_payment_is_signed_as_asked_and_recorded(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct signer seam = local_signer_interface(signer);
    struct sign_request request = payment(7, 12345);
    struct signed_transaction answer;
    struct eth_transaction tx;
    struct eth_signature signature;
    struct bursar_hash hash, data_hash;
    struct bursar_address sender, account = known_address(0);
    struct private_key *key = known_key(0);
    struct signed_payload found;
    request.data = some_data;
    request.data_bytes = sizeof some_data;
    sign(signer, &request, 1, &answer);

    keccak256(answer.raw, answer.raw_bytes, &hash);
    assert_true(hash_equal(&hash, &answer.hash));
    assert_int_equal(eth_transaction_decode(answer.raw, answer.raw_bytes, &tx, &signature, NULL), BURSAR_OK);
    assert_true(tx.chain_id == TEST_CHAIN_ID && tx.nonce == 7 && tx.gas_limit == 21000);
    assert_true(tx.max_priority_fee_per_gas_wei == 2 && tx.max_fee_per_gas_wei == 100);
    assert_true(address_equal(&tx.to, &request.to));
    assert_int_equal(bursar_amount_compare(tx.value_wei, request.value), 0);
    assert_int_equal(tx.data_bytes, sizeof some_data);
    assert_memory_equal(tx.data, some_data, sizeof some_data);
    assert_int_equal(eth_transaction_signing_hash(&tx, &hash, NULL), BURSAR_OK);
    assert_int_equal(private_key_recover(key, &hash, &signature, &sender, NULL), BURSAR_OK);
    assert_true(address_equal(&sender, &account));

    assert_int_equal(seam.log_find(seam.ctx, 7, &found, NULL), BURSAR_OK);
    keccak256(some_data, sizeof some_data, &data_hash);
    assert_true(found.has_payment && !found.has_self_transfer && hash_equal(&found.data_hash, &data_hash));
    assert_int_equal(seam.log_find(seam.ctx, 8, &found, NULL), BURSAR_ENOTFOUND);
    signed_transaction_clear(&answer);
    private_key_free(key);
    local_signer_free(signer);
}

static void the_record_is_in_the_file_before_the_signature_is_returned(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct bursar_address account = known_address(0);
    struct sign_request request = payment(7, 1);
    struct signed_transaction answer;
    struct signing_log *reader;
    bool known = false;
    sign(signer, &request, 1, &answer);
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &reader, NULL), BURSAR_OK);
    assert_int_equal(signing_log_has_transaction(reader, 7, &answer.hash, &known, NULL), BURSAR_OK);
    assert_true(known);
    signing_log_close(reader);
    signed_transaction_clear(&answer);
    local_signer_free(signer);
}

static void asking_again_gives_the_same_bytes_also_after_a_restart(void **state)
{
    (void)state;
    struct sign_request request = payment(7, 1);
    struct signed_transaction first, again;
    struct local_signer *signer = acquired();
    sign(signer, &request, 1, &first);
    local_signer_free(signer);
    signer = acquired();
    sign(signer, &request, 1, &again);
    assert_int_equal(first.raw_bytes, again.raw_bytes);
    assert_memory_equal(first.raw, again.raw, first.raw_bytes);
    assert_int_equal(entries(signer), 1);
    signed_transaction_clear(&first);
    signed_transaction_clear(&again);
    local_signer_free(signer);
}

static void one_items_refusal_does_not_stop_its_neighbours(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct sign_request requests[8];
    struct signed_transaction answers[8];
    requests[0] = payment(1, 1);
    requests[1] = payment(1, 2); /* another payload in the same batch */
    requests[2] = payment(2, 1);
    requests[3] = payment(3, 1);
    requests[3].max_priority_fee_per_gas_wei = 101; /* above the maximum fee */
    requests[4] = self_transfer(4);
    requests[4].value = bursar_amount_from_u64(1);
    requests[5] = payment(5, 1);
    requests[5].data_bytes = ETH_DATA_MAX_BYTES + 1;
    requests[6] = payment(900000, 1);
    requests[7] = payment(8, 1);
    static const enum bursar_status expected[] = { BURSAR_OK,     BURSAR_EEQUIVOCATION, BURSAR_OK,     BURSAR_EINVAL,
                                                   BURSAR_EINVAL, BURSAR_ELIMIT,        BURSAR_ELIMIT, BURSAR_OK };
    sign(signer, requests, COUNT_OF(requests), answers);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_int_equal(answers[i].error.status, expected[i]);
        assert_true((answers[i].raw != NULL) == (expected[i] == BURSAR_OK));
        assert_true((strstr(answers[i].error.message, "nonce ") != NULL) == (expected[i] != BURSAR_OK));
        signed_transaction_clear(&answers[i]);
    }
    assert_int_equal(entries(signer), 3);
    local_signer_free(signer);
}

static void a_second_payload_is_refused_after_a_restart(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    assert_int_equal(sign_status(signer, payment(7, 1)), BURSAR_OK);
    local_signer_free(signer);
    signer = acquired();
    assert_int_equal(sign_status(signer, payment(7, 2)), BURSAR_EEQUIVOCATION);
    struct sign_request with_data = payment(7, 1);
    with_data.data = some_data;
    with_data.data_bytes = sizeof some_data;
    assert_int_equal(sign_status(signer, with_data), BURSAR_EEQUIVOCATION);
    assert_int_equal(sign_status(signer, replacement(7, 1)), BURSAR_OK);
    local_signer_free(signer);
}

static void once_cancelled_a_nonce_is_never_paid_with(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    assert_int_equal(sign_status(signer, payment(7, 1)), BURSAR_OK);
    assert_int_equal(sign_status(signer, self_transfer(7)), BURSAR_OK);
    assert_int_equal(sign_status(signer, payment(7, 1)), BURSAR_EEQUIVOCATION);
    assert_int_equal(sign_status(signer, replacement(7, 1)), BURSAR_EEQUIVOCATION);
    assert_int_equal(sign_status(signer, self_transfer(7)), BURSAR_OK);
    local_signer_free(signer);
}

static void an_executor_with_an_old_lease_is_refused(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct sign_request request = payment(7, 1);
    request.lease_epoch = 9;
    assert_int_equal(sign_status(signer, request), BURSAR_OK);
    request.nonce = 8;
    request.lease_epoch = 8;
    assert_int_equal(sign_status(signer, request), BURSAR_EFENCED);
    local_signer_free(signer);
    signer = acquired();
    assert_int_equal(sign_status(signer, request), BURSAR_EFENCED);
    request.lease_epoch = 9;
    assert_int_equal(sign_status(signer, request), BURSAR_OK);
    local_signer_free(signer);
}

static void nothing_is_signed_without_the_log(void **state)
{
    (void)state;
    struct local_signer *signer = new_signer();
    struct signer seam = local_signer_interface(signer);
    struct sign_request request = payment(7, 1);
    struct signed_transaction answer;
    struct signing_log_extent extent;
    struct signed_payload found;
    assert_int_equal(seam.sign(seam.ctx, &request, 1, &answer, NULL), BURSAR_EREFUSED);
    assert_null(answer.raw);
    assert_int_equal(seam.log_extent(seam.ctx, &extent, NULL), BURSAR_EREFUSED);
    assert_int_equal(seam.log_find(seam.ctx, 7, &found, NULL), BURSAR_EREFUSED);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_OK);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_OK);
    assert_int_equal(sign_status(signer, request), BURSAR_OK);
    seam.release(seam.ctx);
    assert_int_equal(seam.sign(seam.ctx, &request, 1, &answer, NULL), BURSAR_EREFUSED);
    local_signer_free(signer);
}

static void a_second_signer_waits_until_the_first_lets_go(void **state)
{
    (void)state;
    struct local_signer *first = acquired(), *second = new_signer();
    struct signer seam = local_signer_interface(second), first_seam = local_signer_interface(first);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_EBUSY);
    first_seam.release(first_seam.ctx);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_OK);
    assert_int_equal(first_seam.acquire(first_seam.ctx, NULL), BURSAR_EBUSY);
    local_signer_free(first);
    local_signer_free(second);
}

static void a_missing_log_is_told_from_another_accounts(void **state)
{
    (void)state;
    struct local_signer *signer;
    assert_int_equal(local_signer_new(TEST_CHAIN_ID, known_key(1), log_path, &signer, NULL), BURSAR_OK);
    struct signer seam = local_signer_interface(signer);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_EREFUSED);
    assert_int_equal(unlink(log_path), 0);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_ENOTFOUND);
    local_signer_free(signer);
}

static void limit_file_size(uint64_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void when_the_log_cannot_be_written_no_signature_leaves(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct signer seam = local_signer_interface(signer);
    struct sign_request requests[3] = { payment(1, 1), payment(2, 1), payment(3, 1) };
    struct signed_transaction answers[3];
    struct stat info;
    for (int round = 0; round < 2; round++) { /* and it does not heal by itself */
        assert_int_equal(stat(log_path, &info), 0);
        limit_file_size((uint64_t)info.st_size + (round ? 100000 : 10));
        enum bursar_status status = seam.sign(seam.ctx, requests, 3, answers, NULL);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(status, BURSAR_ESTORAGE);
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            assert_null(answers[i].raw);
    }
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_OK);
    assert_int_equal(entries(signer), 0);
    assert_int_equal(sign_status(signer, payment(1, 2)), BURSAR_OK); /* the first payload never left */
    local_signer_free(signer);
}

static void one_sync_makes_a_whole_batch_durable(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct sign_request requests[3] = { payment(1, 1), payment(2, 1), payment(3, 1) };
    struct signed_transaction answers[3];
    data_syncs = 0;
    for (int round = 0; round < 2; round++) { /* the second time all of it is on disk already */
        sign(signer, requests, COUNT_OF(requests), answers);
        for (size_t i = 0; i < COUNT_OF(answers); i++)
            signed_transaction_clear(&answers[i]);
        assert_int_equal(data_syncs, 1);
    }
    local_signer_free(signer);
}

static void when_the_log_cannot_be_synced_no_signature_leaves(void **state)
{
    (void)state;
    struct local_signer *signer = acquired();
    struct signer seam = local_signer_interface(signer);
    struct sign_request request = payment(1, 1);
    struct signed_transaction answer;
    data_sync_errno = EIO;
    enum bursar_status status = seam.sign(seam.ctx, &request, 1, &answer, NULL);
    data_sync_errno = 0;
    assert_int_equal(status, BURSAR_ESTORAGE);
    assert_null(answer.raw);
    assert_int_equal(seam.sign(seam.ctx, &request, 1, &answer, NULL), BURSAR_ESTORAGE);
    assert_null(answer.raw);
    assert_int_equal(seam.acquire(seam.ctx, NULL), BURSAR_OK);
    assert_int_equal(sign_status(signer, payment(1, 2)), BURSAR_EEQUIVOCATION); /* it may be on disk: it stands */
    assert_int_equal(sign_status(signer, payment(1, 1)), BURSAR_OK);
    local_signer_free(signer);
}

static void a_batch_has_a_limit(void **state)
{
    (void)state;
    static struct sign_request requests[SIGN_BATCH_MAX_ITEMS + 1];
    static struct signed_transaction answers[SIGN_BATCH_MAX_ITEMS + 1];
    struct local_signer *signer = acquired();
    struct signer seam = local_signer_interface(signer);
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        requests[i] = payment(i, i + 1);
    assert_int_equal(seam.sign(seam.ctx, requests, COUNT_OF(requests), answers, NULL), BURSAR_ELIMIT);
    assert_int_equal(entries(signer), 0);
    sign(signer, requests, SIGN_BATCH_MAX_ITEMS, answers);
    for (size_t i = 0; i < SIGN_BATCH_MAX_ITEMS; i++) {
        assert_int_equal(answers[i].error.status, BURSAR_OK);
        signed_transaction_clear(&answers[i]);
    }
    sign(signer, requests, 0, answers);
    local_signer_free(signer);
}

static void clearing_and_freeing_nothing_is_fine(void **state)
{
    (void)state;
    struct signed_transaction nothing = { 0 };
    signed_transaction_clear(&nothing);
    local_signer_free(NULL);
    private_key_free(NULL);
    signing_log_close(NULL);
}

static void chain_id_zero_is_refused_and_the_key_stays_the_callers(void **state)
{
    (void)state;
    struct private_key *key = known_key(0);
    struct local_signer *signer = NULL;
    assert_int_equal(local_signer_new(0, key, log_path, &signer, NULL), BURSAR_EINVAL);
    assert_null(signer);
    private_key_free(key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, each_set_up, scratch_tear_down)

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(a_payment_is_signed_as_asked_and_recorded),
        TEST(the_record_is_in_the_file_before_the_signature_is_returned),
        TEST(asking_again_gives_the_same_bytes_also_after_a_restart),
        TEST(one_items_refusal_does_not_stop_its_neighbours),
        TEST(a_second_payload_is_refused_after_a_restart),
        TEST(once_cancelled_a_nonce_is_never_paid_with),
        TEST(an_executor_with_an_old_lease_is_refused),
        TEST(nothing_is_signed_without_the_log),
        TEST(a_second_signer_waits_until_the_first_lets_go),
        TEST(a_missing_log_is_told_from_another_accounts),
        TEST(when_the_log_cannot_be_written_no_signature_leaves),
        TEST(one_sync_makes_a_whole_batch_durable),
        TEST(when_the_log_cannot_be_synced_no_signature_leaves),
        TEST(a_batch_has_a_limit),
        TEST(clearing_and_freeing_nothing_is_fine),
        TEST(chain_id_zero_is_refused_and_the_key_stays_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
