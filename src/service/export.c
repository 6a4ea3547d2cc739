/* See export.h. */
#include "service/export.h"

#include "service/shown.h"
#include "service/statement.h"

#define PAGE_ROWS 200

struct page {
    struct export_cursor *cursor;
    const struct situation *situation;
    const struct asset_names *names;
    struct buf *out;
    size_t rows;
};

static int append_dumped(const char *bytes, size_t length, void *ctx)
{
    return buf_append(ctx, bytes, length) ? 0 : -1;
}

static bool append_item(struct page *page, const struct disbursement_record *record)
{
    json_t *item = shown_json(record, page->situation, page->names);
    bool good = item && (!page->cursor->has_item || buf_append_text(page->out, ",\n")) &&
                json_dump_callback(item, append_dumped, page->out, JSON_COMPACT) == 0;
    page->cursor->has_item = true;
    json_decref(item);
    return good;
}

static enum bursar_status take_record(void *ctx, const struct disbursement_record *record)
{
    struct page *page = ctx;
    bool good = page->cursor->format == EXPORT_JSON ? append_item(page, record)
                                                    : statement_csv_row(page->out, record, page->names);
    page->rows++;
    page->cursor->last_id = record->id;
    return good ? BURSAR_OK : BURSAR_ENOMEM;
}

enum bursar_status export_next(struct export_cursor *cursor, const struct store *store,
                               const struct situation *situation, const struct asset_names *names, struct buf *out,
                               struct bursar_error *err)
{
    struct page page = { .cursor = cursor, .situation = situation, .names = names, .out = out };
    struct list_filter filter = { .after_id = cursor->last_id, .limit = PAGE_ROWS };
    bool is_json = cursor->format == EXPORT_JSON, good = true;
    if (!cursor->has_begun)
        good = is_json ? buf_append_text(out, "{\"items\":[") : statement_csv_heading(out);
    cursor->has_begun = true;
    if (!good)
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    enum bursar_status status = store->list(store->ctx, situation->treasury.id, &filter, take_record, &page, err);
    if (status != BURSAR_OK)
        return status;
    cursor->is_done = page.rows < PAGE_ROWS;
    if (cursor->is_done && is_json && !buf_append_text(out, "]}\n"))
        return bursar_fail(err, BURSAR_ENOMEM, "out of memory");
    return BURSAR_OK;
}
