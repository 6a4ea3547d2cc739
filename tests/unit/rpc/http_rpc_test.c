/* JSON-RPC over HTTP against a server on this machine that misbehaves on purpose. */
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

static struct http_rpc *connect_to(const char *url, uint32_t timeout_ms)
{
    struct http_rpc *rpc = NULL;
    struct bursar_error err = { 0 };
    assert_int_equal(http_rpc_new(url, timeout_ms, NULL, NULL, &rpc, &err), BURSAR_OK);
    return rpc;
}

/* `count` calls "echo" with their number as the parameter. */
static enum bursar_status call_many(struct http_rpc *rpc, size_t count, struct rpc_reply *replies,
                                    struct bursar_error *err)
{
    struct rpc_request *requests = calloc(count, sizeof *requests);
    struct rpc interface = http_rpc_interface(rpc);
    assert_non_null(requests);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct rpc_request){ .method = "echo", .params = json_pack("[i]", (int)i) };
    enum bursar_status status = interface.call(interface.ctx, requests, count, replies, err);
    for (size_t i = 0; i < count; i++)
        assert_null(requests[i].params);
    free(requests);
    return status;
}

static enum bursar_status call_one(struct http_rpc *rpc, struct rpc_reply *reply, struct bursar_error *err)
{
    return call_many(rpc, 1, reply, err);
}

/* Answers every call with its own parameters, a batch from its end to its beginning. */
static void answer_echo(const char *body, struct buf *reply)
{
    json_t *request = json_loads(body, 0, NULL);
    json_t *answer = json_is_array(request) ? json_array() : NULL;
    for (size_t i = json_array_size(request); i > 0; i--) {
        const json_t *call = json_array_get(request, i - 1);
        json_array_append_new(answer, json_pack("{s:s,s:O,s:O}", "jsonrpc", "2.0", "id", json_object_get(call, "id"),
                                                "result", json_object_get(call, "params")));
    }
    if (!answer)
        answer = json_pack("{s:s,s:O,s:O}", "jsonrpc", "2.0", "id", json_object_get(request, "id"), "result",
                           json_object_get(request, "params"));
    char *text = json_dumps(answer, JSON_COMPACT);
    loopback_reply(reply, 200, text);
    free(text);
    json_decref(answer);
    json_decref(request);
}

struct seen {
    unsigned requests;
    size_t largest_batch;
    size_t single_objects;
};

static enum loopback_next echo(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    struct seen *seen = ctx;
    json_t *request = json_loads(body, 0, NULL);
    seen->requests = number + 1;
    if (json_array_size(request) > seen->largest_batch)
        seen->largest_batch = json_array_size(request);
    seen->single_objects += json_is_object(request) ? 1 : 0;
    json_decref(request);
    answer_echo(body, reply);
    return LOOPBACK_KEEP;
}

static void many_calls_are_split_into_batches_over_one_connection(void **state)
{
    (void)state;
    enum { CALLS = 2 * RPC_BATCH_MAX_CALLS + 1 };
    static struct rpc_reply replies[CALLS];
    struct seen seen = { 0 };
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_many(rpc, CALLS, replies, &err), BURSAR_OK);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(replies[i].outcome, RPC_RESULT);
        assert_int_equal(json_integer_value(json_array_get(replies[i].result, 0)), i);
    }
    rpc_replies_clear(replies, CALLS);
    http_rpc_free(rpc);
    assert_int_equal(loopback_server_stop(server), 1);
    assert_int_equal(seen.requests, 3);
    assert_int_equal(seen.largest_batch, RPC_BATCH_MAX_CALLS);
    assert_int_equal(seen.single_objects, 1);
}

static void a_batch_too_large_for_one_request_is_split_further(void **state)
{
    (void)state;
    enum { CALLS = 3 };
    struct rpc_request requests[CALLS];
    struct rpc_reply replies[CALLS];
    struct seen seen = { 0 };
    struct bursar_error err = { 0 };
    size_t length = RPC_REQUEST_MAX_BYTES / 2 - 1000;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, 'a', length);
    text[length] = '\0';
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    struct rpc interface = http_rpc_interface(rpc);
    for (int i = 0; i < CALLS; i++)
        requests[i] = (struct rpc_request){ .method = "echo", .params = json_pack("[s]", text) };
    assert_int_equal(interface.call(interface.ctx, requests, CALLS, replies, &err), BURSAR_OK);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(replies[i].outcome, RPC_RESULT);
    rpc_replies_clear(replies, CALLS);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(seen.requests, 2);
    free(text);
}

static void a_single_call_too_large_for_a_request_is_unsent(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct seen seen = { 0 };
    struct bursar_error err = { 0 };
    char *text = malloc(RPC_REQUEST_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, 'a', RPC_REQUEST_MAX_BYTES);
    text[RPC_REQUEST_MAX_BYTES] = '\0';
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    struct rpc interface = http_rpc_interface(rpc);
    struct rpc_request request = { .method = "echo", .params = json_pack("[s]", text) };
    assert_int_equal(interface.call(interface.ctx, &request, 1, &reply, &err), BURSAR_ELIMIT);
    assert_int_equal(reply.outcome, RPC_UNSENT);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(seen.requests, 0);
    free(text);
}

/* A server that always sends the same bytes. */
struct canned {
    const char *raw;
    enum loopback_next next;
    unsigned requests;
};

static enum loopback_next send_canned(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    struct canned *canned = ctx;
    (void)body;
    canned->requests = number + 1;
    if (canned->raw)
        assert_true(buf_append_text(reply, canned->raw));
    return canned->next;
}

static void expect_unknown(const char *raw, enum loopback_next next, enum bursar_status want, const char *words)
{
    struct canned canned = { .raw = raw, .next = next };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), want);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    assert_non_null(strstr(err.message, loopback_server_url(server)));
    assert_true(strlen(reply.message) > 0);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void an_http_error_page_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    expect_unknown("HTTP/1.1 503 Busy\r\nContent-Length: 13\r\n\r\n<html></html>", LOOPBACK_KEEP, BURSAR_EUNKNOWN,
                   "HTTP 503");
    expect_unknown("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", LOOPBACK_KEEP, BURSAR_EUNKNOWN, "HTTP 400");
}

static void an_http_error_with_a_json_error_for_all_is_unknown_and_tells_both(void **state)
{
    (void)state;
    expect_unknown("HTTP/1.1 429 Slow\r\nContent-Length: 59\r\n\r\n"
                   "{\"id\":null,\"error\":{\"code\":-32005,\"message\":\"rate limited\"}}",
                   LOOPBACK_CLOSE, BURSAR_EUNKNOWN, "HTTP 429");
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    expect_unknown("HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", LOOPBACK_KEEP,
                   BURSAR_EUNKNOWN, "redirects are not followed");
}

static void a_page_that_is_no_json_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    expect_unknown("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", LOOPBACK_KEEP, BURSAR_EPROTOCOL,
                   "not JSON");
}

static void a_reply_cut_in_the_middle_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    expect_unknown("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"jsonrpc\":", LOOPBACK_CLOSE, BURSAR_EUNKNOWN,
                   "cut off");
    expect_unknown("HTTP/1.1 200 O", LOOPBACK_CLOSE, BURSAR_EUNKNOWN, "cut off");
}

static void a_connection_closed_without_a_word_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    expect_unknown(NULL, LOOPBACK_CLOSE, BURSAR_EUNKNOWN, "cut off");
}

static enum loopback_next send_33_mib(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    (void)ctx, (void)number, (void)body;
    size_t length = RPC_REPLY_MAX_BYTES + 1;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, ' ', length);
    bool ok = buf_append_format(reply, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", length) &&
              buf_append(reply, text, length);
    free(text);
    return ok ? LOOPBACK_CLOSE : LOOPBACK_HANG;
}

static void a_reply_beyond_the_limit_is_given_up_and_unknown(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_33_mib, NULL);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EPROTOCOL);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    assert_non_null(strstr(err.message, "larger than"));
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static enum loopback_next send_endless_headers(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    (void)ctx, (void)number, (void)body;
    bool ok = buf_append_text(reply, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; ok && i < 20000; i++)
        ok = buf_append_text(reply, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    return LOOPBACK_HANG;
}

static void headers_without_end_are_given_up_and_unknown(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_endless_headers, NULL);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EPROTOCOL);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void a_server_that_never_answers_ends_in_unknown_at_the_timeout(void **state)
{
    (void)state;
    struct canned canned = { .next = LOOPBACK_HANG };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), 100);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EUNKNOWN);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    assert_non_null(strstr(err.message, "100 ms"));
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void after_a_fault_the_batches_behind_it_are_unsent(void **state)
{
    (void)state;
    enum { CALLS = RPC_BATCH_MAX_CALLS + 1 };
    static struct rpc_reply replies[CALLS];
    struct canned canned = { .raw = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", .next = LOOPBACK_KEEP };
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_many(rpc, CALLS, replies, &err), BURSAR_EUNKNOWN);
    for (int i = 0; i < RPC_BATCH_MAX_CALLS; i++)
        assert_int_equal(replies[i].outcome, RPC_UNKNOWN);
    assert_int_equal(replies[RPC_BATCH_MAX_CALLS].outcome, RPC_UNSENT);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(canned.requests, 1);
}

static bool cancel_when_asked_again(void *ctx)
{
    unsigned *asked = ctx;
    return (*asked)++ > 2;
}

static void a_cancelled_call_is_given_up_while_waiting(void **state)
{
    (void)state;
    struct canned canned = { .next = LOOPBACK_HANG };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    unsigned asked = 0;
    struct http_rpc *rpc = NULL;
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    assert_int_equal(http_rpc_new(loopback_server_url(server), PATIENT_MS, cancel_when_asked_again, &asked, &rpc, &err),
                     BURSAR_OK);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_ECANCELLED);
    assert_true(reply.outcome == RPC_UNKNOWN || reply.outcome == RPC_UNSENT);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static bool cancelled_from_the_start(void *ctx)
{
    (void)ctx;
    return true;
}

static void a_call_cancelled_before_it_began_is_unsent(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct http_rpc *rpc = NULL;
    struct loopback_server *server = loopback_server_start(echo, &seen);
    assert_int_equal(http_rpc_new(loopback_server_url(server), PATIENT_MS, cancelled_from_the_start, NULL, &rpc, &err),
                     BURSAR_OK);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_ECANCELLED);
    assert_int_equal(reply.outcome, RPC_UNSENT);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(seen.requests, 0);
}

static void a_refused_connection_is_unsent_and_names_the_endpoint(void **state)
{
    (void)state;
    struct canned canned = { .next = LOOPBACK_CLOSE };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    char url[64];
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    (void)snprintf(url, sizeof url, "%s", loopback_server_url(server));
    (void)loopback_server_stop(server);
    struct http_rpc *rpc = connect_to(url, PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EUNREACHABLE);
    assert_int_equal(reply.outcome, RPC_UNSENT);
    assert_non_null(strstr(err.message, url));
    http_rpc_free(rpc);
}

static enum loopback_next answer_once_then_die(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    unsigned *taken = ctx;
    *taken = number + 1;
    if (number > 0)
        return LOOPBACK_DIE;
    answer_echo(body, reply);
    return LOOPBACK_KEEP;
}

/* The trap: curl repeats the request on a fresh connection, and that one is refused. */
static void a_node_that_takes_a_request_and_dies_leaves_the_outcome_unknown(void **state)
{
    (void)state;
    unsigned taken = 0;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(answer_once_then_die, &taken);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    rpc_replies_clear(&reply, 1);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EUNKNOWN);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(taken, 2);
}

static enum loopback_next answer_and_close_silently(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    (void)ctx, (void)number;
    answer_echo(body, reply);
    return LOOPBACK_CLOSE;
}

static void a_kept_alive_connection_that_the_server_closed_is_replaced(void **state)
{
    (void)state;
    struct loopback_server *server = loopback_server_start(answer_and_close_silently, NULL);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    for (int i = 0; i < 3; i++) {
        struct rpc_reply reply;
        struct bursar_error err = { 0 };
        assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
        assert_int_equal(reply.outcome, RPC_RESULT);
        rpc_replies_clear(&reply, 1);
    }
    http_rpc_free(rpc);
    assert_int_equal(loopback_server_stop(server), 3);
}

/* The first request gets an answer to another one, as after a stray response. */
static enum loopback_next answer_out_of_step(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    (void)ctx;
    answer_echo(number == 0 ? "{\"id\":123456789,\"params\":[0]}" : body, reply);
    return LOOPBACK_KEEP;
}

static void a_connection_whose_replies_are_out_of_step_is_not_used_again(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(answer_out_of_step, NULL);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_not_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    rpc_replies_clear(&reply, 1);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_RESULT);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    assert_int_equal(loopback_server_stop(server), 2);
}

static enum loopback_next answer_with_http_500(void *ctx, unsigned number, const char *body, struct buf *reply)
{
    (void)ctx, (void)number;
    struct buf answer = { 0 };
    answer_echo(body, &answer);
    loopback_reply(reply, 500, strstr(answer.data, "\r\n\r\n") + 4);
    buf_free(&answer);
    return LOOPBACK_KEEP;
}

static void a_valid_reply_counts_whatever_its_http_status(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(answer_with_http_500, NULL);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_RESULT);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void the_secrets_in_a_url_never_show(void **state)
{
    (void)state;
    struct canned canned = { .raw = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", .next = LOOPBACK_CLOSE };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    char url[128];
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    (void)snprintf(url, sizeof url, "http://alice:hunter2@%s/v3/APIKEY?token=APIKEY",
                   loopback_server_url(server) + strlen("http://"));
    struct http_rpc *rpc = connect_to(url, PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EUNKNOWN);
    assert_null(strstr(err.message, "hunter2"));
    assert_null(strstr(err.message, "alice"));
    assert_null(strstr(err.message, "APIKEY"));
    assert_null(strstr(reply.message, "APIKEY"));
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void loopback_never_goes_through_a_proxy(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    assert_int_equal(unsetenv("http_proxy"), 0);
}

static void a_url_that_is_no_http_url_is_refused_without_being_repeated(void **state)
{
    (void)state;
    static const char *const urls[] = { "",           "127.0.0.1:8545", "ftp://host/SECRET",  "file:///SECRET",
                                        "http://",    "http://:80/",    "http://[::1/SECRET", "http://h:99999/SECRET",
                                        "ws://SECRET" };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct http_rpc *rpc = NULL;
        struct bursar_error err = { 0 };
        assert_int_equal(http_rpc_new(urls[i], PATIENT_MS, NULL, NULL, &rpc, &err), BURSAR_EINVAL);
        assert_null(rpc);
        assert_null(strstr(err.message, "SECRET"));
    }
}

static enum bursar_status start_many(struct http_rpc *rpc, size_t count, struct bursar_error *err)
{
    struct rpc_request requests[RPC_START_MAX_CALLS + 1];
    struct rpc interface = http_rpc_interface(rpc);
    for (size_t i = 0; i < count; i++)
        requests[i] = (struct rpc_request){ .method = "echo", .params = json_pack("[i]", (int)i) };
    enum bursar_status status = interface.start(interface.ctx, requests, count, err);
    for (size_t i = 0; i < count; i++)
        assert_null(requests[i].params);
    return status;
}

static enum bursar_status finish(struct http_rpc *rpc, struct rpc_reply *ret, struct bursar_error *err)
{
    struct rpc interface = http_rpc_interface(rpc);
    return interface.finish(interface.ctx, ret, err);
}

static void a_request_is_started_now_and_finished_later(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct rpc_reply replies[RPC_START_MAX_CALLS], reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    for (size_t count = 1; count <= RPC_START_MAX_CALLS; count += RPC_START_MAX_CALLS - 1) {
        assert_int_equal(start_many(rpc, count, &err), BURSAR_OK);
        assert_int_equal(start_many(rpc, 1, &err), BURSAR_EINTERNAL); /* one at a time */
        assert_int_equal(call_one(rpc, &reply, &err), BURSAR_EINTERNAL);
        assert_int_equal(reply.outcome, RPC_UNSENT);
        assert_int_equal(finish(rpc, replies, &err), BURSAR_OK);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(json_integer_value(json_array_get(replies[i].result, 0)), i);
        rpc_replies_clear(replies, count);
    }
    assert_int_equal(finish(rpc, replies, &err), BURSAR_EINTERNAL);
    assert_int_equal(start_many(rpc, RPC_START_MAX_CALLS + 1, &err), BURSAR_ELIMIT);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    assert_int_equal(loopback_server_stop(server), 1);
    assert_int_equal(seen.requests, 3);
}

static void a_started_request_that_finds_no_node_is_unsent(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    char url[64];
    struct seen seen = { 0 };
    struct loopback_server *server = loopback_server_start(echo, &seen);
    (void)snprintf(url, sizeof url, "%s", loopback_server_url(server));
    (void)loopback_server_stop(server);
    struct http_rpc *rpc = connect_to(url, PATIENT_MS);
    assert_int_equal(start_many(rpc, 1, &err), BURSAR_OK);
    assert_int_equal(finish(rpc, &reply, &err), BURSAR_EUNREACHABLE);
    assert_int_equal(reply.outcome, RPC_UNSENT);
    http_rpc_free(rpc);
}

static void a_started_request_whose_node_dies_is_unknown(void **state)
{
    (void)state;
    unsigned taken = 0;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(answer_once_then_die, &taken);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    rpc_replies_clear(&reply, 1);
    assert_int_equal(start_many(rpc, 1, &err), BURSAR_OK);
    assert_int_equal(finish(rpc, &reply, &err), BURSAR_EUNKNOWN);
    assert_int_equal(reply.outcome, RPC_UNKNOWN);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static void a_request_under_way_may_be_left_behind(void **state)
{
    (void)state;
    struct canned canned = { .next = LOOPBACK_HANG };
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    assert_int_equal(start_many(rpc, 1, &err), BURSAR_OK);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

static struct rpc_trouble trouble_after(const char *raw, enum loopback_next next)
{
    struct canned canned = { .raw = raw, .next = next };
    struct rpc_reply reply;
    struct rpc_trouble trouble, again;
    struct bursar_error err = { 0 };
    struct loopback_server *server = loopback_server_start(send_canned, &canned);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    struct rpc interface = http_rpc_interface(rpc);
    (void)call_one(rpc, &reply, &err);
    interface.take_trouble(interface.ctx, &trouble);
    interface.take_trouble(interface.ctx, &again);
    assert_false(again.is_transport_fault); /* forgotten when taken */
    assert_int_equal(again.retry_after_ms, 0);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
    return trouble;
}

#define BUSY(status, headers) "HTTP/1.1 " status " Busy\r\n" headers "Content-Length: 0\r\n\r\n"

static void a_node_that_asks_to_be_left_alone_is_heard(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        uint64_t want_ms;
    } cases[] = {
        { BUSY("429", "Retry-After: 7\r\n"), 7000 },
        { BUSY("503", "retry-after: 1\r\n"), 1000 },
        { BUSY("429", ""), 0 },
        { BUSY("429", "Retry-After: soon\r\n"), 0 },
        { BUSY("429", "Retry-After: -5\r\n"), 0 },
        { BUSY("429", "Retry-After: 0\r\n"), 0 },
        { BUSY("429", "Retry-After: 86400\r\n"), RPC_RETRY_AFTER_MAX_MS },
        { BUSY("429", "Retry-After: 99999999999999999999999\r\n"), 0 }, /* no number */
        { BUSY("429", "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n"), RPC_RETRY_AFTER_MAX_MS },
        { BUSY("429", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"), 0 },
        { BUSY("500", "Retry-After: 7\r\n"), 0 },
        { BUSY("200", "Retry-After: 7\r\n"), 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rpc_trouble trouble = trouble_after(cases[i].raw, LOOPBACK_KEEP);
        if (trouble.retry_after_ms != cases[i].want_ms)
            fail_msg("case %zu: %llu ms", i, (unsigned long long)trouble.retry_after_ms);
        assert_true(trouble.is_transport_fault);
    }
}

static void only_what_got_no_usable_reply_is_a_fault_of_the_way(void **state)
{
    (void)state;
    struct seen seen = { 0 };
    struct rpc_reply reply;
    struct rpc_trouble trouble;
    struct bursar_error err = { 0 };
    assert_true(trouble_after(NULL, LOOPBACK_CLOSE).is_transport_fault);
    assert_true(trouble_after("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", LOOPBACK_KEEP).is_transport_fault);
    struct loopback_server *server = loopback_server_start(echo, &seen);
    struct http_rpc *rpc = connect_to(loopback_server_url(server), PATIENT_MS);
    struct rpc interface = http_rpc_interface(rpc);
    assert_int_equal(call_one(rpc, &reply, &err), BURSAR_OK);
    interface.take_trouble(interface.ctx, &trouble);
    assert_false(trouble.is_transport_fault);
    rpc_replies_clear(&reply, 1);
    http_rpc_free(rpc);
    (void)loopback_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_asks_to_be_left_alone_is_heard),
        cmocka_unit_test(only_what_got_no_usable_reply_is_a_fault_of_the_way),
        cmocka_unit_test(many_calls_are_split_into_batches_over_one_connection),
        cmocka_unit_test(a_batch_too_large_for_one_request_is_split_further),
        cmocka_unit_test(a_single_call_too_large_for_a_request_is_unsent),
        cmocka_unit_test(an_http_error_page_leaves_the_outcome_unknown),
        cmocka_unit_test(an_http_error_with_a_json_error_for_all_is_unknown_and_tells_both),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_page_that_is_no_json_leaves_the_outcome_unknown),
        cmocka_unit_test(a_reply_cut_in_the_middle_leaves_the_outcome_unknown),
        cmocka_unit_test(a_connection_closed_without_a_word_leaves_the_outcome_unknown),
        cmocka_unit_test(a_reply_beyond_the_limit_is_given_up_and_unknown),
        cmocka_unit_test(headers_without_end_are_given_up_and_unknown),
        cmocka_unit_test(a_server_that_never_answers_ends_in_unknown_at_the_timeout),
        cmocka_unit_test(after_a_fault_the_batches_behind_it_are_unsent),
        cmocka_unit_test(a_cancelled_call_is_given_up_while_waiting),
        cmocka_unit_test(a_call_cancelled_before_it_began_is_unsent),
        cmocka_unit_test(a_refused_connection_is_unsent_and_names_the_endpoint),
        cmocka_unit_test(a_node_that_takes_a_request_and_dies_leaves_the_outcome_unknown),
        cmocka_unit_test(a_kept_alive_connection_that_the_server_closed_is_replaced),
        cmocka_unit_test(a_connection_whose_replies_are_out_of_step_is_not_used_again),
        cmocka_unit_test(a_valid_reply_counts_whatever_its_http_status),
        cmocka_unit_test(the_secrets_in_a_url_never_show),
        cmocka_unit_test(a_request_is_started_now_and_finished_later),
        cmocka_unit_test(a_started_request_that_finds_no_node_is_unsent),
        cmocka_unit_test(a_started_request_whose_node_dies_is_unknown),
        cmocka_unit_test(a_request_under_way_may_be_left_behind),
        cmocka_unit_test(loopback_never_goes_through_a_proxy),
        cmocka_unit_test(a_url_that_is_no_http_url_is_refused_without_being_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
