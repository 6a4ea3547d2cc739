/* The texts of five families of nodes, with the figures that stand behind some of them left in as they might be. */
#include "sim_node_words.h"

#define NO_WORDS                                                                                                       \
    {                                                                                                                  \
        0, ""                                                                                                          \
    }

static const struct sim_manner geth = {
    .verdicts = {
        [SIM_POOL_ADDED] = NO_WORDS,
        [SIM_POOL_KNOWN] = { -32000, "already known" },
        [SIM_POOL_NONCE_TOO_LOW] = { -32000, "nonce too low: next nonce 12, tx nonce 7" },
        [SIM_POOL_UNDERPRICED] = { -32000, "replacement transaction underpriced" },
        [SIM_POOL_FEE_TOO_LOW] = { -32000, "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 7" },
        [SIM_POOL_NO_FUNDS] = { -32000, "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1" },
        [SIM_POOL_GAS_TOO_LOW] = { -32000, "intrinsic gas too low: gas 1, minimum needed 21000" },
        [SIM_POOL_FULL] = { -32000, "txpool is full" },
        [SIM_POOL_MALFORMED] = { -32000, "rlp: value size exceeds available input length" },
        [SIM_POOL_WRONG_CHAIN] = { -32000, "invalid chain id for signer: have 1 want 2" },
        [SIM_POOL_BAD_SIGNATURE] = { -32000, "invalid sender" },
    },
    .unknown_block = { -32000, "header for hash not found" },
    .nothing_final = { -39001, "Unknown block" },
    .header_method = "eth_getHeaderByNumber",
    .knows_hash_pins = true,
    .runs_programs = true,
    .serves_orphans = true,
    .counts_all_costs = true,
};

static const struct sim_manner anvil = {
    .verdicts = {
        [SIM_POOL_ADDED] = NO_WORDS,
        [SIM_POOL_KNOWN] = { -32003, "transaction already imported" },
        [SIM_POOL_NONCE_TOO_LOW] = { -32003, "nonce too low" },
        [SIM_POOL_UNDERPRICED] = { -32003, "replacement transaction underpriced" },
        [SIM_POOL_FEE_TOO_LOW] = { -32003, "max fee per gas less than block base fee" },
        [SIM_POOL_NO_FUNDS] = { -32003, "Insufficient funds for gas * price + value" },
        [SIM_POOL_GAS_TOO_LOW] = { -32003, "intrinsic gas too low" },
        [SIM_POOL_FULL] = { -32003, "txpool is full" },
        [SIM_POOL_MALFORMED] = { -32602, "Failed to decode transaction" },
        [SIM_POOL_WRONG_CHAIN] = { -32003, "invalid chain id for signer" },
        [SIM_POOL_BAD_SIGNATURE] = { -32003, "Failed to recover the sender" },
    },
    .unknown_block = { -32001, "block not found" },
    .nothing_final = { 0, "" },
    .knows_hash_pins = true,
    .runs_programs = true,
    .wants_base_fee = true,
    .any_fee_rise_replaces = true,
};

static const struct sim_manner erigon = {
    .verdicts = {
        [SIM_POOL_ADDED] = NO_WORDS,
        [SIM_POOL_KNOWN] = { -32000, "ALREADY_EXISTS: already known" },
        [SIM_POOL_NONCE_TOO_LOW] = { -32000, "nonce too low" },
        [SIM_POOL_UNDERPRICED] = { -32000, "INTERNAL_ERROR: could not replace existing tx" },
        [SIM_POOL_FEE_TOO_LOW] = { -32000, "fee cap less than block base fee" },
        [SIM_POOL_NO_FUNDS] = { -32000, "INTERNAL_ERROR: insufficient funds" },
        [SIM_POOL_GAS_TOO_LOW] = { -32000, "INTERNAL_ERROR: intrinsic gas too low" },
        [SIM_POOL_FULL] = { -32000, "INTERNAL_ERROR: txpool is full" },
        [SIM_POOL_MALFORMED] = { -32000, "rlp: expected input list for types.DynamicFeeTransaction" },
        [SIM_POOL_WRONG_CHAIN] = { -32000, "INTERNAL_ERROR: invalid chain id for signer" },
        [SIM_POOL_BAD_SIGNATURE] = { -32000, "INTERNAL_ERROR: invalid transaction v, r, s values" },
    },
    .unknown_block = { -32000, "block not found: 0x00" },
    .nothing_final = { -32000, "unknown block" },
    .header_method = "erigon_getHeaderByNumber",
    .knows_hash_pins = true,
    .runs_programs = true,
};

static const struct sim_manner nethermind = {
    .verdicts = {
        [SIM_POOL_ADDED] = NO_WORDS,
        [SIM_POOL_KNOWN] = { -32010, "AlreadyKnown" },
        [SIM_POOL_NONCE_TOO_LOW] = { -32010, "OldNonce, Current nonce: 12, nonce of rejected tx: 7" },
        [SIM_POOL_UNDERPRICED] = { -32010, "ReplacementNotAllowed" },
        [SIM_POOL_FEE_TOO_LOW] = { -32010, "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 7, BaseFee: 8" },
        [SIM_POOL_NO_FUNDS] = { -32010, "InsufficientFunds, Account balance: 1, cumulative cost: 2" },
        [SIM_POOL_GAS_TOO_LOW] = { -32010, "Invalid, intrinsic gas too low" },
        [SIM_POOL_FULL] = { -32010, "FeeTooLowToCompete" },
        [SIM_POOL_MALFORMED] = { -32602, "Invalid RLP" },
        [SIM_POOL_WRONG_CHAIN] = { -32010, "Invalid, InvalidTxChainId: Expected 2, got 1" },
        [SIM_POOL_BAD_SIGNATURE] = { -32010, "FailedToResolveSender" },
    },
    .unknown_block = { -32001, "header not found" },
    .nothing_final = { 0, NULL },
    .knows_hash_pins = true,
    .counts_all_costs = true,
};

static const struct sim_manner besu = {
    .verdicts = {
        [SIM_POOL_ADDED] = NO_WORDS,
        [SIM_POOL_KNOWN] = { -32000, "Known transaction" },
        [SIM_POOL_NONCE_TOO_LOW] = { -32001, "Nonce too low" },
        [SIM_POOL_UNDERPRICED] = { -32000, "Replacement transaction underpriced" },
        [SIM_POOL_FEE_TOO_LOW] = { -32009, "Gas price below current base fee" },
        [SIM_POOL_NO_FUNDS] = { -32004, "Upfront cost exceeds account balance" },
        [SIM_POOL_GAS_TOO_LOW] = { -32003, "Intrinsic gas exceeds gas limit" },
        [SIM_POOL_FULL] = { -32000, "Transaction pool is full" },
        [SIM_POOL_MALFORMED] = { -32602, "Invalid transaction params (missing or incorrect)" },
        [SIM_POOL_WRONG_CHAIN] = { -32000, "Wrong chainId" },
        [SIM_POOL_BAD_SIGNATURE] = { -32002, "Invalid signature" },
    },
    .unknown_block = { -39001, "Unknown block" },
    .nothing_final = { -39001, "Unknown block" },
    .runs_programs = true,
    .wants_base_fee = true,
};

const struct sim_manner *sim_manner_of(enum sim_node_kind kind)
{
    static const struct sim_manner *const manners[SIM_NODE_KINDS] = { &geth, &anvil, &erigon, &nethermind, &besu };
    return manners[kind];
}
