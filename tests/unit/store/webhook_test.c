/* How far webhooks have got, across restarts. */
#include "store_fixture.h"

struct kept {
    uint64_t seqs[8];
    int64_t disbursements[8];
    size_t count;
};

static enum bursar_status take(void *ctx, const struct event_record *event)
{
    struct kept *kept = ctx;
    assert_true(kept->count < 8);
    kept->disbursements[kept->count] = event->disbursement;
    kept->seqs[kept->count++] = event->seq;
    return BURSAR_OK;
}

static void a_new_one_starts_behind_what_has_happened(void **state)
{
    struct fixture *f = *state;
    struct webhook_record webhook;
    uint64_t newest = 0;
    EXPECT(f, BURSAR_ENOTFOUND, webhook_find, "ops", &webhook);
    (void)import_many(f, "r", 3, NULL);
    OK(f, event_newest, &newest);
    OK(f, webhook_add, "ops", &webhook);
    assert_string_equal(webhook.name, "ops");
    assert_int_equal(webhook.seq, newest);
    (void)import_many(f, "s", 3, NULL);
    OK(f, webhook_add, "ops", &webhook); /* the second time it is found */
    assert_int_equal(webhook.seq, newest);
}

static void where_it_stands_is_kept_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct webhook_record webhook, found;
    struct kept kept = { 0 };
    OK(f, webhook_add, "ops", &webhook);
    int64_t first = import_many(f, "r", 3, NULL);
    const uint64_t seqs[] = { webhook.seq + 1, webhook.seq + 3 };
    webhook.seq += 3;
    webhook.delivered = 7;
    webhook.last_error_ms = NOW_MS;
    webhook.next_try_ms = NOW_MS + 5;
    (void)snprintf(webhook.last_error, sizeof webhook.last_error, "answered 500");
    OK(f, webhook_save, &webhook, seqs, 2);
    struct fixture again = open_again(f, SQLITE_MODE_READ);
    OK(&again, webhook_find, "ops", &found);
    assert_int_equal(found.seq, webhook.seq);
    assert_int_equal(found.delivered, 7);
    assert_int_equal(found.kept_count, 2);
    assert_string_equal(found.last_error, "answered 500");
    assert_int_equal(found.next_try_ms, NOW_MS + 5);
    OK(&again, webhook_kept, found.id, take, &kept);
    assert_int_equal(kept.count, 2);
    assert_int_equal(kept.seqs[0], seqs[0]);
    assert_int_equal(kept.disbursements[0], first);
    assert_int_equal(kept.seqs[1], seqs[1]);
    close_again(&again);
    OK(f, webhook_save, &webhook, NULL, 0);
    OK(f, webhook_find, "ops", &found);
    assert_int_equal(found.kept_count, 0);
}

static void what_is_not_there_is_not_kept_back(void **state)
{
    struct fixture *f = *state;
    struct webhook_record webhook, found;
    OK(f, webhook_add, "ops", &webhook);
    const uint64_t seqs[] = { webhook.seq + 100 };
    webhook.seq += 100;
    EXPECT(f, BURSAR_ESTORAGE, webhook_save, &webhook, seqs, 1);
    OK(f, webhook_find, "ops", &found); /* nothing of it was saved */
    assert_int_equal(found.seq, webhook.seq - 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_one_starts_behind_what_has_happened, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(where_it_stands_is_kept_as_a_whole, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_not_kept_back, set_up_store, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
