/* Sums and their line. */
#include "figures.h"

#include <stdio.h>
#include <time.h>

#define COUNTS(X)                                                                                                      \
    X(payouts)                                                                                                         \
    X(deaths)                                                                                                          \
    X(frozen)                                                                                                          \
    X(passed_on)                                                                                                       \
    X(fenced)                                                                                                          \
    X(stale_signatures)                                                                                                \
    X(power_losses)                                                                                                    \
    X(reorgs)                                                                                                          \
    X(disk_faults)                                                                                                     \
    X(network_faults)                                                                                                  \
    X(node_lies)                                                                                                       \
    X(adopted)                                                                                                         \
    X(money_trips)                                                                                                     \
    X(taken)                                                                                                           \
    X(halted)                                                                                                          \
    X(events)                                                                                                          \
    X(calls)

void figures_add(struct figures *figures, const struct world *world)
{
    figures->seeds++;
    figures->digest = random_mix(figures->digest, world->trace.digest);
    figures->violations += world->finding.property != PROPERTY_NONE;
#define X(name) figures->counts.name += world->counts.name;
    COUNTS(X)
#undef X
}

double figures_cpu_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
        return 0;
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void figures_print(const struct figures *figures)
{
    (void)printf("digest of all traces %016llx\n", (unsigned long long)figures->digest);
    double seconds = figures->cpu_seconds > 0 ? figures->cpu_seconds : 1e-9;
    (void)printf("seeds %llu", (unsigned long long)figures->seeds);
#define X(name) (void)printf(" | %s %llu", #name, (unsigned long long)figures->counts.name);
    COUNTS(X)
#undef X
    (void)printf(" | cpu_s %.1f | payouts/s %.0f | violations %llu\n", seconds,
                 (double)figures->counts.payouts / seconds, (unsigned long long)figures->violations);
}
