/* Rows that owe a token: kept as such wherever they are seen, and what is pinned about the token stays. */
#include "store_fixture.h"

static const struct bursar_address TOKEN = { { 0x70, 0x6b } }, OTHER = { { 0x70, 0x6c } };

/* Imports one row of TOKEN, pinning `decimals` before it. */
static void import_token(struct fixture *f, const char *ref, unsigned decimals, bool commit)
{
    int64_t id = 0;
    uint64_t line = 0;
    bool committed = false;
    OK(f, import_begin, f->treasury, "tokens.csv", "tester", NOW_MS);
    OK(f, import_pin, &TOKEN, decimals);
    assert_int_equal(add_row(f, &(struct row){ .ref = ref, .token = &TOKEN }, 2, &id, &line), IMPORT_ADDED);
    OK(f, import_end, commit, NULL, NULL, &committed);
    assert_int_equal(committed, commit);
}

static void decimals_are_pinned_with_the_import_that_needs_them(void **state)
{
    struct fixture *f = *state;
    unsigned decimals = 99;
    EXPECT(f, BURSAR_ENOTFOUND, token_decimals, f->treasury, &TOKEN, &decimals);
    import_token(f, "dropped", 6, false);
    EXPECT(f, BURSAR_ENOTFOUND, token_decimals, f->treasury, &TOKEN, &decimals);
    assert_int_equal(decimals, 99);
    import_token(f, "kept", 6, true);
    OK(f, token_decimals, f->treasury, &TOKEN, &decimals);
    assert_int_equal(decimals, 6);
    EXPECT(f, BURSAR_ENOTFOUND, token_decimals, f->treasury, &OTHER, &decimals);
    import_token(f, "again", 6, true); /* the same number once more */
    assert_int_equal(raw_number(f, "SELECT count(*) FROM asset"), 1);
}

static void another_number_is_refused_and_takes_the_import_with_it(void **state)
{
    struct fixture *f = *state;
    bool committed = true;
    import_token(f, "kept", 6, true);
    char *before = dump(f);
    OK(f, import_begin, f->treasury, "tokens.csv", "tester", NOW_MS);
    EXPECT(f, BURSAR_ECONFLICT, import_pin, &TOKEN, 18);
    assert_contains(f->err.message, "has 6 decimals here, not 18");
    OK(f, import_end, true, NULL, NULL, &committed);
    assert_false(committed);
    char *after = dump(f);
    assert_string_equal(after, before);
    free(before);
    free(after);
    EXPECT(f, BURSAR_EINTERNAL, import_pin, &TOKEN, 6); /* no import is open */
}

static void what_is_pinned_is_each_treasurys_own(void **state)
{
    struct fixture *f = *state;
    const struct bursar_address account = { { 0xbb } };
    unsigned decimals = 0;
    int64_t first = f->treasury;
    import_token(f, "six", 6, true);
    OK(f, treasury_add, "second", CHAIN_ID + 1, &account, "block/120", &f->treasury);
    EXPECT(f, BURSAR_ENOTFOUND, token_decimals, f->treasury, &TOKEN, &decimals);
    import_token(f, "six", 8, true); /* another chain, another token */
    OK(f, token_decimals, f->treasury, &TOKEN, &decimals);
    assert_int_equal(decimals, 8);
    OK(f, token_decimals, first, &TOKEN, &decimals);
    assert_int_equal(decimals, 6);
}

static void the_database_itself_keeps_what_is_pinned(void **state)
{
    struct fixture *f = *state;
    import_token(f, "a", 6, true);
    raw_refused(f, "UPDATE asset SET decimals = 18", "never change");
    raw_refused(f, "INSERT INTO asset SELECT treasury, token, 18 FROM asset", "UNIQUE");
    raw_refused(f, "DELETE FROM asset", "never deleted");
    raw_refused(f, "INSERT INTO asset VALUES (1, zeroblob(20), 78)", "CHECK");
    raw_refused(f, "INSERT INTO asset VALUES (1, zeroblob(19), 6)", "CHECK");
}

struct seen {
    size_t count;
    struct asset assets[4];
    bool has_decimals[4];
    unsigned decimals[4];
};

static enum bursar_status note_record(void *ctx, const struct disbursement_record *record)
{
    struct seen *seen = ctx;
    seen->assets[seen->count] = record->asset;
    seen->has_decimals[seen->count] = record->has_decimals;
    seen->decimals[seen->count++] = record->decimals;
    return BURSAR_OK;
}

static enum bursar_status note_content(void *ctx, const struct content_record *record)
{
    struct seen *seen = ctx;
    seen->assets[seen->count++] = record->asset;
    return BURSAR_OK;
}

static void assert_assets(const struct asset assets[3])
{
    assert_false(assets[0].is_token);
    assert_true(assets[1].is_token && assets[2].is_token);
    assert_memory_equal(&assets[1].token, &TOKEN, sizeof TOKEN);
    assert_memory_equal(&assets[2].token, &OTHER, sizeof OTHER);
}

static void a_rows_token_is_seen_wherever_the_row_is(void **state)
{
    struct fixture *f = *state;
    const struct list_filter filter = { .limit = 4 };
    const struct row rows[] = { { .ref = "coin" },
                                { .ref = "token", .token = &TOKEN },
                                { .ref = "other", .token = &OTHER } };
    struct due_row due[4];
    size_t count = 0;
    struct seen listed = { 0 }, owed = { 0 };
    import_token(f, "dropped", 6, false);
    (void)import_rows(f, rows, COUNT_OF(rows));
    OK(f, due_select, f->treasury, false, 0, 0, COUNT_OF(due), due, &count);
    assert_int_equal(count, 3);
    assert_assets((struct asset[]){ due[0].asset, due[1].asset, due[2].asset });
    OK(f, contents, f->treasury, 0, 4, note_content, &owed);
    assert_int_equal(owed.count, 3);
    assert_assets(owed.assets);
    OK(f, list, f->treasury, &filter, note_record, &listed);
    assert_int_equal(listed.count, 3);
    assert_assets(listed.assets);
    assert_false(listed.has_decimals[0] || listed.has_decimals[1] || listed.has_decimals[2]);
    import_token(f, "more", 0, true);
    listed = (struct seen){ 0 };
    OK(f, list, f->treasury, &filter, note_record, &listed);
    assert_true(listed.has_decimals[1] && listed.decimals[1] == 0);
    assert_false(listed.has_decimals[2]);
}

static void tokens_wake_only_what_waits_for_them(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = { { .ref = "a", .token = &TOKEN, .amount_wei = 10 },
                                { .ref = "b", .token = &OTHER, .amount_wei = 10 },
                                { .ref = "c", .token = &TOKEN, .amount_wei = 30 },
                                { .ref = "coin", .amount_wei = 10 } };
    struct bursar_address wanted[4];
    struct due_row due[4];
    struct bursar_amount affordable = bursar_amount_from_u64(20);
    size_t count = 0;
    int64_t first = import_rows(f, rows, COUNT_OF(rows));
    for (int i = 0; i < 4; i++) {
        const struct block_decision decision = { .disbursement = first + i, .version = 1, .code = BLOCK_FUNDS };
        OK(f, block, f->fence, &decision, 1);
    }
    OK(f, tokens_wanted, f->treasury, 4, wanted, &count);
    assert_int_equal(count, 2);
    assert_memory_equal(&wanted[0], &TOKEN, sizeof TOKEN);
    assert_memory_equal(&wanted[1], &OTHER, sizeof OTHER);
    OK(f, tokens_wanted, f->treasury, 1, wanted, &count);
    assert_int_equal(count, 1);
    OK(f, token_funded_wake, f->fence, &TOKEN, &affordable, 10, &count);
    assert_int_equal(count, 1);
    OK(f, due_select, f->treasury, false, 0, 0, 4, due, &count);
    assert_int_equal(count, 1);
    assert_int_equal(due[0].id, first);
    OK(f, funded_wake, f->fence, &affordable, 10, &count);
    assert_int_equal(count, 1); /* coins wake no token */
    OK(f, due_select, f->treasury, false, 0, 0, 4, due, &count);
    assert_int_equal(count, 2);
    assert_int_equal(due[1].id, first + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decimals_are_pinned_with_the_import_that_needs_them, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(another_number_is_refused_and_takes_the_import_with_it, set_up_store,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_pinned_is_each_treasurys_own, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(the_database_itself_keeps_what_is_pinned, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_rows_token_is_seen_wherever_the_row_is, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(tokens_wake_only_what_waits_for_them, set_up_leased, tear_down),
    };
    return cmocka_run_group_tests_name("store token", tests, NULL, NULL);
}
