/* See sender.h. */
#include "webhook/sender.h"

#include "base/bytes.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_MS 60000

struct slot {
    CURL *easy; /* NULL: free */
    struct curl_slist *headers;
    struct buf body;
    size_t answer_bytes;
    char error[CURL_ERROR_SIZE];
    void *tag;
};

struct sender {
    CURLM *multi;
    struct slot *slots;
    size_t slot_count;
};

static size_t drop_answer(char *bytes, size_t size, size_t count, void *ctx)
{
    struct slot *slot = ctx;
    (void)bytes;
    slot->answer_bytes += size * count;
    return slot->answer_bytes <= SENDER_ANSWER_MAX_BYTES ? size * count : 0;
}

enum bursar_status sender_new(size_t posts_max_count, struct sender **ret, struct bursar_error *err)
{
    struct sender *sender = calloc(1, sizeof *sender);
    struct slot *slots = calloc(posts_max_count, sizeof *slots);
    bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    CURLM *multi = sender && slots && is_ready ? curl_multi_init() : NULL;
    if (!multi) {
        if (is_ready)
            curl_global_cleanup();
        free(slots);
        free(sender);
        return bursar_fail(err, BURSAR_ENOMEM, "can't start libcurl");
    }
    *sender = (struct sender){ .multi = multi, .slots = slots, .slot_count = posts_max_count };
    *ret = sender;
    return BURSAR_OK;
}

static void clear_slot(struct sender *sender, struct slot *slot)
{
    if (!slot->easy)
        return;
    (void)curl_multi_remove_handle(sender->multi, slot->easy);
    curl_easy_cleanup(slot->easy);
    curl_slist_free_all(slot->headers);
    buf_free(&slot->body);
    *slot = (struct slot){ 0 };
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    for (size_t i = 0; i < sender->slot_count; i++)
        clear_slot(sender, &sender->slots[i]);
    (void)curl_multi_cleanup(sender->multi);
    curl_global_cleanup();
    free(sender->slots);
    free(sender);
}

static bool add_header(struct slot *slot, const char *line)
{
    struct curl_slist *longer = curl_slist_append(slot->headers, line);
    if (longer)
        slot->headers = longer;
    return longer != NULL;
}

static bool set_options(struct slot *slot, const struct sender_post *post)
{
    CURL *easy = slot->easy;
    bool ok = add_header(slot, "Content-Type: application/json") && add_header(slot, "Expect:");
    for (size_t i = 0; i < SENDER_HEADERS_MAX_COUNT && post->headers[i] && ok; i++)
        ok = add_header(slot, post->headers[i]);
    ok = ok && buf_append(&slot->body, post->body, post->body_bytes);
    ok = ok && curl_easy_setopt(easy, CURLOPT_URL, post->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK; /* waits for no name to be looked up */
    ok = ok && curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)post->timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "bursar/" BURSAR_VERSION) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, slot->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, slot->body.data) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->body.length_bytes) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_answer) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)slot) == CURLE_OK;
    if (post->ca_file[0])
        ok = ok && curl_easy_setopt(easy, CURLOPT_CAINFO, post->ca_file) == CURLE_OK;
    if (post->is_loopback)
        ok = ok && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    return ok;
}

enum bursar_status sender_post(struct sender *sender, const struct sender_post *post, void *tag,
                               struct bursar_error *err)
{
    struct slot *slot = NULL;
    for (size_t i = 0; i < sender->slot_count && !slot; i++)
        slot = sender->slots[i].easy ? NULL : &sender->slots[i];
    if (!slot)
        return bursar_fail(err, BURSAR_EBUSY, "too many webhook requests at once");
    slot->tag = tag;
    slot->easy = curl_easy_init();
    if (!slot->easy)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    if (!set_options(slot, post) || curl_multi_add_handle(sender->multi, slot->easy) != CURLM_OK) {
        clear_slot(sender, slot);
        return bursar_fail(err, BURSAR_ENOMEM, "libcurl refuses the request: out of memory?");
    }
    return BURSAR_OK;
}

void sender_drop(struct sender *sender, const void *tag)
{
    for (size_t i = 0; i < sender->slot_count; i++) {
        if (sender->slots[i].easy && sender->slots[i].tag == tag)
            clear_slot(sender, &sender->slots[i]);
    }
}

/* An answer that is cut off was an answer: its code is what counts. */
static bool judge(struct slot *slot, CURLcode code, char ret_error[SENDER_ERROR_MAX_BYTES])
{
    long answered = 0;
    bool is_complete = code == CURLE_OK || (code == CURLE_WRITE_ERROR && slot->answer_bytes > SENDER_ANSWER_MAX_BYTES);
    (void)curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &answered);
    ret_error[0] = 0;
    if (is_complete && answered >= 200 && answered < 300)
        return true;
    if (is_complete && answered >= 300 && answered < 400)
        (void)snprintf(ret_error, SENDER_ERROR_MAX_BYTES, "answered %ld: redirects are not followed", answered);
    else if (is_complete)
        (void)snprintf(ret_error, SENDER_ERROR_MAX_BYTES, "answered %ld", answered);
    else
        (void)snprintf(ret_error, SENDER_ERROR_MAX_BYTES, "%.250s",
                       slot->error[0] ? slot->error : curl_easy_strerror(code));
    return false;
}

static void take_ended(struct sender *sender, sender_done *done, void *ctx)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
        struct slot *slot = NULL;
        char error[SENDER_ERROR_MAX_BYTES];
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot) != CURLE_OK || !slot)
            continue;
        bool is_delivered = judge(slot, message->data.result, error);
        void *tag = slot->tag;
        clear_slot(sender, slot);
        done(ctx, tag, is_delivered, error);
    }
}

void sender_work(struct sender *sender, uint64_t wait_ms, sender_done *done, void *ctx)
{
    int running = 0;
    (void)curl_multi_perform(sender->multi, &running);
    take_ended(sender, done, ctx);
    (void)curl_multi_poll(sender->multi, NULL, 0, (int)(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS), NULL);
    (void)curl_multi_perform(sender->multi, &running);
    take_ended(sender, done, ctx);
}

void sender_wake(struct sender *sender)
{
    (void)curl_multi_wakeup(sender->multi);
}
