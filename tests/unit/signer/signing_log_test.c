/* The signing log's promise: whatever is asked, in one batch or after years, no nonce gets a second payment payload. */
#include "base/cleanup.h"
#include "eth/keccak.h"
#include "scratch.h"
#include "signer/signing_log.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char log_path[SCRATCH_PATH_BYTES];

static struct bursar_hash hash_of(uint64_t number)
{
    struct bursar_hash hash;
    keccak256(&number, sizeof number, &hash);
    return hash;
}

static struct signing_log_entry payment(uint64_t nonce, uint64_t value)
{
    struct signing_log_entry entry = {
        .lease_epoch = 1,
        .nonce = nonce,
        .purpose = SIGN_PAYMENT,
        .to = { { 0xaa, (uint8_t)nonce } },
        .value = bursar_amount_from_u64(value),
        .transaction_hash = hash_of(nonce << 32 | value),
    };
    keccak256(NULL, 0, &entry.data_hash);
    return entry;
}

static struct signing_log_entry replacement(uint64_t nonce, uint64_t value, uint64_t fee)
{
    struct signing_log_entry entry = payment(nonce, value);
    entry.purpose = SIGN_REPLACEMENT;
    entry.transaction_hash = hash_of(fee << 48 | nonce);
    return entry;
}

static struct signing_log_entry self_transfer(uint64_t nonce)
{
    struct signing_log_entry entry = payment(nonce, 0);
    entry.purpose = SIGN_SELF;
    entry.to = known_address(0);
    entry.transaction_hash = hash_of(~nonce);
    return entry;
}

static void create(void)
{
    struct bursar_address account = known_address(0);
    assert_int_equal(signing_log_create(log_path, TEST_CHAIN_ID, &account, NULL), BURSAR_OK);
}

static struct signing_log *open_log(void)
{
    struct bursar_address account = known_address(0);
    struct bursar_error err = { 0 };
    struct signing_log *log = NULL;
    enum bursar_status status = signing_log_open(log_path, TEST_CHAIN_ID, &account, &log, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, BURSAR_OK);
    return log;
}

static enum bursar_status append(struct signing_log *log, struct signing_log_entry entry)
{
    return signing_log_append(log, &entry, NULL);
}

static void record(struct signing_log *log, struct signing_log_entry entry)
{
    assert_int_equal(append(log, entry), BURSAR_OK);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
}

static uint64_t entries(const struct signing_log *log)
{
    struct signing_log_extent extent;
    signing_log_extent(log, &extent);
    return extent.entries;
}

static int each_set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    scratch_path(log_path, "key.json.31337.signlog");
    create();
    return 0;
}

static void the_path_lies_beside_the_keystore_and_names_the_chain(void **state)
{
    (void)state;
    static char long_path[SIGNING_LOG_PATH_MAX_BYTES];
    char path[SIGNING_LOG_PATH_MAX_BYTES] = "untouched";
    memset(long_path, 'x', sizeof long_path - 1);
    assert_int_equal(signing_log_path(long_path, 1, path, NULL), BURSAR_ELIMIT);
    assert_string_equal(path, "untouched");
    assert_int_equal(signing_log_path("keys/treasury.json", 31337, path, NULL), BURSAR_OK);
    assert_string_equal(path, "keys/treasury.json.31337.signlog");
}

static void a_new_log_is_private_and_empty_and_never_overwritten(void **state)
{
    (void)state;
    struct bursar_address account = known_address(0);
    struct stat info;
    assert_int_equal(stat(log_path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    struct signing_log *log = open_log();
    assert_int_equal(entries(log), 0);
    record(log, payment(7, 1));
    signing_log_close(log);
    assert_int_equal(signing_log_create(log_path, TEST_CHAIN_ID, &account, NULL), BURSAR_EEXIST);
    log = open_log();
    assert_int_equal(entries(log), 1);
    signing_log_close(log);
}

static void a_missing_log_is_not_found_rather_than_created(void **state)
{
    (void)state;
    struct bursar_address account = known_address(0);
    struct signing_log *log = NULL;
    assert_int_equal(unlink(log_path), 0);
    assert_int_equal(signing_log_open(log_path, TEST_CHAIN_ID, &account, &log, NULL), BURSAR_ENOTFOUND);
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &log, NULL), BURSAR_ENOTFOUND);
    assert_int_equal(access(log_path, F_OK), -1);
}

static void another_chains_or_accounts_log_is_refused(void **state)
{
    (void)state;
    struct bursar_address ours = known_address(0), other = known_address(1);
    struct bursar_error err = { 0 };
    struct signing_log *log = NULL;
    assert_int_equal(signing_log_open(log_path, 1, &ours, &log, &err), BURSAR_EREFUSED);
    assert_non_null(strstr(err.message, "chain id 31337, not 1"));
    assert_int_equal(signing_log_open(log_path, TEST_CHAIN_ID, &other, &log, &err), BURSAR_EREFUSED);
    assert_non_null(strstr(err.message, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
    assert_int_equal(signing_log_open_read_only(log_path, 1, &ours, &log, &err), BURSAR_EREFUSED);
    assert_null(log);
}

static void a_second_payload_for_a_nonce_is_refused_and_both_are_named(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    struct signing_log_entry other = payment(7, 2);
    struct bursar_error err = { 0 };
    record(log, payment(7, 1000));
    assert_int_equal(signing_log_check(log, &other, &err), BURSAR_EEQUIVOCATION);
    assert_non_null(strstr(err.message, "1000 wei"));
    assert_non_null(strstr(err.message, "2 wei"));
    assert_int_equal(append(log, other), BURSAR_EEQUIVOCATION);

    other = payment(7, 1000);
    other.to.bytes[19] ^= 1;
    assert_int_equal(append(log, other), BURSAR_EEQUIVOCATION);
    other = payment(7, 1000);
    other.data_hash.bytes[0] ^= 1;
    assert_int_equal(append(log, other), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, replacement(7, 1001, 5)), BURSAR_EEQUIVOCATION);
    assert_int_equal(entries(log), 1);
    signing_log_close(log);
}

static void two_payloads_in_one_batch_are_refused_too(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    assert_int_equal(append(log, payment(7, 1)), BURSAR_OK);
    assert_int_equal(append(log, payment(8, 1)), BURSAR_OK);
    assert_int_equal(append(log, payment(7, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
    signing_log_close(log);
}

static void a_second_payload_is_refused_after_reopening(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    record(log, self_transfer(8));
    signing_log_close(log);
    log = open_log();
    assert_int_equal(append(log, payment(7, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(8, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(7, 1)), BURSAR_OK);
    signing_log_close(log);
}

static void the_same_again_is_allowed_and_not_written_twice(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    record(log, payment(7, 1));
    assert_int_equal(entries(log), 1);
    assert_int_equal(append(log, payment(8, 1)), BURSAR_OK);
    assert_int_equal(append(log, payment(8, 1)), BURSAR_OK);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
    assert_int_equal(entries(log), 2);
    signing_log_close(log);
}

static void replacements_of_the_same_payload_are_recorded_each(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    for (uint64_t fee = 1; fee <= 20; fee++)
        record(log, replacement(7, 1, fee));
    assert_int_equal(entries(log), 21);
    for (uint64_t fee = 1; fee <= 20; fee++) {
        bool known = false;
        struct bursar_hash hash = replacement(7, 1, fee).transaction_hash;
        assert_int_equal(signing_log_has_transaction(log, 7, &hash, &known, NULL), BURSAR_OK);
        assert_true(known);
        assert_int_equal(signing_log_has_transaction(log, 8, &hash, &known, NULL), BURSAR_OK);
        assert_false(known);
    }
    signing_log_close(log);
}

static void a_replacement_of_an_unknown_payment_shows_that_entries_are_missing(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    assert_int_equal(append(log, replacement(8, 1, 5)), BURSAR_EREFUSED);
    signing_log_close(log);
}

static void after_a_self_transfer_no_payment_is_signed_at_that_nonce(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    record(log, self_transfer(7));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(append(log, payment(7, 1)), BURSAR_EEQUIVOCATION);
        assert_int_equal(append(log, replacement(7, 1, 9)), BURSAR_EEQUIVOCATION);
        assert_int_equal(append(log, self_transfer(7)), BURSAR_OK);
        signing_log_close(log);
        log = open_log();
    }
    signing_log_close(log);
}

static void a_payment_that_a_self_transfer_took_the_nonce_of_is_recorded_afterwards_and_not_signed(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    struct signed_payload found = { 0 };
    const struct signing_log_entry past = payment(7, 1), other = payment(7, 2);
    struct signing_log *log = open_log();
    record(log, self_transfer(7));
    assert_int_equal(append(log, past), BURSAR_EEQUIVOCATION);
    assert_int_equal(signing_log_append_past(log, &past, &err), BURSAR_OK);
    assert_int_equal(signing_log_sync(log, &err), BURSAR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(signing_log_find(log, 7, &found, &err), BURSAR_OK);
        assert_true(found.has_payment && found.has_self_transfer);
        assert_int_equal(append(log, past), BURSAR_EEQUIVOCATION);
        assert_int_equal(signing_log_append_past(log, &other, &err), BURSAR_EEQUIVOCATION);
        signing_log_close(log);
        log = open_log();
    }
    signing_log_close(log);
}

static void a_self_transfer_goes_to_the_account_itself_with_nothing(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    struct signing_log_entry entry = self_transfer(7);
    entry.to.bytes[0] ^= 1;
    assert_int_equal(append(log, entry), BURSAR_EINVAL);
    entry = self_transfer(7);
    entry.value = bursar_amount_from_u64(1);
    assert_int_equal(append(log, entry), BURSAR_EINVAL);
    entry = self_transfer(7);
    entry.data_hash.bytes[0] ^= 1;
    assert_int_equal(append(log, entry), BURSAR_EINVAL);
    entry = self_transfer(7);
    entry.purpose = (enum sign_purpose)4;
    assert_int_equal(append(log, entry), BURSAR_EINVAL);
    assert_int_equal(entries(log), 0);
    signing_log_close(log);
}

static void a_lower_lease_epoch_is_fenced_also_after_reopening(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    struct signing_log_entry entry = payment(7, 1);
    entry.lease_epoch = 5;
    record(log, entry);
    entry.lease_epoch = 6; /* the same bytes for a new leaseholder: recorded, or a restart would forget the epoch */
    record(log, entry);
    for (int round = 0; round < 2; round++) {
        entry = payment(8, 1);
        entry.lease_epoch = 5;
        assert_int_equal(append(log, entry), BURSAR_EFENCED);
        entry.lease_epoch = 6;
        assert_int_equal(signing_log_check(log, &entry, NULL), BURSAR_OK);
        signing_log_close(log);
        log = open_log();
    }
    signing_log_close(log);
}

static void what_was_signed_for_a_nonce_is_found(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    struct signed_payload found;
    struct signing_log_extent extent;
    record(log, payment(100, 5));
    record(log, replacement(100, 5, 2));
    record(log, self_transfer(100));
    record(log, self_transfer(103));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(signing_log_find(log, 100, &found, NULL), BURSAR_OK);
        assert_true(found.has_payment && found.has_self_transfer && found.nonce == 100);
        assert_int_equal(bursar_amount_compare(found.value, bursar_amount_from_u64(5)), 0);
        assert_int_equal(found.to.bytes[0], 0xaa);
        assert_int_equal(signing_log_find(log, 103, &found, NULL), BURSAR_OK);
        assert_true(!found.has_payment && found.has_self_transfer);
        static const uint64_t never[] = { 0, 99, 101, 102, 104, UINT64_MAX };
        for (size_t i = 0; i < COUNT_OF(never); i++)
            assert_int_equal(signing_log_find(log, never[i], &found, NULL), BURSAR_ENOTFOUND);
        signing_log_extent(log, &extent);
        assert_true(extent.first_nonce == 100 && extent.next_nonce == 104 && extent.entries == 4);
        signing_log_close(log);
        log = open_log();
    }
    signing_log_close(log);
}

static void nonces_below_the_first_and_gaps_are_taken_within_reach(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(1000000, 1));
    record(log, payment(999000, 1));
    record(log, payment(1100001, 1));
    assert_int_equal(append(log, payment(1200003, 1)), BURSAR_ELIMIT);
    assert_int_equal(append(log, payment(898999, 1)), BURSAR_ELIMIT);
    assert_int_equal(append(log, payment(UINT64_MAX, 1)), BURSAR_ELIMIT);
    signing_log_close(log);
    log = open_log();
    assert_int_equal(append(log, payment(999000, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(1000000, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(1100001, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(999001, 2)), BURSAR_OK);
    signing_log_close(log);
}

static void the_highest_nonces_are_no_special_case(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    record(log, payment(UINT64_MAX - 1, 1));
    assert_int_equal(append(log, payment(UINT64_MAX - 1, 2)), BURSAR_EEQUIVOCATION);
    assert_int_equal(append(log, payment(UINT64_MAX, 2)), BURSAR_ELIMIT);
    signing_log_close(log);
}

static void a_second_process_is_refused_the_lock(void **state)
{
    (void)state;
    struct bursar_address account = known_address(0);
    struct signing_log *log = open_log();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct signing_log *second;
        _exit(signing_log_open(log_path, TEST_CHAIN_ID, &account, &second, NULL) == BURSAR_EBUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    signing_log_close(log);
    signing_log_close(open_log()); /* free again */
}

static void a_reader_sees_what_a_running_writer_has_synced_and_changes_nothing(void **state)
{
    (void)state;
    struct bursar_address account = known_address(0);
    struct signing_log *writer = open_log(), *reader;
    struct signed_payload found;
    record(writer, payment(7, 1));
    assert_int_equal(append(writer, payment(8, 1)), BURSAR_OK);
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &reader, NULL), BURSAR_OK);
    assert_int_equal(entries(reader), 1);
    assert_int_equal(signing_log_find(reader, 7, &found, NULL), BURSAR_OK);
    assert_int_equal(signing_log_find(reader, 8, &found, NULL), BURSAR_ENOTFOUND);
    assert_int_equal(append(reader, payment(9, 1)), BURSAR_EREFUSED);
    signing_log_close(reader);
    assert_int_equal(signing_log_sync(writer, NULL), BURSAR_OK);
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &reader, NULL), BURSAR_OK);
    assert_int_equal(entries(reader), 2);
    signing_log_close(reader);
    signing_log_close(writer);
}

/* Lets files grow to `bytes` only, so that a write is cut short and the next one fails. */
static void limit_file_size(uint64_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void after_a_failed_write_the_log_refuses_everything_until_reopened(void **state)
{
    (void)state;
    struct stat info;
    struct signing_log_entry entry = payment(9, 1);
    struct signed_payload found;
    struct bursar_error err = { 0 };
    struct signing_log *log = open_log();
    record(log, payment(7, 1));
    assert_int_equal(stat(log_path, &info), 0);
    assert_int_equal(append(log, payment(8, 1)), BURSAR_OK);
    assert_int_equal(append(log, payment(9, 1)), BURSAR_OK);
    limit_file_size((uint64_t)info.st_size + 200); /* one record and a bit of the next */
    enum bursar_status status = signing_log_sync(log, &err);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(status, BURSAR_ESTORAGE);
    assert_non_null(strstr(err.message, log_path));

    assert_int_equal(signing_log_check(log, &entry, NULL), BURSAR_ESTORAGE);
    assert_int_equal(append(log, payment(10, 1)), BURSAR_ESTORAGE);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_ESTORAGE);
    assert_int_equal(signing_log_find(log, 7, &found, NULL), BURSAR_ESTORAGE);
    signing_log_close(log);

    log = open_log();
    assert_int_equal(entries(log), 2); /* the one that was written whole is kept: keeping too much is safe */
    assert_int_equal(append(log, payment(8, 2)), BURSAR_EEQUIVOCATION);
    record(log, payment(9, 2));
    signing_log_close(log);
    signing_log_close(open_log());
}

static void a_batch_has_a_limit(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    for (uint64_t nonce = 0; nonce < SIGN_BATCH_MAX_ITEMS; nonce++)
        assert_int_equal(append(log, payment(nonce, 1)), BURSAR_OK);
    assert_int_equal(append(log, payment(SIGN_BATCH_MAX_ITEMS, 1)), BURSAR_ELIMIT);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
    assert_int_equal(append(log, payment(SIGN_BATCH_MAX_ITEMS, 1)), BURSAR_OK);
    signing_log_close(log);
    log = open_log();
    assert_int_equal(entries(log), SIGN_BATCH_MAX_ITEMS); /* what was never synced was never there */
    signing_log_close(log);
}

#define MANY 100000u

static void a_hundred_thousand_entries_are_all_remembered(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    for (uint64_t nonce = 0; nonce < MANY; nonce++) {
        assert_int_equal(append(log, payment(nonce, nonce)), BURSAR_OK);
        if (nonce % SIGN_BATCH_MAX_ITEMS == SIGN_BATCH_MAX_ITEMS - 1)
            assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
    }
    signing_log_close(log);
    log = open_log();
    assert_int_equal(entries(log), MANY);
    for (uint64_t nonce = 0; nonce < MANY; nonce += 97) {
        assert_int_equal(append(log, payment(nonce, nonce)), BURSAR_OK);
        assert_int_equal(append(log, payment(nonce, nonce + 1)), BURSAR_EEQUIVOCATION);
    }
    assert_int_equal(entries(log), MANY);
    signing_log_close(log);
}

struct walked {
    size_t count;
    struct bursar_hash hashes[4];
};

static enum bursar_status take_entry(void *ctx, const struct signing_log_entry *entry)
{
    struct walked *walked = ctx;
    assert_int_equal(entry->nonce, 5);
    if (walked->count == 3)
        return BURSAR_ECANCELLED;
    walked->hashes[walked->count++] = entry->transaction_hash;
    return BURSAR_OK;
}

static void all_that_was_signed_for_a_nonce_is_walked_newest_first(void **state)
{
    (void)state;
    struct signing_log *log = open_log();
    struct signing_log_entry entries[] = { payment(5, 1), payment(6, 2), replacement(5, 1, 9), self_transfer(5) };
    struct walked walked = { 0 };
    assert_int_equal(signing_log_lease_epoch(log), 0);
    entries[3].lease_epoch = 7;
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        assert_int_equal(signing_log_append(log, &entries[i], NULL), BURSAR_OK);
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
    assert_int_equal(signing_log_walk(log, 5, take_entry, &walked, NULL), BURSAR_OK);
    assert_int_equal(walked.count, 3);
    assert_true(hash_equal(&walked.hashes[0], &entries[3].transaction_hash));
    assert_true(hash_equal(&walked.hashes[2], &entries[0].transaction_hash));
    assert_int_equal(signing_log_walk(log, 5, take_entry, &walked, NULL), BURSAR_ECANCELLED);
    assert_int_equal(signing_log_walk(log, 99, take_entry, &walked, NULL), BURSAR_OK);
    assert_int_equal(signing_log_lease_epoch(log), 7);
    signing_log_close(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, each_set_up, scratch_tear_down)

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        TEST(the_path_lies_beside_the_keystore_and_names_the_chain),
        TEST(a_new_log_is_private_and_empty_and_never_overwritten),
        TEST(a_missing_log_is_not_found_rather_than_created),
        TEST(another_chains_or_accounts_log_is_refused),
        TEST(a_second_payload_for_a_nonce_is_refused_and_both_are_named),
        TEST(two_payloads_in_one_batch_are_refused_too),
        TEST(a_second_payload_is_refused_after_reopening),
        TEST(the_same_again_is_allowed_and_not_written_twice),
        TEST(replacements_of_the_same_payload_are_recorded_each),
        TEST(a_replacement_of_an_unknown_payment_shows_that_entries_are_missing),
        TEST(after_a_self_transfer_no_payment_is_signed_at_that_nonce),
        TEST(a_payment_that_a_self_transfer_took_the_nonce_of_is_recorded_afterwards_and_not_signed),
        TEST(a_self_transfer_goes_to_the_account_itself_with_nothing),
        TEST(a_lower_lease_epoch_is_fenced_also_after_reopening),
        TEST(what_was_signed_for_a_nonce_is_found),
        TEST(all_that_was_signed_for_a_nonce_is_walked_newest_first),
        TEST(nonces_below_the_first_and_gaps_are_taken_within_reach),
        TEST(the_highest_nonces_are_no_special_case),
        TEST(a_second_process_is_refused_the_lock),
        TEST(a_reader_sees_what_a_running_writer_has_synced_and_changes_nothing),
        TEST(after_a_failed_write_the_log_refuses_everything_until_reopened),
        TEST(a_batch_has_a_limit),
        TEST(a_hundred_thousand_entries_are_all_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
