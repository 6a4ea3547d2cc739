/* The oracle: judges from the chain, and asks the store only whether it agrees. */
#include "world.h"

#include "base/bytes.h"

#include <string.h>

/* Row of a destination; row_count when it is nobody's. */
static size_t row_of(const struct world *world, const struct bursar_address *address)
{
    size_t row = (size_t)address->bytes[18] << 8 | address->bytes[19];
    struct bursar_address expected = destination_of(row);
    return row < world->row_count && address_equal(&expected, address) ? row : world->row_count;
}

/* Takes a nonce away from what it was bound to. */
static bool is_self_transfer(const struct world *world, const struct memory_transaction *tx)
{
    return address_equal(&tx->to, &world->account) && bursar_amount_is_zero(tx->value);
}

/* What was signed for a nonce that a stranger has used is dead, and its row may be paid by another one (INV-4). */
static bool is_dead(const struct world *world, uint64_t nonce)
{
    const struct memory_chain *chain = world->chain;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        const struct memory_transaction *tx = &chain->transactions[i];
        if (tx->is_foreign && tx->nonce == nonce && tx->block != MEMORY_CHAIN_NO_BLOCK)
            return true;
    }
    return false;
}

/* Whatever we signed pays a row, what it is owed, or nobody; a row has one nonce and a nonce one row for ever. */
static void check_signed(const struct world *world)
{
    const struct memory_chain *chain = world->chain;
    for (size_t i = 0; i < chain->transaction_count; i++) {
        const struct memory_transaction *tx = &chain->transactions[i];
        if (tx->is_foreign || is_self_transfer(world, tx))
            continue;
        size_t row = row_of(world, &tx->to);
        assert_true(row < world->row_count);
        assert_int_equal(bursar_amount_compare(tx->value, world->amounts[row]), 0);
        for (size_t k = 0; k < i; k++) {
            const struct memory_transaction *other = &chain->transactions[k];
            if (!other->is_foreign && !is_self_transfer(world, other) &&
                (other->nonce == tx->nonce) != address_equal(&other->to, &tx->to) &&
                (other->nonce == tx->nonce || !(is_dead(world, other->nonce) || is_dead(world, tx->nonce))))
                fail_msg("row %zu, nonce %llu: bound twice, or its nonce is", row, (unsigned long long)tx->nonce);
        }
    }
}

static void check_row(struct world *world, size_t row)
{
    struct bursar_address destination = destination_of(row);
    size_t paid = memory_chain_payments_to(world->chain, &destination);
    if (paid > 1)
        fail_msg("row %zu was paid %zu times", row, paid);
    switch (state_of(world, row)) {
    case STATE_FINALIZED:
        assert_int_equal(paid, 1);
        break;
    case STATE_QUEUED:
    case STATE_FAILED:
    case STATE_CANCELLED:
        assert_int_equal(paid, 0);
        break;
    case STATE_STAGED:
    case STATE_EXECUTED:
        break;
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_ROLLED_BACK:
        fail_msg("row %zu should never get there", row);
        break;
    }
}

void world_check(struct world *world)
{
    check_signed(world);
    for (size_t row = 0; row < world->row_count; row++)
        check_row(world, row);
}

void world_check_all_paid(struct world *world)
{
    world_check(world);
    assert_int_equal(rows_in(world, STATE_FINALIZED), world->row_count);
    assert_int_equal(world_number(world, "SELECT (SELECT count(*) FROM intent) - (SELECT count(*) FROM attempt WHERE "
                                         "purpose = 4)"),
                     world->row_count);
    assert_int_equal(world_number(world, "SELECT count(*) FROM intent WHERE status <> 4"), 0);
}
