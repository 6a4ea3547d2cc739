/* Amounts and times as the sentences of this room have them. Pure. */
#ifndef DOCTOR_WORDS_H
#define DOCTOR_WORDS_H

#include <bursar/amount.h>

#include <stdint.h>

/* "1.5 ETH" */
#define WORDS_COIN_TEXT_BYTES (BURSAR_AMOUNT_UNITS_TEXT_BYTES + 8)
void words_coin(struct bursar_amount amount, char ret[WORDS_COIN_TEXT_BYTES]);
/* "12 s", "3 min", "5 h", "2 days": two units are never needed. */
#define WORDS_TIME_TEXT_BYTES 32
void words_duration(uint64_t seconds, char ret[WORDS_TIME_TEXT_BYTES]);
/* "2.5 gwei", exact. */
#define WORDS_FEE_TEXT_BYTES (BURSAR_AMOUNT_UNITS_TEXT_BYTES + 8)
void words_fee(uint64_t wei_per_gas, char ret[WORDS_FEE_TEXT_BYTES]);

#endif
