/* What does not move and why, what is in flight, and what happened last. */
#include "base/time.h"
#include "chain/chain.h"
#include "doctor/words.h"
#include "signer/signer.h"
#include "top/draw_parts.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

static const char GOES_ON[] = "nothing: it goes on by itself";

/* -- what does not move -------------------------------------------------------------------------------------------- */

/* Nothing to do is not worth a line. */
static bool is_idle(const struct view_reason *reason)
{
    return strncmp(reason->text.action, GOES_ON, strlen(GOES_ON)) == 0;
}

/* Nor is what an open money breaker's own lines have. */
static bool is_told(const struct view_treasury *treasury, const struct view_reason *reason)
{
    const enum money_cause cause = treasury->breaker.money.cause;
    return cause != MONEY_NONE && strcmp(reason->text.action, money_action(cause)) == 0;
}

static void draw_reason(struct grid *grid, const struct view_treasury *treasury, const struct view_reason *reason)
{
    bool is_blocked = reason->kind == DIAGNOSIS_BLOCKED;
    char who[REF_MAX_BYTES + 64], more[48] = "";
    if (reason->count > 1)
        (void)snprintf(more, sizeof more, " and %llu more", (ull)(reason->count - 1));
    (void)snprintf(who, sizeof who, "%lld '%s'%s: ", (long long)reason->first_id, reason->first_ref, more);
    draw_line(grid, is_blocked ? "blocked" : "waiting", is_blocked ? TONE_BAD : TONE_WAIT, "%s%s", who,
              reason->text.cause);
    if (!is_idle(reason) && !is_told(treasury, reason))
        draw_line(grid, "  to do", TONE_TITLE, "%s", reason->text.action);
}

void draw_reasons(struct grid *grid, const struct view_treasury *treasury, size_t rows_max)
{
    const size_t first_row = grid->rows;
    size_t drawn = 0;
    if (treasury->reason_count == 0)
        return;
    draw_heading(grid, "NOT MOVING");
    for (; drawn < treasury->reason_count && (drawn == 0 || grid->rows - first_row < rows_max); drawn++)
        draw_reason(grid, treasury, &treasury->reasons[drawn]);
    if (drawn < treasury->reason_count)
        draw_line(grid, "", TONE_PLAIN, "and for %zu other reasons: `bursar status`, `bursar list`",
                  treasury->reason_count - drawn);
    else if (treasury->reasons_more)
        draw_line(grid, "", TONE_PLAIN, "and others: `bursar status`, `bursar list`");
}

/* -- in flight ------------------------------------------------------------------------------------------------------
 */

static const char *kind_text(const struct view_flight *flight)
{
    if (flight->purpose == SIGN_SELF)
        return "cancel";
    switch (flight->kind) {
    case INTENT_PAYMENT:
        return "payment";
    case INTENT_CANCEL:
        return "cancel";
    case INTENT_GAP_FILL:
        return "gap fill";
    }
    return "";
}

static void draw_flight(struct grid *grid, const struct view *view, const struct view_flight *flight)
{
    char age[WORDS_TIME_TEXT_BYTES] = "-", fee[WORDS_FEE_TEXT_BYTES] = "-";
    const char *verdict = flight->verdict ? submit_verdict_name((enum submit_verdict)flight->verdict) : NULL;
    if (flight->started_ms > 0)
        words_duration(view->now_ms > flight->started_ms ? (view->now_ms - flight->started_ms) / 1000 : 0, age);
    if (flight->attempts > 0)
        words_fee(flight->max_fee_per_gas_wei, fee);
    if (!grid_row(grid, TONE_PLAIN))
        return;
    bool is_fine = flight->verdict == SUBMIT_ACCEPTED || flight->verdict == SUBMIT_KNOWN;
    (void)grid_format(grid, 1, 9, TONE_PLAIN, "%llu", (ull)flight->nonce);
    (void)grid_put(grid, 11, 8, TONE_PLAIN, age);
    (void)grid_put(grid, 20, 20, TONE_PLAIN, fee);
    (void)grid_format(grid, 41, 5, TONE_PLAIN, "%llu", (ull)flight->sends);
    (void)grid_put(grid, 47, 18, is_fine ? TONE_GOOD : TONE_WAIT,
                   verdict                ? verdict
                   : flight->attempts > 0 ? "not sent yet"
                                          : "not signed yet");
    if (flight->disbursement)
        (void)grid_format(grid, 66, grid->columns, TONE_PLAIN, "%s %lld", kind_text(flight),
                          (long long)flight->disbursement);
    else
        (void)grid_put(grid, 66, grid->columns, TONE_PLAIN, kind_text(flight));
}

void draw_flights(struct grid *grid, const struct view *view, const struct view_treasury *treasury, size_t rows_max)
{
    const uint64_t in_flight = treasury->situation.lane.in_flight;
    size_t room = rows_max > 2 ? rows_max - 2 : 1; /* beside heading and what is left out */
    size_t count = treasury->flight_count < room ? treasury->flight_count : room;
    if (treasury->flight_count == 0)
        return;
    if (grid_row(grid, TONE_PLAIN)) {
        (void)grid_put(grid, 0, grid->columns, TONE_TITLE, "IN FLIGHT");
        (void)grid_put(grid, 11, grid->columns, TONE_TITLE, "AGE");
        (void)grid_put(grid, 20, grid->columns, TONE_TITLE, "MAX FEE PER GAS");
        (void)grid_put(grid, 41, grid->columns, TONE_TITLE, "SENT");
        (void)grid_put(grid, 47, grid->columns, TONE_TITLE, "VERDICT");
        (void)grid_put(grid, 66, grid->columns, TONE_TITLE, "FOR");
    }
    for (size_t i = 0; i < count; i++)
        draw_flight(grid, view, &treasury->flights[i]);
    if (in_flight > count)
        draw_line(grid, "", TONE_PLAIN, "and %llu with higher nonces", (ull)(in_flight - count));
}

/* -- what happened last ---------------------------------------------------------------------------------------------
 */

static void draw_event(struct grid *grid, const struct tail_event *event)
{
    char at[RFC3339_TEXT_BYTES];
    const char *cause = lifecycle_cause_name(event->cause);
    const char *to = event->to_state > 0 ? state_name((enum disbursement_state)event->to_state) : NULL;
    rfc3339_from_seconds(event->at_ms / 1000, at);
    if (!grid_row(grid, TONE_PLAIN))
        return;
    (void)grid_format(grid, 1, 8, TONE_PLAIN, "%.8s", at + 11);
    size_t column = grid_put(grid, 11, 22, TONE_PLAIN, cause ? cause : "unknown");
    column = column < 30 ? 30 : column + 1;
    if (event->disbursement)
        column = grid_format(grid, column, grid->columns, TONE_PLAIN, "%lld '%s'%s%s ", (long long)event->disbursement,
                             event->ref, to ? ": " : "", to ? to : "");
    (void)grid_format(grid, column, grid->columns, TONE_PLAIN, "%s%s%s", event->actor,
                      event->actor[0] && event->detail[0] ? ": " : "", event->detail);
}

void draw_events(struct grid *grid, const struct view_treasury *treasury)
{
    const struct tail_event *event;
    if (treasury->tail.seen == 0)
        return;
    draw_heading(grid, "EVENTS");
    for (size_t back = 0; (event = log_tail_event(&treasury->tail, back)) != NULL; back++)
        draw_event(grid, event);
}
