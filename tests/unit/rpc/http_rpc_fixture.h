/* What the tests of JSON-RPC over HTTP start from: a client of a server on this machine, which echoes, or misbehaves on
 * purpose. */
#ifndef TESTS_HTTP_RPC_FIXTURE_H
#define TESTS_HTTP_RPC_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "loopback_server.h"
#include "rpc/http_rpc.h"

#include <jansson.h>

/* Long enough never to run out in a test that does not wait for it to. */
#define PATIENT_MS 60000

struct http_rpc *connect_to(const char *url, uint32_t timeout_ms);

/* `count` calls "echo" with their number as the parameter. */
enum bursar_status call_many(struct http_rpc *rpc, size_t count, struct rpc_reply *replies, struct bursar_error *err);
enum bursar_status call_one(struct http_rpc *rpc, struct rpc_reply *reply, struct bursar_error *err);

/* Answers every call with its own parameters, a batch from its end to its beginning. */
void answer_echo(const char *body, struct buf *reply);

struct seen {
    unsigned requests;
    size_t largest_batch;
    size_t single_objects;
};

/* A handler that echoes, and notes in a `struct seen` what it was asked. */
enum loopback_next echo(void *ctx, unsigned number, const char *body, struct buf *reply);

/* A server that always sends the same bytes. */
struct canned {
    const char *raw;
    enum loopback_next next;
    unsigned requests;
};

/* A handler that sends what its `struct canned` says. */
enum loopback_next send_canned(void *ctx, unsigned number, const char *body, struct buf *reply);

/* A handler that echoes the first request and dies at the second; counts them in an unsigned. */
enum loopback_next answer_once_then_die(void *ctx, unsigned number, const char *body, struct buf *reply);

#endif
