/* JSON-RPC 2.0 as text: how calls are written and how replies are matched with them. Pure: no network, no clock. */
#ifndef RPC_RPC_CODEC_H
#define RPC_RPC_CODEC_H

#include "base/bytes.h"
#include "rpc/rpc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends one call as a JSON object. False when `out` is at its limit or memory ran out; `out` is then unchanged. */
BURSAR_MUST_CHECK bool rpc_call_append(struct buf *out, const struct rpc_request *request, uint64_t id);

/* Values in one reply. Real answers have fewer in RPC_REPLY_MAX_BYTES; made of the smallest values instead, a body of
 * that size would take gigabytes once parsed. */
#define RPC_REPLY_MAX_VALUES ((size_t)512 * 1024)

/* Cuts out of a reply, in place, what takes long to parse and is never asked for; the new length. `body` is
 * NUL-terminated at its length. */
size_t rpc_reply_shorten(char *body, size_t length_bytes);

/* Reads the body of the reply to the calls `first_id` ... `first_id + count - 1` (one call: an object, several: an
 * array, in any order). Fills every reply: what was not answered, answered twice, or not answered in a way that can be
 * relied on is RPC_UNKNOWN. OK when every call has a result or an error of its own; else EPROTOCOL and the reason. */
BURSAR_MUST_CHECK enum bursar_status rpc_replies_read(const char *body, size_t length_bytes, uint64_t first_id,
                                                      size_t count, struct rpc_reply *ret, struct bursar_error *err);

/* Sets all replies to `outcome` (RPC_UNSENT or RPC_UNKNOWN) with a message. Owns nothing, frees nothing. */
void rpc_replies_fill(struct rpc_reply *ret, size_t count, enum rpc_outcome outcome, const char *message);

/* Text from outside made fit for a terminal and a log: control characters become spaces, and no more than whole
 * UTF-8 characters that fit `ret_bytes` (with the NUL) are kept. `text` must be UTF-8; it may hold NULs. */
void rpc_text_clean(const char *text, size_t length_bytes, char *ret, size_t ret_bytes);

#endif
