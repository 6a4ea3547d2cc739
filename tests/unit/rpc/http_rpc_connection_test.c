/* The way to a node: its URL, its connections refused, lost, kept and out of step, and calls cancelled on it. */
#include "http_rpc_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancelled_call_is_given_up_while_waiting),
        cmocka_unit_test(a_call_cancelled_before_it_began_is_unsent),
        cmocka_unit_test(a_refused_connection_is_unsent_and_names_the_endpoint),
        cmocka_unit_test(a_node_that_takes_a_request_and_dies_leaves_the_outcome_unknown),
        cmocka_unit_test(a_kept_alive_connection_that_the_server_closed_is_replaced),
        cmocka_unit_test(a_connection_whose_replies_are_out_of_step_is_not_used_again),
        cmocka_unit_test(the_secrets_in_a_url_never_show),
        cmocka_unit_test(loopback_never_goes_through_a_proxy),
        cmocka_unit_test(a_url_that_is_no_http_url_is_refused_without_being_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
