/* Many calls in few requests, and calls that no request can hold. */
#include "http_rpc_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_are_split_into_batches_over_one_connection),
        cmocka_unit_test(a_batch_too_large_for_one_request_is_split_further),
        cmocka_unit_test(a_single_call_too_large_for_a_request_is_unsent),
        cmocka_unit_test(after_a_fault_the_batches_behind_it_are_unsent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
