/* The money breaker's judgement: what opens it and what does not, at the edges of every limit. */
#include "domain/money.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct bursar_amount wei(uint64_t units)
{
    return bursar_amount_from_u64(units);
}

/* 2^256 - 1 - `less` */
static struct bursar_amount most(uint64_t less)
{
    struct bursar_amount amount;
    memset(&amount, 0xff, sizeof amount);
    assert_true(bursar_amount_subtract(amount, wei(less), &amount));
    return amount;
}

static struct asset token(uint8_t byte)
{
    return (struct asset){ .is_token = true, .token = { { byte } } };
}

static const struct asset COIN = { 0 };

/* -- what opens it --------------------------------------------------------------------------------------- */

static const struct money_limits ALL = {
    .reverts = 3, .window_ms = 60000, .watches_foreign_nonce = true, .watches_balance = true
};

static enum money_cause judged(const struct money_limits *limits, uint64_t reverts, uint64_t foreign, uint64_t missing)
{
    const uint64_t incidents[MONEY_CAUSE_COUNT] = {
        [MONEY_REVERTS] = reverts, [MONEY_FOREIGN_NONCE] = foreign, [MONEY_BALANCE_MISMATCH] = missing
    };
    return money_judge(limits, incidents);
}

static void nothing_wrong_opens_nothing(void **state)
{
    (void)state;
    assert_int_equal(judged(&ALL, 0, 0, 0), MONEY_NONE);
}

static void so_many_reverts_open_it_and_one_less_does_not(void **state)
{
    (void)state;
    assert_int_equal(judged(&ALL, 2, 0, 0), MONEY_NONE);
    assert_int_equal(judged(&ALL, 3, 0, 0), MONEY_REVERTS);
    assert_int_equal(judged(&ALL, UINT64_MAX, 0, 0), MONEY_REVERTS);
    const struct money_limits one = { .reverts = 1 };
    assert_int_equal(judged(&one, 0, 0, 0), MONEY_NONE);
    assert_int_equal(judged(&one, 1, 0, 0), MONEY_REVERTS);
}

static void one_foreign_nonce_or_one_missing_wei_opens_it(void **state)
{
    (void)state;
    assert_int_equal(judged(&ALL, 0, 1, 0), MONEY_FOREIGN_NONCE);
    assert_int_equal(judged(&ALL, 0, 0, 1), MONEY_BALANCE_MISMATCH);
}

static void of_several_the_gravest_is_named(void **state)
{
    (void)state;
    assert_int_equal(judged(&ALL, 9, 9, 9), MONEY_FOREIGN_NONCE);
    assert_int_equal(judged(&ALL, 9, 0, 1), MONEY_BALANCE_MISMATCH);
    assert_int_equal(judged(&ALL, 9, 1, 0), MONEY_FOREIGN_NONCE);
}

static void what_is_not_watched_opens_nothing_and_hides_nothing(void **state)
{
    (void)state;
    const struct money_limits none = { 0 };
    struct money_limits some = ALL;
    assert_int_equal(judged(&none, UINT64_MAX, UINT64_MAX, UINT64_MAX), MONEY_NONE);
    some.watches_foreign_nonce = false;
    assert_int_equal(judged(&some, 9, 9, 9), MONEY_BALANCE_MISMATCH);
    some.watches_balance = false;
    assert_int_equal(judged(&some, 9, 9, 9), MONEY_REVERTS);
    some.reverts = 0;
    assert_int_equal(judged(&some, 9, 9, 9), MONEY_NONE);
}

/* -- what is missing ------------------------------------------------------------------------------------- */

/* How much; nothing when that is within the tolerance. */
static struct bursar_amount missing(struct bursar_amount before, struct bursar_amount paid, struct bursar_amount now,
                                    struct bursar_amount tolerance)
{
    struct bursar_amount much = wei(4711);
    if (money_is_missing(&before, &paid, &now, &tolerance, &much)) {
        assert_false(bursar_amount_is_zero(much));
        return much;
    }
    assert_int_equal(bursar_amount_compare(much, wei(4711)), 0); /* untouched */
    return wei(0);
}

#define assert_missing(before, paid, now, tolerance, much)                                                             \
    assert_int_equal(bursar_amount_compare(missing(before, paid, now, tolerance), much), 0)

static void what_was_paid_is_not_missing(void **state)
{
    (void)state;
    assert_missing(wei(1000), wei(0), wei(1000), wei(0), wei(0));
    assert_missing(wei(1000), wei(300), wei(700), wei(0), wei(0));
    assert_missing(wei(1000), wei(1000), wei(0), wei(0), wei(0));
}

static void one_wei_above_the_tolerance_is_missing(void **state)
{
    (void)state;
    assert_missing(wei(1000), wei(300), wei(699), wei(0), wei(1));
    assert_missing(wei(1000), wei(300), wei(690), wei(10), wei(0));
    assert_missing(wei(1000), wei(300), wei(689), wei(10), wei(11));
    assert_missing(wei(1000), wei(0), wei(0), wei(999), wei(1000));
    assert_missing(wei(1000), wei(0), wei(0), wei(1000), wei(0));
}

static void what_came_in_is_no_mismatch_and_covers_as_much(void **state)
{
    (void)state;
    assert_missing(wei(1000), wei(300), wei(5000), wei(0), wei(0));
    assert_missing(wei(1000), wei(0), most(0), wei(0), wei(0));
    assert_missing(wei(1000), wei(300), wei(701), wei(0), wei(0));
}

static void more_paid_than_there_was_came_in_first(void **state)
{
    (void)state;
    assert_missing(wei(1000), wei(1001), wei(0), wei(0), wei(0));
    assert_missing(wei(0), most(0), wei(0), wei(0), wei(0));
}

static void amounts_of_any_size_are_compared_exactly(void **state)
{
    (void)state;
    assert_missing(most(0), wei(0), most(0), wei(0), wei(0));
    assert_missing(most(0), wei(1), most(2), wei(0), wei(1));
    assert_missing(most(0), most(1), wei(1), wei(0), wei(0));
    assert_missing(most(0), most(1), wei(0), wei(0), wei(1));
    assert_missing(most(0), wei(0), wei(0), most(1), most(0));
    assert_missing(most(0), wei(0), wei(0), most(0), wei(0));
}

/* -- what is paid within an hour ------------------------------------------------------------------------- */

struct spending {
    struct money_limits limits;
    struct money_spent spent;
    const struct money_rate *rate;
};

static bool takes(struct spending *s, const struct asset *asset, struct bursar_amount amount)
{
    const struct money_spent before = s->spent;
    s->rate = &s->limits.rates[MONEY_RATES_MAX_COUNT - 1];
    bool ok = money_spend(&s->limits, &s->spent, asset, &amount, &s->rate);
    if (!ok)
        assert_memory_equal(&s->spent, &before, sizeof before);
    else
        assert_int_equal(s->spent.payments, before.payments + 1);
    return ok;
}

static void without_limits_anything_is_paid(void **state)
{
    (void)state;
    struct spending s = { 0 };
    const struct asset a = token(1);
    for (int i = 0; i < 100; i++) {
        assert_true(takes(&s, &COIN, most(0)));
        assert_true(takes(&s, &a, most(0)));
    }
}

static void payments_count_whatever_their_asset_up_to_the_limit(void **state)
{
    (void)state;
    struct spending s = { .limits = { .payments_per_hour = 3 }, .spent = { .payments = 1 } };
    const struct asset a = token(1);
    assert_true(takes(&s, &COIN, wei(1)));
    assert_true(takes(&s, &a, wei(0)));
    assert_false(takes(&s, &COIN, wei(1)));
    assert_null(s.rate);
    assert_false(takes(&s, &a, wei(0)));
    s.spent.payments = UINT64_MAX; /* the limit was lowered */
    assert_false(takes(&s, &COIN, wei(1)));
}

static void an_assets_rate_is_reached_exactly_and_not_by_one_unit_exceeded(void **state)
{
    (void)state;
    struct spending s = { .limits = { .rates = { { .per_hour = wei(100) } }, .rate_count = 1 } };
    assert_true(takes(&s, &COIN, wei(60)));
    assert_false(takes(&s, &COIN, wei(41)));
    assert_ptr_equal(s.rate, &s.limits.rates[0]);
    assert_true(takes(&s, &COIN, wei(40))); /* a refused one has left nothing */
    assert_int_equal(bursar_amount_compare(s.spent.spent[0], wei(100)), 0);
    assert_false(takes(&s, &COIN, wei(1)));
    assert_true(takes(&s, &COIN, wei(0)));
}

static void each_asset_has_its_own_rate_and_others_have_none(void **state)
{
    (void)state;
    const struct asset a = token(1), b = token(2), c = token(3);
    struct spending s = { .limits = { .rates = { { .asset = a, .per_hour = wei(10) },
                                                 { .asset = COIN, .per_hour = wei(20) },
                                                 { .asset = b, .per_hour = wei(0) } },
                                      .rate_count = 3 } };
    assert_true(takes(&s, &a, wei(10)));
    assert_true(takes(&s, &COIN, wei(20)));
    assert_false(takes(&s, &a, wei(1)));
    assert_ptr_equal(s.rate, &s.limits.rates[0]);
    assert_false(takes(&s, &COIN, wei(1)));
    assert_ptr_equal(s.rate, &s.limits.rates[1]);
    assert_false(takes(&s, &b, wei(1)));
    assert_ptr_equal(s.rate, &s.limits.rates[2]);
    assert_true(takes(&s, &c, most(0)));
    assert_int_equal(bursar_amount_compare(s.spent.spent[0], wei(10)), 0);
    assert_int_equal(bursar_amount_compare(s.spent.spent[1], wei(20)), 0);
}

/* A coin's contract address means nothing, whatever it holds. */
static void the_coin_is_the_coin(void **state)
{
    (void)state;
    struct asset odd = token(7);
    odd.is_token = false;
    struct spending s = { .limits = { .rates = { { .asset = odd, .per_hour = wei(1) } }, .rate_count = 1 } };
    assert_false(takes(&s, &COIN, wei(2)));
    const struct asset seven = token(7);
    assert_true(takes(&s, &seven, wei(2)));
}

static void sums_that_no_amount_can_hold_exceed_any_rate(void **state)
{
    (void)state;
    struct spending s = { .limits = { .rates = { { .per_hour = most(0) } }, .rate_count = 1 } };
    assert_true(takes(&s, &COIN, most(5)));
    assert_true(takes(&s, &COIN, wei(5)));
    assert_false(takes(&s, &COIN, wei(1)));
    assert_ptr_equal(s.rate, &s.limits.rates[0]);
}

static void the_last_of_as_many_rates_as_there_may_be_counts(void **state)
{
    (void)state;
    struct spending s = { .limits = { .rate_count = MONEY_RATES_MAX_COUNT } };
    for (size_t i = 0; i < MONEY_RATES_MAX_COUNT; i++)
        s.limits.rates[i] = (struct money_rate){ token((uint8_t)(i + 1)), wei(i) };
    const struct asset last = token(MONEY_RATES_MAX_COUNT);
    assert_true(takes(&s, &last, wei(MONEY_RATES_MAX_COUNT - 1)));
    assert_false(takes(&s, &last, wei(1)));
    assert_ptr_equal(s.rate, &s.limits.rates[MONEY_RATES_MAX_COUNT - 1]);
}

/* -- names ----------------------------------------------------------------------------------------------- */

static void stored_numbers_and_names_are_pinned(void **state)
{
    (void)state;
    static const char *const names[] = {
        NULL, "reverts", "foreign_nonce", "balance_mismatch", "spending_rate", "person"
    };
    assert_int_equal(COUNT_OF(names), MONEY_CAUSE_COUNT);
    for (int i = 1; i < MONEY_CAUSE_COUNT; i++)
        assert_string_equal(money_cause_name((enum money_cause)i), names[i]);
    assert_null(money_cause_name(MONEY_NONE));
    assert_null(money_cause_name((enum money_cause)MONEY_CAUSE_COUNT));
    assert_null(money_cause_name((enum money_cause) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_wrong_opens_nothing),
        cmocka_unit_test(so_many_reverts_open_it_and_one_less_does_not),
        cmocka_unit_test(one_foreign_nonce_or_one_missing_wei_opens_it),
        cmocka_unit_test(of_several_the_gravest_is_named),
        cmocka_unit_test(what_is_not_watched_opens_nothing_and_hides_nothing),
        cmocka_unit_test(what_was_paid_is_not_missing),
        cmocka_unit_test(one_wei_above_the_tolerance_is_missing),
        cmocka_unit_test(what_came_in_is_no_mismatch_and_covers_as_much),
        cmocka_unit_test(more_paid_than_there_was_came_in_first),
        cmocka_unit_test(amounts_of_any_size_are_compared_exactly),
        cmocka_unit_test(without_limits_anything_is_paid),
        cmocka_unit_test(payments_count_whatever_their_asset_up_to_the_limit),
        cmocka_unit_test(an_assets_rate_is_reached_exactly_and_not_by_one_unit_exceeded),
        cmocka_unit_test(each_asset_has_its_own_rate_and_others_have_none),
        cmocka_unit_test(the_coin_is_the_coin),
        cmocka_unit_test(sums_that_no_amount_can_hold_exceed_any_rate),
        cmocka_unit_test(the_last_of_as_many_rates_as_there_may_be_counts),
        cmocka_unit_test(stored_numbers_and_names_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
