/* Prints docs/STATES.md from the table of the lifecycle, so that the page can't say anything else than the code does.
 */
#include "domain/lifecycle.h"

#include <stdio.h>

static const char *meaning(enum disbursement_state state)
{
    switch (state) {
    case STATE_DRAFT:
        return "written down, not submitted for approval";
    case STATE_VOTING:
        return "waits for approvals";
    case STATE_QUEUED:
        return "approved; waits for its schedule, its dependencies and its turn";
    case STATE_STAGED:
        return "bound to a nonce; its bytes may be out";
    case STATE_EXECUTED:
        return "its transaction is in a block that is not final yet";
    case STATE_FINALIZED:
        return "paid, in a final block";
    case STATE_CANCELLED:
        return "will not be paid; its ref stays used";
    case STATE_FAILED:
        return "its transaction was reverted, in a final block; waits for a person's retry";
    case STATE_ROLLED_BACK:
        return "was paid, and reversed later by decision";
    }
    return "";
}

static void print_states(void)
{
    printf("## States\n\nThe numbers are what the store keeps; they never change.\n\n"
           "| number | state | meaning | end |\n|---|---|---|---|\n");
    for (int number = STATE_FIRST; number <= (int)STATE_LAST; number++) {
        enum disbursement_state state = (enum disbursement_state)number;
        printf("| %d | `%s` | %s | %s |\n", number, state_name(state), meaning(state),
               state_is_terminal_or_failed(state) ? "yes" : "");
    }
    printf("\n*End*: nothing but a person's decision leads out of it.\n");
}

static void print_moves(void)
{
    printf("\n## Moves\n\nWhat is not in this table is refused. A new row starts as `queued` (cause %d `%s`) where no "
           "approval\npolicy governs it.\n\n| from | to | cause | when |\n|---|---|---|---|\n",
           CAUSE_IMPORTED, lifecycle_cause_name(CAUSE_IMPORTED));
    for (size_t i = 0; i < LIFECYCLE_MOVE_COUNT; i++) {
        const struct lifecycle_move *move = &LIFECYCLE_MOVES[i];
        printf("| `%s` | `%s` | %d `%s` | %s |\n", state_name(move->from), state_name(move->to), move->cause,
               lifecycle_cause_name(move->cause), move->condition);
    }
}

int main(void)
{
    printf("<!-- Generated from src/domain/lifecycle.c by `./scripts/generate`: do not edit. -->\n\n"
           "# The states of a disbursement\n\n");
    print_states();
    print_moves();
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
