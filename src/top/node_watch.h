/* Looks at nodes on a thread of its own, so that one that does not answer holds nobody up. */
#ifndef TOP_NODE_WATCH_H
#define TOP_NODE_WATCH_H

#include "service/live_look.h"
#include "service/treasury_settings.h"

struct node_watch;

/* `settings` are borrowed until it is freed. Looks at nothing before the first node_watch_want. */
BURSAR_MUST_CHECK enum bursar_status node_watch_start(const struct treasury_settings *settings, size_t count,
                                                      uint64_t interval_ms, struct node_watch **ret,
                                                      struct bursar_error *err);
/* Ends it within a moment, also while a node does not answer. NULL is fine. */
void node_watch_free(struct node_watch *watch);
/* What treasury `index` is pinned to now. */
void node_watch_want(struct node_watch *watch, size_t index, const struct treasury *treasury);
/* The last look; false while there was none. `*ret_at_ms` is wall clock. */
bool node_watch_read(struct node_watch *watch, size_t index, struct live_look *ret, uint64_t *ret_at_ms);
/* Until all were looked at, or the time is over. */
void node_watch_wait(struct node_watch *watch, uint64_t wait_ms);

#endif
