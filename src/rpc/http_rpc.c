/* JSON-RPC over HTTP(S) with libcurl: one request at a time on a kept-alive connection.
 *
 * The question that money hangs on is whether a request that got no reply may have arrived. It is not answered from
 * error codes but from one fact: curl takes the request's body from take_request(), and does so only on a connection
 * that stands. A body that was never taken was certainly not delivered (RPC_UNSENT); anything else may have been. This
 * also holds when curl, by itself, repeats the same bytes on a fresh connection because the server had closed the
 * kept-alive one, and that fresh connection then fails. */
#include "rpc/http_rpc.h"

#include "rpc/http_url.h"
#include "rpc/rpc_codec.h"

#include <curl/curl.h>
#include <stdatomic.h>

#define HEADERS_MAX_BYTES ((size_t)256 * 1024)
/* How often is_cancelled is asked; well under the promised 200 ms. */
#define CANCEL_POLL_MS 50
#define IDLE_POLL_MS 1000
/* Buffers larger than this are given back after a call. */
#define BUFFER_KEEP_BYTES ((size_t)1024 * 1024)

struct http_rpc {
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    char endpoint[HTTP_ENDPOINT_MAX_BYTES]; /* scheme://host:port, for messages */
    uint32_t timeout_ms;
    bool (*is_cancelled)(void *ctx);
    void *cancel_ctx;

    /* The request in hand: */
    struct buf request;
    size_t request_start; /* a single call leaves out the batch's '[' */
    size_t request_taken; /* of what follows request_start */
    bool is_body_taken;   /* curl has had at least one byte of it */
    struct buf reply;
    size_t header_bytes;
    bool is_oversize;
    char curl_message[CURL_ERROR_SIZE];

    struct rpc_trouble trouble; /* not taken yet */
    struct rpc_meter meter;

    /* Between start and finish: */
    bool is_started;
    uint64_t first_id;
    size_t call_count;
};

/* Numbers of calls are unique in the process, so that a late reply can't pass for another's. */
static uint64_t reserve_ids(size_t count)
{
    static _Atomic uint64_t next = 1;
    return atomic_fetch_add(&next, count);
}

static size_t take_request(char *ret, size_t size, size_t count, void *ctx)
{
    struct http_rpc *rpc = ctx;
    size_t left = rpc->request.length_bytes - rpc->request_start - rpc->request_taken;
    size_t take = size * count < left ? size * count : left;
    memcpy(ret, rpc->request.data + rpc->request_start + rpc->request_taken, take);
    rpc->request_taken += take;
    rpc->is_body_taken = true;
    return take;
}

/* curl repeats a request whose kept-alive connection turned out to be closed: the very same bytes. */
static int rewind_request(void *ctx, curl_off_t offset, int origin)
{
    struct http_rpc *rpc = ctx;
    if (origin != SEEK_SET || offset != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    rpc->request_taken = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_rpc *rpc = ctx;
    if (buf_append(&rpc->reply, bytes, size * count))
        return size * count;
    rpc->is_oversize = true;
    return 0;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_rpc *rpc = ctx;
    (void)bytes;
    rpc->header_bytes += size * count;
    if (rpc->header_bytes <= HEADERS_MAX_BYTES)
        return size * count;
    rpc->is_oversize = true;
    return 0;
}

static bool is_cancelled(const struct http_rpc *rpc)
{
    return rpc->is_cancelled && rpc->is_cancelled(rpc->cancel_ctx);
}

static bool set_options(struct http_rpc *rpc, const char *url, bool is_loopback)
{
    CURL *easy = rpc->easy;
    bool ok = true;
    ok = ok && curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)rpc->timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)rpc->timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "bursar/" BURSAR_VERSION) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, rpc->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_READFUNCTION, take_request) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_READDATA, rpc) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_request) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_SEEKDATA, rpc) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEDATA, rpc) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HEADERDATA, rpc) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, rpc->curl_message) == CURLE_OK;
    if (is_loopback)
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    return ok;
}

/* Without "Expect:" curl would ask for permission before a large body. */
static bool add_headers(struct http_rpc *rpc)
{
    static const char *const lines[] = { "Content-Type: application/json", "Accept: application/json", "Expect:" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct curl_slist *longer = curl_slist_append(rpc->headers, lines[i]);
        if (!longer)
            return false;
        rpc->headers = longer;
    }
    return true;
}

enum bursar_status http_rpc_new(const char *url, uint32_t timeout_ms, bool (*cancelled)(void *ctx), void *cancel_ctx,
                                struct http_rpc **ret, struct bursar_error *err)
{
    bool is_loopback = false;
    struct http_rpc *rpc = calloc(1, sizeof *rpc);
    if (!rpc)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    rpc->timeout_ms = timeout_ms;
    rpc->is_cancelled = cancelled;
    rpc->cancel_ctx = cancel_ctx;
    rpc->request.limit_bytes = RPC_REQUEST_MAX_BYTES;
    rpc->reply.limit_bytes = RPC_REPLY_MAX_BYTES;
    enum bursar_status status = http_url_read("an rpc URL", url, rpc->endpoint, &is_loopback, err);
    if (status != BURSAR_OK) {
        free(rpc);
        return status;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(rpc);
        return bursar_fail(err, BURSAR_EINTERNAL, "libcurl can't be initialised");
    }
    rpc->easy = curl_easy_init();
    rpc->multi = curl_multi_init();
    if (!rpc->easy || !rpc->multi || !add_headers(rpc) || !set_options(rpc, url, is_loopback)) {
        http_rpc_free(rpc);
        return bursar_fail(err, BURSAR_EINTERNAL, "libcurl can't be set up (version 7.88 or newer with https?)");
    }
    *ret = rpc;
    return BURSAR_OK;
}

void http_rpc_free(struct http_rpc *rpc)
{
    if (!rpc)
        return;
    if (rpc->is_started)
        (void)curl_multi_remove_handle(rpc->multi, rpc->easy);
    curl_easy_cleanup(rpc->easy);
    curl_multi_cleanup(rpc->multi);
    curl_slist_free_all(rpc->headers);
    buf_free(&rpc->request);
    buf_free(&rpc->reply);
    free(rpc);
    curl_global_cleanup();
}

/* Runs the transfer that is in the multi handle to its end, or until cancelled. */
static CURLcode run_transfer(struct http_rpc *rpc, bool *ret_is_cancelled)
{
    int running = 1;
    while (running) {
        if (is_cancelled(rpc)) {
            *ret_is_cancelled = true;
            /* A name that is being resolved in a thread of curl's must not hold up the end of the program. */
            (void)curl_easy_setopt(rpc->easy, CURLOPT_QUICK_EXIT, 1L);
            return CURLE_ABORTED_BY_CALLBACK;
        }
        if (curl_multi_perform(rpc->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        int wait_ms = rpc->is_cancelled ? CANCEL_POLL_MS : IDLE_POLL_MS;
        if (running && curl_multi_poll(rpc->multi, NULL, 0, wait_ms, NULL) != CURLM_OK)
            return CURLE_FAILED_INIT;
    }
    int queued = 0;
    const CURLMsg *message = curl_multi_info_read(rpc->multi, &queued);
    return message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
}

/* What to say and to do about a transfer that brought no complete reply. */
static enum bursar_status transfer_failed(const struct http_rpc *rpc, CURLcode code, bool was_cancelled,
                                          struct bursar_error *err)
{
    char reason[CURL_ERROR_SIZE];
    const char *text = rpc->curl_message[0] ? rpc->curl_message : curl_easy_strerror(code);
    rpc_text_clean(text, strlen(text), reason, sizeof reason);
    if (was_cancelled)
        return bursar_fail(err, BURSAR_ECANCELLED, "%s: given up on request", rpc->endpoint);
    if (!rpc->is_body_taken)
        return bursar_fail(err, BURSAR_EUNREACHABLE, "%s: %s", rpc->endpoint, reason);
    if (rpc->is_oversize)
        return bursar_fail(err, BURSAR_EPROTOCOL, "%s: the reply is larger than %zu bytes", rpc->endpoint,
                           RPC_REPLY_MAX_BYTES);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return bursar_fail(err, BURSAR_EUNKNOWN, "%s: no complete reply within %u ms", rpc->endpoint,
                           (unsigned)rpc->timeout_ms);
    return bursar_fail(err, BURSAR_EUNKNOWN, "%s: the reply was cut off: %s", rpc->endpoint, reason);
}

/* Puts the request in hand on its way; false when curl won't have it. */
static bool transfer_start(struct http_rpc *rpc)
{
    int running = 0;
    curl_off_t length = (curl_off_t)(rpc->request.length_bytes - rpc->request_start);
    rpc->request_taken = 0;
    rpc->is_body_taken = false;
    rpc->is_oversize = false;
    rpc->header_bytes = 0;
    rpc->curl_message[0] = '\0';
    buf_clear(&rpc->reply);
    if (curl_easy_setopt(rpc->easy, CURLOPT_POSTFIELDSIZE_LARGE, length) != CURLE_OK ||
        curl_easy_setopt(rpc->easy, CURLOPT_QUICK_EXIT, 0L) != CURLE_OK ||
        curl_multi_add_handle(rpc->multi, rpc->easy) != CURLM_OK)
        return false;
    /* On a kept-alive connection this hands all of it to the kernel. A fault shows when the transfer is finished. */
    if (!is_cancelled(rpc))
        (void)curl_multi_perform(rpc->multi, &running);
    return true;
}

/* Collects the reply's body. */
static enum bursar_status transfer_finish(struct http_rpc *rpc, bool is_under_way, long *ret_http_status,
                                          struct bursar_error *err)
{
    bool was_cancelled = false;
    CURLcode code = CURLE_FAILED_INIT;
    if (is_under_way) {
        code = run_transfer(rpc, &was_cancelled);
        (void)curl_multi_remove_handle(rpc->multi, rpc->easy);
    }
    if (code != CURLE_OK)
        return transfer_failed(rpc, code, was_cancelled, err);
    *ret_http_status = 0;
    (void)curl_easy_getinfo(rpc->easy, CURLINFO_RESPONSE_CODE, ret_http_status);
    return BURSAR_OK;
}

/* How long a node that has too much to do wants to be left alone. */
static void note_retry_after(struct http_rpc *rpc, long http_status)
{
    curl_off_t seconds = 0;
    if ((http_status != 429 && http_status != 503) ||
        curl_easy_getinfo(rpc->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
        return;
    uint64_t wait_ms =
        seconds < RPC_RETRY_AFTER_MAX_MS / 1000 ? (uint64_t)seconds * 1000 : (uint64_t)RPC_RETRY_AFTER_MAX_MS;
    if (wait_ms > rpc->trouble.retry_after_ms)
        rpc->trouble.retry_after_ms = wait_ms;
}

/* Writes as many of the calls as one HTTP request may hold, and says how many; 0 when not even one fits. */
static size_t write_request(struct http_rpc *rpc, const struct rpc_request *requests, size_t count, uint64_t first_id)
{
    size_t written = 0;
    buf_clear(&rpc->request);
    if (!buf_append_text(&rpc->request, "["))
        return 0;
    while (written < count && written < RPC_BATCH_MAX_CALLS) {
        size_t before = rpc->request.length_bytes;
        /* The ']' or ',' behind the call has to fit as well. */
        if (!rpc_call_append(&rpc->request, &requests[written], first_id + written) ||
            !buf_append_text(&rpc->request, ",")) {
            rpc->request.length_bytes = before;
            break;
        }
        written++;
    }
    if (written == 0)
        return 0;
    if (written == 1)
        rpc->request.length_bytes--;
    else
        rpc->request.data[rpc->request.length_bytes - 1] = ']';
    rpc->request_start = written == 1 ? 1 : 0;
    return written;
}

/* What came over this connection does not answer what was asked, so neither may what comes next: a stray response would
 * put every later one out of step. The next request gets a connection of its own. */
static void drop_connections(struct http_rpc *rpc)
{
    CURLM *fresh = curl_multi_init(); /* connections belong to the multi handle */
    if (!fresh)
        return;
    curl_multi_cleanup(rpc->multi);
    rpc->multi = fresh;
}

/* The replies to the request that was put on its way. */
static enum bursar_status collect_replies(struct http_rpc *rpc, bool is_under_way, uint64_t first_id, size_t count,
                                          struct rpc_reply *ret, struct bursar_error *err)
{
    long http_status = 0;
    struct bursar_error reason = { 0 };
    enum bursar_status status = transfer_finish(rpc, is_under_way, &http_status, err);
    if (status != BURSAR_OK) {
        rpc_replies_fill(ret, count, rpc->is_body_taken ? RPC_UNKNOWN : RPC_UNSENT, err->message);
        return status;
    }
    note_retry_after(rpc, http_status);
    if (rpc->reply.data)
        rpc->reply.length_bytes = rpc_reply_shorten(rpc->reply.data, rpc->reply.length_bytes);
    status = rpc_replies_read(rpc->reply.data ? rpc->reply.data : "", rpc->reply.length_bytes, first_id, count, ret,
                              &reason);
    if (status == BURSAR_OK)
        return BURSAR_OK;
    drop_connections(rpc);
    /* An HTTP error proves nothing: a gateway may have passed the request on before it failed. */
    if (http_status == 200)
        return bursar_fail(err, status, "%s: %s", rpc->endpoint, reason.message);
    (void)bursar_fail(err, BURSAR_EUNKNOWN, "%s: HTTP %ld%s: %s", rpc->endpoint, http_status,
                      http_status >= 300 && http_status < 400 ? " (redirects are not followed)" : "", reason.message);
    for (size_t i = 0; i < count; i++) {
        if (ret[i].outcome == RPC_UNKNOWN)
            rpc_replies_fill(&ret[i], 1, RPC_UNKNOWN, err->message);
    }
    return BURSAR_EUNKNOWN;
}

/* From the start of the transfer until its end was seen. */
static uint64_t took_us(const struct http_rpc *rpc)
{
    curl_off_t us = 0;
    (void)curl_easy_getinfo(rpc->easy, CURLINFO_TOTAL_TIME_T, &us);
    return us > 0 ? (uint64_t)us : 0;
}

static enum bursar_status collect(struct http_rpc *rpc, bool is_under_way, uint64_t first_id, size_t count,
                                  struct rpc_reply *ret, struct bursar_error *err)
{
    enum bursar_status status = collect_replies(rpc, is_under_way, first_id, count, ret, err);
    if (status != BURSAR_OK && status != BURSAR_ECANCELLED)
        rpc->trouble.is_transport_fault = true;
    if (rpc->meter.took && status != BURSAR_ECANCELLED)
        rpc->meter.took(rpc->meter.ctx, took_us(rpc), status);
    return status;
}

static void give_back_large(struct buf *buf)
{
    if (buf->capacity_bytes > BUFFER_KEEP_BYTES)
        buf_free(buf);
}

static void release_params(struct rpc_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(requests[i].params);
        requests[i].params = NULL;
    }
}

static enum bursar_status too_large(const struct http_rpc *rpc, struct bursar_error *err)
{
    return bursar_fail(err, BURSAR_ELIMIT, "a request to %s is larger than %zu bytes or out of memory", rpc->endpoint,
                       RPC_REQUEST_MAX_BYTES);
}

static enum bursar_status start(void *ctx, struct rpc_request *requests, size_t count, struct bursar_error *err)
{
    struct http_rpc *rpc = ctx;
    enum bursar_status status = BURSAR_OK;
    uint64_t first_id = reserve_ids(count);
    if (rpc->is_started)
        status = bursar_fail(err, BURSAR_EINTERNAL, "%s: a request is under way already", rpc->endpoint);
    else if (count == 0 || count > RPC_BATCH_MAX_CALLS)
        status = bursar_fail(err, BURSAR_ELIMIT, "%zu calls in one request, at most %d are allowed", count,
                             RPC_BATCH_MAX_CALLS);
    else if (write_request(rpc, requests, count, first_id) != count)
        status = too_large(rpc, err);
    else if (!transfer_start(rpc))
        status = bursar_fail(err, BURSAR_EINTERNAL, "%s: libcurl does not take a request", rpc->endpoint);
    if (status == BURSAR_OK) {
        rpc->is_started = true;
        rpc->first_id = first_id;
        rpc->call_count = count;
    }
    release_params(requests, count);
    return status;
}

static enum bursar_status finish(void *ctx, struct rpc_reply *ret, struct bursar_error *err)
{
    struct http_rpc *rpc = ctx;
    struct bursar_error reason = { 0 };
    if (!rpc->is_started)
        return bursar_fail(err, BURSAR_EINTERNAL, "%s: no request is under way", rpc->endpoint);
    rpc->is_started = false;
    enum bursar_status status = collect(rpc, true, rpc->first_id, rpc->call_count, ret, &reason);
    give_back_large(&rpc->request);
    give_back_large(&rpc->reply);
    return status == BURSAR_OK ? BURSAR_OK : bursar_fail(err, status, "%s", reason.message);
}

static enum bursar_status call(void *ctx, struct rpc_request *requests, size_t count, struct rpc_reply *ret,
                               struct bursar_error *err)
{
    struct http_rpc *rpc = ctx;
    enum bursar_status status = BURSAR_OK;
    struct bursar_error reason = { 0 };
    size_t done = 0;
    if (rpc->is_started)
        status = bursar_fail(&reason, BURSAR_EINTERNAL, "%s: a request is under way already", rpc->endpoint);
    while (done < count && status == BURSAR_OK) {
        size_t most = count - done < RPC_BATCH_MAX_CALLS ? count - done : RPC_BATCH_MAX_CALLS;
        uint64_t first_id = reserve_ids(most);
        size_t sent = write_request(rpc, requests + done, most, first_id);
        if (sent == 0) {
            status = too_large(rpc, &reason);
        } else {
            status = collect(rpc, transfer_start(rpc), first_id, sent, ret + done, &reason);
            done += sent;
        }
    }
    /* After a fault nothing more is sent: it would meet the same fault, and later calls may build on earlier ones. */
    if (status != BURSAR_OK && done < count)
        rpc_replies_fill(ret + done, count - done, RPC_UNSENT, reason.message);
    release_params(requests, count);
    give_back_large(&rpc->request);
    give_back_large(&rpc->reply);
    return status == BURSAR_OK ? BURSAR_OK : bursar_fail(err, status, "%s", reason.message);
}

static void take_trouble(void *ctx, struct rpc_trouble *ret)
{
    struct http_rpc *rpc = ctx;
    *ret = rpc->trouble;
    rpc->trouble = (struct rpc_trouble){ 0 };
}

struct rpc http_rpc_interface(struct http_rpc *rpc)
{
    return (struct rpc){ .ctx = rpc, .call = call, .start = start, .finish = finish, .take_trouble = take_trouble };
}

void http_rpc_set_meter(struct http_rpc *rpc, struct rpc_meter meter)
{
    rpc->meter = meter;
}

const char *http_rpc_endpoint(const struct http_rpc *rpc)
{
    return rpc->endpoint;
}
