/* Every way in which a disbursement does not move, as a table: the row and how its treasury stands, what is said of it.
 * Each case bends one thing of a treasury that is well. */
#include "doctor/diagnosis.h"

#include "chain/chain.h"
#include "signer/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_MS 1800000000000 /* 2027-01-15T08:00:00Z */
#define GWEI 1000000000ULL
#define HEAD 1000

/* A running executor, 2 of 8 in flight (nonces 10 and 11), all read up to block HEAD, fees as they should be. */
static struct situation well(void)
{
    return (struct situation){
        .now_ms = NOW_MS,
        .treasury = { .is_pinned = true,
                      .address = { { 0xaa } },
                      .epoch_source = "block/100",
                      .anchor = { .number = HEAD - 10 },
                      .scan = { .number = HEAD },
                      .lease_holder = "host-7",
                      .lease_renewed_ms = NOW_MS - 1000,
                      .lease_ttl_ms = 15000 },
        .snapshot = { .last_tick_ms = NOW_MS, .last_success_ms = NOW_MS },
        .lane = { .has_intents = true, .lowest_unfinished_nonce = 8, .next_nonce = 12, .in_flight = 2 },
        .breaker = BREAKER_VIEW_NONE,
        .limits = { .max_in_flight = 8, .replace_after_blocks = 10, .max_fee_per_gas_wei = 200 * GWEI },
    };
}

static struct disbursement_record queued(void)
{
    return (struct disbursement_record){ .id = 3, .ref = "a", .state = STATE_QUEUED };
}

/* At the lowest nonce in flight, in the pool for 2 blocks. */
static struct disbursement_record staged(void)
{
    return (struct disbursement_record){ .id = 3,
                                         .ref = "a",
                                         .state = STATE_STAGED,
                                         .has_nonce = true,
                                         .nonce = 10,
                                         .has_transaction = true,
                                         .newest = { .seq = 1,
                                                     .purpose = SIGN_PAYMENT,
                                                     .max_fee_per_gas_wei = 30 * GWEI,
                                                     .max_priority_fee_per_gas_wei = GWEI,
                                                     .head_number = HEAD - 2,
                                                     .sends = 1,
                                                     .last_sent_ms = NOW_MS,
                                                     .verdict = SUBMIT_ACCEPTED,
                                                     .message = "" } };
}

static struct disbursement_record executed(void)
{
    struct disbursement_record record = staged();
    record.state = STATE_EXECUTED;
    record.nonce = 9;
    record.has_block = true;
    record.block.number = HEAD - 1;
    return record;
}

static void set_reason(struct situation *s, const char *reason)
{
    (void)snprintf(s->treasury.halt_reason, sizeof s->treasury.halt_reason, "%s", reason);
}

typedef void bend(struct disbursement_record *r, struct situation *s);
#define BEND(name, ...)                                                                                                \
    static void name(struct disbursement_record *r, struct situation *s)                                               \
    {                                                                                                                  \
        (void)r, (void)s;                                                                                              \
        __VA_ARGS__;                                                                                                   \
    }
BEND(as_it_is, (void)0)
BEND(short_of_funds, r->blocked = BLOCK_FUNDS)
BEND(to_a_contract, r->blocked = BLOCK_DESTINATION_CODE)
BEND(after_a_cancelled_one, r->blocked = BLOCK_DEPENDENCY; r->blocked_on_ref = "b";
     r->blocked_on_state = STATE_CANCELLED)
BEND(after_a_failed_one, r->blocked = BLOCK_DEPENDENCY; r->blocked_on_ref = "b"; r->blocked_on_state = STATE_FAILED)
BEND(reverted, r->blocked = BLOCK_FAILED; r->state = STATE_FAILED)
BEND(after_another, r->blocked_on_ref = "b"; r->blocked_on_state = STATE_STAGED)
BEND(tomorrow, r->schedule = SCHEDULE_TIME; r->schedule_value = NOW_MS / 1000 + 86400)
BEND(yesterday, r->schedule = SCHEDULE_TIME; r->schedule_value = NOW_MS / 1000 - 86400)
BEND(in_epoch_10, r->schedule = SCHEDULE_EPOCH; r->schedule_value = 10)
BEND(in_epoch_9, r->schedule = SCHEDULE_EPOCH; r->schedule_value = 9)
BEND(foreign_halt, s->treasury.halt = HALT_FOREIGN_NONCE; set_reason(s, "nonce 7 was used"))
BEND(stale_halt, s->treasury.halt = HALT_SIGNER; s->treasury.lease_holder[0] = 0)
BEND(chain_halt, s->treasury.halt = HALT_GENESIS_MISMATCH; set_reason(s, "another genesis"))
BEND(nobody_runs, s->treasury.lease_holder[0] = 0)
BEND(lost_lease, s->treasury.lease_renewed_ms = NOW_MS - 600000)
BEND(forced_open, s->breaker.state = BURSAR_BREAKER_OPEN; s->breaker.forced = true;
     (void)snprintf(s->breaker_record.actor, ACTOR_MAX_BYTES, "alice");
     (void)snprintf(s->breaker_record.reason, REASON_MAX_BYTES, "audit"))
BEND(forced_for_a_time, forced_open(r, s); s->breaker.next_change_at_ms = NOW_MS + 30000)
BEND(tripped, s->breaker.state = BURSAR_BREAKER_OPEN; s->breaker.next_change_at_ms = NOW_MS + 30000)
BEND(half_open, s->breaker.state = BURSAR_BREAKER_HALF_OPEN)
BEND(node_down, s->snapshot.last_error_ms = NOW_MS + 1;
     (void)snprintf(s->snapshot.last_error, sizeof s->snapshot.last_error, "no connection"))
BEND(old_error, s->snapshot.last_error_ms = NOW_MS - 1;
     (void)snprintf(s->snapshot.last_error, sizeof s->snapshot.last_error, "no connection"))
BEND(holding, (void)snprintf(s->snapshot.hold, sizeof s->snapshot.hold, "what is bound is to be signed first"))
BEND(holding_for_fees,
     (void)snprintf(s->snapshot.hold, sizeof s->snapshot.hold, "the base fee is above max_fee_per_gas"))
BEND(lane_full, s->lane.in_flight = 8)
BEND(unsigned_yet, r->newest = (struct shown_attempt){ 0 }; r->has_transaction = false)
BEND(unsent, r->newest.sends = 0; r->newest.verdict = 0)
BEND(unsent_breaker, r->newest.sends = 0; s->breaker.state = BURSAR_BREAKER_OPEN; s->breaker.forced = true)
BEND(old_and_cheap, r->newest.head_number = HEAD - 20)
BEND(old_at_cap, r->newest.head_number = HEAD - 20; r->newest.max_fee_per_gas_wei = 190 * GWEI)
BEND(old_and_base_fee_above_cap, r->newest.head_number = HEAD - 20;
     (void)snprintf(s->snapshot.hold, sizeof s->snapshot.hold, "the next base fee is above max_fee_per_gas"))
BEND(old_below_cap, r->newest.head_number = HEAD - 20; r->newest.max_fee_per_gas_wei = 181 * GWEI)
BEND(old_and_never_replaced, r->newest.head_number = HEAD - 20; s->limits.replace_after_blocks = 0)
BEND(fee_too_low, r->newest.verdict = SUBMIT_FEE_TOO_LOW)
BEND(fee_too_low_at_cap, r->newest.verdict = SUBMIT_FEE_TOO_LOW; r->newest.head_number = HEAD - 10;
     r->newest.max_fee_per_gas_wei = 200 * GWEI)
BEND(behind, r->nonce = 11)
BEND(cancelling, r->cancel_wanted = true)
BEND(used_just_now, r->newest.verdict = SUBMIT_NONCE_TOO_LOW)
BEND(used_for_long, r->newest.verdict = SUBMIT_NONCE_TOO_LOW; r->newest.head_number = HEAD - 5;
     r->newest.message = "nonce too low")
BEND(contested, r->newest.verdict = SUBMIT_CONTESTED; r->newest.head_number = HEAD - 5)
BEND(held_by_another, r->newest.verdict = SUBMIT_UNDERPRICED; r->newest.head_number = HEAD - 5)
BEND(bumped_too_little, r->newest.verdict = SUBMIT_UNDERPRICED; r->newest.head_number = HEAD - 5; r->newest.seq = 2)
BEND(poor, r->newest.verdict = SUBMIT_INSUFFICIENT_FUNDS; r->newest.message = "insufficient funds")
BEND(refused, r->newest.verdict = SUBMIT_REFUSED; r->newest.message = "type not supported")
BEND(unanswered, r->newest.verdict = SUBMIT_UNKNOWN)
BEND(undelivered, r->newest.verdict = SUBMIT_UNSENT)
BEND(confirmed, s->limits.finality_blocks = 12)

struct line {
    const char *name;
    struct disbursement_record (*row)(void);
    bend *bend;
    enum diagnosis_kind kind;
    const char *cause, *action; /* must be in it */
};
#define W DIAGNOSIS_WAITING
#define B DIAGNOSIS_BLOCKED
static const struct line LINES[] = {
    { "funds", queued, short_of_funds, B, "not enough funds", "send funds to 0x" },
    { "contract", queued, to_a_contract, B, "contract", "another destination" },
    { "dependency cancelled", queued, after_a_cancelled_one, B, "'b', which is cancelled", "bursar cancel 3" },
    { "dependency failed", queued, after_a_failed_one, B, "'b', which is failed", "bursar show 'ref:b'" },
    { "reverted", queued, reverted, B, "reverted", "bursar retry 3" },
    { "dependency under way", queued, after_another, W, "waits for 'b', which is staged", "nothing" },
    { "not due by time", queued, tomorrow, W, "not due before 2027-01-16T08:00:00Z", "nothing" },
    { "its time has come", queued, yesterday, W, "its turn comes", "nothing" },
    { "not due by epoch", queued, in_epoch_10, W, "before epoch 10; the chain is in epoch 9", "nothing" },
    { "its epoch has come", queued, in_epoch_9, W, "its turn comes", "nothing" },
    { "due", queued, as_it_is, W, "its turn comes", "nothing" },
    { "halted", queued, foreign_halt, W, "halted (foreign_nonce): nonce 7 was used", "find out who has the key" },
    { "halt of a dead executor", queued, stale_halt, W, "no executor is running", "bursar run" },
    { "no executor", queued, nobody_runs, W, "no executor is running", "start `bursar run`" },
    { "lease lost", queued, lost_lease, W, "host-7 has not renewed its lease for 10 min", "start `bursar run`" },
    { "breaker opened by hand for a time", queued, forced_for_a_time, W, "by alice: audit", "nothing, or" },
    { "breaker opened by hand", queued, forced_open, W, "opened by alice: audit", "bursar breaker close --reason" },
    { "breaker open", queued, tripped, W, "tries again at 2027-01-15T08:00:30Z", "bursar doctor" },
    { "breaker half-open", queued, half_open, W, "half-open", "nothing" },
    { "node down", queued, node_down, W, "last look at the chain failed: no connection", "bursar doctor" },
    { "an error that is over", queued, old_error, W, "its turn comes", "nothing" },
    { "hold", queued, holding, W, "holds: what is bound", "bursar doctor" },
    { "hold for fees", queued, holding_for_fees, W, "above max_fee_per_gas", "raise max_fee_per_gas" },
    { "lane full", queued, lane_full, W, "8 payments are in flight", "nothing" },
    { "in the pool", staged, as_it_is, W, "pool, not mined yet, 2 blocks", "nothing" },
    { "not signed", staged, unsigned_yet, W, "bound to nonce 10", "nothing" },
    { "never sent", staged, unsent, W, "about to be handed", "nothing" },
    { "never sent, breaker", staged, unsent_breaker, W, "circuit breaker was opened", "breaker close" },
    { "sent before the breaker", staged, forced_open, W, "pool, not mined yet", "nothing" },
    { "staged, halted", staged, foreign_halt, W, "foreign_nonce", "find out" },
    { "staged, no executor", staged, nobody_runs, W, "no executor", "bursar run" },
    { "staged, node down", staged, node_down, W, "no connection", "bursar doctor" },
    { "to be replaced", staged, old_and_cheap, W, "20 blocks after it was signed: it is replaced", "nothing" },
    { "just below the cap", staged, old_below_cap, W, "it is replaced", "nothing" },
    { "at the cap", staged, old_at_cap, B, "would exceed max_fee_per_gas, 200 gwei", "raise max_fee_per_gas" },
    { "base fee above the cap", staged, old_and_base_fee_above_cap, B, "exceed max_fee_per_gas", "raise max_fee" },
    { "never replaced", staged, old_and_never_replaced, B, "replaces nothing", "set replace_after_blocks" },
    { "below the base fee", staged, fee_too_low, W, "below what blocks take", "nothing" },
    { "below the base fee, at the cap", staged, fee_too_low_at_cap, B, "below what blocks take", "raise max_fee" },
    { "behind a lower nonce", staged, behind, W, "11 can be mined only after nonce 10", "bursar status" },
    { "cancel asked for", staged, cancelling, W, "transfer of 0 to self", "nothing" },
    { "nonce used this moment", staged, used_just_now, W, "looking for it", "nothing" },
    { "nonce used", staged, used_for_long, B, "(nonce too low)", "bursar reconcile --dry-run" },
    { "nonce contested", staged, contested, B, "somebody else", "who else has the key" },
    { "pool holds another's", staged, held_by_another, B, "another transaction", "who else has the key" },
    { "replacement too cheap", staged, bumped_too_little, W, "higher fee", "nothing" },
    { "account is poor", staged, poor, B, "insufficient funds", "send funds to 0xAa" },
    { "node refuses", staged, refused, B, "type not supported", "another node" },
    { "no answer", staged, unanswered, W, "has not answered", "bursar doctor" },
    { "not delivered", staged, undelivered, W, "has not answered", "bursar doctor" },
    { "not final yet", executed, as_it_is, W, "in block 999, which is not final", "nothing" },
    { "confirmations", executed, confirmed, W, "12 confirmations", "nothing" },
    { "executed, halted", executed, foreign_halt, W, "in block 999", "nothing" },
    { "executed, another chain", executed, chain_halt, W, "genesis_mismatch", "compare it" },
    { "executed, no executor", executed, nobody_runs, W, "no executor", "bursar run" },
};

static void each_reason_has_its_cause_and_its_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        const struct line *line = &LINES[i];
        struct situation situation = well();
        struct disbursement_record record = line->row();
        struct diagnosis diagnosis;
        line->bend(&record, &situation);
        diagnose(&record, &situation, &diagnosis);
        if (diagnosis.kind != line->kind || !strcasestr(diagnosis.text.cause, line->cause) ||
            !strcasestr(diagnosis.text.action, line->action))
            fail_msg("%s: kind %d, cause '%s', action '%s'", line->name, (int)diagnosis.kind, diagnosis.text.cause,
                     diagnosis.text.action);
    }
}

/* Whatever a row and its treasury look like, what is not at its end has both a cause and an action. */
static void nothing_that_can_move_is_left_without_a_word(void **state)
{
    (void)state;
    for (int stage = STATE_FIRST; stage <= STATE_LAST; stage++) {
        for (int verdict = 0; verdict <= SUBMIT_CONTESTED; verdict++) {
            struct situation situation = well();
            struct disbursement_record record = staged();
            struct diagnosis diagnosis;
            record.state = (enum disbursement_state)stage;
            record.newest.verdict = verdict;
            record.blocked = stage == STATE_FAILED ? BLOCK_FAILED : BLOCK_NONE;
            diagnose(&record, &situation, &diagnosis);
            bool is_over = stage == STATE_FINALIZED || stage == STATE_CANCELLED || stage == STATE_ROLLED_BACK;
            assert_int_equal(diagnosis.kind == DIAGNOSIS_NONE, is_over);
            assert_int_equal(strlen(diagnosis.text.cause) > 5, !is_over);
            assert_int_equal(strlen(diagnosis.text.action) > 5, !is_over);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_has_its_cause_and_its_action),
        cmocka_unit_test(nothing_that_can_move_is_left_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
