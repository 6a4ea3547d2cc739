/* What a crash leaves of a signing log is repaired; what a crash cannot have done is refused, by name. */
#include "base/cleanup.h"
#include "eth/keccak.h"
#include "scratch.h"
#include "signer/signing_log.h"
#include "signer/signing_log_record.h"

static char log_path[SCRATCH_PATH_BYTES];

/* The file before and after a second batch of three was synced. The first has two. */
static struct buf before, after;
#define FIRST_BATCH 2
#define SECOND_BATCH 3

static struct signing_log_entry payment(uint64_t nonce, uint64_t value)
{
    struct signing_log_entry entry = {
        .lease_epoch = 1,
        .nonce = nonce,
        .purpose = SIGN_PAYMENT,
        .to = { { 0xaa, (uint8_t)nonce } },
        .value = bursar_amount_from_u64(value),
        .transaction_hash = { { (uint8_t)nonce, (uint8_t)value } },
    };
    keccak256(NULL, 0, &entry.data_hash);
    return entry;
}

static enum bursar_status open_status(struct signing_log **ret, struct bursar_error *err)
{
    struct bursar_address account = known_address(0);
    return signing_log_open(log_path, TEST_CHAIN_ID, &account, ret, err);
}

static struct signing_log *open_log(void)
{
    struct bursar_error err = { 0 };
    struct signing_log *log = NULL;
    enum bursar_status status = open_status(&log, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, BURSAR_OK);
    return log;
}

static void record_batch(struct signing_log *log, uint64_t first_nonce, uint64_t count)
{
    for (uint64_t nonce = first_nonce; nonce < first_nonce + count; nonce++) {
        struct signing_log_entry entry = payment(nonce, 1);
        assert_int_equal(signing_log_append(log, &entry, NULL), BURSAR_OK);
    }
    assert_int_equal(signing_log_sync(log, NULL), BURSAR_OK);
}

static uint64_t entries(const struct signing_log *log)
{
    struct signing_log_extent extent;
    signing_log_extent(log, &extent);
    return extent.entries;
}

static int group_set_up(void **state)
{
    struct bursar_address account = known_address(0);
    if (scratch_set_up(state) != 0)
        return -1;
    scratch_path(log_path, "log");
    if (signing_log_create(log_path, TEST_CHAIN_ID, &account, NULL) != BURSAR_OK)
        return -1;
    struct signing_log *log = open_log();
    record_batch(log, 0, FIRST_BATCH);
    read_file(log_path, &before);
    record_batch(log, FIRST_BATCH, SECOND_BATCH);
    read_file(log_path, &after);
    signing_log_close(log);
    return 0;
}

static int group_tear_down(void **state)
{
    buf_free(&before);
    buf_free(&after);
    return scratch_tear_down(state);
}

/* The log opens with `kept` entries, can be written to, and is whole from then on. */
static void assert_repaired(uint64_t kept)
{
    struct bursar_address account = known_address(0);
    struct signing_log *log, *reader;
    struct stat info;
    struct bursar_error err = { 0 };
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &reader, &err), BURSAR_OK);
    assert_int_equal(entries(reader), kept);
    signing_log_close(reader);
    log = open_log();
    assert_int_equal(entries(log), kept);
    assert_int_equal(stat(log_path, &info), 0);
    assert_int_equal(info.st_size, (kept + FIRST_ENTRY) * RECORD_BYTES);
    struct signing_log_entry same = payment(0, 1), other = payment(0, 2);
    assert_int_equal(signing_log_check(log, &same, NULL), BURSAR_OK);
    assert_int_equal(signing_log_check(log, &other, NULL), BURSAR_EEQUIVOCATION);
    record_batch(log, kept, 2);
    signing_log_close(log);
    log = open_log();
    assert_int_equal(entries(log), kept + 2);
    signing_log_close(log);
}

static void assert_refused(const char *said, uint32_t record)
{
    struct bursar_address account = known_address(0);
    struct signing_log *log = NULL;
    struct bursar_error err = { 0 };
    char place[64];
    cleanup(buf_free) struct buf was = { 0 }, is = { 0 };
    read_file(log_path, &was);
    assert_int_equal(open_status(&log, &err), BURSAR_EREFUSED);
    assert_null(log);
    assert_non_null(strstr(err.message, log_path));
    assert_non_null(strstr(err.message, said));
    if (record != NO_RECORD) {
        (void)snprintf(place, sizeof place, "record %u at offset %u ", record, record * RECORD_BYTES);
        assert_non_null(strstr(err.message, place));
    }
    assert_int_equal(signing_log_open_read_only(log_path, TEST_CHAIN_ID, &account, &log, &err), BURSAR_EREFUSED);
    read_file(log_path, &is); /* and is left as evidence */
    assert_int_equal(is.length_bytes, was.length_bytes);
    assert_memory_equal(is.data, was.data, was.length_bytes);
}

/* The file as a crash leaves it: `before` with something behind it. */
static void crash_with_tail(const void *tail, size_t length)
{
    cleanup(buf_free) struct buf file = { 0 };
    assert_true(buf_append(&file, before.data, before.length_bytes) && buf_append(&file, tail, length));
    write_file(log_path, file.data, file.length_bytes);
}

static void a_batch_torn_at_any_byte_is_cut_to_its_whole_records(void **state)
{
    (void)state;
    for (size_t length = 0; length <= (size_t)SECOND_BATCH * RECORD_BYTES; length++) {
        crash_with_tail(after.data + before.length_bytes, length);
        assert_repaired(FIRST_BATCH + length / RECORD_BYTES);
    }
}

static void zeros_behind_the_end_are_cut_off(void **state)
{
    (void)state;
    static const uint8_t zeros[(size_t)SIGN_BATCH_MAX_ITEMS * RECORD_BYTES];
    static const size_t lengths[] = { 1, RECORD_BYTES, RECORD_BYTES + 1, 4096, sizeof zeros };
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        crash_with_tail(zeros, lengths[i]);
        assert_repaired(FIRST_BATCH);
    }
}

static void pages_of_a_batch_that_arrived_out_of_order_are_cut_off(void **state)
{
    (void)state;
    uint8_t tail[SECOND_BATCH * RECORD_BYTES];
    for (size_t lost = 0; lost < SECOND_BATCH; lost++) {
        memcpy(tail, after.data + before.length_bytes, sizeof tail);
        memset(tail + lost * RECORD_BYTES, 0, RECORD_BYTES);
        crash_with_tail(tail, sizeof tail);
        assert_repaired(FIRST_BATCH + lost);
    }
}

static void more_than_a_crash_can_leave_is_refused(void **state)
{
    (void)state;
    static const uint8_t zeros[((size_t)SIGN_BATCH_MAX_ITEMS + 1) * RECORD_BYTES];
    crash_with_tail(zeros, sizeof zeros);
    assert_refused("more than a crash can leave", FIRST_ENTRY + FIRST_BATCH);
}

static void a_changed_byte_anywhere_in_what_was_synced_is_refused(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf file = { 0 };
    assert_true(buf_append(&file, after.data, after.length_bytes));
    for (size_t at = 0; at < file.length_bytes; at++) {
        uint32_t record = (uint32_t)(at / RECORD_BYTES);
        file.data[at] = (char)(file.data[at] ^ 0x10);
        write_file(log_path, file.data, file.length_bytes);
        if (record >= FIRST_ENTRY)
            assert_refused("damaged", record);
        else if (record == 0)
            assert_refused("damaged", NO_RECORD);
        else
            signing_log_close(open_log()); /* the mark alone holds nothing that the records do not */
        file.data[at] = (char)(file.data[at] ^ 0x10);
    }
}

static void a_log_that_lost_synced_records_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < after.length_bytes; length++) {
        write_file(log_path, after.data, length);
        assert_refused("damaged",
                       length < (size_t)FIRST_ENTRY * RECORD_BYTES ? NO_RECORD : (uint32_t)(length / RECORD_BYTES));
    }
}

/* After a power loss the mark may be old. A later batch still shows that the ones before it were synced. */
static void damage_before_a_later_batch_is_refused_also_with_an_old_mark(void **state)
{
    (void)state;
    uint8_t tail[SECOND_BATCH * RECORD_BYTES];
    memcpy(tail, after.data + before.length_bytes, sizeof tail);
    for (size_t record = 0; record < FIRST_BATCH; record++) {
        cleanup(buf_free) struct buf file = { 0 };
        assert_true(buf_append(&file, before.data, before.length_bytes) && buf_append(&file, tail, sizeof tail));
        struct bursar_address account = known_address(0);
        struct log_identity identity = { .chain_id = TEST_CHAIN_ID, .account = account };
        log_mark_encode(&identity, FIRST_ENTRY, (uint8_t *)file.data + RECORD_BYTES);
        file.data[(FIRST_ENTRY + record) * RECORD_BYTES + 40] ^= 1;
        write_file(log_path, file.data, file.length_bytes);
        assert_refused("damaged", (uint32_t)(FIRST_ENTRY + record));
    }
}

static void what_is_kept_of_an_unfinished_batch_counts_as_synced_from_then_on(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf file = { 0 };
    crash_with_tail(after.data + before.length_bytes, (size_t)SECOND_BATCH * RECORD_BYTES);
    signing_log_close(open_log());
    read_file(log_path, &file);
    file.data[file.length_bytes - 1] ^= 1;
    write_file(log_path, file.data, file.length_bytes);
    assert_refused("damaged", FIRST_ENTRY + FIRST_BATCH + SECOND_BATCH - 1);
}

static void records_in_the_wrong_order_are_refused(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf file = { 0 };
    uint8_t record[RECORD_BYTES];
    assert_true(buf_append(&file, after.data, after.length_bytes));
    char *second = file.data + (FIRST_ENTRY + 1) * RECORD_BYTES;
    memcpy(record, second, sizeof record);
    memcpy(second, second + RECORD_BYTES, sizeof record);
    memcpy(second + RECORD_BYTES, record, sizeof record);
    write_file(log_path, file.data, file.length_bytes);
    assert_refused("damaged", FIRST_ENTRY + 1);
}

static void a_record_of_another_accounts_log_is_refused(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf file = { 0 };
    struct log_identity other = { .chain_id = TEST_CHAIN_ID, .account = known_address(1) };
    struct log_record record = { .index = FIRST_ENTRY, .batch_first = FIRST_ENTRY, .entry = payment(0, 2) };
    assert_true(buf_append(&file, after.data, after.length_bytes));
    log_record_encode(&other, &record, (uint8_t *)file.data + FIRST_ENTRY * RECORD_BYTES);
    write_file(log_path, file.data, file.length_bytes);
    assert_refused("damaged", FIRST_ENTRY);
}

/* A whole record, with a right checksum, that the records before it contradict. */
static void a_well_formed_record_that_does_not_follow_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[RECORD_BYTES];
    struct log_identity identity = { .chain_id = TEST_CHAIN_ID, .account = known_address(0) };
    struct log_record record = { .index = FIRST_ENTRY + FIRST_BATCH,
                                 .batch_first = FIRST_ENTRY + FIRST_BATCH,
                                 .previous = NO_RECORD, /* though nonce 0 has a record */
                                 .entry = payment(0, 2) };
    struct signing_log *log;
    log_record_encode(&identity, &record, bytes);
    crash_with_tail(bytes, sizeof bytes);
    assert_int_equal(open_status(&log, NULL), BURSAR_EREFUSED);
    record.entry = payment(1000000, 2);
    log_record_encode(&identity, &record, bytes);
    crash_with_tail(bytes, sizeof bytes);
    assert_int_equal(open_status(&log, NULL), BURSAR_EREFUSED);
}

static void a_newer_format_is_refused_and_left_alone(void **state)
{
    (void)state;
    cleanup(buf_free) struct buf file = { 0 };
    assert_true(buf_append(&file, after.data, after.length_bytes));
    file.data[11] = 2;
    write_file(log_path, file.data, file.length_bytes);
    assert_refused("newer", NO_RECORD);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"this\": \"is the keystore, named by mistake instead of the signing log\"}";
    cleanup(buf_free) struct buf file = { 0 };
    for (int i = 0; i < 8; i++)
        assert_true(buf_append_text(&file, text));
    write_file(log_path, file.data, file.length_bytes);
    assert_refused("not a signing log", NO_RECORD);
    write_file(log_path, "", 0);
    assert_refused("damaged", NO_RECORD);
}

static void a_record_that_goes_bad_while_the_log_is_open_is_noticed(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    struct signed_payload found;
    cleanup(buf_free) struct buf file = { 0 };
    assert_true(buf_append(&file, after.data, after.length_bytes));
    write_file(log_path, file.data, file.length_bytes);
    struct signing_log *log = open_log();
    assert_int_equal(signing_log_find(log, 1, &found, NULL), BURSAR_OK);
    file.data[(FIRST_ENTRY + 1) * RECORD_BYTES + 60] ^= 1;
    write_file(log_path, file.data, file.length_bytes);
    struct signing_log_entry again = payment(1, 1);
    assert_int_equal(signing_log_find(log, 1, &found, &err), BURSAR_EREFUSED);
    assert_int_equal(signing_log_check(log, &again, &err), BURSAR_EREFUSED);
    assert_non_null(strstr(err.message, "record 3 at offset 480 "));
    signing_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_torn_at_any_byte_is_cut_to_its_whole_records),
        cmocka_unit_test(zeros_behind_the_end_are_cut_off),
        cmocka_unit_test(pages_of_a_batch_that_arrived_out_of_order_are_cut_off),
        cmocka_unit_test(more_than_a_crash_can_leave_is_refused),
        cmocka_unit_test(a_changed_byte_anywhere_in_what_was_synced_is_refused),
        cmocka_unit_test(a_log_that_lost_synced_records_is_refused),
        cmocka_unit_test(damage_before_a_later_batch_is_refused_also_with_an_old_mark),
        cmocka_unit_test(what_is_kept_of_an_unfinished_batch_counts_as_synced_from_then_on),
        cmocka_unit_test(records_in_the_wrong_order_are_refused),
        cmocka_unit_test(a_record_of_another_accounts_log_is_refused),
        cmocka_unit_test(a_well_formed_record_that_does_not_follow_is_refused),
        cmocka_unit_test(a_newer_format_is_refused_and_left_alone),
        cmocka_unit_test(other_files_are_refused),
        cmocka_unit_test(a_record_that_goes_bad_while_the_log_is_open_is_noticed),
    };
    return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
