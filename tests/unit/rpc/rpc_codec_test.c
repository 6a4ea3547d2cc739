/* JSON-RPC as text: what is sent, and which answers count. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "rpc/rpc_codec.h"

#define MAX_CALLS 4

static enum bursar_status read_text(const char *body, size_t count, struct rpc_reply *replies, struct bursar_error *err)
{
    return rpc_replies_read(body, strlen(body), 10, count, replies, err);
}

static void a_call_is_written_as_compact_json(void **state)
{
    (void)state;
    struct buf out = { 0 };
    struct rpc_request request = { .method = "eth_getBalance", .params = json_pack("[ss]", "0xab", "latest") };
    assert_true(rpc_call_append(&out, &request, 7));
    assert_string_equal(
        out.data, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_getBalance\",\"params\":[\"0xab\",\"latest\"]}");
    json_decref(request.params);
    buf_free(&out);
}

/* However they are written: what is read from it is what was meant. */
static void params_are_read_as_they_were_meant(void **state)
{
    (void)state;
    static const char *const params[] = { "[]",
                                          "[\"\"]",
                                          "[\"0xab\",\"latest\"]",
                                          "[\"\\u007f ~\"]",
                                          "[\"0xab\",\"a \\\"quoted\\\" text\"]",
                                          "[\"back\\\\slash\"]",
                                          "[\"two\\nlines\",\"\\u0000\"]",
                                          "[\"\xc3\xa9\"]",
                                          "[\"0xab\",true]",
                                          "[{\"to\":\"0xab\"},\"latest\"]",
                                          "[[\"0xab\"]]" };
    for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
        struct buf out = { 0 };
        struct rpc_request request = { .method = "m", .params = json_loads(params[i], JSON_ALLOW_NUL, NULL) };
        assert_non_null(request.params);
        assert_true(rpc_call_append(&out, &request, 7));
        json_t *call = json_loadb(out.data, out.length_bytes, JSON_ALLOW_NUL, NULL);
        assert_non_null(call);
        assert_true(json_equal(json_object_get(call, "params"), request.params));
        json_decref(call);
        json_decref(request.params);
        buf_free(&out);
    }
}

static void a_call_that_does_not_fit_leaves_the_text_as_it_was(void **state)
{
    (void)state;
    struct buf out = { .limit_bytes = 60 };
    struct rpc_request request = { .method = "eth_getBalance", .params = json_pack("[ss]", "0xab", "latest") };
    assert_true(buf_append_text(&out, "["));
    assert_false(rpc_call_append(&out, &request, 7));
    assert_string_equal(out.data, "[");
    assert_int_equal(out.length_bytes, 1);
    json_decref(request.params);
    buf_free(&out);
}

static void answers_in_any_order_reach_their_calls(void **state)
{
    (void)state;
    struct rpc_reply replies[MAX_CALLS];
    struct bursar_error err = { 0 };
    const char *body = "[{\"jsonrpc\":\"2.0\",\"id\":12,\"result\":\"c\"},"
                       "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":\"a\"},"
                       "{\"jsonrpc\":\"2.0\",\"id\":11,\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}}]";
    assert_int_equal(read_text(body, 3, replies, &err), BURSAR_OK);
    assert_int_equal(replies[0].outcome, RPC_RESULT);
    assert_string_equal(json_string_value(replies[0].result), "a");
    assert_int_equal(replies[1].outcome, RPC_ERROR);
    assert_int_equal(replies[1].code, -32000);
    assert_string_equal(replies[1].message, "nonce too low");
    assert_null(replies[1].result);
    assert_string_equal(json_string_value(replies[2].result), "c");
    rpc_replies_clear(replies, 3);
}

static void a_null_result_is_a_result(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("{\"id\":10,\"result\":null}", 1, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_RESULT);
    assert_true(json_is_null(reply.result));
    rpc_replies_clear(&reply, 1);
}

static void a_call_without_an_answer_is_unknown_and_its_neighbours_keep_theirs(void **state)
{
    (void)state;
    struct rpc_reply replies[MAX_CALLS];
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("[{\"id\":10,\"result\":1},{\"id\":12,\"result\":3}]", 3, replies, &err),
                     BURSAR_EPROTOCOL);
    assert_int_equal(replies[0].outcome, RPC_RESULT);
    assert_int_equal(replies[1].outcome, RPC_UNKNOWN);
    assert_int_equal(replies[2].outcome, RPC_RESULT);
    assert_non_null(strstr(err.message, "1 of 3"));
    rpc_replies_clear(replies, 3);
}

static void a_call_answered_twice_is_unknown_even_when_answered_a_third_time(void **state)
{
    (void)state;
    struct rpc_reply replies[MAX_CALLS];
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("[{\"id\":10,\"result\":1},{\"id\":10,\"result\":2},{\"id\":11,\"result\":3},"
                               "{\"id\":10,\"result\":1}]",
                               2, replies, &err),
                     BURSAR_EPROTOCOL);
    assert_int_equal(replies[0].outcome, RPC_UNKNOWN);
    assert_null(replies[0].result);
    assert_int_equal(replies[1].outcome, RPC_RESULT);
    rpc_replies_clear(replies, 2);
}

static void an_unusable_answer_followed_by_a_good_one_for_the_same_call_is_unknown(void **state)
{
    (void)state;
    struct rpc_reply replies[MAX_CALLS];
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("[{\"id\":10},{\"id\":10,\"result\":2},{\"id\":11,\"result\":3}]", 2, replies, &err),
                     BURSAR_EPROTOCOL);
    assert_int_equal(replies[0].outcome, RPC_UNKNOWN);
    rpc_replies_clear(replies, 2);
}

static void answers_to_calls_of_others_are_ignored(void **state)
{
    (void)state;
    struct rpc_reply guarded[MAX_CALLS] = { 0 }, *replies = guarded + 1; /* nothing is written beside the two */
    struct bursar_error err = { 0 };
    const char *body = "[{\"id\":9,\"result\":9},{\"id\":\"10\",\"result\":9},{\"id\":null,\"result\":9},7,"
                       "{\"id\":-10,\"result\":9},{\"id\":10.0,\"result\":9},{\"id\":12,\"result\":9},"
                       "{\"id\":10,\"result\":1},{\"id\":11,\"result\":2}]";
    assert_int_equal(read_text(body, 2, replies, &err), BURSAR_OK);
    assert_int_equal(json_integer_value(replies[0].result), 1);
    assert_int_equal(json_integer_value(replies[1].result), 2);
    assert_int_equal(guarded[0].outcome, 0);
    assert_int_equal(guarded[3].outcome, 0);
    rpc_replies_clear(replies, 2);
}

static void an_answer_with_both_or_neither_of_result_and_error_is_unknown(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"id\":10}",
        "{\"id\":10,\"error\":null}",
        "{\"id\":10,\"error\":\"busy\"}",
        "{\"id\":10,\"result\":\"0x1\",\"error\":{\"code\":1,\"message\":\"x\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct rpc_reply reply;
        struct bursar_error err = { 0 };
        assert_int_equal(read_text(bodies[i], 1, &reply, &err), BURSAR_EPROTOCOL);
        assert_int_equal(reply.outcome, RPC_UNKNOWN);
        assert_null(reply.result);
    }
}

static void members_that_old_servers_null_count_as_absent(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("{\"id\":10,\"result\":\"0x1\",\"error\":null}", 1, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_RESULT);
    rpc_replies_clear(&reply, 1);
    assert_int_equal(read_text("{\"id\":10,\"result\":null,\"error\":{\"code\":3}}", 1, &reply, &err), BURSAR_OK);
    assert_int_equal(reply.outcome, RPC_ERROR);
    assert_int_equal(reply.code, 3);
}

static void an_error_for_the_whole_batch_decides_no_call_and_is_told(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 2; count++) {
        struct rpc_reply replies[MAX_CALLS];
        struct bursar_error err = { 0 };
        const char *body = "{\"id\":null,\"error\":{\"code\":-32005,\"message\":\"too many requests\"}}";
        assert_int_equal(read_text(body, count, replies, &err), BURSAR_EPROTOCOL);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(replies[i].outcome, RPC_UNKNOWN);
            assert_non_null(strstr(replies[i].message, "too many requests"));
        }
        assert_non_null(strstr(err.message, "too many requests (-32005)"));
    }
}

static void what_is_not_a_json_rpc_reply_decides_nothing(void **state)
{
    (void)state;
    static const char *const bodies[] = { "",
                                          "<html>502</html>",
                                          "null",
                                          "7",
                                          "{}",
                                          "[]",
                                          "{\"id\":10,\"result\":1",
                                          "[{\"id\":10,\"result\":1}",
                                          "{\"id\":10,\"id\":10,\"result\":1}",
                                          "{\"id\":10,\"result\":1} {\"id\":10,\"result\":2}" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (size_t count = 1; count <= 2; count++) {
            struct rpc_reply replies[MAX_CALLS];
            struct bursar_error err = { 0 };
            assert_int_equal(read_text(bodies[i], count, replies, &err), BURSAR_EPROTOCOL);
            assert_true(strlen(err.message) > 0);
            for (size_t call = 0; call < count; call++)
                assert_int_equal(replies[call].outcome, RPC_UNKNOWN);
        }
    }
}

static void a_single_object_does_not_answer_a_batch_nor_an_array_a_single_call(void **state)
{
    (void)state;
    struct rpc_reply replies[MAX_CALLS];
    struct bursar_error err = { 0 };
    assert_int_equal(read_text("{\"id\":10,\"result\":1}", 2, replies, &err), BURSAR_EPROTOCOL);
    assert_int_equal(replies[0].outcome, RPC_UNKNOWN);
    assert_int_equal(read_text("[{\"id\":10,\"result\":1}]", 1, replies, &err), BURSAR_EPROTOCOL);
    assert_int_equal(replies[0].outcome, RPC_UNKNOWN);
}

static void a_message_with_control_characters_can_not_play_tricks_on_a_terminal(void **state)
{
    (void)state;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    const char *body =
        "{\"id\":10,\"error\":{\"code\":1,\"message\":\"a\\u0000b\\u001b[2J\\nc\\u009bd\\u007f\xc3\xa9\"}}";
    assert_int_equal(read_text(body, 1, &reply, &err), BURSAR_OK);
    assert_string_equal(reply.message, "a b [2J c d \xc3\xa9");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    (void)state;
    char text[7];
    rpc_text_clean("ab\xe2\x82\xac\xe2\x82\xac", 8, text, sizeof text);
    assert_string_equal(text, "ab\xe2\x82\xac");
    rpc_text_clean("abcdefgh", 8, text, sizeof text);
    assert_string_equal(text, "abcdef");
}

static void bytes_that_are_not_utf8_become_question_marks(void **state)
{
    (void)state;
    char text[16];
    rpc_text_clean("a\xff\xe2", 3, text, sizeof text);
    assert_string_equal(text, "a??");
}

/* The answer to call 10, with `count` zeros in an array. */
static void write_zeros(struct buf *body, size_t count)
{
    assert_true(buf_append_text(body, "{\"jsonrpc\":\"2.0\",\"id\":10,\"result\":["));
    for (size_t i = 0; i < count; i++)
        assert_true(buf_append_text(body, i == 0 ? "0" : ",0"));
    assert_true(buf_append_text(body, "]}"));
}

/* What is cut is the Bloom filter's digits, and nothing else. */
static void a_reply_says_the_same_without_what_nobody_asks_for(void **state)
{
    (void)state;
    static const struct {
        const char *body, *expected;
    } cases[] = {
        { "", "" },
        { "{\"a\":\"0x00\"}", "{\"a\":\"0x00\"}" },
        { "{\"logsBloom\":\"0x00fF\",\"status\":\"0x1\"}", "{\"logsBloom\":\"0x\",\"status\":\"0x1\"}" },
        { "[{\"logsBloom\":\"0x00\",\"a\":1},{\"b\":2,\"logsBloom\":\"0x11\"}]",
          "[{\"logsBloom\":\"0x\",\"a\":1},{\"b\":2,\"logsBloom\":\"0x\"}]" },
        { "{\"logsBloom\":\"0x\"}", "{\"logsBloom\":\"0x\"}" },
        { "{\"logsBloom\":null,\"a\":\"logsBloom\"}", "{\"logsBloom\":null,\"a\":\"logsBloom\"}" },
        /* Not JSON before, nor after. */
        { "{\"logsBloom\":\"0x00", "{\"logsBloom\":\"0x00" },
        { "{\"logsBloom\":\"0x", "{\"logsBloom\":\"0x" },
        { "{\"logsBloom\":\"0x00\n\"}", "{\"logsBloom\":\"0x00\n\"}" },
        /* A quotation mark behind a backslash ends no text. */
        { "{\"logsBloom\":\"0x00\\\"11\"}", "{\"logsBloom\":\"0x00\\\"11\"}" },
        { "{\"a\":\"\\\"logsBloom\\\":\\\"0x00\\\"\"}", "{\"a\":\"\\\"logsBloom\\\":\\\"0x00\\\"\"}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[128];
        (void)snprintf(body, sizeof body, "%s", cases[i].body);
        assert_int_equal(rpc_reply_shorten(body, strlen(body)), strlen(cases[i].expected));
        assert_string_equal(body, cases[i].expected);
    }
}

static void a_reply_with_a_nul_is_cut_to_its_end(void **state)
{
    (void)state;
    char body[] = "{\"a\":\"\0\",\"logsBloom\":\"0x00\",\"b\":1}";
    static const char expected[] = "{\"a\":\"\0\",\"logsBloom\":\"0x\",\"b\":1}";
    assert_int_equal(rpc_reply_shorten(body, sizeof body - 1), sizeof expected - 1);
    assert_memory_equal(body, expected, sizeof expected);
}

static void a_reply_of_more_values_than_are_allowed_is_unknown_for_every_call(void **state)
{
    (void)state;
    struct rpc_reply replies[2];
    struct bursar_error err = { 0 };
    struct buf body = { .limit_bytes = (size_t)4 * 1024 * 1024 };
    write_zeros(&body, RPC_REPLY_MAX_VALUES);
    assert_int_equal(rpc_replies_read(body.data, body.length_bytes, 10, 2, replies, &err), BURSAR_EPROTOCOL);
    assert_non_null(strstr(err.message, "more than 524288 values"));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(replies[i].outcome, RPC_UNKNOWN);
        assert_string_equal(replies[i].message, err.message);
    }
    buf_free(&body);
}

static void a_reply_of_just_as_many_values_as_are_allowed_is_read(void **state)
{
    (void)state;
    /* Beside the elements: the reply's first member and two more, and the array itself begins with its first. */
    const size_t most = RPC_REPLY_MAX_VALUES - 3;
    struct rpc_reply reply;
    struct bursar_error err = { 0 };
    struct buf body = { .limit_bytes = (size_t)4 * 1024 * 1024 };
    write_zeros(&body, most);
    assert_int_equal(rpc_replies_read(body.data, body.length_bytes, 10, 1, &reply, &err), BURSAR_OK);
    assert_int_equal(json_array_size(reply.result), most);
    rpc_replies_clear(&reply, 1);
    buf_clear(&body);
    write_zeros(&body, most + 1);
    assert_int_equal(rpc_replies_read(body.data, body.length_bytes, 10, 1, &reply, &err), BURSAR_EPROTOCOL);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_written_as_compact_json),
        cmocka_unit_test(params_are_read_as_they_were_meant),
        cmocka_unit_test(a_call_that_does_not_fit_leaves_the_text_as_it_was),
        cmocka_unit_test(answers_in_any_order_reach_their_calls),
        cmocka_unit_test(a_null_result_is_a_result),
        cmocka_unit_test(a_call_without_an_answer_is_unknown_and_its_neighbours_keep_theirs),
        cmocka_unit_test(a_call_answered_twice_is_unknown_even_when_answered_a_third_time),
        cmocka_unit_test(an_unusable_answer_followed_by_a_good_one_for_the_same_call_is_unknown),
        cmocka_unit_test(answers_to_calls_of_others_are_ignored),
        cmocka_unit_test(an_answer_with_both_or_neither_of_result_and_error_is_unknown),
        cmocka_unit_test(members_that_old_servers_null_count_as_absent),
        cmocka_unit_test(an_error_for_the_whole_batch_decides_no_call_and_is_told),
        cmocka_unit_test(what_is_not_a_json_rpc_reply_decides_nothing),
        cmocka_unit_test(a_single_object_does_not_answer_a_batch_nor_an_array_a_single_call),
        cmocka_unit_test(a_message_with_control_characters_can_not_play_tricks_on_a_terminal),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(bytes_that_are_not_utf8_become_question_marks),
        cmocka_unit_test(a_reply_says_the_same_without_what_nobody_asks_for),
        cmocka_unit_test(a_reply_with_a_nul_is_cut_to_its_end),
        cmocka_unit_test(a_reply_of_more_values_than_are_allowed_is_unknown_for_every_call),
        cmocka_unit_test(a_reply_of_just_as_many_values_as_are_allowed_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
