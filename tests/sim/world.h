/* The world of one run: one machine with a disk, one chain, a few treasuries in one store, their processes, and what
 * people want of them. It is made from a seed (what there is) and a list of events (what happens), and draws nothing
 * else: the same two give the same run. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "events.h"
#include "inputs.h"
#include "process.h"

#define WORLD_CHAIN_ID 31337
#define WORLD_EPOCH_TEXT "block/10"
#define TREASURIES_MAX_COUNT 3
#define PROCESSES_MAX_COUNT 4
#define COPIES_MAX_COUNT 16

/* What may have happened to a treasury that justifies a halt, or an unpaid row. */
struct causes {
    bool foreign_used; /* somebody else used its key */
    bool old_store;    /* an old copy of the store was put back, or a disk that failed lost the newest of it */
    bool old_log;      /* ... of its signing log */
};

struct sim_treasury {
    unsigned number;
    struct payer payer;
    char log_name[32], log_path[48]; /* on the disk */
    struct process_setup setup;
    struct witness witness;
    struct causes causes;
    bool was_adopted;     /* at least once */
    bool adoption_failed; /* at least once: the signing log may know what the store was not told any more */
    bool has_disowned;    /* a person said of a payment that it pays none of ours */
    struct node_set nodes;
    size_t log_copies[COPIES_MAX_COUNT], log_copy_count;
    uint64_t first_nonce;
};

/* What was met, for the figures. */
struct world_counts {
    uint64_t payouts, deaths, frozen, passed_on, power_losses, reorgs, disk_faults, network_faults, node_lies, fenced,
        stale_signatures, halted, adopted, money_trips, taken, calls, events;
};

struct world {
    uint64_t seed;
    struct random random; /* only for what an event hands on: what a power loss keeps */
    struct trace trace;
    struct finding finding;
    uint64_t now_ms, step;
    struct disk *disk;
    struct disk_user office_user;
    struct office office;
    struct sim_chain *chain;
    struct sim_chain *other_chain; /* same chain id, same genesis block, another history; NULL: not yet */
    uint64_t base_fee_wei;         /* in calm weather */
    uint64_t blocks_stall;         /* no blocks before this step */
    uint32_t blocks_a_step, steps_a_block;
    uint64_t base_fee_until; /* step */
    uint64_t persuaded_at_block;
    size_t treasury_count;
    struct sim_treasury treasuries[TREASURIES_MAX_COUNT];
    size_t process_count;
    struct process processes[PROCESSES_MAX_COUNT];
    unsigned owner[PROCESSES_MAX_COUNT]; /* its treasury */
    struct inputs inputs;
    size_t store_copies[COPIES_MAX_COUNT], store_copy_count;
    bool stays_poor, stays_open; /* not everything is made good at the end */
    struct world_counts counts;
};

/* NULL when the machine that runs this refuses (says why on stderr). */
struct world *world_new(uint64_t seed, const struct trace *trace);
void world_free(struct world *world);
/* Everything to its end: the events, then calm until everybody rests, then the last judgement. */
void world_run(struct world *world, const struct event_list *events, uint32_t steps);

/* One event (apply.c). */
void world_apply(struct world *world, const struct event *event);
/* What opens the money breaker is configured: before anybody starts (apply_money.c). */
void world_limit_money(struct world *world);
/* A person opens or closes it. False: the command failed. */
bool world_command_money(struct world *world, struct sim_treasury *treasury, bool opens);
/* ... opens it while a process is about to spend. */
void world_open_money_midway(struct process *process, const struct event *event);
/* ... finds it open, and closes it. */
void world_close_money(struct world *world, struct sim_treasury *treasury);
void world_take_money(struct world *world, struct sim_treasury *treasury, const struct event *event);
/* What happens to nodes (apply_nodes.c). */
void world_cut_off_node(struct world *world, struct sim_treasury *treasury, const struct event *event);
void world_node_lies(struct sim_treasury *treasury, const struct event *event);
void world_move_node(struct world *world, struct sim_treasury *treasury, const struct event *event);
/* The locks of a frozen process pass on (apply.c). */
void world_pass_on(struct world *world, struct process *process);
/* What refuses to be paid does so no longer, but for those that do for ever (apply.c). */
void world_persuade(struct world *world);
/* The world's time, for whoever has none of its own. */
struct clock world_clock(struct world *world);
/* All processes die at once. */
void world_kill_all(struct world *world, uint32_t down_steps);

#endif
