/* Reads what `bursar top` shows from the store, read-only; each call looks at a bounded number of rows. */
#ifndef TOP_GATHER_H
#define TOP_GATHER_H

#include "service/treasury_settings.h"
#include "top/view.h"

struct gather {
    const struct store *store;                /* borrowed */
    const struct treasury_settings *settings; /* borrowed, one a treasury of the view */
    struct webhook_list webhooks;
    struct view view; /* as it was gathered last */
    bool has_tail;    /* the log was looked at before: */
    uint64_t last_seq;
};

/* `view.treasuries[].address` is what the caller says until it is stored. Free also after a failure. */
BURSAR_MUST_CHECK enum bursar_status gather_init(struct gather *gather, const struct store *store,
                                                 const struct treasury_settings *settings, size_t count,
                                                 const struct webhook_list *webhooks, struct bursar_error *err);
void gather_free(struct gather *gather);
/* All treasuries, and `selected` closely. After a failure the view is partly the old one. */
BURSAR_MUST_CHECK enum bursar_status gather_read(struct gather *gather, size_t selected, uint64_t now_ms,
                                                 struct bursar_error *err);

#endif
