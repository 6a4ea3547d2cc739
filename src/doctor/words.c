/* The units that people think in. */
#include "doctor/words.h"

#include <stdio.h>

#define COIN_DECIMALS 18
#define GWEI_DECIMALS 9

void words_coin(struct bursar_amount amount, char ret[WORDS_COIN_TEXT_BYTES])
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    bursar_amount_to_units(amount, COIN_DECIMALS, units);
    (void)snprintf(ret, WORDS_COIN_TEXT_BYTES, "%s ETH", units);
}

void words_fee(uint64_t wei_per_gas, char ret[WORDS_FEE_TEXT_BYTES])
{
    char units[BURSAR_AMOUNT_UNITS_TEXT_BYTES];
    bursar_amount_to_units(bursar_amount_from_u64(wei_per_gas), GWEI_DECIMALS, units);
    (void)snprintf(ret, WORDS_FEE_TEXT_BYTES, "%s gwei", units);
}

void words_duration(uint64_t seconds, char ret[WORDS_TIME_TEXT_BYTES])
{
    unsigned long long s = seconds;
    if (s < 120)
        (void)snprintf(ret, WORDS_TIME_TEXT_BYTES, "%llu s", s);
    else if (s < 120ULL * 60)
        (void)snprintf(ret, WORDS_TIME_TEXT_BYTES, "%llu min", s / 60);
    else if (s < 48ULL * 3600)
        (void)snprintf(ret, WORDS_TIME_TEXT_BYTES, "%llu h", s / 3600);
    else
        (void)snprintf(ret, WORDS_TIME_TEXT_BYTES, "%llu days", s / 86400);
}
