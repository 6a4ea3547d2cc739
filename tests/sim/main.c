/* bursar-sim: tries to make Bursar pay twice.
 *
 *     bursar-sim --seed S [--steps N] [--seeds COUNT] [--minutes M] [--keep-going] [--deadly] [--forgetful]
 * [--moneyless]
 *                [--shrink] [--trace] [--terse] [--without KIND]...
 *
 * Exit code 1: a property was found broken, and the seed is named. */
#include "figures.h"
#include "shrink.h"

#include "base/bytes.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STEPS_DEFAULT 300
#define SHRINK_RUNS_MAX 2000

struct options {
    uint64_t seed, seeds, minutes;
    uint32_t steps;
    bool shrinks, traces, is_terse, goes_on;
    struct event_wish wish;
};

static bool number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *ret)
{
    return u64_from_text(text, strlen(text), minimum, maximum, ret);
}

static int usage(void)
{
    (void)fprintf(stderr, "usage: bursar-sim --seed S [--steps N] [--seeds COUNT] [--minutes M] [--keep-going]\n"
                          "                  [--deadly] [--forgetful] [--moneyless] [--shrink] [--trace] [--terse] "
                          "[--without KIND]...\nkinds:");
    for (int i = 0; i < EVENT_KIND_COUNT; i++)
        (void)fprintf(stderr, " %s", event_kind_name((enum event_kind)i));
    (void)fprintf(stderr, "\n");
    return 2;
}

static bool parse(int argc, char **argv, struct options *ret)
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "steps", required_argument, NULL, 'n' },
        { "seeds", required_argument, NULL, 'c' },
        { "minutes", required_argument, NULL, 'm' },
        { "shrink", no_argument, NULL, 'k' },
        { "trace", no_argument, NULL, 't' },
        { "terse", no_argument, NULL, 'e' },
        { "keep-going", no_argument, NULL, 'g' },
        { "without", required_argument, NULL, 'w' },
        { "deadly", no_argument, NULL, 'd' },
        { "forgetful", no_argument, NULL, 'f' },
        { "moneyless", no_argument, NULL, 'o' },
        { 0 },
    };
    enum event_kind kind;
    uint64_t steps = STEPS_DEFAULT;
    bool ok = true;
    for (int option; ok && (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 's':
            ok = number(optarg, 0, UINT64_MAX, &ret->seed);
            break;
        case 'n':
            ok = number(optarg, 1, 1000000, &steps);
            break;
        case 'c':
            ok = number(optarg, 1, UINT64_MAX, &ret->seeds);
            break;
        case 'm':
            ok = number(optarg, 1, 100000, &ret->minutes);
            break;
        case 'k':
            ret->shrinks = true;
            break;
        case 't':
            ret->traces = true;
            break;
        case 'e':
            ret->traces = ret->is_terse = true;
            break;
        case 'g':
            ret->goes_on = true;
            break;
        case 'd':
            ret->wish.is_deadly = true;
            break;
        case 'f':
            ret->wish.is_forgetful = true;
            break;
        case 'o': /* as before there was a money breaker */
            for (int of_money = EVENT_MONEY_LIMITS; of_money <= EVENT_TAKE; of_money++)
                ret->wish.without[of_money] = true;
            break;
        case 'w':
            ok = event_kind_from_name(optarg, &kind);
            if (ok)
                ret->wish.without[kind] = true;
            break;
        default:
            ok = false;
            break;
        }
    }
    ret->steps = (uint32_t)steps;
    return ok && optind == argc;
}

static void print_shrunk(const struct options *options, uint64_t seed, enum property property, struct event_list *list)
{
    struct shrinking shrinking = {
        .seed = seed, .steps = options->steps, .property = property, .runs_max = SHRINK_RUNS_MAX
    };
    struct trace terse = { .out = stdout, .is_terse = true };
    char text[160];
    size_t before = list->count;
    uint32_t runs = shrink(&shrinking, list);
    (void)printf("shrunk from %zu to %zu events in %u runs:\n", before, list->count, runs);
    for (size_t i = 0; i < list->count; i++) {
        event_text(&list->items[i], text, sizeof text);
        (void)printf("  %s\n", text);
    }
    (void)printf("what happens then:\n");
    struct world *world = world_new(seed, &terse);
    if (world)
        world_run(world, list, options->steps);
    world_free(world);
}

/* False: the machine refuses. *ret_broken: a property is. */
static bool run_seed(const struct options *options, uint64_t seed, struct figures *figures, bool *ret_broken)
{
    struct event_list list = { 0 };
    struct trace trace = { .out = options->traces ? stdout : NULL, .is_terse = options->is_terse };
    struct world *world = world_new(seed, &trace);
    if (!world || !events_draw(seed, options->steps, &options->wish, &list)) {
        world_free(world);
        events_free(&list);
        return false;
    }
    world_run(world, &list, options->steps);
    figures_add(figures, world);
    enum property property = world->finding.property;
    *ret_broken = property != PROPERTY_NONE;
    if (*ret_broken)
        (void)printf("VIOLATION seed %llu step %llu %s: %s\n", (unsigned long long)seed,
                     (unsigned long long)world->finding.step, property_name(property), world->finding.text);
    if (options->seeds == 1)
        (void)printf("seed %llu: %llu lines, digest %016llx, %zu events, %llu payouts\n", (unsigned long long)seed,
                     (unsigned long long)world->trace.lines, (unsigned long long)world->trace.digest, list.count,
                     (unsigned long long)world->counts.payouts);
    world_free(world);
    if (*ret_broken && options->shrinks)
        print_shrunk(options, seed, property, &list);
    events_free(&list);
    (void)fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct options options = { .seed = 1, .seeds = 0 };
    struct figures figures = { 0 };
    if (!parse(argc, argv, &options))
        return usage();
    if (options.seeds == 0)
        options.seeds = options.minutes ? UINT64_MAX : 1;
    time_t end = time(NULL) + (time_t)options.minutes * 60;
    double cpu_before = figures_cpu_now();
    bool any_broken = false, broken = false;
    for (uint64_t i = 0; i < options.seeds && (options.goes_on || !any_broken); i++) {
        if (options.minutes && time(NULL) >= end)
            break;
        if (!run_seed(&options, options.seed + i, &figures, &broken))
            return 2;
        any_broken = any_broken || broken;
    }
    figures.cpu_seconds = figures_cpu_now() - cpu_before;
    figures_print(&figures);
    return any_broken ? 1 : 0;
}
