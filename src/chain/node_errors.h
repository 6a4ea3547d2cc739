/* What a node's error means: for the transaction it was given, and for a read. Pure. */
#ifndef CHAIN_NODE_ERRORS_H
#define CHAIN_NODE_ERRORS_H

#include "chain/chain.h"

/* The verdict in an error object that eth_sendRawTransaction was answered with. An error that is about the node or
 * the request, not about the transaction (rate limit, syncing, internal error), is SUBMIT_UNKNOWN. */
enum submit_verdict submit_verdict_of_error(long long code, const char *message);

enum read_fault {
    READ_FAULT_OTHER = 0,         /* a failed read, and no more (INV-5) */
    READ_FAULT_BLOCK_GONE = 1,    /* the node does not have the block that was named (any more, or yet) */
    READ_FAULT_UNKNOWN_BLOCK = 2, /* likewise; and where `finalized` was asked for, nothing is final yet */
    READ_FAULT_NOTHING_FINAL = 3, /* the chain has no final block yet */
    READ_FAULT_REVERTED = 4,      /* what was tried out would be reverted, or ends in any other error of the EVM's */
    READ_FAULT_OUT_OF_GAS = 5,    /* it takes more gas than it was given */
};
/* What an error object says that a read of state or blocks was answered with. */
enum read_fault read_fault_of_error(long long code, const char *message);

#endif
