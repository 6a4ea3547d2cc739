/* JSON-RPC 2.0 as text. What a node sends is not trusted: an answer counts only when it names the call it answers,
 * once, and holds exactly one of a result and an error. Everything else leaves the call's outcome unknown (INV-5). */
#include "rpc/rpc_codec.h"

#include <inttypes.h>

struct dump {
    struct buf *out;
    bool failed;
};

/* What has failed once stays failed: jansson goes on behind an object's key whatever this returns. */
static int append_json(const char *bytes, size_t length_bytes, void *ctx)
{
    struct dump *dump = ctx;
    dump->failed = dump->failed || !buf_append(dump->out, bytes, length_bytes);
    return dump->failed ? -1 : 0;
}

/* A text with nothing in it to escape. */
static bool is_plain(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] == 0x7f || text[i] == '"' || text[i] == '\\')
            return false;
    }
    return text != NULL;
}

static bool are_plain(const json_t *params)
{
    size_t count = json_array_size(params), plain = 0;
    while (plain < count && is_plain(json_array_get(params, plain)))
        plain++;
    return count > 0 && plain == count;
}

/* Signed bytes and hashes are copied as they are: jansson would look at them character by character. */
static bool append_plain(struct buf *out, const json_t *params)
{
    size_t index;
    const json_t *text;
    json_array_foreach(params, index, text)
    {
        if (!buf_append_text(out, index ? ",\"" : "[\"") ||
            !buf_append(out, json_string_value(text), json_string_length(text)) || !buf_append_text(out, "\""))
            return false;
    }
    return buf_append_text(out, "]");
}

static bool append_params(struct buf *out, const json_t *params)
{
    struct dump dump = { .out = out };
    if (are_plain(params))
        return append_plain(out, params);
    return json_dump_callback(params, append_json, &dump, JSON_COMPACT) == 0 && !dump.failed;
}

bool rpc_call_append(struct buf *out, const struct rpc_request *request, uint64_t id)
{
    size_t before = out->length_bytes;
    if (buf_append_format(out, "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"%s\",\"params\":", id,
                          request->method) &&
        append_params(out, request->params) && buf_append_text(out, "}"))
        return true;
    out->length_bytes = before;
    if (out->data)
        out->data[before] = '\0';
    return false;
}

void rpc_replies_fill(struct rpc_reply *ret, size_t count, enum rpc_outcome outcome, const char *message)
{
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct rpc_reply){ .outcome = outcome };
        rpc_text_clean(message, strlen(message), ret[i].message, sizeof ret[i].message);
    }
}

/* How many bytes the UTF-8 character at its first byte takes. */
static size_t utf8_length(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

void rpc_text_clean(const char *text, size_t length_bytes, char *ret, size_t ret_bytes)
{
    bool is_utf8 = utf8_is_valid(text, length_bytes);
    size_t out = 0;
    for (size_t in = 0; in < length_bytes;) {
        unsigned char c = (unsigned char)text[in];
        size_t length = is_utf8 ? utf8_length(c) : 1;
        if (out + length + 1 > ret_bytes)
            break;
        /* C0, DEL, and the C1 controls U+0080-U+009F, which some terminals obey. */
        bool is_control = c < 0x20 || c == 0x7f || (is_utf8 && c == 0xc2 && (unsigned char)text[in + 1] < 0xa0);
        if (is_control) {
            ret[out++] = ' ';
        } else if (c >= 0x80 && !is_utf8) {
            ret[out++] = '?';
        } else {
            memcpy(ret + out, text + in, length);
            out += length;
        }
        in += length;
    }
    ret[out] = '\0';
}

static void read_error_object(const json_t *error, struct rpc_reply *ret)
{
    json_t *data = json_object_get(error, "data");
    const json_t *message = json_object_get(error, "message");
    const json_t *code = json_object_get(error, "code");
    ret->code = json_is_integer(code) ? (long long)json_integer_value(code) : 0;
    if (json_is_string(message))
        rpc_text_clean(json_string_value(message), json_string_length(message), ret->message, sizeof ret->message);
    ret->data = json_is_string(data) ? json_incref(data) : NULL;
}

/* The member, with JSON null counted as absent: JSON-RPC 1 servers send both members and null one of them. */
static json_t *member(const json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);
    return json_is_null(value) ? NULL : value;
}

/* An error that answers no call in particular, e.g. "too many requests" for the batch: says why, decides nothing. */
static enum bursar_status fail_whole(const json_t *document, struct bursar_error *err)
{
    struct rpc_reply reply = { 0 };
    const json_t *error = member(document, "error");
    if (!json_is_object(error))
        return bursar_fail(err, BURSAR_EPROTOCOL, "the reply is not a JSON-RPC reply to this request");
    read_error_object(error, &reply);
    json_decref(reply.data);
    return bursar_fail(err, BURSAR_EPROTOCOL, "the node answered the request as a whole with an error: %s (%lld)",
                       reply.message, reply.code);
}

/* False when the answer can't be relied on. */
static bool read_answer(json_t *answer, struct rpc_reply *ret)
{
    json_t *result = json_object_get(answer, "result");
    const json_t *error = member(answer, "error");
    if (error) {
        if (!json_is_object(error) || member(answer, "result"))
            return false;
        *ret = (struct rpc_reply){ .outcome = RPC_ERROR };
        read_error_object(error, ret);
        return true;
    }
    if (!result)
        return false;
    *ret = (struct rpc_reply){ .outcome = RPC_RESULT, .result = json_incref(result) };
    return true;
}

/* Which call an answer is for; `count` when for none of ours. */
static size_t answered_call(const json_t *answer, uint64_t first_id, size_t count)
{
    const json_t *id = json_object_get(answer, "id");
    if (!json_is_integer(id) || json_integer_value(id) < 0)
        return count;
    uint64_t number = (uint64_t)json_integer_value(id);
    if (number < first_id || number - first_id >= count)
        return count;
    return (size_t)(number - first_id);
}

/* Not one of rpc_outcome: no answer has named this call yet. */
#define NOT_ANSWERED 0

static void read_answers(const json_t *answers, uint64_t first_id, size_t count, struct rpc_reply *ret)
{
    size_t index;
    json_t *answer;
    json_array_foreach(answers, index, answer)
    {
        size_t call = answered_call(answer, first_id, count);
        if (call == count)
            continue;
        if ((int)ret[call].outcome != NOT_ANSWERED) {
            /* Answered twice is not answered: which of the two would be right? */
            rpc_replies_clear(&ret[call], 1);
            rpc_replies_fill(&ret[call], 1, RPC_UNKNOWN, "the node gave more than one answer to this call");
        } else if (!read_answer(answer, &ret[call])) {
            rpc_replies_fill(&ret[call], 1, RPC_UNKNOWN, "the node's answer has no usable result or error");
        }
    }
    for (size_t i = 0; i < count; i++) {
        if ((int)ret[i].outcome == NOT_ANSWERED)
            rpc_replies_fill(&ret[i], 1, RPC_UNKNOWN, "the node did not answer this call");
    }
}

static enum bursar_status check_complete(const struct rpc_reply *replies, size_t count, struct bursar_error *err)
{
    size_t missing = 0;
    const char *first_reason = NULL;
    for (size_t i = 0; i < count; i++) {
        if (replies[i].outcome != RPC_UNKNOWN)
            continue;
        missing++;
        if (!first_reason)
            first_reason = replies[i].message;
    }
    if (missing == 0)
        return BURSAR_OK;
    return bursar_fail(err, BURSAR_EPROTOCOL, "%zu of %zu calls got no usable answer: %s", missing, count,
                       first_reason);
}

/* Most of the text of a receipt, and much of a block's, are the 512 digits of its Bloom filter, which nobody here asks
 * for: jansson would look at them one by one. Only what is nothing but digits is cut, so that a reply which was no JSON
 * stays none. */
size_t rpc_reply_shorten(char *body, size_t length_bytes)
{
    static const char member[] = "\"logsBloom\":\"0x";
    const char *from = body, *end = body + length_bytes, *found;
    char *to = body;
    while ((found = memmem(from, (size_t)(end - from), member, sizeof member - 1))) {
        const char *digits = found + sizeof member - 1;
        const char *behind = digits + strspn(digits, "0123456789abcdefABCDEF");
        size_t kept = (size_t)((*behind == '"' ? digits : behind) - from);
        memmove(to, from, kept);
        to += kept;
        from = behind;
    }
    memmove(to, from, (size_t)(end - from));
    to += end - from;
    *to = '\0';
    return (size_t)(to - body);
}

/* Asked before parsing, which would allocate for each of them: all values but the first are introduced by one of these
 * characters. Inside of texts they count as well; real answers hardly have any there. */
static bool has_too_many_values(const char *body, size_t length_bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < length_bytes; i++)
        count += body[i] == ',' || body[i] == '[' || body[i] == '{';
    return count > RPC_REPLY_MAX_VALUES;
}

enum bursar_status rpc_replies_read(const char *body, size_t length_bytes, uint64_t first_id, size_t count,
                                    struct rpc_reply *ret, struct bursar_error *err)
{
    enum bursar_status status;
    struct bursar_error reason = { 0 };
    if (has_too_many_values(body, length_bytes)) {
        (void)bursar_fail(&reason, BURSAR_EPROTOCOL, "the reply has more than %zu values", RPC_REPLY_MAX_VALUES);
        rpc_replies_fill(ret, count, RPC_UNKNOWN, reason.message);
        return bursar_fail(err, BURSAR_EPROTOCOL, "%s", reason.message);
    }
    memset(ret, 0, count * sizeof *ret);
    /* NULs are allowed here and refused where a value is read: one odd message must not cost the whole batch. */
    json_t *document = json_loadb(body, length_bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (count == 1 && json_is_object(document) && answered_call(document, first_id, 1) == 0) {
        if (!read_answer(document, &ret[0]))
            rpc_replies_fill(ret, 1, RPC_UNKNOWN, "the node's answer has no usable result or error");
        status = check_complete(ret, 1, &reason);
    } else if (count > 1 && json_is_array(document)) {
        read_answers(document, first_id, count, ret);
        status = check_complete(ret, count, &reason);
    } else {
        status =
            document ? fail_whole(document, &reason) : bursar_fail(&reason, BURSAR_EPROTOCOL, "the reply is not JSON");
        rpc_replies_fill(ret, count, RPC_UNKNOWN, reason.message);
    }
    json_decref(document);
    if (status != BURSAR_OK)
        return bursar_fail(err, status, "%s", reason.message);
    return BURSAR_OK;
}
