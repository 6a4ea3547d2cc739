/* See listing.h. */
#include "service/listing.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/time.h"
#include "eth/address.h"
#include "service/shown.h"

#include <string.h>

struct parsing {
    parameter_getter *get;
    void *ctx;
    struct bursar_error *err;
    enum bursar_status status;
};

/* The value of a parameter that is still to be read; NULL: not given, or something was wrong before. */
static const char *next(struct parsing *parsing, const char *name)
{
    return parsing->status == BURSAR_OK ? parsing->get(parsing->ctx, name) : NULL;
}

static void refuse(struct parsing *parsing, const char *name, const char *value, const char *allowed)
{
    parsing->status = bursar_fail(parsing->err, BURSAR_EINVAL, "%s '%.100s': must be %s", name, value, allowed);
}

static bool take_number(struct parsing *parsing, const char *name, uint64_t minimum, uint64_t maximum, uint64_t *ret)
{
    char allowed[64];
    const char *value = next(parsing, name);
    if (!value)
        return false;
    if (u64_from_text(value, strlen(value), minimum, maximum, ret))
        return true;
    (void)snprintf(allowed, sizeof allowed, "a number from %llu to %llu", (unsigned long long)minimum,
                   (unsigned long long)maximum);
    refuse(parsing, name, value, allowed);
    return false;
}

/* A time is a second long: "to" includes all of it. */
static void take_time(struct parsing *parsing, const char *name, bool is_end, uint64_t *ret_ms)
{
    uint64_t seconds;
    const char *value = next(parsing, name);
    if (!value)
        return;
    if (rfc3339_to_seconds(value, strlen(value), &seconds))
        *ret_ms = seconds * 1000 + (is_end ? 999 : 0);
    else
        refuse(parsing, name, value, "a time with its zone such as 2026-01-31T12:00:00Z");
    if (parsing->status == BURSAR_OK && *ret_ms == 0)
        *ret_ms = 1;
}

static bool take_amount(struct parsing *parsing, const char *name, struct bursar_amount *ret)
{
    const char *value = next(parsing, name);
    if (!value)
        return false;
    if (bursar_amount_from_units(value, strlen(value), 0, ret, NULL) == BURSAR_OK)
        return true;
    refuse(parsing, name, value, "an amount in base units (wei)");
    return false;
}

static void take_state(struct parsing *parsing, struct search_filter *ret)
{
    enum disbursement_state state;
    const char *value = next(parsing, "state");
    if (!value)
        return;
    if (state_from_name(value, &state))
        ret->state = (int)state;
    else
        refuse(parsing, "state", value,
               "draft, voting, queued, staged, executed, finalized, cancelled, failed or rolled_back");
}

static void take_destination(struct parsing *parsing, struct search_filter *ret)
{
    const char *value = next(parsing, "destination");
    if (!value)
        return;
    if (address_from_text(value, strlen(value), &ret->destination, NULL) == BURSAR_OK)
        ret->has_destination = true;
    else
        refuse(parsing, "destination", value, "an address: 0x and 40 hex digits");
}

static void take_prefix(struct parsing *parsing, struct search_filter *ret)
{
    const char *value = next(parsing, "ref_prefix");
    if (value && (strlen(value) > REF_MAX_BYTES || !utf8_is_valid(value, strlen(value))))
        refuse(parsing, "ref_prefix", "...", "the start of a ref: up to 128 bytes");
    else if (value && *value)
        ret->ref_prefix = value;
}

static void take_order(struct parsing *parsing, struct search_filter *ret)
{
    const char *value = next(parsing, "order");
    if (!value)
        return;
    ret->newest_first = strcmp(value, "desc") == 0;
    if (!ret->newest_first && strcmp(value, "asc") != 0)
        refuse(parsing, "order", value, "asc or desc");
}

enum bursar_status listing_parse(parameter_getter *get, void *ctx, const struct listing_limits *limits,
                                 struct search_filter *ret, struct bursar_error *err)
{
    struct parsing parsing = { .get = get, .ctx = ctx, .err = err };
    struct search_filter filter = { .limit = limits->limit_default, .newest_first = limits->newest_first };
    uint64_t number = 0;
    take_state(&parsing, &filter);
    take_destination(&parsing, &filter);
    take_prefix(&parsing, &filter);
    filter.has_min_amount = take_amount(&parsing, "min_amount", &filter.min_amount);
    filter.has_max_amount = take_amount(&parsing, "max_amount", &filter.max_amount);
    filter.has_epoch = take_number(&parsing, "epoch", 0, INT64_MAX, &filter.epoch);
    take_time(&parsing, "created_from", false, &filter.created_from_ms);
    take_time(&parsing, "created_to", true, &filter.created_to_ms);
    take_time(&parsing, "changed_from", false, &filter.changed_from_ms);
    take_time(&parsing, "changed_to", true, &filter.changed_to_ms);
    take_order(&parsing, &filter);
    if (take_number(&parsing, "cursor", 1, INT64_MAX, &number))
        filter.cursor = (int64_t)number;
    if (take_number(&parsing, "limit", 1, limits->limit_max, &number))
        filter.limit = (size_t)number;
    if (parsing.status == BURSAR_OK)
        *ret = filter;
    return parsing.status;
}

/* One row more than asked for is read: it tells whether there is a next page. */
struct listing {
    const struct situation *situation;
    const struct asset_names *names;
    size_t limit;
    size_t count;
    int64_t last_id;
    json_t *items;
};

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct listing *listing = ctx;
    if (listing->count++ == listing->limit)
        return BURSAR_OK;
    listing->last_id = record->id;
    return json_array_append_new(listing->items, shown_json(record, listing->situation, listing->names)) == 0
               ? BURSAR_OK
               : BURSAR_ENOMEM;
}

enum bursar_status listing_read(const struct store *store, const struct situation *situation,
                                const struct asset_names *names, const struct search_filter *filter, json_t **ret,
                                struct bursar_error *err)
{
    struct listing listing = { .situation = situation, .names = names, .limit = filter->limit, .items = json_array() };
    struct search_filter wanted = *filter;
    int64_t next_cursor = 0;
    wanted.limit++;
    enum bursar_status status =
        store->search(store->ctx, situation->treasury.id, &wanted, take_record, &listing, &next_cursor, err);
    if (status != BURSAR_OK) {
        json_decref(listing.items);
        return status;
    }
    if (listing.count > listing.limit)
        next_cursor = listing.last_id;
    *ret = json_pack("{s:o,s:o}", "items", listing.items, "next",
                     next_cursor > 0 ? json_integer((json_int_t)next_cursor) : json_null());
    return *ret ? BURSAR_OK : bursar_fail(err, BURSAR_ENOMEM, "out of memory");
}
