/* Obligations: what is refused, what counts as the same, and the pinned bytes of the hash. */
#include "domain/obligation.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char long_ref[REF_MAX_BYTES + 2];
static char long_memo[MEMO_MAX_BYTES + 2];

static struct obligation plain(void)
{
    struct obligation obligation = { .ref = "r", .amount = bursar_amount_from_u64(1), .memo = "" };
    memset(obligation.destination.bytes, 0x22, sizeof obligation.destination.bytes);
    return obligation;
}

static void set_memo(struct obligation *obligation, const char *memo)
{
    obligation->memo = memo;
    obligation->memo_bytes = strlen(memo);
}

static void assert_refused(struct obligation *obligation, const char *field, const char *fragment)
{
    const char *said = "";
    struct bursar_error err = { 0 };
    assert_int_equal(obligation_normalise(obligation, &said, &err), BURSAR_EINVAL);
    assert_string_equal(said, field);
    if (!strstr(err.message, fragment))
        fail_msg("\"%s\" does not say \"%s\"", err.message, fragment);
}

static void assert_accepted(struct obligation *obligation)
{
    const char *said = "untouched";
    struct bursar_error err = { 0 };
    if (obligation_normalise(obligation, &said, &err) != BURSAR_OK)
        fail_msg("%s %s", said, err.message);
    assert_string_equal(said, "untouched");
}

static void a_ref_of_1_to_128_printable_bytes_is_accepted(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    memset(long_ref, '~', REF_MAX_BYTES);
    long_ref[REF_MAX_BYTES] = '\0';
    obligation.ref = long_ref;
    assert_accepted(&obligation);
    obligation.ref = "salary 2026-01/\"ann\", #1";
    assert_accepted(&obligation);
}

static void a_ref_that_is_empty_long_or_not_printable_is_refused(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    memset(long_ref, 'a', REF_MAX_BYTES + 1);
    long_ref[REF_MAX_BYTES + 1] = '\0';
    obligation.ref = long_ref;
    assert_refused(&obligation, "ref", "at most 128");
    obligation.ref = "";
    assert_refused(&obligation, "ref", "is empty");
    static const char *const bad[] = { "a;b", "a\tb", "a\nb", "a\x7f", "caf\xc3\xa9", "\x1b[31m" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        obligation.ref = bad[i];
        assert_refused(&obligation, "ref", "only printable ASCII");
    }
    assert_int_equal(ref_check("a\0b", 3, NULL), BURSAR_EINVAL);
}

static void an_amount_of_zero_is_refused(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    obligation.amount = bursar_amount_from_u64(0);
    assert_refused(&obligation, "amount", "zero");
    obligation.amount = (struct bursar_amount){ { 0, 0, 0, 1 } };
    assert_accepted(&obligation);
}

static void a_memo_may_have_8192_bytes_of_utf8_and_not_one_more(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    memset(long_memo, 'm', MEMO_MAX_BYTES);
    set_memo(&obligation, long_memo);
    assert_accepted(&obligation);
    long_memo[MEMO_MAX_BYTES] = 'm';
    set_memo(&obligation, long_memo);
    assert_refused(&obligation, "memo", "at most 8192");
    set_memo(&obligation, "caf\xe9");
    assert_refused(&obligation, "memo", "UTF-8");
    obligation.memo = "a\0b";
    obligation.memo_bytes = 3;
    assert_refused(&obligation, "memo", "NUL");
}

static void a_schedule_outside_of_its_kind_is_refused(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    obligation.schedule_value = 5; /* paying at once what has a time on it would be early */
    assert_refused(&obligation, "not_before", "at once");
    obligation.schedule = SCHEDULE_TIME;
    obligation.schedule_value = 253402300799ull;
    assert_accepted(&obligation);
    obligation.schedule_value++;
    assert_refused(&obligation, "not_before", "9999");
    obligation.schedule = SCHEDULE_EPOCH;
    obligation.schedule_value = INT64_MAX;
    assert_accepted(&obligation);
    obligation.schedule_value++;
    assert_refused(&obligation, "not_before", "epoch");
    obligation.schedule = (enum schedule_kind)3;
    obligation.schedule_value = 1;
    assert_refused(&obligation, "not_before", "kind");
}

static void dependencies_become_a_sorted_set(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    const char *refs[] = { "c", "a", "b", "a", "c", "aa", "c" };
    obligation.dependencies = refs;
    obligation.dependency_count = COUNT_OF(refs);
    assert_accepted(&obligation);
    static const char *const sorted[] = { "a", "aa", "b", "c" };
    assert_int_equal(obligation.dependency_count, COUNT_OF(sorted));
    for (size_t i = 0; i < COUNT_OF(sorted); i++)
        assert_string_equal(obligation.dependencies[i], sorted[i]);
}

static void bad_dependencies_are_refused(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    const char *self[] = { "a", "r" }, *empty[] = { "a", "" }, *semicolon[] = { "a;b" };
    obligation.dependencies = self;
    obligation.dependency_count = 2;
    assert_refused(&obligation, "depends_on", "itself");
    obligation.dependencies = empty;
    assert_refused(&obligation, "depends_on", "ref 2 is empty");
    obligation.dependencies = semicolon;
    obligation.dependency_count = 1;
    assert_refused(&obligation, "depends_on", "ref 1 has byte 0x3b");
    const char *many[DEPENDENCIES_MAX_COUNT + 1];
    char names[DEPENDENCIES_MAX_COUNT + 1][8];
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        (void)snprintf(names[i], sizeof names[i], "d%zu", i);
        many[i] = names[i];
    }
    obligation.dependencies = many;
    obligation.dependency_count = COUNT_OF(many);
    assert_refused(&obligation, "depends_on", "at most 100");
    obligation.dependency_count = DEPENDENCIES_MAX_COUNT;
    assert_accepted(&obligation);
    assert_int_equal(obligation.dependency_count, DEPENDENCIES_MAX_COUNT);
}

static void hash_text(const struct obligation *obligation, uint64_t chain_id, uint8_t treasury, char text[65])
{
    struct bursar_address address;
    struct bursar_hash hash;
    memset(address.bytes, treasury, sizeof address.bytes);
    obligation_hash(obligation, chain_id, &address, &hash);
    hex_encode(hash.bytes, sizeof hash.bytes, text);
}

/* Computed with another program from the layout that obligation.c describes. */
static void the_hash_of_version_1_never_changes(void **state)
{
    (void)state;
    char text[65];
    struct obligation obligation = plain();
    hash_text(&obligation, 1, 0x11, text);
    assert_string_equal(text, "3037291cdcea102d972154712550a226d29292eeecbfb93c7bef0cb7f702a6b2");
    struct bursar_address treasury;
    struct bursar_hash hash;
    const char *refs[] = { "b-2", "a-1", "b-2" };
    for (uint8_t i = 0; i < 20; i++) {
        treasury.bytes[i] = i;
        obligation.destination.bytes[i] = (uint8_t)(20 + i);
    }
    obligation.ref = "salary-2026-01/ann";
    obligation.amount = (struct bursar_amount){ { 5, 0, 0, 256 } };
    obligation.schedule = SCHEDULE_TIME;
    obligation.schedule_value = 1769860800;
    set_memo(&obligation, "Z\xc3\xbcrich\n");
    obligation.dependencies = refs;
    obligation.dependency_count = 3;
    assert_accepted(&obligation);
    obligation_hash(&obligation, 31337, &treasury, &hash);
    hex_encode(hash.bytes, sizeof hash.bytes, text);
    assert_string_equal(text, "e17456c13c6a71b21dbbddc03633e629336c60fa72b097e9eb9065e6533fae63");
}

/* 1.5 of a token with 6 decimals, in the same frame. */
static void a_tokens_hash_never_changes_either(void **state)
{
    (void)state;
    struct bursar_address treasury;
    struct bursar_hash hash;
    char text[65];
    struct obligation obligation = plain();
    obligation.asset.is_token = true;
    memset(obligation.asset.token.bytes, 0x33, sizeof obligation.asset.token.bytes);
    obligation.amount = bursar_amount_from_u64(1500000);
    memset(treasury.bytes, 0x11, sizeof treasury.bytes);
    obligation_hash(&obligation, 31337, &treasury, &hash);
    hex_encode(hash.bytes, sizeof hash.bytes, text);
    assert_string_equal(text, "02b01765ba072f6f531a531812f2ef20994819f07c58fe0f927f392d5d784f5c");
}

static void a_token_has_an_address_and_is_not_paid_to_itself(void **state)
{
    (void)state;
    struct obligation obligation = plain();
    obligation.asset.is_token = true;
    assert_refused(&obligation, "asset", "zero address");
    obligation.asset.token = obligation.destination;
    assert_refused(&obligation, "destination", "is the token itself");
    obligation.asset.token.bytes[0] ^= 1;
    assert_accepted(&obligation);
}

static void every_part_of_the_content_changes_the_hash(void **state)
{
    (void)state;
    char seen[16][65];
    size_t count = 0;
    const char *ab[] = { "ab" }, *a_b[] = { "a", "b" };
    struct obligation obligation = plain();
    hash_text(&obligation, 1, 0x11, seen[count++]);
    hash_text(&obligation, 2, 0x11, seen[count++]);
    hash_text(&obligation, 1, 0x12, seen[count++]);
    obligation.ref = "s";
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    obligation.destination.bytes[19] ^= 1;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    obligation.amount = bursar_amount_from_u64(2);
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    obligation.asset = (struct asset){ .is_token = true };
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation.asset.token.bytes[0] = 1;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    obligation.schedule = SCHEDULE_TIME;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation.schedule_value = 1;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation.schedule = SCHEDULE_EPOCH;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    set_memo(&obligation, "m");
    hash_text(&obligation, 1, 0x11, seen[count++]);
    set_memo(&obligation, "mm");
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation = plain();
    obligation.dependencies = ab;
    obligation.dependency_count = 1;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation.dependencies = a_b;
    obligation.dependency_count = 2;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    obligation.dependency_count = 1;
    hash_text(&obligation, 1, 0x11, seen[count++]);
    assert_int_equal(count, COUNT_OF(seen));
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ref_of_1_to_128_printable_bytes_is_accepted),
        cmocka_unit_test(a_ref_that_is_empty_long_or_not_printable_is_refused),
        cmocka_unit_test(an_amount_of_zero_is_refused),
        cmocka_unit_test(a_memo_may_have_8192_bytes_of_utf8_and_not_one_more),
        cmocka_unit_test(a_schedule_outside_of_its_kind_is_refused),
        cmocka_unit_test(dependencies_become_a_sorted_set),
        cmocka_unit_test(bad_dependencies_are_refused),
        cmocka_unit_test(the_hash_of_version_1_never_changes),
        cmocka_unit_test(a_tokens_hash_never_changes_either),
        cmocka_unit_test(a_token_has_an_address_and_is_not_paid_to_itself),
        cmocka_unit_test(every_part_of_the_content_changes_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
