/* Disbursements that somebody looks for, by texts such as a query has them, page by page, as JSON. */
#ifndef SERVICE_LISTING_H
#define SERVICE_LISTING_H

#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "store/store.h"

#include <jansson.h>

/* Value of a parameter; NULL: not given. Valid as long as the filter is used. */
typedef const char *parameter_getter(void *ctx, const char *name);

/* The parameters there are, separated by spaces. */
#define LISTING_PARAMETERS                                                                                             \
    "state destination ref_prefix min_amount max_amount epoch created_from created_to changed_from changed_to order "  \
    "cursor limit"

struct listing_limits {
    size_t limit_default;
    size_t limit_max;
    bool newest_first; /* unless `order` says otherwise */
};

/* EINVAL names the parameter and what is allowed. */
BURSAR_MUST_CHECK enum bursar_status listing_parse(parameter_getter *get, void *ctx,
                                                   const struct listing_limits *limits, struct search_filter *ret,
                                                   struct bursar_error *err);
/* {"items":[...],"next":cursor|null}: a page may be shorter than asked for, and have a next one all the same. */
BURSAR_MUST_CHECK enum bursar_status listing_read(const struct store *store, const struct situation *situation,
                                                  const struct asset_names *names, const struct search_filter *filter,
                                                  json_t **ret, struct bursar_error *err);

#endif
