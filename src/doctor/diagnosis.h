/* Why a disbursement does not move, and what to do about it: one cause and one action, the same in list, show, status
 * and doctor. A pure function of the row, of how its treasury stands, and of the time.
 *
 * Blocked: it does not move until a person does something about this very disbursement. Waiting: it goes on when
 * something else has happened; when that is the whole treasury's trouble (a halt, no executor), the action says so. */
#ifndef DOCTOR_DIAGNOSIS_H
#define DOCTOR_DIAGNOSIS_H

#include "doctor/blocked.h"
#include "store/store.h"

#include <bursar/breaker.h>

/* What the configuration allows. */
struct situation_limits {
    uint64_t max_in_flight;
    uint64_t replace_after_blocks; /* 0: never */
    uint64_t max_fee_per_gas_wei;
    uint64_t finality_blocks; /* 0: the node's word */
    struct bursar_breaker_config breaker;
};

/* What all disbursements of a treasury have in common at one moment, as the store has it. */
struct situation {
    uint64_t now_ms; /* wall clock */
    struct treasury treasury;
    struct snapshot snapshot;
    struct lane lane;
    struct breaker_record breaker_record;
    struct bursar_breaker_view breaker; /* on a clock that shows now_ms */
    struct money_record money;
    struct situation_limits limits;
};
BURSAR_MUST_CHECK enum bursar_status situation_read(const struct store *store, const struct treasury *treasury,
                                                    const struct situation_limits *limits, uint64_t now_ms,
                                                    struct situation *ret, struct bursar_error *err);

/* Of a breaker that nothing has happened to. */
#define BREAKER_VIEW_NONE                                                                                              \
    {                                                                                                                  \
        .since_failure_ms = BURSAR_BREAKER_NEVER, .since_change_ms = BURSAR_BREAKER_NEVER,                             \
        .next_change_at_ms = BURSAR_BREAKER_NEVER, .next_allow_at_ms = BURSAR_BREAKER_NEVER,                           \
    }
/* A stored breaker as it stands now, on a clock that shows now_ms. Start with *ret_view = BREAKER_VIEW_NONE: a damaged
 * one sets its state only. */
BURSAR_MUST_CHECK enum bursar_status breaker_look(const struct store *store, int64_t treasury,
                                                  const struct bursar_breaker_config *config, uint64_t now_ms,
                                                  struct breaker_record *ret, struct bursar_breaker_view *ret_view,
                                                  struct bursar_error *err);

enum executor_presence {
    EXECUTOR_NONE = 0,    /* nobody holds the lease */
    EXECUTOR_LOST = 1,    /* its holder has not renewed it */
    EXECUTOR_RUNNING = 2, /* as far as the clock tells */
};
enum executor_presence executor_presence(const struct treasury *treasury, uint64_t now_ms);
/* Did its last look at the chain fail? */
bool situation_is_blind(const struct situation *situation);
/* The stored halt, unless it is one that ends by itself, of an executor that is gone. */
enum halt_code situation_halt(const struct situation *situation);
/* Nonces are mined in their order, so those not seen included are the last ones. */
uint64_t situation_lowest_in_flight(const struct situation *situation);

enum diagnosis_kind {
    DIAGNOSIS_NONE = 0, /* nothing more will happen to it, and nothing has to */
    DIAGNOSIS_WAITING = 1,
    DIAGNOSIS_BLOCKED = 2,
};

struct diagnosis {
    enum diagnosis_kind kind;
    struct blocked_text text; /* both "" with DIAGNOSIS_NONE */
};
void diagnose(const struct disbursement_record *record, const struct situation *situation, struct diagnosis *ret);

#endif
