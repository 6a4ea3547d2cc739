/* Tokens of the HTTP API: kept for ever, with who made and who revoked them. */
#include "store_fixture.h"

static struct token_record token_named(const char *name, uint64_t seed)
{
    struct token_record token = { .scopes = TOKEN_SCOPE_READ, .created_ms = NOW_MS, .created_by = "alice" };
    token.hash = hash_of(seed);
    (void)snprintf(token.name, sizeof token.name, "%s", name);
    return token;
}

static int64_t add(struct fixture *f, const char *name, uint64_t seed)
{
    struct token_record token = token_named(name, seed);
    int64_t id = 0;
    OK(f, token_add, &token, &id);
    return id;
}

static void a_token_is_found_by_its_number(void **state)
{
    struct fixture *f = *state;
    struct token_record found, wanted = token_named("ops", 1);
    int64_t id;
    wanted.expires_ms = NOW_MS + 1;
    wanted.scopes = TOKEN_SCOPES_ALL;
    OK(f, token_add, &wanted, &id);
    OK(f, token_get, id, &found);
    assert_string_equal(found.name, "ops");
    assert_string_equal(found.created_by, "alice");
    assert_memory_equal(found.hash.bytes, wanted.hash.bytes, sizeof found.hash.bytes);
    assert_int_equal(found.scopes, TOKEN_SCOPES_ALL);
    assert_int_equal(found.expires_ms, NOW_MS + 1);
    assert_int_equal(found.revoked_ms, 0);
    EXPECT(f, BURSAR_ENOTFOUND, token_get, id + 1, &found);
}

static void a_name_is_used_once_for_ever(void **state)
{
    struct fixture *f = *state;
    struct token_record again = token_named("ops", 2);
    int64_t id;
    add(f, "ops", 1);
    EXPECT(f, BURSAR_EEXIST, token_add, &again, &id);
    OK(f, token_revoke, "ops", "bob", NOW_MS + 9);
    EXPECT(f, BURSAR_EEXIST, token_add, &again, &id);
}

static void a_revoked_one_stays_so(void **state)
{
    struct fixture *f = *state;
    struct token_record found;
    int64_t id = add(f, "ops", 1);
    raw_refused(f, "UPDATE token SET scopes = 7", "never changes");
    EXPECT(f, BURSAR_ENOTFOUND, token_revoke, "nobody", "bob", NOW_MS + 9);
    OK(f, token_revoke, "ops", "bob", NOW_MS + 9);
    OK(f, token_get, id, &found);
    assert_int_equal(found.revoked_ms, NOW_MS + 9);
    assert_string_equal(found.revoked_by, "bob");
    EXPECT(f, BURSAR_EREFUSED, token_revoke, "ops", "carol", NOW_MS + 10);
    raw_refused(f, "UPDATE token SET revoked_ms = NULL, revoked_by = NULL", "stays revoked");
    raw_refused(f, "DELETE FROM token", "never deleted");
}

static enum bursar_status count_token(void *ctx, const struct token_record *token)
{
    int64_t *sum = ctx;
    *sum = *sum * 10 + token->id;
    return BURSAR_OK;
}

static void they_are_listed_page_by_page(void **state)
{
    struct fixture *f = *state;
    int64_t seen = 0;
    add(f, "a", 1);
    add(f, "b", 2);
    add(f, "c", 3);
    OK(f, tokens, 0, 2, count_token, &seen);
    OK(f, tokens, 2, 2, count_token, &seen);
    assert_int_equal(seen, 123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_is_found_by_its_number, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_used_once_for_ever, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(a_revoked_one_stays_so, set_up_store, tear_down),
        cmocka_unit_test_setup_teardown(they_are_listed_page_by_page, set_up_store, tear_down),
    };
    return cmocka_run_group_tests_name("store access token", tests, NULL, NULL);
}
