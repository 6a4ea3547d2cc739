/* Names of what is counted. */
#include "executor/meters.h"

const char *executor_fault_name(enum executor_fault fault)
{
    static const char *const names[EXECUTOR_FAULT_COUNT] = {
        "node_unreachable", "outcome_unknown", "malformed_answer", "circuit_breaker_open", "storage", "store_busy",
        "lease_lost",       "equivocation",    "refused",          "out_of_memory",        "other",
    };
    return (unsigned)fault < EXECUTOR_FAULT_COUNT ? names[fault] : NULL;
}

enum executor_fault executor_fault_of(enum bursar_status status)
{
    switch (status) {
    case BURSAR_EUNREACHABLE:
        return EXECUTOR_FAULT_UNREACHABLE;
    case BURSAR_EUNKNOWN:
        return EXECUTOR_FAULT_UNKNOWN;
    case BURSAR_EPROTOCOL:
        return EXECUTOR_FAULT_PROTOCOL;
    case BURSAR_ESTORAGE:
        return EXECUTOR_FAULT_STORAGE;
    case BURSAR_EBUSY:
        return EXECUTOR_FAULT_BUSY;
    case BURSAR_EFENCED:
        return EXECUTOR_FAULT_FENCED;
    case BURSAR_EEQUIVOCATION:
        return EXECUTOR_FAULT_EQUIVOCATION;
    case BURSAR_EREFUSED:
        return EXECUTOR_FAULT_REFUSED;
    case BURSAR_ENOMEM:
        return EXECUTOR_FAULT_MEMORY;
    case BURSAR_OK:
    case BURSAR_EINTERNAL:
    case BURSAR_EUSAGE:
    case BURSAR_EINVAL:
    case BURSAR_ENOTFOUND:
    case BURSAR_ELIMIT:
    case BURSAR_EEXIST:
    case BURSAR_ECONFLICT:
    case BURSAR_ESTALE:
    case BURSAR_ECANCELLED:
        break;
    }
    return EXECUTOR_FAULT_OTHER;
}

const char *tick_outcome_name(enum tick_outcome outcome)
{
    static const char *const names[TICK_OUTCOME_COUNT] = { "complete",   "faulty",  "cut_short",
                                                           "broken_off", "standby", "given_up" };
    return (unsigned)outcome < TICK_OUTCOME_COUNT ? names[outcome] : NULL;
}
