/* What the API's handlers share: which treasury a request is about, with a store handle; and the operations that REST
 * and JSON-RPC have in common. */
#ifndef HTTP_API_H
#define HTTP_API_H

#include "http/parts.h"
#include "service/listing.h"

/* One operation on one treasury. */
struct api {
    struct http_call *call;
    const struct http_treasury *treasury;
    struct treasury_settings settings; /* as they were when this began */
    struct http_store *taken;
    const struct store *store;
    struct situation situation;
};
/* `name` NULL: the only treasury. EUSAGE: say which; ENOTFOUND: there is none with this name. Close also after a
 * failure. */
BURSAR_MUST_CHECK enum bursar_status api_open(struct api *api, struct http_call *call, const char *name,
                                              enum http_store_mode mode, struct bursar_error *err);
void api_close(struct api *api);
/* As api_open, with ?treasury=; answers what is wrong and returns false. */
bool api_begin(struct api *api, struct http_call *call, enum http_store_mode mode);
/* Closes, and answers `status`, or 200 with `document`, which is taken over. */
void api_end(struct api *api, enum bursar_status status, struct bursar_error *err, json_t *document);

/* Is every parameter of the query one of `allowed` (or treasury)? Else answers 400: what is misspelt must not be left
 * out. */
bool api_check_query(struct http_call *call, const char *allowed);
/* A number in the query, `fallback` when it is not there; false: answered 400. */
bool api_query_number(struct http_call *call, const char *name, uint64_t fallback, uint64_t minimum, uint64_t maximum,
                      uint64_t *ret);
/* true or false in the query, false when it is not there; false: answered 400. */
bool api_query_flag(struct http_call *call, const char *name, bool *ret);
/* The body, a JSON object; NULL: answered 400. */
json_t *api_body(struct http_call *call);
/* A string member of the body, or NULL with `err`: EINVAL. */
const char *api_text(const json_t *body, const char *name, struct bursar_error *err);

/* -- operations -- */
#define API_LIST_DEFAULT_COUNT 50
#define API_LIST_MAX_COUNT 1000

/* "12" or "ref:REF". */
BURSAR_MUST_CHECK enum bursar_status api_find(const struct api *api, const char *id_text, int64_t *ret,
                                              struct bursar_error *err);
BURSAR_MUST_CHECK enum bursar_status api_show(const struct api *api, const char *id_text, json_t **ret,
                                              struct bursar_error *err);

/* What creating came to: rows that are bad are told in `errors`, and then nothing was added. */
struct api_created {
    uint64_t added;
    uint64_t existing;
    json_t *ids;
    json_t *errors;   /* [{"index","field","message"}]; NULL: none */
    bool is_conflict; /* all of them are refs stored with other content */
};
/* `rows`: an array of objects with the columns of a payment file. All new ones are added, or none. Free what is in
 * *ret, also after a failure. */
BURSAR_MUST_CHECK enum bursar_status api_create(const struct api *api, const json_t *rows, bool dry_run,
                                                struct api_created *ret, struct bursar_error *err);
void api_created_clear(struct api_created *created);

typedef enum bursar_status api_decision(const struct store *store, int64_t treasury, int64_t id,
                                        const struct decision *decision, const char **ret_done,
                                        struct bursar_error *err);
/* *ret: the disbursement as it is now, and "done", what was done. */
BURSAR_MUST_CHECK enum bursar_status api_decide(struct api *api, const char *id_text, const char *reason,
                                                api_decision *decide, json_t **ret, struct bursar_error *err);

#endif
