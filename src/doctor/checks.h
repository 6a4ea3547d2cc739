/* Inside the doctor: what the checks of one treasury hand on to each other. Not for other rooms. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

#include "doctor/doctor.h"

struct examination {
    const struct doctor *doctor;
    const struct doctor_subject *subject;
    bool has_account; /* the keystore says which */
    struct bursar_address account;
    bool is_stored; /* the store has this treasury, and this is how it stands: */
    struct situation situation;
    bool has_view; /* of a node that shows this treasury's chain; from before the store was read the second time */
    struct chain_view view;
    uint64_t seen_ms;       /* wall clock when it was taken */
    uint64_t nonce_pending; /* the highest that any such node shows */
    bool has_log;           /* it can be read */
    struct signing_log_extent log;
    uint64_t log_pid;        /* who holds it; 0: no process that can be seen */
    enum halt_code log_halt; /* what comparing it with the store has shown, and was told */
    struct lane lane;        /* read after `log`, which was read after `view`: it can't know less than they do */
    uint64_t counts[STATE_COUNT];
    bool has_work; /* something is neither paid nor given up */
};

void check_key(struct examination *e);
void check_nodes(struct examination *e);
void check_log(struct examination *e);
void check_nonces(struct examination *e);
void check_balance(struct examination *e);
void check_executor(struct examination *e);
void check_rows(struct examination *e);

/* Process that holds an flock on this file; 0: none, or it can't be told. Takes no lock itself. */
uint64_t lock_holder(const char *path);

#endif
