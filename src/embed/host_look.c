/* What the observer says of each transaction that is not final, put into made-up blocks. Without an observer, what the
 * submitter accepted (as stored: a crash forgets nothing) is final at once. */
#include "embed/host_look.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 256
#define INCLUDED_LOOKS 1000 /* a look asks about so many included ones, and the others once these are final; but */
#define INCLUDED_LOOKS_MAX 1024000 /* never about a part of the lowest block, which would never become final */
#define HEIGHT_MAX ((uint64_t)1 << 62)

typedef unsigned long long ull;

static enum bursar_status add_inclusion(struct host_look *look, const struct host_inclusion *inclusion,
                                        struct bursar_error *err)
{
    if (look->count == look->capacity) {
        size_t capacity = look->capacity ? look->capacity * 2 : 64;
        struct host_inclusion *larger = realloc(look->inclusions, capacity * sizeof *larger);
        if (!larger)
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
        look->inclusions = larger;
        look->capacity = capacity;
    }
    look->inclusions[look->count++] = *inclusion;
    return BURSAR_OK;
}

static enum bursar_status read_failed(const char *what, enum bursar_status status, const struct bursar_error *reason,
                                      struct bursar_error *err)
{
    /* EREFUSED would be read as: this chain can't be driven at all. */
    if (bursar_status_remedy(status) != BURSAR_REMEDY_RETRY)
        status = BURSAR_EUNREACHABLE;
    return bursar_fail(err, status, "the observer failed to %s: %.400s", what,
                       *reason->message ? reason->message : "it did not say why");
}

static enum bursar_status ask_head(const struct host_chain_config *config, struct host_look *look,
                                   struct bursar_error *err)
{
    struct bursar_error reason = { 0 };
    struct bursar_chain_head head = { .size = sizeof head };
    if (!config->observer.head) {
        look->head = head;
        return BURSAR_OK;
    }
    if (atomic_load(config->stop))
        return bursar_fail(err, BURSAR_ECANCELLED, "shutting down");
    enum bursar_status status = config->observer.head(config->observer.ctx, &head, &reason);
    if (status != BURSAR_OK)
        return read_failed("show the head", status, &reason, err);
    if (head.height >= HEIGHT_MAX)
        return bursar_fail(err, BURSAR_EPROTOCOL, "the observer's head is at height %llu, which is no height",
                           (ull)head.height);
    look->head = head;
    return BURSAR_OK;
}

/* What the host says of one transaction. */
static enum bursar_status ask(const struct host_chain_config *config, const struct host_look *look,
                              const struct bursar_hash *transaction, struct bursar_sighting *ret,
                              struct bursar_error *err)
{
    struct bursar_error reason = { 0 };
    struct bursar_sighting sighting = { .size = sizeof sighting };
    if (atomic_load(config->stop))
        return bursar_fail(err, BURSAR_ECANCELLED, "shutting down");
    enum bursar_status status = config->observer.look(config->observer.ctx, transaction, &sighting, &reason);
    if (status != BURSAR_OK)
        return read_failed("look for a transaction", status, &reason, err);
    bool is_included = sighting.state >= BURSAR_SIGHTING_INCLUDED;
    if ((unsigned)sighting.state > BURSAR_SIGHTING_FINAL_FAILURE ||
        (is_included && sighting.height > look->head.height)) {
        char text[HASH_TEXT_BYTES];
        hash_to_text(transaction, text);
        return bursar_fail(err, BURSAR_EPROTOCOL,
                           "the observer says of %s: state %d at height %llu, which can't be with the head at %llu",
                           text, (int)sighting.state, (ull)sighting.height, (ull)look->head.height);
    }
    *ret = sighting;
    return BURSAR_OK;
}

static bool was_accepted(const struct flight *flight)
{
    return flight->has_attempt && (flight->verdict == SUBMIT_ACCEPTED || flight->verdict == SUBMIT_KNOWN);
}

static enum bursar_status ask_about_flight(const struct host_chain_config *config, const struct host_look *look,
                                           const struct flight *flight, struct bursar_sighting *ret,
                                           struct bursar_error *err)
{
    *ret = (struct bursar_sighting){ 0 };
    if (!config->observer.look) {
        if (was_accepted(flight))
            *ret = (struct bursar_sighting){ .state = BURSAR_SIGHTING_FINAL_SUCCESS };
        return BURSAR_OK;
    }
    /* Bytes that were never handed over are nowhere. */
    return flight->has_attempt && flight->sends > 0 ? ask(config, look, &flight->hash, ret, err) : BURSAR_OK;
}

static struct host_inclusion inclusion_of(const struct bursar_hash *hash, uint64_t number,
                                          const struct bursar_sighting *sighting)
{
    return (struct host_inclusion){ .hash = *hash,
                                    .number = number,
                                    .is_final = sighting->state >= BURSAR_SIGHTING_FINAL_SUCCESS,
                                    .succeeded = sighting->state == BURSAR_SIGHTING_FINAL_SUCCESS,
                                    .fee = sighting->fee };
}

/* One that is not included as far as the executor knows: newly included ones go into the first block that it has not
 * read yet, or into the block at their height above that. */
static enum bursar_status take_flight(const struct host_chain_config *config, struct host_look *look,
                                      const struct flight *flight, struct bursar_error *err)
{
    struct bursar_sighting sighting;
    enum bursar_status status = ask_about_flight(config, look, flight, &sighting, err);
    if (status != BURSAR_OK)
        return status;
    if (sighting.state < BURSAR_SIGHTING_INCLUDED) {
        bool is_pooled = config->observer.look && sighting.state == BURSAR_SIGHTING_PENDING;
        if (flight->nonce < look->nonce_latest)
            look->nonce_latest = flight->nonce;
        if (!is_pooled && flight->nonce < look->nonce_pending)
            look->nonce_pending = flight->nonce;
        return BURSAR_OK;
    }
    uint64_t number = sighting.height > look->scan_number ? sighting.height : look->scan_number + 1;
    struct host_inclusion inclusion = inclusion_of(&flight->hash, number, &sighting);
    return add_inclusion(look, &inclusion, err);
}

static enum bursar_status take_flights(const struct host_chain_config *config, struct host_look *look,
                                       struct bursar_error *err)
{
    struct flight page[PAGE_ROWS];
    uint64_t from_nonce = 0;
    size_t count;
    do {
        count = 0;
        enum bursar_status status =
            config->store.flights_select(config->store.ctx, config->treasury, from_nonce, PAGE_ROWS, page, &count, err);
        for (size_t i = 0; i < count && status == BURSAR_OK; i++)
            status = take_flight(config, look, &page[i], err);
        if (status != BURSAR_OK)
            return status;
        from_nonce = count ? page[count - 1].nonce + 1 : 0;
    } while (count == PAGE_ROWS);
    return BURSAR_OK;
}

/* What the executor has as included stays in its block for as long as the host still sees it (INV-8). */
static enum bursar_status take_included_page(const struct host_chain_config *config, struct host_look *look,
                                             const struct included_attempt *page, size_t count,
                                             struct bursar_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct bursar_sighting sighting = { .state = BURSAR_SIGHTING_FINAL_SUCCESS };
        uint64_t number = page[i].block.number;
        enum bursar_status status =
            config->observer.look ? ask(config, look, &page[i].hash, &sighting, err) : BURSAR_OK;
        if (status != BURSAR_OK)
            return status;
        if (sighting.state < BURSAR_SIGHTING_INCLUDED) {
            uint64_t below = number ? number - 1 : 0;
            look->fork_number = look->has_fork && look->fork_number < below ? look->fork_number : below;
            look->has_fork = true;
            continue;
        }
        struct host_inclusion inclusion = inclusion_of(&page[i].hash, number, &sighting);
        status = add_inclusion(look, &inclusion, err);
        if (status != BURSAR_OK)
            return status;
    }
    return BURSAR_OK;
}

/* The lowest blocks' included attempts, malloc'd; *ret_unasked_from: the first block that may not be complete. */
static enum bursar_status select_included(const struct host_chain_config *config, struct included_attempt **ret,
                                          size_t *ret_count, uint64_t *ret_unasked_from, struct bursar_error *err)
{
    for (size_t limit = INCLUDED_LOOKS; limit <= INCLUDED_LOOKS_MAX; limit *= 2) {
        struct included_attempt *rows = calloc(limit, sizeof *rows);
        size_t count = 0;
        if (!rows)
            return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
        enum bursar_status status =
            config->store.included_select(config->store.ctx, config->treasury, HEIGHT_MAX, limit, rows, &count, err);
        bool is_all = count < limit;
        if (status != BURSAR_OK || is_all || rows[0].block.number != rows[count - 1].block.number) {
            *ret_unasked_from = is_all ? UINT64_MAX : rows[count - 1].block.number;
            *ret_count = count;
            *ret = rows;
            return status;
        }
        free(rows);
    }
    return bursar_fail(err, BURSAR_ELIMIT, "more than %d transactions lie in one block", INCLUDED_LOOKS_MAX);
}

static enum bursar_status take_included(const struct host_chain_config *config, struct host_look *look,
                                        uint64_t *ret_unasked_from, struct bursar_error *err)
{
    struct included_attempt *rows = NULL;
    size_t count = 0;
    enum bursar_status status = select_included(config, &rows, &count, ret_unasked_from, err);
    if (status == BURSAR_OK)
        status = take_included_page(config, look, rows, count, err);
    free(rows);
    return status;
}

/* By hash: for looking up. */
static int compare_inclusions(const void *a, const void *b)
{
    const struct host_inclusion *left = a, *right = b;
    return memcmp(left->hash.bytes, right->hash.bytes, BURSAR_HASH_BYTES);
}

const struct host_inclusion *host_look_find(const struct host_look *look, const struct bursar_hash *hash)
{
    struct host_inclusion key = { .hash = *hash };
    return look->count ? bsearch(&key, look->inclusions, look->count, sizeof key, compare_inclusions) : NULL;
}

/* Final is everything below the first block with something in it that is not, or that was not asked about. */
static void place_ends(struct host_look *look, bool is_unfinished, uint64_t unasked_from)
{
    uint64_t latest = look->scan_number, first_open = unasked_from;
    for (size_t i = 0; i < look->count; i++) {
        const struct host_inclusion *inclusion = &look->inclusions[i];
        if (inclusion->number > latest)
            latest = inclusion->number;
        if (!inclusion->is_final && inclusion->number < first_open)
            first_open = inclusion->number;
    }
    if (!is_unfinished && look->head.height > latest) /* nothing to read in between: it is skipped in one step */
        latest = look->head.height;
    look->latest_number = look->has_fork ? look->scan_number : latest;
    look->final_number = first_open <= latest && first_open > 0 ? first_open - 1 : latest;
    if (look->has_fork || look->final_number < look->anchor_number)
        look->final_number = look->anchor_number;
}

enum bursar_status host_look_take(const struct host_chain_config *config, struct host_look *look,
                                  struct bursar_error *err)
{
    const struct store *store = &config->store;
    struct treasury treasury;
    struct lane lane;
    uint64_t unasked_from = UINT64_MAX;
    look->count = 0;
    look->has_fork = false;
    enum bursar_status status = store->treasury_get(store->ctx, config->treasury, &treasury, err);
    if (status == BURSAR_OK)
        status = store->lane_read(store->ctx, config->treasury, &lane, err);
    if (status == BURSAR_OK)
        status = ask_head(config, look, err);
    if (status != BURSAR_OK)
        return status;
    look->scan_number = treasury.scan.number;
    look->anchor_number = treasury.anchor.number;
    look->nonce_latest = look->nonce_pending = lane.next_nonce;
    status = take_included(config, look, &unasked_from, err);
    if (status == BURSAR_OK)
        status = take_flights(config, look, err);
    if (status != BURSAR_OK)
        return status;
    place_ends(look, lane.lowest_unfinished_nonce != lane.next_nonce, unasked_from);
    if (look->count)
        qsort(look->inclusions, look->count, sizeof *look->inclusions, compare_inclusions);
    return BURSAR_OK;
}

void host_look_clear(struct host_look *look)
{
    free(look->inclusions);
    *look = (struct host_look){ 0 };
}
