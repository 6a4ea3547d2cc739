/* Delta debugging (ddmin): leaves out ever smaller parts as long as the same property stays broken. */
#include "shrink.h"

#include <stdlib.h>
#include <string.h>

struct hunt {
    const struct shrinking *shrinking;
    uint32_t runs;
};

static bool still_fails(struct hunt *hunt, const struct event_list *list)
{
    struct trace silent = { .out = NULL };
    struct world *world = world_new(hunt->shrinking->seed, &silent);
    hunt->runs++;
    if (!world)
        return false;
    world_run(world, list, hunt->shrinking->steps);
    bool fails = world->finding.property == hunt->shrinking->property;
    world_free(world);
    return fails;
}

/* `list` without items [from, from + count). */
static bool without(const struct event_list *list, size_t from, size_t count, struct event_list *ret)
{
    for (size_t i = 0; i < list->count; i++) {
        if ((i < from || i >= from + count) && !events_add(ret, &list->items[i]))
            return false;
    }
    return true;
}

/* One round with parts of this size; true when something could be left out. */
static bool leave_out(struct hunt *hunt, struct event_list *list, size_t part)
{
    bool any = false;
    for (size_t from = list->count; from > 0 && hunt->runs < hunt->shrinking->runs_max;) {
        size_t count = from < part ? from : part;
        struct event_list shorter = { 0 };
        from -= count;
        if (without(list, from, count, &shorter) && still_fails(hunt, &shorter)) {
            events_free(list);
            *list = shorter;
            any = true;
        } else {
            events_free(&shorter);
        }
    }
    return any;
}

uint32_t shrink(const struct shrinking *shrinking, struct event_list *list)
{
    struct hunt hunt = { .shrinking = shrinking };
    size_t part = list->count / 2;
    while (part > 0 && hunt.runs < shrinking->runs_max) {
        bool any = leave_out(&hunt, list, part);
        if (!any || part > list->count)
            part = part > list->count ? list->count / 2 : part / 2;
    }
    return hunt.runs;
}
