/* What people ask for: payment files, cancels, retries, breaker commands, by the very calls of the store that the
 * commands make. And what the oracle knows of it, without asking the store. */
#ifndef SIM_INPUTS_H
#define SIM_INPUTS_H

#include "disk.h"
#include "finding.h"
#include "sim_token.h"
#include "trace.h"

#include "store/sqlite_store.h"

#define REF_BYTES 32
#define ROW_DEPENDENCIES_MAX_COUNT 2
#define FILE_ROWS_MAX_COUNT 64
#define INPUT_AMOUNT_MIN_WEI 1000000u

enum destination_kind {
    DESTINATION_PLAIN = 0,
    DESTINATION_CODE,      /* holds code: takes more gas */
    DESTINATION_REVERTING, /* every transaction to it reverts, until it is repaired; trying it out does not show it */
    DESTINATION_TOKEN,     /* of no matter: it is owed a token */
    DESTINATION_REFUSING,  /* holds code that refuses to be paid, until it changes its mind; trying it out shows it */
};

enum cancelled {
    CANCELLED_NOT = 0,
    CANCELLED_MAYBE, /* the command was cut short: nobody knows */
    CANCELLED_FOR_SURE,
};

struct input_row {
    uint32_t file, treasury;
    char ref[REF_BYTES];
    struct bursar_address destination;
    struct bursar_amount amount;
    enum destination_kind kind;
    enum sim_token token;  /* NONE: the coin */
    bool refuses_for_ever; /* REFUSING only */
    enum schedule_kind schedule;
    uint64_t schedule_value;
    size_t dependency_count;
    uint32_t dependencies[ROW_DEPENDENCIES_MAX_COUNT]; /* indices of rows of the same file */
    enum cancelled cancelled;
    uint32_t leader; /* first of the rows with this destination and amount; the rest is kept there, by the oracle */
    uint32_t asked, paid, nonces, finalized, cancelled_for_sure, cancelled_perhaps, disowned;
    uint32_t by_hand; /* payments of the same by somebody else with the key */
};

struct input_file {
    uint32_t number, treasury;
    size_t first_row, row_count;
    bool is_imported; /* as the command said */
};

/* What it takes to run a command. */
struct office {
    struct trace *trace;
    struct finding *finding;
    const uint64_t *now_ms, *step;
    const char *store_path;
    struct disk *disk;
    struct disk_user *user; /* of the commands: they can die and meet faults as well */
    uint64_t chain_id;
};

/* One treasury, as inputs see it. */
struct payer {
    int64_t id; /* in the store */
    struct bursar_address address;
};

struct inputs {
    struct input_row *rows;
    size_t row_count, row_capacity;
    struct input_file *files;
    size_t file_count, file_capacity;
};

struct file_wish {
    uint32_t number; /* names it, and its refs */
    uint32_t treasury;
    size_t rows;
    uint64_t seed;  /* of what is in it */
    uint64_t now_s; /* for schedules */
    uint64_t now_epoch;
};
/* NULL without memory; not imported yet. */
struct input_file *inputs_add_file(struct inputs *inputs, const struct file_wish *wish);
/* The leader of the rows that ask for a payment to this destination; NULL: none does. */
struct input_row *inputs_leader(struct inputs *inputs, const struct bursar_address *destination);
/* NULL: no such row. */
struct input_row *inputs_by_ref(struct inputs *inputs, const char *ref);
void inputs_free(struct inputs *inputs);

/* `bursar pay FILE`: all of its rows, or none. False: it failed, and may be run again. */
bool office_import(const struct office *office, struct inputs *inputs, struct input_file *file,
                   const struct payer *payer);
/* `bursar cancel`. */
void office_cancel(const struct office *office, struct input_row *row, const struct payer *payer);
/* ... of one that is bound, whichever. */
void office_cancel_sent(const struct office *office, struct inputs *inputs, const struct payer *payer, uint32_t which);
/* `bursar retry` of everything that failed. False: it could not be done. */
bool office_retry_all(const struct office *office, const struct payer *payer);
/* `bursar breaker open|close|reset`. */
bool office_breaker(const struct office *office, const struct payer *payer, enum breaker_command command);
/* `bursar breaker open|close --money`. */
bool office_money(const struct office *office, const struct payer *payer, bool opens);
/* ... as `bursar status` shows it. */
bool office_sees_money_open(const struct office *office, const struct payer *payer);

#endif
