/* What a node's error means for the transaction it was given. Pure. */
#ifndef CHAIN_SUBMIT_VERDICT_H
#define CHAIN_SUBMIT_VERDICT_H

#include "chain/chain.h"

/* The verdict in an error object that eth_sendRawTransaction was answered with. An error that is about the node or
 * the request, not about the transaction (rate limit, syncing, internal error), is SUBMIT_UNKNOWN. */
enum submit_verdict submit_verdict_of_error(long long code, const char *message);

#endif
