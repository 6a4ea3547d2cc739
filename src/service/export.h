/* A statement of all disbursements, as CSV or JSON, in pieces: its size does not matter.
 *
 * Page by page, so that a slow reader does not hold up whoever writes to the store. Rows are never deleted and new ones
 * come at the end: every row that was there at the start is in it, once. */
#ifndef SERVICE_EXPORT_H
#define SERVICE_EXPORT_H

#include "base/bytes.h"
#include "doctor/diagnosis.h"
#include "service/asset_view.h"
#include "store/store.h"

enum export_format {
    EXPORT_UNSET = 0,
    EXPORT_CSV = 1,
    EXPORT_JSON = 2,
};

/* Start with the format only. */
struct export_cursor {
    enum export_format format;
    bool has_begun;
    bool is_done;
    int64_t last_id;
    bool has_item;
};

/* Appends the next piece; nothing more after is_done. */
BURSAR_MUST_CHECK enum bursar_status export_next(struct export_cursor *cursor, const struct store *store,
                                                 const struct situation *situation, const struct asset_names *names,
                                                 struct buf *out, struct bursar_error *err);

#endif
