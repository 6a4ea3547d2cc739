/* The one table of allowed moves, and the names of states and causes. Everything that is not in the table is refused.
 *
 * A row is born outside the table: as queued (no approval policy) or as a draft. `staged` reaches `finalized` only
 * through `executed`; both moves may happen in one settlement. */
#include "domain/lifecycle.h"

#include "base/cleanup.h"

#include <string.h>

/* INV-4, INV-7: out of staged and executed lead only final facts, a reorg between the two, and inclusion. The final
 * cancel and the freed nonce are there for executed too: the attempt seen included may lose to another one in a reorg,
 * and the first that is heard of it may be that the other is final. */
const struct lifecycle_move LIFECYCLE_MOVES[] = {
    { STATE_DRAFT, STATE_VOTING, CAUSE_SUBMITTED, "it is complete" },
    { STATE_DRAFT, STATE_CANCELLED, CAUSE_PERSON_CANCELLED, "a person gives a reason" },
    { STATE_VOTING, STATE_QUEUED, CAUSE_APPROVED, "its approval policy is satisfied by signatures" },
    { STATE_VOTING, STATE_CANCELLED, CAUSE_PERSON_CANCELLED, "a person gives a reason" },
    { STATE_QUEUED, STATE_STAGED, CAUSE_BOUND,
      "it is due, its dependencies are finalized, and its intent is bound to a nonce in the same commit" },
    { STATE_QUEUED, STATE_CANCELLED, CAUSE_PERSON_CANCELLED, "a person gives a reason; no nonce is bound to it" },
    { STATE_QUEUED, STATE_CANCELLED, CAUSE_HOST_REFUSED, "a callback of the host refuses it before binding" },
    { STATE_STAGED, STATE_EXECUTED, CAUSE_INCLUDED, "an attempt of its intent is in a canonical block" },
    { STATE_STAGED, STATE_FAILED, CAUSE_FINAL_REVERT, "its transaction is in a final block and was reverted" },
    { STATE_STAGED, STATE_CANCELLED, CAUSE_FINAL_CANCEL, "our cancel at its nonce is in a final block" },
    { STATE_STAGED, STATE_QUEUED, CAUSE_NONCE_FREED,
      "our gap fill at its nonce, or a foreign transaction that was exhibited, is in a final block; for the latter a "
      "person decides where finality is a number of confirmations" },
    { STATE_EXECUTED, STATE_STAGED, CAUSE_REORGED, "the block of its attempt is no longer canonical; same intent" },
    { STATE_EXECUTED, STATE_FINALIZED, CAUSE_FINAL_SUCCESS, "its transaction is in a final block and succeeded" },
    { STATE_EXECUTED, STATE_FAILED, CAUSE_FINAL_REVERT, "its transaction is in a final block and was reverted" },
    { STATE_EXECUTED, STATE_CANCELLED, CAUSE_FINAL_CANCEL, "a reorg replaced its attempt, and then as from staged" },
    { STATE_EXECUTED, STATE_QUEUED, CAUSE_NONCE_FREED, "a reorg replaced its attempt, and then as from staged" },
    { STATE_FAILED, STATE_QUEUED, CAUSE_PERSON_RETRIED, "a person gives a reason" },
    { STATE_FINALIZED, STATE_ROLLED_BACK, CAUSE_REVERSED, "the payment was reversed by decision, recorded as such" },
};
const size_t LIFECYCLE_MOVE_COUNT = COUNT_OF(LIFECYCLE_MOVES);

bool lifecycle_allows(enum disbursement_state from, enum disbursement_state to, enum lifecycle_cause cause)
{
    for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++) {
        const struct lifecycle_move *move = &LIFECYCLE_MOVES[i];
        if (move->from == from && move->to == to && move->cause == cause)
            return true;
    }
    return false;
}

static const char *why_not_cancelled(enum disbursement_state from)
{
    switch (from) {
    case STATE_STAGED:
        return "it is bound to a nonce and its signed transaction may be out; only the executor "
               "can take the nonce away from it, and it goes on being paid";
    case STATE_EXECUTED:
        return "its transaction is in a block, and nothing can take it back: it goes on being paid";
    case STATE_FINALIZED:
        return "it is paid, in a final block";
    case STATE_CANCELLED:
        return "it is cancelled already";
    case STATE_FAILED:
        return "its transaction reverted, so nothing was paid, and nothing will be unless it is retried";
    case STATE_ROLLED_BACK:
        return "it was paid, and reversed later";
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_QUEUED:
        break;
    }
    return "nothing leads from there to cancelled";
}

static const char *why_not_retried(enum disbursement_state from)
{
    switch (from) {
    case STATE_DRAFT:
    case STATE_VOTING:
        return "it has not failed: it waits for its approval";
    case STATE_QUEUED:
        return "it has not failed: it will be paid when its turn comes";
    case STATE_STAGED:
    case STATE_EXECUTED:
        return "it has not failed: it is being paid, and only a final block decides";
    case STATE_FINALIZED:
        return "it is paid, in a final block; what is owed on top of that needs a row with another ref";
    case STATE_CANCELLED:
        return "a cancelled ref stays used for ever; what is still owed needs a row with another ref";
    case STATE_ROLLED_BACK:
        return "it was paid, and reversed later; what is owed again needs a row with another ref";
    case STATE_FAILED:
        break;
    }
    return "nothing leads from there back to queued";
}

const char *lifecycle_refusal(enum disbursement_state from, enum lifecycle_cause decision)
{
    for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++) {
        if (LIFECYCLE_MOVES[i].from == from && LIFECYCLE_MOVES[i].cause == decision)
            return NULL;
    }
    return decision == CAUSE_PERSON_RETRIED ? why_not_retried(from) : why_not_cancelled(from);
}

bool state_is_terminal_or_failed(enum disbursement_state state)
{
    switch (state) {
    case STATE_FINALIZED:
    case STATE_CANCELLED:
    case STATE_FAILED:
    case STATE_ROLLED_BACK:
        return true;
    case STATE_DRAFT:
    case STATE_VOTING:
    case STATE_QUEUED:
    case STATE_STAGED:
    case STATE_EXECUTED:
        return false;
    }
    return false;
}

const char *state_name(enum disbursement_state state)
{
    switch (state) {
    case STATE_DRAFT:
        return "draft";
    case STATE_VOTING:
        return "voting";
    case STATE_QUEUED:
        return "queued";
    case STATE_STAGED:
        return "staged";
    case STATE_EXECUTED:
        return "executed";
    case STATE_FINALIZED:
        return "finalized";
    case STATE_CANCELLED:
        return "cancelled";
    case STATE_FAILED:
        return "failed";
    case STATE_ROLLED_BACK:
        return "rolled_back";
    }
    return NULL;
}

bool state_from_name(const char *name, enum disbursement_state *ret)
{
    for (int number = STATE_FIRST; number <= (int)STATE_LAST; number++) {
        if (strcmp(name, state_name((enum disbursement_state)number)) == 0) {
            *ret = (enum disbursement_state)number;
            return true;
        }
    }
    return false;
}

const char *lifecycle_cause_name(enum lifecycle_cause cause)
{
    switch (cause) {
    case CAUSE_IMPORTED:
        return "imported";
    case CAUSE_SUBMITTED:
        return "submitted";
    case CAUSE_APPROVED:
        return "approved";
    case CAUSE_BOUND:
        return "bound";
    case CAUSE_INCLUDED:
        return "included";
    case CAUSE_REORGED:
        return "reorged";
    case CAUSE_FINAL_SUCCESS:
        return "final_success";
    case CAUSE_FINAL_REVERT:
        return "final_revert";
    case CAUSE_FINAL_CANCEL:
        return "final_cancel";
    case CAUSE_NONCE_FREED:
        return "nonce_freed";
    case CAUSE_PERSON_CANCELLED:
        return "person_cancelled";
    case CAUSE_HOST_REFUSED:
        return "host_refused";
    case CAUSE_PERSON_RETRIED:
        return "person_retried";
    case CAUSE_REVERSED:
        return "reversed";
    case CAUSE_BREAKER_OPENED:
        return "breaker_opened";
    case CAUSE_BREAKER_HALF_OPENED:
        return "breaker_half_opened";
    case CAUSE_BREAKER_CLOSED:
        return "breaker_closed";
    case CAUSE_BREAKER_RESET:
        return "breaker_reset";
    case CAUSE_CANCEL_REQUESTED:
        return "cancel_requested";
    case CAUSE_ADOPTED:
        return "adopted";
    case CAUSE_MONEY_OPENED:
        return "money_breaker_opened";
    case CAUSE_MONEY_CLOSED:
        return "money_breaker_closed";
    }
    return NULL;
}
