/* What `bursar top` shows of one moment: plain values, gathered by gather.c and drawn by draw.c. */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "doctor/diagnosis.h"
#include "service/breaker_view.h"
#include "service/live_look.h"
#include "service/webhook_view.h"
#include "top/log_tail.h"

#define VIEW_FLIGHTS_MAX_COUNT 100
#define VIEW_REASONS_MAX_COUNT 20

/* A nonce in flight. */
struct view_flight {
    uint64_t nonce;
    int64_t disbursement; /* 0: none */
    enum intent_kind kind;
    unsigned attempts; /* 0: bound, about to be signed */
    int purpose;       /* enum sign_purpose of the newest; below likewise */
    uint64_t max_fee_per_gas_wei;
    uint64_t sends;
    int verdict;         /* 0: none yet */
    uint64_t started_ms; /* first signed, wall clock; 0: not yet */
};

/* Why some do not move: one cause and one action, however many they are. */
struct view_reason {
    enum diagnosis_kind kind;
    uint64_t count;
    int64_t first_id;
    char first_ref[REF_MAX_BYTES + 1];
    struct blocked_text text;
};

struct view_treasury {
    const char *name; /* borrowed from the configuration */
    uint64_t chain_id;
    struct bursar_address address;
    bool is_stored; /* what follows is of one that is */
    struct situation situation;
    struct breaker_standing breaker;
    uint64_t counts[STATE_COUNT];
    bool has_balance; /* as an executor saw it last */
    struct bursar_amount balance;
    uint64_t balance_ms;
    bool has_look; /* the nodes were looked at: */
    struct live_look look;
    uint64_t look_ms;
    struct log_tail tail;
    /* Of the one that is looked at closely: */
    struct view_flight flights[VIEW_FLIGHTS_MAX_COUNT]; /* in nonce order */
    size_t flight_count;
    struct view_reason reasons[VIEW_REASONS_MAX_COUNT]; /* blocked ones first */
    size_t reason_count;
    bool reasons_more;
};

struct view {
    uint64_t now_ms; /* wall clock, when it was gathered */
    struct view_treasury *treasuries;
    size_t count;
    struct webhook_view webhooks[WEBHOOKS_MAX_COUNT]; /* about the one that is looked at closely */
    size_t webhook_count;
    char error[BURSAR_ERROR_MESSAGE_MAX_BYTES]; /* why it is older than it should be; "" */
};

#endif
