/* A small world for the tests of chain, node and network: one key, one chain, one node, and the real EVM driver. */
#ifndef SIM_CHAIN_FIXTURE_H
#define SIM_CHAIN_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "chain/evm.h"
#include "eth/transaction.h"
#include "signer/private_key.h"
#include "sim_network.h"

#define FIXTURE_CHAIN_ID 31337
#define FIXTURE_BASE_FEE_WEI 1000
#define FIXTURE_TIP_WEI 500
#define FIXTURE_DEPTH 8
#define GWEI UINT64_C(1000000000)

struct fixture {
    struct private_key *key;
    struct bursar_address account;
    struct sim_chain *sim;
    struct sim_node *node;
    struct sim_network *network;
    bool is_dead;
    struct evm_chain *evm;
    struct chain chain;
    struct bursar_error err;
};

/* A transaction in the making, and then its bytes. */
struct payment {
    struct eth_transaction tx;
    struct buf raw;
    struct raw_transaction signed_bytes;
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* Another node takes the place of the one there was. */
void fixture_use_node(struct fixture *f, enum sim_node_kind kind, unsigned pool);

struct bursar_address fixture_address(uint64_t number); /* not the account's */
/* 1 gwei x (number + 1) to address `number`, at fees that are high enough. Sign it before use; free with payment_free.
 */
struct payment payment_new(uint64_t nonce);
void payment_sign(const struct fixture *f, struct payment *payment);
void payment_free(struct payment *payment);
/* Makes, signs and hands over; returns the hash. */
struct bursar_hash fixture_pay(struct fixture *f, uint64_t nonce, enum submit_verdict expected);
enum submit_verdict fixture_submit(struct fixture *f, const struct payment *payment);
struct chain_view fixture_observe(struct fixture *f);
struct chain_receipt fixture_receipt(struct fixture *f, const struct bursar_hash *hash);
struct chain_transaction fixture_transaction(struct fixture *f, const struct bursar_hash *hash);

#endif
