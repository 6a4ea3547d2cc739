/* The money breaker: it trips on payments that go wrong, and stays open until a person closes it (INV-10). What went
 * wrong since it was last closed is kept by the store; whether that is too much is decided here. Pure. */
#ifndef DOMAIN_MONEY_H
#define DOMAIN_MONEY_H

#include "domain/asset.h"

#include <bursar/amount.h>

#include <stddef.h>
#include <stdint.h>

/* What opens it. Stored: never renumber, append only. */
enum money_cause {
    MONEY_NONE = 0,             /* it is closed */
    MONEY_REVERTS = 1,          /* payments that were reverted, or that moved nothing, in final blocks */
    MONEY_FOREIGN_NONCE = 2,    /* somebody else has used a nonce of this account: has its key */
    MONEY_BALANCE_MISMATCH = 3, /* the account has less than what it paid explains */
    MONEY_SPENDING_RATE = 4,    /* more is to be paid within an hour than is expected */
    MONEY_PERSON = 5,           /* a person opened it */
};
#define MONEY_CAUSE_COUNT 6

/* "reverts" etc.; NULL for a number that is none, and for MONEY_NONE. */
const char *money_cause_name(enum money_cause cause);

/* The most of one asset that is paid out within an hour. */
struct money_rate {
    struct asset asset;
    struct bursar_amount per_hour; /* base units */
};
#define MONEY_RATES_MAX_COUNT 64
#define MONEY_HOUR_MS 3600000
/* What was paid out is kept in parts of an hour: an hour ends up to one part late, never early. */
#define MONEY_SLICE_MS 225000

struct money_limits {
    uint64_t reverts;   /* so many within window_ms open it; 0: not watched */
    uint64_t window_ms; /* how long a revert counts */
    bool watches_foreign_nonce;
    bool watches_balance;
    struct bursar_amount balance_tolerance; /* what may be missing unexplained from one final block to the next */
    uint64_t payments_per_hour;             /* 0: any */
    struct money_rate rates[MONEY_RATES_MAX_COUNT];
    size_t rate_count;
};

/* What opens it, if anything, of what has happened since it was closed: `incidents` counts it by cause, reverts only
 * within window_ms. */
enum money_cause money_judge(const struct money_limits *limits, const uint64_t incidents[MONEY_CAUSE_COUNT]);

/* The account had `before`, paid out `paid` (values and fees of all its own transactions since), and has `now`. Is more
 * missing than `tolerance`? *ret_missing: how much then. What came in meanwhile covers up as much. */
bool money_is_missing(const struct bursar_amount *before, const struct bursar_amount *paid,
                      const struct bursar_amount *now, const struct bursar_amount *tolerance,
                      struct bursar_amount *ret_missing);

/* What has been paid out in the last hour, beside the most that may be. */
struct money_spent {
    uint64_t payments;                                 /* of any asset */
    struct bursar_amount spent[MONEY_RATES_MAX_COUNT]; /* of rates[i].asset */
};
/* Adds one more payment, if it stays within the limits. False: nothing was added; *ret_rate is the rate that it would
 * exceed, NULL for payments_per_hour. */
BURSAR_MUST_CHECK bool money_spend(const struct money_limits *limits, struct money_spent *spent,
                                   const struct asset *asset, const struct bursar_amount *amount,
                                   const struct money_rate **ret_rate);

#endif
