/* What every implementation of the JSON-RPC seam shares: giving replies back. */
#include "rpc/rpc.h"

void rpc_replies_clear(struct rpc_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(replies[i].result);
        json_decref(replies[i].data);
        replies[i] = (struct rpc_reply){ 0 };
    }
}
