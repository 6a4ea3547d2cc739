/* `bursar doctor`: looks at everything that a treasury needs in order to pay, and says what is wrong with what to do.
 *
 * Every check that can be made is made, whatever the others found; what can't be made says why. Nothing is changed, no
 * lock is taken that an executor needs: it is as good beside a running executor as without one. Findings are handed to
 * a visitor as they come, since a node that is down takes its timeout. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "base/time.h"
#include "chain/chain.h"
#include "doctor/diagnosis.h"
#include "executor/planner.h"
#include "rpc/rpc.h"
#include "signer/signing_log.h"
#include "store/sqlite_store.h"

#define CHECK_TEXT_MAX_BYTES 768
#define CHECK_SUBJECT_MAX_BYTES 320

enum check_result {
    CHECK_OK = 1,
    CHECK_WARNING = 2,     /* paying goes on */
    CHECK_WRONG = 3,       /* it does not, or not for long */
    CHECK_NOT_CHECKED = 4, /* `found` says because of what */
};
const char *check_result_name(enum check_result result);

/* What something wrong asks for; the graver one decides what a script is told. */
enum check_grade {
    GRADE_NONE = 0,
    GRADE_PERSON = 1,      /* somebody has to do something */
    GRADE_UNREACHABLE = 2, /* store or chain can't be reached, so that not everything could be checked */
    GRADE_SAFETY = 3,      /* nothing is paid, or would be, until a person has reconciled */
};

struct check {
    const char *treasury;                  /* its name; NULL: of the whole installation */
    const char *name;                      /* "node": one word, the same for ever */
    char subject[CHECK_SUBJECT_MAX_BYTES]; /* which one, where there are several: URL, path, disbursement; "" */
    enum check_result result;
    enum check_grade grade; /* of what is CHECK_WRONG */
    char found[CHECK_TEXT_MAX_BYTES];
    char action[CHECK_TEXT_MAX_BYTES]; /* one command, or one step; "" where there is nothing to do */
};
typedef void check_visitor(void *ctx, const struct check *check);

struct doctor {
    check_visitor *visit;
    void *ctx;
    struct clock clock;
    const char *treasury; /* whose turn it is; NULL: nobody's */
};

/* -- one finding ----------------------------------------------------------------------------------------------------
 */
/* The part of a check that is known beforehand. `subject` and `action` may be NULL. */
struct finding {
    const char *name, *subject;
    enum check_result result;
    enum check_grade grade;
    const char *action;
};
void doctor_tell(const struct doctor *doctor, struct finding finding, const char *format, ...) BURSAR_PRINTF(3, 4);

/* -- the installation -----------------------------------------------------------------------------------------------
 */
/* Is this file there, readable, and nobody else's to read? True: it can be read. */
bool doctor_file(const struct doctor *doctor, const char *name, const char *path);
bool doctor_same_disk(const char *path, const char *other); /* as far as it can be told */
/* Room left where `path` lies. */
void doctor_disk(const struct doctor *doctor, const char *name, const char *path);
enum check_result disk_result(uint64_t free_bytes);
/* Opens the store for looking only and examines it. NULL: it can't be opened, which was told. */
struct sqlite_store *doctor_store(const struct doctor *doctor, const char *path);
/* Everything that needs what could not be had: one line each. */
void doctor_skip_store(const struct doctor *doctor, const char *because);
void doctor_skip_treasury(const struct doctor *doctor, const char *because);

/* -- a treasury -----------------------------------------------------------------------------------------------------
 */
struct doctor_node {
    const char *name; /* URL without secrets */
    struct chain chain;
    struct rpc rpc;
};

struct doctor_subject {
    const char *name;
    uint64_t chain_id;
    const char *keystore, *password_file;
    const struct doctor_node *nodes; /* in order of preference */
    size_t node_count;
    size_t quorum;
    struct epoch_source epoch;
    struct fee_caps caps;
    struct situation_limits limits;
    const struct store *store; /* NULL: it could not be opened */
    const char *store_path;
};
void doctor_treasury(const struct doctor *doctor, const struct doctor_subject *subject);

#endif
