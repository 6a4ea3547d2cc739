/* A node made of canned answers: what a call is answered with depends on its method and parameters alone. */
#ifndef TESTS_SCRIPTED_RPC_H
#define TESTS_SCRIPTED_RPC_H

#include "rpc/rpc.h"

#define SCRIPT_ANSWERS_MAX 64
#define SCRIPT_LOG_MAX_BYTES 65536

struct script_answer {
    const char *method;
    const char *params; /* compact JSON; NULL: any */
    struct rpc_reply reply;
    char *json;         /* the result's text, or the error's data */
    unsigned uses_left; /* 0: for ever */
};

struct scripted_rpc {
    struct script_answer answers[SCRIPT_ANSWERS_MAX];
    size_t count;
    unsigned batches;
    unsigned calls;
    enum bursar_status fault; /* unless OK: every call gets `fault_outcome` */
    enum rpc_outcome fault_outcome;
    /* Between start and finish: */
    struct rpc_reply *started;
    size_t started_count;
    enum bursar_status started_status;
    char log[SCRIPT_LOG_MAX_BYTES]; /* "method params\n" of every call */
};

/* A later answer for the same call takes precedence over an earlier one. */
void script_result(struct scripted_rpc *script, const char *method, const char *params, const char *json);
/* Only for the next such call. */
void script_result_once(struct scripted_rpc *script, const char *method, const char *params, const char *json);
void script_error(struct scripted_rpc *script, const char *method, const char *params, long long code,
                  const char *message);
/* ... with data, a text. */
void script_refusal(struct scripted_rpc *script, const char *method, long long code, const char *message,
                    const char *data);
struct rpc script_interface(struct scripted_rpc *script);
void script_free(struct scripted_rpc *script);

#endif
