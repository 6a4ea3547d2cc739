/* Fee suggestions. Blocks in which nobody tipped say nothing about what a tip has to be, so zeros do not count. */
#include "chain/evm_fees.h"

#include "chain/evm_codec.h"

#include <stdlib.h>

#define GWEI ((uint64_t)1000000000)

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

uint64_t evm_priority_fee(uint64_t *rewards, size_t count, uint64_t base_fee_wei)
{
    uint64_t floor = base_fee_wei / 10 < GWEI ? base_fee_wei / 10 : GWEI;
    uint64_t fee = 0;
    size_t zeros = 0;
    if (count > 0)
        qsort(rewards, count, sizeof *rewards, compare);
    while (zeros < count && rewards[zeros] == 0)
        zeros++;
    if (zeros < count)
        fee = rewards[zeros + (count - zeros - 1) / 2]; /* of two in the middle the lower */
    if (fee < floor)
        fee = floor;
    return fee > 0 ? fee : 1;
}

static enum bursar_status malformed(struct bursar_error *err, const char *member)
{
    return bursar_fail(err, BURSAR_EPROTOCOL, "the node sent a fee history with a missing or malformed \"%s\"", member);
}

/* The newest rewards; a node that knows none sends none. */
static enum bursar_status read_rewards(const json_t *list, uint64_t *ret, size_t *ret_count, struct bursar_error *err)
{
    size_t size = json_array_size(list);
    size_t skip = size > EVM_FEE_HISTORY_BLOCKS ? size - EVM_FEE_HISTORY_BLOCKS : 0;
    *ret_count = 0;
    if (!list || json_is_null(list))
        return BURSAR_OK;
    if (!json_is_array(list))
        return malformed(err, "reward");
    for (size_t i = skip; i < size; i++) {
        const json_t *percentiles = json_array_get(list, i);
        if (json_array_size(percentiles) != 1 || !evm_read_number(json_array_get(percentiles, 0), &ret[*ret_count]))
            return malformed(err, "reward");
        (*ret_count)++;
    }
    return BURSAR_OK;
}

enum bursar_status evm_read_fees(const json_t *history, uint64_t latest_base_fee_wei, struct evm_fees *ret,
                                 struct bursar_error *err)
{
    uint64_t rewards[EVM_FEE_HISTORY_BLOCKS];
    size_t reward_count = 0;
    /* An eighth is the most that the base fee can rise from one block to the next. */
    uint64_t highest_next = latest_base_fee_wei + latest_base_fee_wei / 8 + 1;
    struct evm_fees fees = { .next_base_fee_per_gas_wei =
                                 highest_next < EVM_NUMBER_MAX ? highest_next : EVM_NUMBER_MAX };
    const json_t *base_fees = json_object_get(history, "baseFeePerGas");
    size_t count = json_array_size(base_fees);
    if (!json_is_array(base_fees))
        return malformed(err, "baseFeePerGas");
    /* One element for each block and one for the block to come. A node that was restarted may send an empty list. */
    if (count > 0 && !evm_read_number(json_array_get(base_fees, count - 1), &fees.next_base_fee_per_gas_wei))
        return malformed(err, "baseFeePerGas");
    enum bursar_status status = read_rewards(json_object_get(history, "reward"), rewards, &reward_count, err);
    if (status != BURSAR_OK)
        return status;
    fees.suggested_priority_fee_per_gas_wei = evm_priority_fee(rewards, reward_count, fees.next_base_fee_per_gas_wei);
    *ret = fees;
    return BURSAR_OK;
}
