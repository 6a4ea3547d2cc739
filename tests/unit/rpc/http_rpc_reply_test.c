/* What is made of replies, and of what is none: pages, cuts, floods, silence, and a plea to be left alone. */
#include "http_rpc_fixture.h"

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
        cmocka_unit_test(an_http_error_page_leaves_the_outcome_unknown),
        cmocka_unit_test(an_http_error_with_a_json_error_for_all_is_unknown_and_tells_both),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_page_that_is_no_json_leaves_the_outcome_unknown),
        cmocka_unit_test(a_reply_cut_in_the_middle_leaves_the_outcome_unknown),
        cmocka_unit_test(a_connection_closed_without_a_word_leaves_the_outcome_unknown),
        cmocka_unit_test(a_reply_beyond_the_limit_is_given_up_and_unknown),
        cmocka_unit_test(headers_without_end_are_given_up_and_unknown),
        cmocka_unit_test(a_server_that_never_answers_ends_in_unknown_at_the_timeout),
        cmocka_unit_test(a_valid_reply_counts_whatever_its_http_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
