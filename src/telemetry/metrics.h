/* Every metric there is, declared once: /metrics, docs/METRICS.md and the checks of alerts and dashboard are made of
 * this table. Labels have few values, all known before (never a message, a URL's path or anything else from outside);
 * the exceptions are the names of configured nodes and assets. Times are seconds, amounts are wei. */
#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_type {
    METRIC_COUNTER = 1,
    METRIC_GAUGE = 2,
    METRIC_HISTOGRAM_FAST = 3, /* of what takes milliseconds */
    METRIC_HISTOGRAM_SLOW = 4, /* of what takes minutes or days */
};

/* Where its value comes from. */
enum metric_source {
    METRIC_OF_PROCESS = 1, /* counted here since the start of this process */
    METRIC_OF_LOG = 2,     /* counted here from what the event log gained since then, whoever wrote it */
    METRIC_OF_STORE = 3,   /* as it is in the store, whoever asks */
};

/* id, key, number of values, function that names value 0, 1 ... Every metric of a treasury has `treasury` as well. */
#define METRIC_LABELS(L)                                                                                               \
    L(PROCESS, "", 1, NULL) /* of no treasury */                                                                       \
    L(BUILD, "version", 1, label_build)                                                                                \
    L(TREASURY, "", 1, NULL)                                                                                           \
    L(STATUS, "status", STATE_LAST, label_status)                                                                      \
    L(BACKLOG, "status", STATE_EXECUTED, label_status)                                                                 \
    L(REASON, "reason", EXECUTOR_FAULT_COUNT, label_reason)                                                            \
    L(FAILURE, "failure_type", DEPENDENCY_FAILURE_COUNT, label_failure)                                                \
    L(OUTCOME, "outcome", TICK_OUTCOME_COUNT, label_outcome)                                                           \
    L(RESULT, "result", SIGNING_RESULT_COUNT, label_result)                                                            \
    L(PURPOSE, "purpose", SIGN_SELF, label_purpose)                                                                    \
    L(VERDICT, "verdict", SUBMIT_CONTESTED, label_verdict)                                                             \
    L(STATE, "state", BURSAR_BREAKER_HALF_OPEN + 1, label_state)                                                       \
    L(MONEY_CAUSE, "cause", MONEY_PERSON, label_money_cause)                                                           \
    L(INCIDENT, "cause", MONEY_BALANCE_MISMATCH, label_money_cause) /* those that count */                             \
    L(HALT, "code", HALT_CHAIN_UNSUITABLE, label_halt)                                                                 \
    L(NODE, "node", NODES_MAX_COUNT, NULL)                  /* named when it is configured */                          \
    L(ASSET, "asset", TELEMETRY_ASSETS_MAX_COUNT + 2, NULL) /* the coin, those that are configured, all others */

enum metric_label {
#define L(id, key, count, name) METRIC_LABEL_##id,
    METRIC_LABELS(L)
#undef L
};

#define METRIC_LABEL_VALUES_MAX_COUNT 16
#define TELEMETRY_ASSETS_MAX_COUNT 14 /* configured ones that are told apart */

/* Of treasury_dependency_failures_total. */
enum dependency_failure {
    DEPENDENCY_FAILED = 0,    /* what others wait for was reverted */
    DEPENDENCY_CANCELLED = 1, /* what others wait for will not be paid */
    DEPENDENCY_ERROR = 2,     /* a host's check could not tell */
    DEPENDENCY_REFUSED = 3,   /* a host's check refused the payment for good */
    DEPENDENCY_FAILURE_COUNT
};

enum signing_result { SIGNING_SIGNED = 0, SIGNING_REFUSED = 1, SIGNING_RESULT_COUNT };

/* id, name, type, source, labels, unit, help. Names that operators know from elsewhere are kept. */
#define METRICS(X)                                                                                                     \
    X(BREAKER_STATE, "treasury_circuit_breaker_state", GAUGE, STORE, TREASURY, "",                                     \
      "Circuit breaker: 0 closed, 1 open, 2 half-open.")                                                               \
    X(BREAKER_FAILURES, "treasury_circuit_breaker_failures", GAUGE, STORE, TREASURY, "",                               \
      "Failures that count now, inside the window.")                                                                   \
    X(BREAKER_SUCCESSES, "treasury_circuit_breaker_successes", GAUGE, STORE, TREASURY, "",                             \
      "Trials that have succeeded while half-open.")                                                                   \
    X(BREAKER_FORCED, "treasury_circuit_breaker_forced", GAUGE, STORE, TREASURY, "",                                   \
      "1 while a person holds the circuit breaker open or closed.")                                                    \
    X(BREAKER_CHANGES, "treasury_circuit_breaker_changes_total", COUNTER, LOG, STATE, "",                              \
      "Changes of the circuit breaker, by the state that it changed to.")                                              \
    X(MONEY_OPEN, "treasury_money_breaker_open", GAUGE, STORE, MONEY_CAUSE, "",                                        \
      "1 for what has opened the money breaker: nothing is bound until a person closes it.")                           \
    X(MONEY_INCIDENTS, "treasury_money_incidents", GAUGE, STORE, INCIDENT, "",                                         \
      "What went wrong since the money breaker was last closed, at most 1000 of a cause.")                             \
    X(BOUND_PAYMENTS, "treasury_payments_bound_last_hour", GAUGE, STORE, TREASURY, "",                                 \
      "Payments that were bound within the last hour, since the money breaker was last closed.")                       \
    X(MAX_PAYMENTS, "treasury_max_payments_per_hour", GAUGE, PROCESS, TREASURY, "",                                    \
      "max_payments_per_hour, as configured; absent: any.")                                                            \
    X(BOUND_AMOUNT, "treasury_amount_bound_last_hour", GAUGE, STORE, ASSET, "",                                        \
      "What these pay, in base units of the coin, without fees, and of each configured asset.")                        \
    X(MAX_SPEND, "treasury_max_spend_per_hour", GAUGE, PROCESS, ASSET, "",                                             \
      "max_spend_per_hour of the coin and of each configured asset, in base units; absent: any.")                      \
    X(DISBURSEMENTS_MOVED, "governance_disbursements_total", COUNTER, LOG, STATUS, "",                                 \
      "Disbursements that have come into a state.")                                                                    \
    X(DISBURSEMENTS, "treasury_disbursements", GAUGE, STORE, STATUS, "", "Disbursements in each state.")               \
    X(BACKLOG, "treasury_disbursement_backlog", GAUGE, STORE, BACKLOG, "",                                             \
      "Disbursements in each state that is not an end: what was paid is not among them.")                              \
    X(LAG, "treasury_disbursement_lag_seconds", HISTOGRAM_SLOW, LOG, TREASURY, "seconds",                              \
      "From queued (from its not_before time, if that was later) to finalized.")                                       \
    X(DEPENDENCY_FAILURES, "treasury_dependency_failures_total", COUNTER, LOG, FAILURE, "",                            \
      "Payments that failed or were cancelled while others wait for them; of a host, checks without an answer or "     \
      "refusing.")                                                                                                     \
    X(FEES_SPENT, "treasury_fees_spent_wei_total", COUNTER, LOG, TREASURY, "wei",                                      \
      "Fees of transactions that became final and ended a disbursement's intent.")                                     \
    X(BALANCE, "treasury_balance", GAUGE, STORE, TREASURY, "wei", "What the account held when it was last seen.")      \
    X(AVAILABLE, "treasury_available_balance", GAUGE, STORE, TREASURY, "wei",                                          \
      "What is left of the balance beside the worst case of all that is in flight.")                                   \
    X(OWED, "treasury_owed", GAUGE, STORE, TREASURY, "wei",                                                            \
      "What is still to leave the account, for now or for later, in the native coin, without fees.")                   \
    X(DUE, "treasury_due", GAUGE, STORE, TREASURY, "wei",                                                              \
      "Of what is owed, what is due or bound and not seen in a block, in the native coin, without fees.")              \
    X(OWED_IS_ALL, "treasury_owed_is_all", GAUGE, STORE, TREASURY, "",                                                 \
      "0: owed and due are at least so much, as there are more different times or assets than are looked at.")         \
    X(ASSET_OWED, "treasury_asset_owed", GAUGE, STORE, ASSET, "",                                                      \
      "What is still to leave the account, in base units of the coin and of each configured asset.")                   \
    X(ASSET_DUE, "treasury_asset_due", GAUGE, STORE, ASSET, "",                                                        \
      "Of what is owed, what is due or bound and not seen in a block, likewise.")                                      \
    X(ASSET_COUNT, "treasury_asset_owed_disbursements", GAUGE, STORE, ASSET, "",                                       \
      "Disbursements that are still to leave the account, by asset; in other: in all that are not configured.")        \
    X(OLDEST_DUE, "treasury_oldest_due_seconds", GAUGE, STORE, TREASURY, "seconds",                                    \
      "Age of the oldest due payment, from queued or its not_before time; 0: nothing is due.")                         \
    X(PENDING_MATURED, "treasury_executor_pending_matured", GAUGE, STORE, TREASURY, "",                                \
      "Disbursements that are due and not bound yet, in any asset; never what was paid.")                              \
    X(STAGED_INTENTS, "treasury_executor_staged_intents", GAUGE, STORE, TREASURY, "",                                  \
      "Nonces that are bound and not seen in a block.")                                                                \
    X(LAST_SUBMITTED_NONCE, "treasury_executor_last_submitted_nonce", GAUGE, STORE, TREASURY, "",                      \
      "Highest nonce that was handed to a node or seen in a block; absent before the first.")                          \
    X(LEASE_LAST_NONCE, "treasury_executor_lease_last_nonce", GAUGE, STORE, TREASURY, "",                              \
      "Highest nonce that is bound: the watermark, which never goes back; absent before the first.")                   \
    X(LEASE_RELEASED, "treasury_executor_lease_released", GAUGE, STORE, TREASURY, "",                                  \
      "1 while nobody holds the lease, or whoever holds it does not renew it.")                                        \
    X(LEASE_HELD, "treasury_executor_lease_held", GAUGE, PROCESS, TREASURY, "",                                        \
      "1 while this process holds the lease, 0 while it stands by.")                                                   \
    X(LAST_TICK, "treasury_executor_last_tick_seconds", GAUGE, STORE, TREASURY, "seconds",                             \
      "When the last tick ended, in seconds since 1970; 0: never.")                                                    \
    X(LAST_SUCCESS, "treasury_executor_last_success_seconds", GAUGE, STORE, TREASURY, "seconds",                       \
      "When a tick last ended without a fault, in seconds since 1970; 0: never.")                                      \
    X(LAST_ERROR, "treasury_executor_last_error_seconds", GAUGE, STORE, TREASURY, "seconds",                           \
      "When something last went wrong, in seconds since 1970; 0: never.")                                              \
    X(HALT, "treasury_halt", GAUGE, STORE, HALT, "", "1 for the reason why nothing is bound until a person looked.")   \
    X(FOREIGN, "treasury_foreign_transactions", GAUGE, STORE, TREASURY, "",                                            \
      "Transactions in final blocks that somebody else made with the key, at nonces that were ours.")                  \
    X(TICK_DURATION, "treasury_executor_tick_duration_seconds", HISTOGRAM_FAST, PROCESS, TREASURY, "seconds",          \
      "How long ticks took, cut-short ones included, standing by left out.")                                           \
    X(TICKS, "treasury_executor_ticks_total", COUNTER, PROCESS, OUTCOME, "", "Ticks by how they ended.")               \
    X(ERRORS, "treasury_execution_errors_total", COUNTER, PROCESS, REASON, "", "Faults of ticks by kind.")             \
    X(SIGNATURES, "treasury_signatures_total", COUNTER, PROCESS, RESULT, "",                                           \
      "Transactions that the signer was asked for.")                                                                   \
    X(ATTEMPTS, "treasury_attempts_total", COUNTER, PROCESS, PURPOSE, "",                                              \
      "Transactions signed: first ones, replacements of them, transfers of 0 to self.")                                \
    X(SUBMISSIONS, "treasury_submissions_total", COUNTER, PROCESS, VERDICT, "",                                        \
      "Transactions handed over, by what came of it: known are ones that were handed over before.")                    \
    X(HEAD_BLOCK, "treasury_chain_head_block", GAUGE, PROCESS, TREASURY, "", "Number of the newest block seen.")       \
    X(FINAL_BLOCK, "treasury_chain_final_block", GAUGE, PROCESS, TREASURY, "", "Number of the final block seen.")      \
    X(FINALITY_LAG, "treasury_finality_lag_seconds", GAUGE, PROCESS, TREASURY, "seconds",                              \
      "Age of the newest final block seen.")                                                                           \
    X(CHAIN_NONCE, "treasury_chain_nonce", GAUGE, PROCESS, TREASURY, "",                                               \
      "Transactions that the account has in blocks: the next nonce as the chain has it.")                              \
    X(NODE_REQUESTS, "treasury_node_request_duration_seconds", HISTOGRAM_FAST, PROCESS, NODE, "seconds",               \
      "How long HTTP requests to each node took, failed ones included.")                                               \
    X(NODE_ERRORS, "treasury_node_errors_total", COUNTER, PROCESS, NODE, "",                                           \
      "HTTP requests to each node that brought no usable answer.")                                                     \
    X(NODE_HEALTHY, "treasury_node_healthy", GAUGE, PROCESS, NODE, "",                                                 \
      "1 while a node answers and is not set aside; 0 else, and before it was asked.")                                 \
    X(NODE_BLOCK, "treasury_node_latest_block", GAUGE, PROCESS, NODE, "", "Newest block that each node has shown.")    \
    X(STORE_COMMIT, "bursar_store_commit_duration_seconds", HISTOGRAM_FAST, PROCESS, PROCESS, "seconds",               \
      "How long the executors' commits took, until they were on disk.")                                                \
    X(STORE_READABLE, "bursar_store_readable", GAUGE, PROCESS, PROCESS, "",                                            \
      "1 if the store could be read for this page; 0: what comes from it is missing here.")                            \
    X(LOG_BEHIND, "bursar_event_log_behind", GAUGE, LOG, PROCESS, "",                                                  \
      "Events that are not counted yet: more than a page counts at once have come.")                                   \
    X(STARTED, "process_start_time_seconds", GAUGE, PROCESS, PROCESS, "seconds",                                       \
      "When this process began to count, in seconds since 1970.")                                                      \
    X(BUILD, "bursar_build_info", GAUGE, PROCESS, BUILD, "", "Always 1: which version this is.")

enum metric_id {
#define X(id, name, type, source, labels, unit, help) METRIC_##id,
    METRICS(X)
#undef X
        METRIC_COUNT
};

struct metric {
    const char *name;
    enum metric_type type;
    enum metric_source source;
    enum metric_label label;
    const char *unit;
    const char *help;
};
extern const struct metric METRIC_TABLE[METRIC_COUNT];

static inline bool metric_is_histogram(const struct metric *metric)
{
    return metric->type == METRIC_HISTOGRAM_FAST || metric->type == METRIC_HISTOGRAM_SLOW;
}

/* "counter", "gauge" or "histogram". */
const char *metric_type_name(enum metric_type type);
/* "process", "log" or "store". */
const char *metric_source_name(enum metric_source source);
/* Name of the label beside `treasury`; "": there is none. */
const char *metric_label_key(enum metric_label label);
size_t metric_label_count(enum metric_label label);
/* NULL: there is no such value, or (of nodes) the configuration names it. */
const char *metric_label_value(enum metric_label label, size_t index);
bool metric_is_of_treasury(enum metric_label label);

#endif
