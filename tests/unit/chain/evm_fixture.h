/* What the tests of the EVM driver start from: a driver over a scripted node whose chain is honest until a test says
 * otherwise. */
#ifndef TESTS_EVM_FIXTURE_H
#define TESTS_EVM_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "chain/evm.h"
#include "scripted_rpc.h"

#define X4(c) c c c c
#define X64(c) X4(X4(X4(c)))
#define HASH(c) "\"0x" X64(c) "\""
#define BLOCK(number, hash, parent, time)                                                                              \
    "{\"number\":\"" number                                                                                            \
    "\",\"hash\":" HASH(hash) ",\"parentHash\":" HASH(parent) ",\"timestamp\":\"" time                                 \
                                                              "\",\"baseFeePerGas\":\"0x7\",\"transactions\":[]}"

/* The honest node's chain: genesis a, block 6 c (final), block 8 e (latest). */
#define GENESIS BLOCK("0x0", "a", "0", "0x1")
#define SIX BLOCK("0x6", "c", "b", "0x66")
#define EIGHT BLOCK("0x8", "e", "d", "0x88")
#define ACCOUNT "\"0x4444444444444444444444444444444444444444\""
#define AT(hash) "[" ACCOUNT ",{\"blockHash\":" HASH(hash) "}]"
#define AT_NUMBER(number) "[" ACCOUNT ",\"" number "\"]"
#define GET_BLOCK "eth_getBlockByNumber"
#define GET_BALANCE "eth_getBalance"
#define GET_NONCE "eth_getTransactionCount"

struct fixture {
    struct scripted_rpc script;
    struct evm_chain *evm;
    struct chain chain;
    struct chain_query query;
    struct bursar_error err;
};

int set_up(void **state);
int tear_down(void **state);

/* Are all its bytes `byte`? */
bool hash_is(const struct bursar_hash *hash, uint8_t byte);

#endif
