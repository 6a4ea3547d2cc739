/* The one table of what nodes say, by how their message begins, and what it means to us.
 *
 * Codes are little guide: each family of nodes numbers its errors differently, and most use -32000 for all. A text
 * counts only at the start of the message (or behind a prefix that a node is known to put there) and only as whole
 * words: a contract chooses what stands behind "execution reverted:". Recorded answers:
 * tests/fixtures/node_errors.json. */
#include "chain/node_errors.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What is said of a transaction that was handed over, and what of a read; most texts mean nothing to one of them. */
struct known_error {
    const char *families; /* who says so; `all`: geth's words, which the others have taken over */
    const char *begins;
    enum submit_verdict submit;
    enum read_fault read;
};

#define ALL "geth op-stack arbitrum reth anvil erigon nethermind"

/* The first match counts. */
static const struct known_error known_errors[] = {
    /* It has the bytes already. */
    { ALL, "already known", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "besu hardhat geth<1.10", "known transaction", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "anvil", "transaction already imported", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "providers", "transaction already known", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "erigon2", "existing tx with same hash", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "erigon3", "existing txn with same hash", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "nethermind<2026", "alreadyknown", SUBMIT_KNOWN, READ_FAULT_OTHER },
    { "openethereum", "transaction with the same hash was already imported", SUBMIT_KNOWN, READ_FAULT_OTHER },

    /* Its nonce is used. */
    { ALL " besu hardhat", "nonce too low", SUBMIT_NONCE_TOO_LOW, READ_FAULT_OTHER },
    { "nethermind<2026", "oldnonce", SUBMIT_NONCE_TOO_LOW, READ_FAULT_OTHER },
    { "openethereum", "transaction nonce is too low", SUBMIT_NONCE_TOO_LOW, READ_FAULT_OTHER },
    { "erigon", "mined", SUBMIT_NONCE_TOO_LOW, READ_FAULT_OTHER },

    /* Another transaction has its place, or the pool wants more. */
    { ALL " besu hardhat", "replacement transaction underpriced", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { ALL, "transaction underpriced", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "geth op-stack", "transaction gas price below minimum", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "geth", "future transaction tries to replace pending", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "reth", "transaction priority fee below minimum required", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "erigon", "underpriced", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "erigon", "fee too low", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "erigon", "could not replace existing tx", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "erigon", "replaced by transaction with higher tip", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "nethermind<2026", "replacementnotallowed", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "nethermind<2026", "ownnoncealreadyused", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    /* names the base fee */
    { "nethermind<2026", "feetoolow, maxfeepergas too low", SUBMIT_FEE_TOO_LOW, READ_FAULT_OTHER },
    { "nethermind<2026", "feetoolow", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "nethermind<2026", "feetoolowtocompete", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },
    { "besu", "gas price below configured minimum gas price", SUBMIT_UNDERPRICED, READ_FAULT_OTHER },

    /* The base fee has risen above it. */
    { ALL, "max fee per gas less than block base fee", SUBMIT_FEE_TOO_LOW, READ_FAULT_OTHER },
    { "geth<1.11 erigon", "fee cap less than block base fee", SUBMIT_FEE_TOO_LOW, READ_FAULT_OTHER },
    { "besu", "gas price below current base fee", SUBMIT_FEE_TOO_LOW, READ_FAULT_OTHER },
    { "hardhat", "transaction maxfeepergas", SUBMIT_FEE_TOO_LOW, READ_FAULT_OTHER }, /* (1) is too low for the next */

    { ALL, "insufficient funds", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },
    { "arbitrum", "insufficient balance", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },
    { "geth", "transaction would cause overdraft", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },
    { "nethermind<2026", "insufficientfunds", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },
    { "besu", "upfront cost exceeds account balance", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },
    { "hardhat", "sender doesn't have enough funds to send tx", SUBMIT_INSUFFICIENT_FUNDS, READ_FAULT_OTHER },

    /* Besu gives verdicts codes that elsewhere speak of the request. */
    { "besu", "transaction gas limit exceeds block gas limit", SUBMIT_REFUSED, READ_FAULT_OTHER },
    { "besu", "transaction gas limit cap exceeded", SUBMIT_REFUSED, READ_FAULT_OTHER },
    { ALL, "exceeds block gas limit", SUBMIT_REFUSED, READ_FAULT_OTHER },
    { "besu", "invalid signature", SUBMIT_REFUSED, READ_FAULT_OTHER },
    { "besu", "sender account not authorized", SUBMIT_REFUSED, READ_FAULT_OTHER },

    /* A contract's own words stand behind the first three. */
    { "all", "execution reverted", SUBMIT_REFUSED, READ_FAULT_REVERTED },
    { "hardhat ganache", "vm exception while processing transaction", SUBMIT_UNKNOWN, READ_FAULT_REVERTED },
    { "hardhat", "error: vm exception while processing transaction", SUBMIT_UNKNOWN, READ_FAULT_REVERTED },
    { "nethermind<2022", "vm execution error", SUBMIT_REFUSED, READ_FAULT_REVERTED },
    { "geth erigon reth", "invalid opcode", SUBMIT_REFUSED, READ_FAULT_REVERTED },
    { "geth erigon reth", "invalid jump destination", SUBMIT_REFUSED, READ_FAULT_REVERTED },
    { "anvil", "evm error", SUBMIT_UNKNOWN, READ_FAULT_REVERTED }, /* InvalidFEOpcode */
    { ALL, "gas required exceeds allowance", SUBMIT_REFUSED, READ_FAULT_OUT_OF_GAS },
    { ALL, "out of gas", SUBMIT_REFUSED, READ_FAULT_OUT_OF_GAS },
    { "nethermind", "gas estimation failed due to out of gas", SUBMIT_REFUSED, READ_FAULT_OUT_OF_GAS },

    /* The block that was named: a read's matter. Behind a gateway they may answer a hand-over too. */
    { "reth", "block not found: finalized", SUBMIT_UNKNOWN, READ_FAULT_NOTHING_FINAL },
    { "geth op-stack", "finalized block not found", SUBMIT_UNKNOWN, READ_FAULT_NOTHING_FINAL },
    { "nethermind", "finalized block is not available", SUBMIT_UNKNOWN, READ_FAULT_NOTHING_FINAL },
    { "geth erigon", "header for hash not found", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "geth op-stack arbitrum", "header not found", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "geth besu erigon", "unknown block", SUBMIT_UNKNOWN, READ_FAULT_UNKNOWN_BLOCK },
    { "erigon besu reth", "block not found", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "anvil nethermind", "resource not found", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "anvil", "blockoutofrangeerror", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "hardhat", "received invalid block tag", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },

    /* About the node or the request: the transaction got no verdict. */
    { "providers", "too many requests", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers", "rate limit", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "over rate limit", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "sender is over rate limit", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "no backend", SUBMIT_UNKNOWN, READ_FAULT_OTHER }, /* is currently healthy */
    { "proxyd (op-stack)", "no backends available", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "backend offline", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "backend is", SUBMIT_UNKNOWN, READ_FAULT_OTHER }, /* over capacity, not healthy */
    { "proxyd (op-stack)", "backend returned an invalid response", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "gateway timeout", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "proxyd (op-stack)", "block is out of range", SUBMIT_UNKNOWN, READ_FAULT_BLOCK_GONE },
    { "arbitrum", "sequencer temporarily not available", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "arbitrum", "please retry transaction", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers", "limit exceeded", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers", "daily request count exceeded", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers", "project id request rate exceeded", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers", "your app has exceeded", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "all", "internal error", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "all", "internal server error", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "all", "request timed out", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "besu", "timeout", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "geth arbitrum", "context deadline exceeded", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "geth arbitrum", "context canceled", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "all", "service unavailable", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "providers besu", "unauthorized", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "geth arbitrum", "missing trie node", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "nethermind", "node is syncing", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "besu", "initial sync is still in progress", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
    { "besu", "transaction pool not enabled", SUBMIT_UNKNOWN, READ_FAULT_OTHER },
};

/* Stand before the text itself. Erigon's are names of its pool's result codes. */
static const char *const prefixes[] = {
    "internal_error: ",
    "already_exists: ",
    "fee_too_low: ",
    "stale: ",
    "invalid: ",
    "rpc error: code = unknown desc = ",
    "transaction rejected: ",
    "invalid transaction: ",
    "call failed: ",
    "err: ",
};
#define PREFIXES_MAX_COUNT 3 /* one behind the other */

/* Codes that are used alike by all who use them; they count only where the text is in no table. */
enum {
    CODE_REVERTED = 3, /* with the contract's data */
    CODE_UNKNOWN_BLOCK = -39001,
    CODE_RESOURCE_NOT_FOUND = -32001, /* on a hand-over Besu's "Nonce too low" */
    CODE_LIMIT_EXCEEDED = -32005,     /* EIP-1474 */
    CODE_PARSE_ERROR = -32700,
    CODE_INTERNAL_ERROR = -32603,
    CODE_METHOD_NOT_FOUND = -32601,
    CODE_INVALID_REQUEST = -32600,
    CODE_RATE_LIMIT = 429, /* as the HTTP status */
};

static bool code_is_no_verdict(long long code)
{
    return code == CODE_LIMIT_EXCEEDED || code == CODE_PARSE_ERROR || code == CODE_INTERNAL_ERROR ||
           code == CODE_METHOD_NOT_FOUND || code == CODE_INVALID_REQUEST || code == CODE_RATE_LIMIT;
}

static bool begins_with_words(const char *message, const char *words)
{
    size_t length = strlen(words);
    return strncasecmp(message, words, length) == 0 && !isalnum((unsigned char)message[length]);
}

static const char *behind_prefix(const char *message)
{
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncasecmp(message, prefixes[i], length) == 0)
            return message + length;
    }
    return NULL;
}

/* NULL: in no table. */
static const struct known_error *find(const char *message)
{
    const char *text = message;
    for (int layers = 0; text && layers < PREFIXES_MAX_COUNT; layers++) {
        for (size_t i = 0; i < COUNT_OF(known_errors); i++) {
            if (begins_with_words(text, known_errors[i].begins))
                return &known_errors[i];
        }
        text = behind_prefix(text);
    }
    return NULL;
}

enum submit_verdict submit_verdict_of_error(long long code, const char *message)
{
    const struct known_error *known = find(message);
    if (known)
        return known->submit;
    return code_is_no_verdict(code) ? SUBMIT_UNKNOWN : SUBMIT_REFUSED;
}

enum read_fault read_fault_of_error(long long code, const char *message)
{
    const struct known_error *known = find(message);
    if (known)
        return known->read;
    if (code == CODE_UNKNOWN_BLOCK)
        return READ_FAULT_UNKNOWN_BLOCK;
    if (code == CODE_REVERTED)
        return READ_FAULT_REVERTED;
    return code == CODE_RESOURCE_NOT_FOUND ? READ_FAULT_BLOCK_GONE : READ_FAULT_OTHER;
}
