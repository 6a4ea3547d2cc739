/* The store seam: everything a treasury must never forget. One call is one transaction; no SQL outside this room.
 *
 * Writes of an executor take its fence and fail with EFENCED, changing nothing, once the lease has passed on (INV-6).
 * What spends (bind, attempts_add) also fails with ESTALE once the circuit breaker or the money breaker is another than
 * the fence's.
 * Every write is durable (fsync'd) when the call returns. Numbers that are stored must be below 2^63.
 * Statuses: ESTALE (a row changed: re-read), EFENCED, EBUSY (locked by another writer for too long), ESTORAGE.
 * Not thread-safe: one store handle a thread. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/owed.h"
#include "store/records_adopt.h"

#include <bursar/status.h>

#define DUE_MAX_ROWS 1000
#define LIST_MAX_ROWS 10000

struct list_filter {
    int state; /* 0: any */
    int64_t after_id;
    size_t limit;
    bool only_blocked; /* and the one in flight that all others in flight wait for */
};

/* What a disbursement must be to be found; 0, false and NULL: anything. */
struct search_filter {
    int state;
    bool has_destination, has_min_amount, has_max_amount, has_epoch;
    struct bursar_address destination;
    const char *ref_prefix;
    struct bursar_amount min_amount, max_amount;
    uint64_t epoch;                          /* of its schedule */
    uint64_t created_from_ms, created_to_ms; /* wall clock, both included */
    uint64_t changed_from_ms, changed_to_ms; /* the last thing that happened to it */
    bool newest_first;
    int64_t cursor; /* IDs behind it; with newest_first, below it. 0: from the start */
    size_t limit;
};
#define SEARCH_LOOKED_MAX_COUNT 100000 /* rows that one call looks at */

typedef enum bursar_status disbursement_visitor(void *ctx, const struct disbursement_record *record);
typedef enum bursar_status event_visitor(void *ctx, const struct event_record *record);
typedef enum bursar_status attempt_visitor(void *ctx, const struct attempt_record *record);
typedef enum bursar_status content_visitor(void *ctx, const struct content_record *record);
typedef enum bursar_status intent_visitor(void *ctx, const struct intent_record *record);
typedef enum bursar_status balance_visitor(void *ctx, const struct balance_record *record);
typedef enum bursar_status token_visitor(void *ctx, const struct token_record *token);
typedef enum bursar_status move_visitor(void *ctx, const struct move_record *record);
typedef enum bursar_status spent_visitor(void *ctx, int64_t disbursement, const char *ref);
typedef void text_visitor(void *ctx, const char *text);

/* An import: all new rows of a file, or none. Held open between import_begin and import_end; other writers wait. */
enum import_outcome {
    IMPORT_ADDED = 1,
    IMPORT_EXISTING = 2,      /* same ref, same content: already there */
    IMPORT_OTHER_CONTENT = 3, /* same ref stored before with other content: *ret_id says which */
    IMPORT_TWICE = 4,         /* same ref earlier in this import: *ret_line says where */
};

struct import_row {
    uint64_t line;
    struct obligation obligation; /* normalised; borrowed for the call */
    struct bursar_hash content_hash;
};

struct import_problem {
    uint64_t line;
    const char *column;
    const char *message;
};
typedef void import_problem_visitor(void *ctx, const struct import_problem *problem);

struct store {
    void *ctx;

    /* -- treasuries ------------------------------------------------------------------------------------------- */
    enum bursar_status (*treasury_add)(void *ctx, const char *name, uint64_t chain_id,
                                       const struct bursar_address *address, const char *epoch_source, int64_t *ret_id,
                                       struct bursar_error *err);
    enum bursar_status (*treasury_find)(void *ctx, uint64_t chain_id, const struct bursar_address *address,
                                        struct treasury *ret, struct bursar_error *err); /* ENOTFOUND */
    enum bursar_status (*treasury_get)(void *ctx, int64_t id, struct treasury *ret, struct bursar_error *err);
    /* Pins genesis, first nonce, anchor and scan cursor, once. ESTALE when already pinned. */
    enum bursar_status (*treasury_pin)(void *ctx, int64_t id, const struct bursar_hash *genesis, uint64_t first_nonce,
                                       const struct block_mark *anchor, const struct block_mark *scan,
                                       struct bursar_error *err);
    /* ECONFLICT while rows wait on an epoch. */
    enum bursar_status (*treasury_set_epoch_source)(void *ctx, int64_t id, const char *epoch_source,
                                                    struct bursar_error *err);

    /* -- import ----------------------------------------------------------------------------------------------- */
    enum bursar_status (*import_begin)(void *ctx, int64_t treasury, const char *origin, const char *actor,
                                       uint64_t now_ms, struct bursar_error *err);
    enum bursar_status (*import_add)(void *ctx, const struct import_row *row, enum import_outcome *ret_outcome,
                                     int64_t *ret_id, uint64_t *ret_line, struct bursar_error *err);
    /* Resolves dependencies (unknown refs and cycles are reported as problems), then commits if `commit` and there was
     * no problem, else leaves everything as it was. Always ends the import. */
    enum bursar_status (*import_end)(void *ctx, bool commit, import_problem_visitor *visit, void *visit_ctx,
                                     bool *ret_committed, struct bursar_error *err);

    /* -- tokens ----------------------------------------------------------------------------------------------- */
    /* What was pinned for this treasury. ENOTFOUND: nothing yet. */
    enum bursar_status (*token_decimals)(void *ctx, int64_t treasury, const struct bursar_address *token, unsigned *ret,
                                         struct bursar_error *err);
    /* Pins them, as a part of the open import: kept or dropped with it. ECONFLICT: others are pinned. */
    enum bursar_status (*import_pin)(void *ctx, const struct bursar_address *token, unsigned decimals,
                                     struct bursar_error *err);

    /* -- lease ------------------------------------------------------------------------------------------------ */
    /* EBUSY while another holds it. On success every earlier holder is fenced off. */
    enum bursar_status (*lease_take)(void *ctx, int64_t treasury, const char *holder, uint64_t ttl_ms, uint64_t now_ms,
                                     struct fence *ret, struct bursar_error *err);
    enum bursar_status (*lease_renew)(void *ctx, struct fence fence, uint64_t now_ms, struct bursar_error *err);
    /* Also gives back what the handle itself holds when the lease has passed on already. */
    enum bursar_status (*lease_release)(void *ctx, struct fence fence, struct bursar_error *err);

    /* -- what is due: each call looks at no more than `limit` rows ---------------------------------------------- */
    /* Queued, nothing to wait for, not blocked, schedule reached. Without a final block nothing scheduled is due. */
    enum bursar_status (*due_select)(void *ctx, int64_t treasury, bool has_final, uint64_t final_time_s,
                                     uint64_t final_epoch, size_t limit, struct due_row *ret, size_t *ret_count,
                                     struct bursar_error *err);
    /* Moves on rows whose awaited dependency has settled: to the next one, or to none. */
    enum bursar_status (*dependents_wake)(void *ctx, struct fence fence, size_t limit, size_t *ret_count,
                                          struct bursar_error *err);
    /* Unblocks rows that wait for funds and ask for no more than `affordable`. */
    enum bursar_status (*funded_wake)(void *ctx, struct fence fence, const struct bursar_amount *affordable,
                                      size_t limit, size_t *ret_count, struct bursar_error *err);
    /* Likewise in this token. */
    enum bursar_status (*token_funded_wake)(void *ctx, struct fence fence, const struct bursar_address *token,
                                            const struct bursar_amount *affordable, size_t limit, size_t *ret_count,
                                            struct bursar_error *err);
    /* The tokens that rows wait for, in order of their addresses. */
    enum bursar_status (*tokens_wanted)(void *ctx, int64_t treasury, size_t limit, struct bursar_address *ret,
                                        size_t *ret_count, struct bursar_error *err);
    /* Unblocks rows that are to be looked at again at or below this height, the longest waiting first; with
     * `also_unestimated` those of which nothing is known as well, at any height. */
    enum bursar_status (*recheck_wake)(void *ctx, struct fence fence, uint64_t number, bool also_unestimated,
                                       size_t limit, size_t *ret_count, struct bursar_error *err);
    enum bursar_status (*block)(void *ctx, struct fence fence, const struct block_decision *decisions, size_t count,
                                struct bursar_error *err);

    /* -- spending --------------------------------------------------------------------------------------------- */
    /* Binds nonces for life; queued -> staged. All or none; nonces must continue the lane (INV-1). */
    enum bursar_status (*bind)(void *ctx, struct fence fence, uint64_t now_ms, const struct binding *bindings,
                               size_t count, struct bursar_error *err);
    /* Signed bytes, durable before the wire (INV-2). */
    enum bursar_status (*attempts_add)(void *ctx, struct fence fence, uint64_t now_ms,
                                       const struct new_attempt *attempts, size_t count, struct bursar_error *err);
    /* Not seen included, in nonce order from `from_nonce`. */
    enum bursar_status (*flights_select)(void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit,
                                         struct flight *ret, size_t *ret_count, struct bursar_error *err);
    /* The attempts of an intent but the newest, newest first. */
    enum bursar_status (*older_attempts_select)(void *ctx, int64_t intent, size_t limit, struct older_attempt *ret,
                                                size_t *ret_count, struct bursar_error *err);
    /* Open requests to cancel what is bound and not seen included. */
    enum bursar_status (*cancels_select)(void *ctx, int64_t treasury, size_t limit, struct cancel_request *ret,
                                         size_t *ret_count, struct bursar_error *err);
    /* Raw bytes of an attempt: malloc'd, owned by the caller. */
    enum bursar_status (*attempt_raw)(void *ctx, int64_t attempt, uint8_t **ret, size_t *ret_bytes,
                                      struct bursar_error *err);
    enum bursar_status (*submissions_record)(void *ctx, struct fence fence, uint64_t now_ms,
                                             const struct submission *submissions, size_t count,
                                             struct bursar_error *err);
    /* Included in blocks up to `number`, not final yet, lowest block first. */
    enum bursar_status (*included_select)(void *ctx, int64_t treasury, uint64_t number, size_t limit,
                                          struct included_attempt *ret, size_t *ret_count, struct bursar_error *err);
    /* Read, not yet final blocks at or above `from_number`, ascending. */
    enum bursar_status (*scanned_select)(void *ctx, int64_t treasury, uint64_t from_number, size_t limit,
                                         struct block_mark *ret, size_t *ret_count, struct bursar_error *err);
    enum bursar_status (*settle)(void *ctx, struct fence fence, uint64_t now_ms, const struct settlement *settlement,
                                 struct bursar_error *err);
    /* INV-4: what has used nonces of ours, as seen in final blocks: records it, ends the intents (that are not seen
     * included yet), and moves what they pay as that shows; what a stranger took the nonce of is queued again. All of
     * them or none. */
    enum bursar_status (*exhibited)(void *ctx, struct fence fence, uint64_t now_ms, const struct adopted_nonce *nonces,
                                    size_t count, struct bursar_error *err);
    enum bursar_status (*lane_read)(void *ctx, int64_t treasury, struct lane *ret, struct bursar_error *err);
    enum bursar_status (*work_left)(void *ctx, int64_t treasury, struct work_left *ret, struct bursar_error *err);

    /* -- what people decide ------------------------------------------------------------------------------------- */
    /* At once, as the lifecycle allows; EREFUSED says why it does not, ENOTFOUND: not this treasury's. */
    enum bursar_status (*cancel)(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                 struct bursar_error *err);
    enum bursar_status (*retry)(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                struct bursar_error *err);
    /* What is bound is cancelled by the executor, if it can: leaves a request. EEXIST: there is one. EREFUSED: it is
     * not bound, or in a block already. */
    enum bursar_status (*cancel_request)(void *ctx, int64_t treasury, int64_t id, const struct decision *decision,
                                         struct bursar_error *err);

    /* An embedder's callback refuses a due row before it is bound: queued -> cancelled, for good. ESTALE: it was moved
     * meanwhile. */
    enum bursar_status (*host_refuse)(void *ctx, struct fence fence, uint64_t now_ms, int64_t id, uint64_t version,
                                      const char *reason, struct bursar_error *err);

    /* -- circuit breaker ------------------------------------------------------------------------------------------ */
    enum bursar_status (*breaker_load)(void *ctx, int64_t treasury, struct breaker_record *ret,
                                       struct bursar_error *err);
    /* Stores an executor's breaker; a change of its state is an event. ESTALE when it is not fence.breaker_version any
     * more: a person changed it, load it again. */
    enum bursar_status (*breaker_save)(void *ctx, struct fence fence, const struct bursar_breaker_memory *memory,
                                       uint64_t *ret_version, struct bursar_error *err);
    /* A person's change: takes effect on the next write of whoever spends. `for_ms`: for how long, at most
     * breaker_command_max_ms, else EINVAL; 0: open until a person closes it, closed and not held. */
    enum bursar_status (*breaker_force)(void *ctx, int64_t treasury, enum breaker_command command, uint64_t for_ms,
                                        const struct decision *decision, struct bursar_error *err);

    /* -- money breaker -------------------------------------------------------------------------------------------- */
    enum bursar_status (*money_load)(void *ctx, int64_t treasury, struct money_record *ret, struct bursar_error *err);
    /* What went wrong since it was closed; of reverts, those from `since_ms` on (wall clock). */
    enum bursar_status (*money_incidents)(void *ctx, int64_t treasury, uint64_t since_ms, struct money_incidents *ret,
                                          struct bursar_error *err);
    /* Opens it until a person closes it. ESTALE when it is not fence.money_version any more: load it again. */
    enum bursar_status (*money_trip)(void *ctx, struct fence fence, uint64_t now_ms, enum money_cause cause,
                                     const char *detail, uint64_t *ret_version, struct bursar_error *err);
    /* A person's change, in force with the next write of whoever spends. Closing forgets what went wrong and what was
     * paid out so far, so that it is judged anew from here. */
    enum bursar_status (*money_force)(void *ctx, int64_t treasury, bool opens, const struct decision *decision,
                                      struct bursar_error *err);
    /* Bound since `since_ms`, and since it was closed: of this asset; and how many of any. */
    enum bursar_status (*money_spent)(void *ctx, int64_t treasury, const struct asset *asset, uint64_t since_ms,
                                      struct bursar_amount *ret, struct bursar_error *err);
    enum bursar_status (*money_payments)(void *ctx, int64_t treasury, uint64_t since_ms, uint64_t *ret,
                                         struct bursar_error *err);

    /* -- what people see ---------------------------------------------------------------------------------------- */
    /* A latched halt is never replaced by another code here (INV-8). */
    enum bursar_status (*snapshot_save)(void *ctx, struct fence fence, const struct snapshot *snapshot,
                                        enum halt_code halt, const char *halt_reason, struct bursar_error *err);
    enum bursar_status (*snapshot_read)(void *ctx, int64_t treasury, struct snapshot *ret, struct bursar_error *err);
    enum bursar_status (*counts)(void *ctx, int64_t treasury, uint64_t ret_counts[STATE_COUNT],
                                 struct bursar_error *err);
    enum bursar_status (*list)(void *ctx, int64_t treasury, const struct list_filter *filter,
                               disbursement_visitor *visit, void *visit_ctx, struct bursar_error *err);
    /* As `list`, of what the filter asks for. *ret_next: the cursor to go on from when fewer than limit were found, 0
     * when there is nothing more to look at. */
    enum bursar_status (*search)(void *ctx, int64_t treasury, const struct search_filter *filter,
                                 disbursement_visitor *visit, void *visit_ctx, int64_t *ret_next,
                                 struct bursar_error *err);
    /* The event log of all treasuries behind after_seq, in its order. */
    enum bursar_status (*events)(void *ctx, uint64_t after_seq, size_t limit, event_visitor *visit, void *visit_ctx,
                                 struct bursar_error *err);
    enum bursar_status (*event_newest)(void *ctx, uint64_t *ret_seq, struct bursar_error *err); /* 0: none */
    /* What happened to the treasury itself and to no disbursement: its breaker, what was adopted. The newest first,
     * below before_seq (0: from the newest). */
    enum bursar_status (*treasury_events)(void *ctx, int64_t treasury, uint64_t before_seq, size_t limit,
                                          event_visitor *visit, void *visit_ctx, struct bursar_error *err);
    /* Sums that are kept as rows move; schedules are compared with the final block that the executor saw last. */
    enum bursar_status (*owed)(void *ctx, int64_t treasury, struct owed_view *ret, struct bursar_error *err);
    /* The newest first, below before_seq (0: from the newest). */
    enum bursar_status (*balances)(void *ctx, int64_t treasury, uint64_t before_seq, size_t limit,
                                   balance_visitor *visit, void *visit_ctx, struct bursar_error *err);
    /* Which payments are in blocks above `after_block` and up to `up_to_block`, reverted ones too, as far as is known
     * now: lowest block first. Transactions that pay nobody are not among them. */
    enum bursar_status (*spent_between)(void *ctx, int64_t treasury, uint64_t after_block, uint64_t up_to_block,
                                        size_t limit, spent_visitor *visit, void *visit_ctx, struct bursar_error *err);
    /* How many of ids [0..count) are finalized, and how many can't become so without a person (failed, cancelled,
     * blocked). */
    enum bursar_status (*progress)(void *ctx, const int64_t *ids, size_t count, size_t *ret_finalized,
                                   size_t *ret_stuck, struct bursar_error *err);
    enum bursar_status (*ref_find)(void *ctx, int64_t treasury, const char *ref, int64_t *ret_id,
                                   struct bursar_error *err); /* ENOTFOUND */
    /* One disbursement of this treasury (ENOTFOUND), its dependencies' refs, history and attempts. */
    enum bursar_status (*show)(void *ctx, int64_t treasury, int64_t id, disbursement_visitor *visit,
                               text_visitor *visit_dependency, event_visitor *visit_event,
                               attempt_visitor *visit_attempt, void *visit_ctx, struct bursar_error *err);
    enum bursar_status (*foreign_uses)(void *ctx, int64_t treasury, struct foreign_uses *ret, struct bursar_error *err);
    enum bursar_status (*intents)(void *ctx, int64_t treasury, uint64_t from_nonce, size_t limit, intent_visitor *visit,
                                  void *visit_ctx, struct bursar_error *err);

    /* -- what is counted: each looks at no more than `limit` rows of a kind ---------------------------------------- */
    /* The highest nonce of which a node had the bytes, for all that is known, or that was seen in a block. */
    enum bursar_status (*nonce_submitted)(void *ctx, int64_t treasury, bool *ret_any, uint64_t *ret,
                                          struct bursar_error *err);
    /* As `events`. */
    enum bursar_status (*moves)(void *ctx, uint64_t after_seq, size_t limit, move_visitor *visit, void *visit_ctx,
                                struct bursar_error *err);

    /* -- tokens of the HTTP API: of no single treasury ------------------------------------------------------------ */
    /* EEXIST: there is, or was, one with this name. */
    enum bursar_status (*token_add)(void *ctx, const struct token_record *token, int64_t *ret_id,
                                    struct bursar_error *err);
    /* ENOTFOUND, EREFUSED: it was before. */
    enum bursar_status (*token_revoke)(void *ctx, const char *name, const char *actor, uint64_t now_ms,
                                       struct bursar_error *err);
    enum bursar_status (*token_get)(void *ctx, int64_t id, struct token_record *ret, struct bursar_error *err);
    /* From the one after `after_id` on. */
    enum bursar_status (*tokens)(void *ctx, int64_t after_id, size_t limit, token_visitor *visit, void *visit_ctx,
                                 struct bursar_error *err);

    /* -- webhooks: of no single treasury -------------------------------------------------------------------------- */
    enum bursar_status (*webhook_find)(void *ctx, const char *name, struct webhook_record *ret,
                                       struct bursar_error *err); /* ENOTFOUND */
    /* As above; one that is new starts behind what has happened up to now. */
    enum bursar_status (*webhook_add)(void *ctx, const char *name, struct webhook_record *ret,
                                      struct bursar_error *err);
    /* The events that it keeps back, in their order: seq, treasury and disbursement only. */
    enum bursar_status (*webhook_kept)(void *ctx, int64_t id, event_visitor *visit, void *visit_ctx,
                                       struct bursar_error *err);
    /* Where it stands, and all that it keeps back. */
    enum bursar_status (*webhook_save)(void *ctx, const struct webhook_record *webhook, const uint64_t *kept,
                                       size_t kept_count, struct bursar_error *err);

    /* -- adopting ------------------------------------------------------------------------------------------------- */
    /* All attempts behind (nonce, seq), in that order. */
    enum bursar_status (*attempts)(void *ctx, int64_t treasury, uint64_t nonce, unsigned seq, size_t limit,
                                   attempt_visitor *visit, void *visit_ctx, struct bursar_error *err);
    /* What is owed, in any state, from the ID after `after_id` on. */
    enum bursar_status (*contents)(void *ctx, int64_t treasury, int64_t after_id, size_t limit, content_visitor *visit,
                                   void *visit_ctx, struct bursar_error *err);
    /* Takes over what is known now of its own past, ends whatever halt there is, with an event that says who and why;
     * all of it or nothing. The fence is a new one then. EINTERNAL when nonces would be missing in between. */
    enum bursar_status (*adopt)(void *ctx, struct fence *fence, const struct adoption *adoption,
                                const struct decision *decision, struct bursar_error *err);
};

#endif
