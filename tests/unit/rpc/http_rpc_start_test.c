/* A request that is started now and finished later. */
#include "http_rpc_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_started_now_and_finished_later),
        cmocka_unit_test(a_started_request_that_finds_no_node_is_unsent),
        cmocka_unit_test(a_started_request_whose_node_dies_is_unknown),
        cmocka_unit_test(a_request_under_way_may_be_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
