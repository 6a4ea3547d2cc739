/* The list of statuses: its numbers are pinned, and each has a text and something to do about it. */
#include <bursar/status.h>

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Written down a second time on purpose: a number that moves must be noticed. */
static const struct {
    enum bursar_status status;
    int number;
    enum bursar_remedy remedy;
} expected[] = {
    { BURSAR_OK, 0, BURSAR_REMEDY_NONE },
    { BURSAR_EINTERNAL, 1, BURSAR_REMEDY_STOP },
    { BURSAR_EUSAGE, 2, BURSAR_REMEDY_FIX },
    { BURSAR_EINVAL, 3, BURSAR_REMEDY_FIX },
    { BURSAR_EUNREACHABLE, 4, BURSAR_REMEDY_RETRY },
    { BURSAR_ENOTFOUND, 5, BURSAR_REMEDY_FIX },
    { BURSAR_EREFUSED, 6, BURSAR_REMEDY_STOP },
    { BURSAR_EUNKNOWN, 7, BURSAR_REMEDY_LOOK },
    { BURSAR_ENOMEM, 8, BURSAR_REMEDY_RETRY },
    { BURSAR_ELIMIT, 9, BURSAR_REMEDY_FIX },
    { BURSAR_EEXIST, 10, BURSAR_REMEDY_FIX },
    { BURSAR_ECONFLICT, 11, BURSAR_REMEDY_FIX },
    { BURSAR_ESTORAGE, 12, BURSAR_REMEDY_STOP },
    { BURSAR_EBUSY, 13, BURSAR_REMEDY_RETRY },
    { BURSAR_ESTALE, 14, BURSAR_REMEDY_RETRY },
    { BURSAR_EFENCED, 15, BURSAR_REMEDY_STOP },
    { BURSAR_EPROTOCOL, 16, BURSAR_REMEDY_RETRY },
    { BURSAR_ECANCELLED, 17, BURSAR_REMEDY_RETRY },
    { BURSAR_EEQUIVOCATION, 18, BURSAR_REMEDY_STOP },
};

static void numbers_and_remedies_are_pinned(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(expected[i].status, expected[i].number);
        assert_int_equal(bursar_status_remedy(expected[i].status), expected[i].remedy);
    }
#define X(name, number, remedy, text) +1
    assert_true((0 BURSAR_STATUS_LIST(X)) >= (int)COUNT_OF(expected));
#undef X
}

static void every_status_has_a_text_of_its_own(void **state)
{
    (void)state;
    static const char *const texts[] = {
#define X(name, number, remedy, text) text,
        BURSAR_STATUS_LIST(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_true(strlen(texts[i]) > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(texts[i], texts[j]);
    }
    assert_string_equal(bursar_status_text(BURSAR_EFENCED), "the lease has passed to another executor");
}

static void a_number_that_is_no_status_has_a_text_and_says_stop(void **state)
{
    (void)state;
    assert_string_equal(bursar_status_text((enum bursar_status)9999), "unknown status");
    assert_int_equal(bursar_status_remedy((enum bursar_status)9999), BURSAR_REMEDY_STOP);
}

static void a_failure_carries_its_sentence_and_never_runs_over(void **state)
{
    (void)state;
    struct bursar_error err = { 0 };
    assert_int_equal(bursar_fail(&err, BURSAR_EBUSY, "held by %s", "somebody"), BURSAR_EBUSY);
    assert_int_equal(err.status, BURSAR_EBUSY);
    assert_string_equal(err.message, "held by somebody");
    char longer[2 * BURSAR_ERROR_MESSAGE_MAX_BYTES];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(bursar_fail(&err, BURSAR_EINVAL, "%s", longer), BURSAR_EINVAL);
    assert_int_equal(strlen(err.message), BURSAR_ERROR_MESSAGE_MAX_BYTES - 1);
    assert_int_equal(bursar_fail(NULL, BURSAR_EINVAL, "nobody listens"), BURSAR_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_remedies_are_pinned),
        cmocka_unit_test(every_status_has_a_text_of_its_own),
        cmocka_unit_test(a_number_that_is_no_status_has_a_text_and_says_stop),
        cmocka_unit_test(a_failure_carries_its_sentence_and_never_runs_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
