/* The parts that the tests of chain, node and network share. */
#include "chain_fixture.h"

void fixture_use_node(struct fixture *f, enum sim_node_kind kind, unsigned pool)
{
    evm_chain_free(f->evm);
    sim_network_free(f->network);
    sim_node_free(f->node);
    f->node = sim_node_new(f->sim, kind, pool);
    f->network = sim_network_new(f->node, &f->is_dead);
    assert_int_equal(evm_chain_new(sim_network_rpc(f->network, 0), &f->evm, &f->err), BURSAR_OK);
    for (size_t i = 1; i <= 2; i++)
        assert_int_equal(evm_chain_add_lane(f->evm, sim_network_rpc(f->network, i), &f->err), BURSAR_OK);
    f->chain = evm_chain_interface(f->evm);
}

int fixture_set_up(void **state)
{
    static const uint8_t secret[32] = { [0] = 1, [31] = 7 };
    const struct sim_chain_settings settings = { .chain_id = FIXTURE_CHAIN_ID,
                                                 .finality_depth_blocks = FIXTURE_DEPTH,
                                                 .genesis_time_s = 1700000000,
                                                 .seconds_per_block = 12,
                                                 .base_fee_per_gas_wei = FIXTURE_BASE_FEE_WEI,
                                                 .tip_wei = FIXTURE_TIP_WEI,
                                                 .replacement_percent = 10,
                                                 .pool_max_per_account = SIM_NO_LIMIT };
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(private_key_new(secret, &f->key, &f->err), BURSAR_OK);
    private_key_address(f->key, &f->account);
    f->sim = sim_chain_new(&settings);
    sim_chain_deposit(f->sim, &f->account, bursar_amount_from_u64(1000000000 * GWEI));
    fixture_use_node(f, SIM_NODE_GETH, 1);
    *state = f;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    assert_true(sim_chain_conserves(f->sim));
    evm_chain_free(f->evm);
    sim_network_free(f->network);
    sim_node_free(f->node);
    sim_chain_free(f->sim);
    private_key_free(f->key);
    free(f);
    return 0;
}

struct bursar_address fixture_address(uint64_t number)
{
    struct bursar_address address = { { 0xab } };
    for (size_t i = 0; i < 8; i++)
        address.bytes[BURSAR_ADDRESS_BYTES - 1 - i] = (uint8_t)(number >> (8 * i));
    return address;
}

struct payment payment_new(uint64_t nonce)
{
    return (struct payment){ .tx = { .chain_id = FIXTURE_CHAIN_ID,
                                     .nonce = nonce,
                                     .max_priority_fee_per_gas_wei = 100,
                                     .max_fee_per_gas_wei = 10 * FIXTURE_BASE_FEE_WEI,
                                     .gas_limit = 21000,
                                     .to = fixture_address(nonce),
                                     .value_wei = bursar_amount_from_u64((nonce + 1) * GWEI) } };
}

void payment_sign(const struct fixture *f, struct payment *payment)
{
    struct bursar_error err = { 0 };
    struct bursar_hash hash;
    struct eth_signature signature;
    buf_clear(&payment->raw);
    assert_int_equal(eth_transaction_signing_hash(&payment->tx, &hash, &err), BURSAR_OK);
    assert_int_equal(private_key_sign(f->key, &hash, &signature, &err), BURSAR_OK);
    assert_int_equal(eth_transaction_encode(&payment->tx, &signature, &payment->raw, &hash, &err), BURSAR_OK);
    payment->signed_bytes = (struct raw_transaction){ .bytes = (const uint8_t *)payment->raw.data,
                                                      .length_bytes = payment->raw.length_bytes,
                                                      .hash = hash };
}

void payment_free(struct payment *payment)
{
    buf_free(&payment->raw);
}

enum submit_verdict fixture_submit(struct fixture *f, const struct payment *payment)
{
    struct submit_result result = { 0 };
    (void)f->chain.submit(f->chain.ctx, &payment->signed_bytes, 1, &result, &f->err);
    return result.verdict;
}

struct bursar_hash fixture_pay(struct fixture *f, uint64_t nonce, enum submit_verdict expected)
{
    struct payment payment = payment_new(nonce);
    payment_sign(f, &payment);
    struct bursar_hash hash = payment.signed_bytes.hash;
    assert_int_equal(fixture_submit(f, &payment), expected);
    payment_free(&payment);
    return hash;
}

struct chain_view fixture_observe(struct fixture *f)
{
    struct chain_view view;
    const struct chain_query query = { .account = f->account };
    enum bursar_status status = f->chain.observe(f->chain.ctx, &query, &view, &f->err);
    if (status != BURSAR_OK)
        fail_msg("observe: %s", f->err.message);
    return view;
}

struct chain_receipt fixture_receipt(struct fixture *f, const struct bursar_hash *hash)
{
    struct chain_receipt receipt;
    assert_int_equal(f->chain.receipts(f->chain.ctx, hash, 1, &receipt, &f->err), BURSAR_OK);
    return receipt;
}

struct chain_transaction fixture_transaction(struct fixture *f, const struct bursar_hash *hash)
{
    struct chain_transaction transaction;
    assert_int_equal(f->chain.transactions(f->chain.ctx, hash, 1, &transaction, &f->err), BURSAR_OK);
    return transaction;
}
