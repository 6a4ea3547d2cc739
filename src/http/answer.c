/* Answers as handlers make them: documents, texts, and problems. */
#include "http/parts.h"
#include "service/json_values.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <string.h>

void answer_clear(struct http_answer *answer)
{
    buf_free(&answer->body);
    if (answer->stream.free)
        answer->stream.free(answer->stream.ctx);
    *answer = (struct http_answer){ 0 };
}

const char *http_phrase(unsigned status)
{
    const char *phrase = MHD_get_reason_phrase_for(status);
    return phrase ? phrase : "Unknown";
}

void http_text(struct http_call *call, unsigned status, const char *content_type, const char *text)
{
    answer_clear(&call->answer);
    call->answer.status = status;
    call->answer.content_type = content_type;
    call->answer.body.limit_bytes = HTTP_ANSWER_MAX_BYTES;
    if (!buf_append_text(&call->answer.body, text))
        call->answer.status = 500; /* and no body: there is no memory for one */
}

void http_bytes(struct http_call *call, unsigned status, const char *content_type, const void *bytes, size_t length)
{
    http_text(call, status, content_type, "");
    if (!buf_append(&call->answer.body, bytes, length))
        call->answer.status = 500;
}

static void answer_json(struct http_call *call, unsigned status, const char *content_type, json_t *document)
{
    char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    http_text(call, text ? status : 500, content_type, text ? text : "{\"status\":500,\"title\":\"out of memory\"}");
    free(text);
}

void http_json(struct http_call *call, unsigned status, json_t *document)
{
    answer_json(call, status, "application/json", document);
}

void http_problem_with(struct http_call *call, unsigned status, const char *code, const char *detail, json_t *members)
{
    json_t *document = json_pack("{s:s,s:s,s:i,s:s,s:o}", "type", "about:blank", "title", http_phrase(status), "status",
                                 (int)status, "code", code, "detail", output_json_text(detail));
    if (document && members)
        (void)json_object_update(document, members);
    json_decref(members);
    answer_json(call, status, "application/problem+json", document);
}

void http_problem(struct http_call *call, unsigned status, const char *code, const char *format, ...)
{
    char detail[BURSAR_ERROR_MESSAGE_MAX_BYTES * 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    http_problem_with(call, status, code, detail, NULL);
}

/* What a status is over HTTP, and the word for programs. */
static unsigned http_status_of(enum bursar_status status, const char **ret_code)
{
    switch (status) {
    case BURSAR_EUSAGE:
    case BURSAR_EINVAL:
    case BURSAR_ELIMIT:
        *ret_code = "invalid";
        return 400;
    case BURSAR_ENOTFOUND:
        *ret_code = "not_found";
        return 404;
    case BURSAR_EREFUSED:
        *ret_code = "refused";
        return 409;
    case BURSAR_EEXIST:
    case BURSAR_ECONFLICT:
        *ret_code = "conflict";
        return 409;
    case BURSAR_ESTALE:
        *ret_code = "changed_meanwhile";
        return 409;
    case BURSAR_EBUSY:
    case BURSAR_ECANCELLED:
    case BURSAR_ENOMEM:
        *ret_code = "busy";
        return 503;
    case BURSAR_EUNREACHABLE:
    case BURSAR_EUNKNOWN:
    case BURSAR_EPROTOCOL:
        *ret_code = "node_not_reachable";
        return 502;
    case BURSAR_OK:
    case BURSAR_EINTERNAL:
    case BURSAR_ESTORAGE:
    case BURSAR_EFENCED:
    case BURSAR_EEQUIVOCATION:
        break;
    }
    *ret_code = "internal";
    return 500;
}

void http_fail(struct http_call *call, const struct bursar_error *err)
{
    const char *code;
    unsigned status = http_status_of(err->status, &code);
    http_problem(call, status, code, "%s", err->message[0] ? err->message : bursar_status_text(err->status));
    if (status == 503)
        http_add_header(call, "Retry-After", "1");
}

void http_add_header(struct http_call *call, const char *name, const char *format, ...)
{
    struct http_answer *answer = &call->answer;
    if (answer->header_count == HTTP_HEADERS_MAX_COUNT)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(answer->headers[answer->header_count].value, HTTP_HEADER_MAX_BYTES, format, args);
    va_end(args);
    answer->headers[answer->header_count++].name = name;
}
