/* /v1/events: the event log, as server-sent events that go on where the last connection ended, or page by page.
 *
 * A stream looks for new events a few times a second, and each time whether its token is still good: with a revoked one
 * it ends. It ends after a while in any case, so that no connection is held forever by one that is gone; whoever
 * listens comes back with Last-Event-ID. */
#include "http/api.h"

#include "service/story.h"

#include <string.h>
#include <time.h>

#define EVENTS_PAGE_ROWS 100
#define EVENTS_PAGE_MAX_ROWS 1000
#define LOOK_MS 200
#define NAP_MS 50
#define HEARTBEAT_MS 15000
#define STREAM_MAX_MS UINT64_C(600000)

static const char *treasury_name(const struct http_settings *settings, int64_t id)
{
    for (size_t i = 0; i < settings->treasury_count; i++) {
        if (settings->treasuries[i].id == id)
            return settings->treasuries[i].name;
    }
    return NULL;
}

/* Events of the treasuries that are served, or of one of them. */
struct reading {
    const struct http_settings *settings;
    int64_t treasury; /* 0: all */
    uint64_t last_seq;
    size_t rows;
    json_t *items;   /* either: */
    struct buf *out; /* or as server-sent events */
};

static bool append_event(struct reading *reading, const struct event_record *event, const char *name)
{
    json_t *item = story_log_json(event, name);
    char *text = item ? json_dumps(item, JSON_COMPACT) : NULL; /* one line: JSON has no line feed in it */
    const char *cause = lifecycle_cause_name(event->cause);
    bool good = text &&
                buf_append_format(reading->out, "id: %llu\nevent: %s\ndata: ", (unsigned long long)event->seq,
                                  cause ? cause : "unknown") &&
                buf_append_text(reading->out, text) && buf_append_text(reading->out, "\n\n");
    free(text);
    json_decref(item);
    return good;
}

static enum bursar_status take_event(void *ctx, const struct event_record *event)
{
    struct reading *reading = ctx;
    const char *name = treasury_name(reading->settings, event->treasury);
    reading->rows++;
    reading->last_seq = event->seq;
    if (!name || (reading->treasury != 0 && event->treasury != reading->treasury))
        return BURSAR_OK;
    if (reading->items)
        return json_array_append_new(reading->items, story_log_json(event, name)) == 0 ? BURSAR_OK : BURSAR_ENOMEM;
    return append_event(reading, event, name) ? BURSAR_OK : BURSAR_ENOMEM;
}

static enum bursar_status read_events(struct http_call *call, struct reading *reading, size_t limit,
                                      struct bursar_error *err)
{
    struct http_store *taken = NULL;
    const struct store *store;
    enum bursar_status status = http_store_take(call, HTTP_STORE_READ, &taken, &store, err);
    if (status == BURSAR_OK)
        status = store->events(store->ctx, reading->last_seq, limit, take_event, reading, err);
    http_store_give(call, taken);
    return status;
}

struct event_stream {
    struct http_call *call;
    int64_t treasury;
    uint64_t last_seq;
    uint64_t started_ms, said_ms; /* monotonic */
    struct buf pending;
    size_t sent_bytes;
};

static uint64_t now_ms(const struct event_stream *stream)
{
    const struct clock *clock = &http_settings_of(stream->call)->clock;
    return clock->monotonic_ms(clock->ctx);
}

/* EREFUSED: the token is not good any more. While that can't be told, no event is. */
static enum bursar_status look(struct event_stream *stream)
{
    struct bursar_error err = { 0 };
    struct reading reading = { .settings = http_settings_of(stream->call),
                               .treasury = stream->treasury,
                               .last_seq = stream->last_seq,
                               .out = &stream->pending };
    buf_clear(&stream->pending);
    stream->sent_bytes = 0;
    enum bursar_status status = access_still_allows(stream->call, &err);
    if (status == BURSAR_OK)
        status = read_events(stream->call, &reading, EVENTS_PAGE_ROWS, &err);
    stream->last_seq = reading.last_seq;
    if (status != BURSAR_OK)
        return status == BURSAR_EBUSY ? BURSAR_OK : status;
    bool is_quiet = stream->pending.length_bytes == 0 && now_ms(stream) - stream->said_ms >= HEARTBEAT_MS;
    return !is_quiet || buf_append_text(&stream->pending, ": still here\n\n") ? BURSAR_OK : BURSAR_ENOMEM;
}

static void nap(const struct event_stream *stream)
{
    struct timespec wait = { .tv_nsec = NAP_MS * 1000000L };
    for (int i = 0; i < LOOK_MS / NAP_MS && !http_is_stopping(stream->call->server); i++)
        (void)nanosleep(&wait, NULL);
}

static ssize_t read_stream(void *ctx, char *ret, size_t capacity)
{
    struct event_stream *stream = ctx;
    bool is_first = true;
    while (stream->sent_bytes == stream->pending.length_bytes) {
        if (!is_first)
            nap(stream);
        is_first = false;
        if (http_is_stopping(stream->call->server) || now_ms(stream) - stream->started_ms > STREAM_MAX_MS)
            return 0;
        enum bursar_status status = look(stream);
        if (status != BURSAR_OK)
            return status == BURSAR_EREFUSED ? 0 : -1;
    }
    size_t left = stream->pending.length_bytes - stream->sent_bytes;
    size_t length = left < capacity ? left : capacity;
    memcpy(ret, stream->pending.data + stream->sent_bytes, length);
    stream->sent_bytes += length;
    stream->said_ms = now_ms(stream);
    return (ssize_t)length;
}

static void free_stream(void *ctx)
{
    struct event_stream *stream = ctx;
    http_stream_slot_give(stream->call->server);
    buf_free(&stream->pending);
    free(stream);
}

/* Where to go on: behind Last-Event-ID, else behind ?after=, else at what comes from now on. */
static bool starting_point(struct http_call *call, struct api *api, uint64_t *ret)
{
    struct bursar_error err = { 0 };
    const char *last = http_header(call, "Last-Event-ID");
    if (last && !u64_from_text(last, strlen(last), 0, INT64_MAX, ret)) {
        http_problem(call, 400, "invalid", "Last-Event-ID: must be the id of an event");
        return false;
    }
    if (last)
        return true;
    if (http_query(call, "after"))
        return api_query_number(call, "after", 0, 0, INT64_MAX, ret);
    enum bursar_status status = http_store_take(call, HTTP_STORE_READ, &api->taken, &api->store, &err);
    if (status == BURSAR_OK)
        status = api->store->event_newest(api->store->ctx, ret, &err);
    if (status != BURSAR_OK) {
        api_end(api, status, &err, NULL);
        return false;
    }
    api_close(api);
    return true;
}

static bool wanted_treasury(struct http_call *call, int64_t *ret)
{
    struct api api;
    *ret = 0;
    if (!http_query(call, "treasury"))
        return true;
    if (!api_begin(&api, call, HTTP_STORE_READ))
        return false;
    *ret = api.treasury->id;
    api_close(&api);
    return true;
}

static void start_stream(struct http_call *call, int64_t treasury)
{
    struct api api = { .call = call };
    uint64_t last_seq = 0;
    if (!starting_point(call, &api, &last_seq))
        return;
    struct event_stream *stream = http_stream_slot_take(call) ? calloc(1, sizeof *stream) : NULL;
    if (!stream)
        return;
    *stream = (struct event_stream){ .call = call, .treasury = treasury, .last_seq = last_seq };
    stream->started_ms = stream->said_ms = now_ms(stream);
    bool good = buf_append_text(&stream->pending, "retry: 2000\n\n"); /* and the head is sent at once */
    call->answer.status = 200;
    call->answer.content_type = "text/event-stream";
    call->answer.stream = (struct http_stream){ stream, read_stream, free_stream };
    if (!good)
        http_problem(call, 503, "busy", "out of memory");
}

static void answer_page(struct http_call *call, int64_t treasury)
{
    struct reading reading = { .settings = http_settings_of(call), .treasury = treasury };
    struct bursar_error err = { 0 };
    uint64_t limit;
    if (!api_query_number(call, "after", 0, 0, INT64_MAX, &reading.last_seq) ||
        !api_query_number(call, "limit", EVENTS_PAGE_ROWS, 1, EVENTS_PAGE_MAX_ROWS, &limit))
        return;
    reading.items = json_array();
    enum bursar_status status = read_events(call, &reading, (size_t)limit, &err);
    json_t *next = reading.rows == limit ? json_integer((json_int_t)reading.last_seq) : json_null();
    json_t *document = json_pack("{s:o,s:o}", "items", reading.items, "next", next);
    struct api none = { .call = call };
    api_end(&none, status, &err, document);
}

void http_get_events(struct http_call *call)
{
    int64_t treasury;
    const char *accept = http_header(call, "Accept");
    if (!api_check_query(call, "after limit") || !wanted_treasury(call, &treasury))
        return;
    if (accept && strstr(accept, "text/event-stream"))
        start_stream(call, treasury);
    else
        answer_page(call, treasury);
}
