/* Draws the list of events. */
#include "events.h"

#include "random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t per_1000_steps, seeds_in_100;
} KINDS[] = {
#define X(name, text, rate, share) [name] = { text, rate, share },
    EVENT_LIST(X)
#undef X
};

const char *event_kind_name(enum event_kind kind)
{
    return KINDS[kind].name;
}

bool event_kind_from_name(const char *name, enum event_kind *ret)
{
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        if (strcmp(KINDS[i].name, name) != 0)
            continue;
        *ret = (enum event_kind)i;
        return true;
    }
    return false;
}

bool events_add(struct event_list *list, const struct event *event)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 256;
        struct event *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return false;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *event;
    return true;
}

void events_free(struct event_list *list)
{
    free(list->items);
    *list = (struct event_list){ 0 };
}

static int by_step(const void *a, const void *b)
{
    const struct event *p = a, *q = b;
    if (p->step != q->step)
        return p->step < q->step ? -1 : 1;
    return (p->kind > q->kind) - (p->kind < q->kind); /* at most one of a kind in a step */
}

static bool is_forgetting(enum event_kind kind)
{
    return kind == EVENT_KEEP_STORE || kind == EVENT_PUT_BACK_STORE || kind == EVENT_LOSE_STORE ||
           kind == EVENT_LOSE_LOG;
}

/* Per 1000 steps; 0: as always. */
static uint32_t rate_of(const struct event_wish *wish, enum event_kind kind)
{
    if (wish->is_deadly && (kind == EVENT_KILL_CALL || kind == EVENT_KILL_DISK))
        return 300;
    if (wish->is_forgetful && kind == EVENT_ADOPT)
        return 80;
    return wish->is_forgetful && is_forgetting(kind) ? 15 : 0;
}

bool events_draw(uint64_t seed, uint32_t steps, const struct event_wish *wish, struct event_list *ret)
{
    const struct random root = random_new(seed);
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        struct random random = random_stream(&root, KINDS[kind].name, 0);
        /* Not every seed has everything: what is rare must meet a quiet world as well. */
        uint32_t wanted = rate_of(wish, (enum event_kind)kind);
        uint32_t rate = wanted ? wanted : KINDS[kind].per_1000_steps;
        if ((!random_chance(&random, KINDS[kind].seeds_in_100, 100) && !wanted) || wish->without[kind])
            continue;
        for (uint32_t step = 0; step < steps; step++) {
            bool is_at_start = (kind == EVENT_IMPORT || kind == EVENT_MONEY_LIMITS) && step == 0;
            if (!random_chance(&random, rate, 1000) && !is_at_start)
                continue;
            struct event event = { .step = step,
                                   .kind = (enum event_kind)kind,
                                   .who = (uint32_t)random_u64(&random) >> 8,
                                   .a = (uint32_t)random_u64(&random) >> 8,
                                   .b = (uint32_t)random_u64(&random) >> 8,
                                   .c = (uint32_t)random_u64(&random) >> 8 };
            if (!events_add(ret, &event))
                return false;
        }
    }
    if (ret->count)
        qsort(ret->items, ret->count, sizeof *ret->items, by_step);
    return true;
}

void event_text(const struct event *event, char *ret, size_t ret_bytes)
{
    (void)snprintf(ret, ret_bytes, "step %u: %s who %u a %u b %u c %u", event->step, KINDS[event->kind].name,
                   event->who, event->a, event->b, event->c);
}
