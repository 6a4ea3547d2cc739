/* A process: one executor of one treasury, with store handle, signer, breaker, chain driver, clock and fate of its own.
 *
 * Its steps run on a fiber, so that it can be frozen before any call it makes through a seam. It can die before or
 * after any such call, or in any operation on the disk: from then on nothing that it does has an effect, and it is run
 * to its end only to give memory and locks back, as a kernel does. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include "disk.h"
#include "fiber.h"
#include "trace.h"
#include "way.h"
#include "witness.h"

#include "executor/executor.h"
#include "signer/local_signer.h"
#include "store/sqlite_store.h"

#define PROCESS_NAME_BYTES 16
#define PROCESS_LANES_MAX_COUNT 3

/* All that its processes have in common; owned by the world. */
struct process_setup {
    struct trace *trace;
    struct disk *disk;
    const struct sim_chain *true_chain;
    const struct node_set *nodes;
    const uint64_t *now_ms; /* the world's time */
    struct witness *witness;
    const char *store_path, *log_path;
    uint64_t chain_id;
    uint8_t secret[32];
    struct executor_config config;
    bool has_breaker;
    struct bursar_breaker_config breaker;
    size_t lanes;
};

struct process {
    const struct process_setup *setup;
    char name[PROCESS_NAME_BYTES];
    bool is_up;
    bool is_dead;   /* and not cleared away yet */
    bool is_frozen; /* its fiber waits inside a call */
    uint64_t thaw_at_step;
    uint64_t passed_token;  /* log_is_orphan, frozen: stays so until the lease has another token than this */
    uint64_t start_at_step; /* when it is down */
    int64_t wall_offset_ms, monotonic_offset_ms;
    uint64_t wake_at_ms; /* the world's time */

    /* Fate, counted down at each call through a seam, or at those of that name; 0: none. */
    uint64_t calls, die_in, freeze_in;
    const char *die_at, *freeze_at; /* NULL: any call */
    bool die_after, die_now;
    uint32_t freeze_steps;
    bool passes_on;      /* once it is frozen, its locks pass on */
    bool opens_money;    /* once it is frozen, a person opens the money breaker */
    uint32_t down_steps; /* after the death that is coming */
    bool sees_other;     /* its last look showed another genesis block than there is */
    struct money_view money;
    bool log_is_orphan; /* the signing log it has open is another file than the one by that name */

    struct disk_user user;
    struct fiber *fiber;
    struct sqlite_store *sqlite;
    struct store store;
    struct local_signer *local_signer;
    struct signer signer;
    struct way way;
    struct chain chain;
    struct bursar_breaker *breaker;
    struct executor *executor;
    uint64_t next_wake_ms;
    enum bursar_status status; /* of the last step */
    struct executor_report report;
    struct bursar_error error;
};

/* Zeroed before. False without memory. */
bool process_init(struct process *process, const struct process_setup *setup, uint64_t number);
void process_free(struct process *process);
/* False: it could not start (a fault of the disk), and is down. */
bool process_start(struct process *process);
enum process_end {
    PROCESS_WENT_ON = 1,
    PROCESS_FROZE,
    PROCESS_DIED,  /* and was cleared away */
    PROCESS_ENDED, /* in good order: it could not rely on its store */
};
/* One step, or on from where it was frozen. */
enum process_end process_step(struct process *process);
/* In good order. A frozen one is killed. */
void process_stop(struct process *process);
void process_kill(struct process *process);
/* Now, by its own clock. */
uint64_t process_wall_ms(void *process);
uint64_t process_monotonic_ms(void *process);

/* The wrappers' two ends: false when the process is dead. */
bool seam_enter(struct process *process, const char *call);
enum bursar_status seam_leave(struct process *process, const char *call, enum bursar_status status,
                              struct bursar_error *err);
enum bursar_status seam_dead(struct bursar_error *err);

/* A call that acts on what was seen of the chain. */
void seam_acts(struct process *process, const char *call);
struct bursar_hash seam_true_genesis(const struct process *process);

struct store seam_store(struct process *process);
struct signer seam_signer(struct process *process);
struct chain seam_chain(struct process *process);

#endif
