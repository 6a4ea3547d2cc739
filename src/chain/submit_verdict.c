/* The one table of what nodes say about a transaction, by how their message begins.
 *
 * Codes are no guide: each family of nodes numbers its errors differently, and most use -32000 for all. A text counts
 * only at the start of the message (or behind a prefix that a node is known to put there) and only as whole words: a
 * contract chooses what stands behind "execution reverted:". */
#include "chain/submit_verdict.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct known_text {
    const char *begins;
    enum submit_verdict verdict;
};

/* The first match counts. Families: geth (and reth, anvil, recent Nethermind and Erigon, which say the same), Erigon,
 * Nethermind before 2026, Besu, Hardhat, OpenEthereum. */
static const struct known_text transaction_texts[] = {
    { "already known", SUBMIT_KNOWN },
    { "known transaction", SUBMIT_KNOWN },            /* older geth, Besu, Hardhat */
    { "transaction already imported", SUBMIT_KNOWN }, /* anvil */
    { "transaction already known", SUBMIT_KNOWN },
    { "existing tx with same hash", SUBMIT_KNOWN },                          /* Erigon */
    { "alreadyknown", SUBMIT_KNOWN },                                        /* Nethermind */
    { "transaction with the same hash was already imported", SUBMIT_KNOWN }, /* OpenEthereum */

    { "nonce too low", SUBMIT_NONCE_TOO_LOW },
    { "oldnonce", SUBMIT_NONCE_TOO_LOW },                     /* Nethermind */
    { "transaction nonce is too low", SUBMIT_NONCE_TOO_LOW }, /* OpenEthereum */

    { "replacement transaction underpriced", SUBMIT_UNDERPRICED },
    { "transaction underpriced", SUBMIT_UNDERPRICED },
    { "transaction gas price below minimum", SUBMIT_UNDERPRICED },
    { "underpriced", SUBMIT_UNDERPRICED },                   /* Erigon */
    { "fee too low", SUBMIT_UNDERPRICED },                   /* Erigon */
    { "could not replace existing tx", SUBMIT_UNDERPRICED }, /* Erigon */
    { "replaced by transaction with higher tip", SUBMIT_UNDERPRICED },
    { "replacementnotallowed", SUBMIT_UNDERPRICED },                        /* Nethermind */
    { "ownnoncealreadyused", SUBMIT_UNDERPRICED },                          /* Nethermind */
    { "feetoolow, maxfeepergas too low", SUBMIT_FEE_TOO_LOW },              /* Nethermind: names the base fee */
    { "feetoolow", SUBMIT_UNDERPRICED },                                    /* Nethermind */
    { "feetoolowtocompete", SUBMIT_UNDERPRICED },                           /* Nethermind */
    { "gas price below configured minimum gas price", SUBMIT_UNDERPRICED }, /* Besu */

    { "max fee per gas less than block base fee", SUBMIT_FEE_TOO_LOW },
    { "fee cap less than block base fee", SUBMIT_FEE_TOO_LOW },
    { "gas price below current base fee", SUBMIT_FEE_TOO_LOW }, /* Besu */
    { "transaction maxfeepergas", SUBMIT_FEE_TOO_LOW },         /* Hardhat: "... (1) is too low for the next block" */

    { "insufficient funds", SUBMIT_INSUFFICIENT_FUNDS },
    { "insufficient balance", SUBMIT_INSUFFICIENT_FUNDS },
    { "transaction would cause overdraft", SUBMIT_INSUFFICIENT_FUNDS },
    { "insufficientfunds", SUBMIT_INSUFFICIENT_FUNDS },                           /* Nethermind */
    { "upfront cost exceeds account balance", SUBMIT_INSUFFICIENT_FUNDS },        /* Besu */
    { "sender doesn't have enough funds to send tx", SUBMIT_INSUFFICIENT_FUNDS }, /* Hardhat */

    /* Besu gives verdicts codes that elsewhere speak of the request. */
    { "transaction gas limit exceeds block gas limit", SUBMIT_REFUSED },
    { "exceeds block gas limit", SUBMIT_REFUSED },
    { "invalid signature", SUBMIT_REFUSED },
    { "sender account not authorized", SUBMIT_REFUSED },

    /* About the node or the request: the transaction got no verdict. */
    { "too many requests", SUBMIT_UNKNOWN },
    { "rate limit", SUBMIT_UNKNOWN },
    { "limit exceeded", SUBMIT_UNKNOWN },
    { "daily request count exceeded", SUBMIT_UNKNOWN },
    { "project id request rate exceeded", SUBMIT_UNKNOWN },
    { "your app has exceeded", SUBMIT_UNKNOWN },
    { "internal error", SUBMIT_UNKNOWN },
    { "internal server error", SUBMIT_UNKNOWN },
    { "request timed out", SUBMIT_UNKNOWN },
    { "timeout", SUBMIT_UNKNOWN },
    { "context deadline exceeded", SUBMIT_UNKNOWN },
    { "context canceled", SUBMIT_UNKNOWN },
    { "service unavailable", SUBMIT_UNKNOWN },
    { "unauthorized", SUBMIT_UNKNOWN },
    { "header not found", SUBMIT_UNKNOWN },
    { "missing trie node", SUBMIT_UNKNOWN },
    { "node is syncing", SUBMIT_UNKNOWN },
    { "initial sync is still in progress", SUBMIT_UNKNOWN }, /* Besu */
    { "transaction pool not enabled", SUBMIT_UNKNOWN },      /* Besu */
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

/* Used only when the text is in no table. */
static bool code_is_no_verdict(long long code)
{
    switch (code) {
    case 429:    /* rate limit, as the HTTP status */
    case -32700: /* parse error */
    case -32600: /* invalid request */
    case -32601: /* method not found */
    case -32603: /* internal error */
    case -32005: /* limit exceeded (EIP-1474) */
        return true;
    default:
        return false;
    }
}

static bool begins_with_words(const char *message, const char *words)
{
    size_t length = strlen(words);
    return strncasecmp(message, words, length) == 0 && !isalnum((unsigned char)message[length]);
}

static const char *behind_prefix(const char *message)
{
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t length = strlen(prefixes[i]);
        if (strncasecmp(message, prefixes[i], length) == 0)
            return message + length;
    }
    return NULL;
}

enum submit_verdict submit_verdict_of_error(long long code, const char *message)
{
    const char *text = message;
    for (int layers = 0; text && layers < 3; layers++) {
        for (size_t i = 0; i < sizeof transaction_texts / sizeof transaction_texts[0]; i++) {
            if (begins_with_words(text, transaction_texts[i].begins))
                return transaction_texts[i].verdict;
        }
        text = behind_prefix(text);
    }
    return code_is_no_verdict(code) ? SUBMIT_UNKNOWN : SUBMIT_REFUSED;
}
