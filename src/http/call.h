/* What a handler is given, and the ways to answer. A handler runs on a thread of its connection and may wait for a
 * store or a node; it must give up when http_is_stopping says so. */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include "http/route.h"
#include "http/server.h"
#include "service/json_values.h"
#include "store/store.h"

#include <jansson.h>
#include <sys/types.h>

#define HTTP_ANSWER_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define HTTP_HEADERS_MAX_COUNT 4
#define HTTP_HEADER_MAX_BYTES 256

/* An answer that is written while it is sent. */
struct http_stream {
    void *ctx;
    /* Writes up to `capacity` bytes, at least one; 0: the end; -1: broken off. May wait, not longer than until
     * http_is_stopping. */
    ssize_t (*read)(void *ctx, char *ret, size_t capacity);
    void (*free)(void *ctx);
};

struct http_answer {
    unsigned status;
    const char *content_type;            /* NULL: no body */
    const char *content_security_policy; /* NULL: nothing may be loaded */
    const char *cache_control;           /* NULL: not kept anywhere */
    struct buf body;
    struct http_stream stream; /* instead of a body, if it has a `read` */
    size_t header_count;
    struct {
        const char *name;
        char value[HTTP_HEADER_MAX_BYTES];
    } headers[HTTP_HEADERS_MAX_COUNT];
};

struct http_call {
    struct http_server *server;
    const struct http_route *route;
    struct http_parameters parameters;
    void *connection;
    const char *body; /* "" when there is none; followed by a NUL */
    size_t body_bytes;
    char actor[ACTOR_MAX_BYTES]; /* whose token it is, for the event log */
    int64_t token;               /* its ID; 0: it took none */
    unsigned scopes;             /* of that token: bits of http_scope */
    struct http_answer answer;
};

const struct http_settings *http_settings_of(const struct http_call *call);
/* What the configuration says of it now: a reload may change limits at any moment. */
void http_treasury_settings(const struct http_call *call, const struct http_treasury *treasury,
                            struct treasury_settings *ret);
/* Those that there are now, likewise. */
void http_webhooks(const struct http_call *call, struct webhook_list *ret);
/* Value of `?name=`, decoded; NULL when it is not there. */
const char *http_query(const struct http_call *call, const char *name);
/* Value of a header; NULL when it is not there. */
const char *http_header(const struct http_call *call, const char *name);
/* The server is ending: give up. `server` is a struct http_server. */
bool http_is_stopping(void *server);

/* -- answers: each replaces what was answered before -- */
/* A problem of RFC 9457. `code` is a word for programs. */
void http_problem(struct http_call *call, unsigned status, const char *code, const char *format, ...)
    BURSAR_PRINTF(4, 5);
/* The same with further members; takes `members` over, which may be NULL. */
void http_problem_with(struct http_call *call, unsigned status, const char *code, const char *detail, json_t *members);
/* What a failed function means to whoever asked. */
void http_fail(struct http_call *call, const struct bursar_error *err);
/* Takes `document` over; NULL: out of memory. */
void http_json(struct http_call *call, unsigned status, json_t *document);
/* `text` is of `content_type`, and copied. */
void http_text(struct http_call *call, unsigned status, const char *content_type, const char *text);
/* `bytes` are copied. */
void http_bytes(struct http_call *call, unsigned status, const char *content_type, const void *bytes, size_t length);
void http_add_header(struct http_call *call, const char *name, const char *format, ...) BURSAR_PRINTF(3, 4);
/* The words of a status: "Not Found". */
const char *http_phrase(unsigned status);

/* -- store handles: a few, shared by all threads, each used by one at a time -- */
enum http_store_mode {
    HTTP_STORE_READ = 0,
    HTTP_STORE_WRITE = 1,
};
struct http_store; /* a handle that is taken */
/* Waits until one is free, not longer than the request may take (EBUSY). Give it back with http_store_give. */
BURSAR_MUST_CHECK enum bursar_status http_store_take(struct http_call *call, enum http_store_mode mode,
                                                     struct http_store **ret, const struct store **ret_store,
                                                     struct bursar_error *err);
void http_store_give(struct http_call *call, struct http_store *taken); /* NULL is fine */

/* -- streams: a bounded number of them -- */
/* False: there are too many, or the answer is one already; answered 503. */
bool http_stream_slot_take(struct http_call *call);
void http_stream_slot_give(struct http_server *server);

/* -- the table -- */
extern const struct http_route HTTP_ROUTES[];
extern const size_t HTTP_ROUTE_COUNT;

void http_get_healthz(struct http_call *call);
void http_get_readyz(struct http_call *call);
void http_get_metrics(struct http_call *call);
void http_get_openapi(struct http_call *call);
void http_get_dashboard(struct http_call *call);
void http_get_dashboard_file(struct http_call *call);
void http_get_status(struct http_call *call);
void http_list_disbursements(struct http_call *call);
void http_create_disbursements(struct http_call *call);
void http_show_disbursement(struct http_call *call);
void http_cancel_disbursement(struct http_call *call);
void http_retry_disbursement(struct http_call *call);
void http_import_payment_file(struct http_call *call);
void http_get_balance(struct http_call *call);
void http_get_balance_history(struct http_call *call);
void http_get_breaker(struct http_call *call);
void http_set_breaker(struct http_call *call);
void http_get_treasury_events(struct http_call *call);
void http_get_token(struct http_call *call);
void http_get_events(struct http_call *call);
void http_export(struct http_call *call);
void http_get_reconcile(struct http_call *call);
void http_start_reconcile(struct http_call *call);
void http_json_rpc(struct http_call *call);

#endif
