/* How one treasury stands: the lines that `status` has, and how fast it pays. */
#include "base/time.h"
#include "doctor/words.h"
#include "eth/address.h"
#include "service/node.h"
#include "top/draw_parts.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

static void ago(uint64_t now_ms, uint64_t then_ms, char ret[WORDS_TIME_TEXT_BYTES])
{
    words_duration(now_ms > then_ms ? (now_ms - then_ms) / 1000 : 0, ret);
}

enum tone draw_executor_text(const struct view *view, const struct view_treasury *treasury, char *ret, size_t capacity)
{
    const struct treasury *stored = &treasury->situation.treasury;
    switch (executor_presence(stored, view->now_ms)) {
    case EXECUTOR_NONE:
        (void)snprintf(ret, capacity, "none is running");
        return TONE_WAIT;
    case EXECUTOR_LOST:
        (void)snprintf(ret, capacity, "lost: %s", stored->lease_holder);
        return TONE_BAD;
    case EXECUTOR_RUNNING:
        (void)snprintf(ret, capacity, "%s", stored->lease_holder);
        return TONE_GOOD;
    }
    return TONE_PLAIN;
}

static void draw_balance(struct grid *grid, const struct view *view, const struct view_treasury *treasury)
{
    char coin[WORDS_COIN_TEXT_BYTES], when[WORDS_TIME_TEXT_BYTES], available[WORDS_COIN_TEXT_BYTES];
    const struct snapshot *snapshot = &treasury->situation.snapshot;
    if (treasury->has_look && treasury->look.has_view) {
        words_coin(treasury->look.view.balance, coin);
        ago(view->now_ms, treasury->look_ms, when);
    } else if (treasury->has_balance) {
        words_coin(treasury->balance, coin);
        ago(view->now_ms, treasury->balance_ms, when);
    } else {
        draw_line(grid, "balance", TONE_WAIT, "unknown");
        return;
    }
    if (treasury->is_stored && snapshot->has_available) {
        draw_short_coin(snapshot->available, available);
        draw_line(grid, "balance", TONE_PLAIN, "%s (%s free), seen %s ago", coin, available, when);
    } else {
        draw_line(grid, "balance", TONE_PLAIN, "%s, seen %s ago", coin, when);
    }
}

static void draw_queue(struct grid *grid, const struct view_treasury *treasury)
{
    char text[512] = "";
    size_t used = 0;
    for (int state = STATE_FIRST; state <= STATE_LAST; state++) {
        const char *name = state_name((enum disbursement_state)state);
        if (treasury->counts[state] == 0 || !name || used >= sizeof text)
            continue;
        int added = snprintf(text + used, sizeof text - used, "%s%llu %s", used ? ", " : "",
                             (ull)treasury->counts[state], name);
        used += added > 0 ? (size_t)added : 0;
    }
    draw_line(grid, "queue", TONE_PLAIN, "%s", used ? text : "empty");
}

static void draw_rate(struct grid *grid, const struct view *view, const struct view_treasury *treasury)
{
    uint64_t included, final;
    log_tail_rate(&treasury->tail, view->now_ms, &included, &final);
    const ull tenths = (ull)(included * 10 / LOG_TAIL_SECONDS);
    draw_line(grid, "pace", TONE_PLAIN, "in the last minute %llu paid (%llu.%llu a second), %llu became final",
              (ull)included, tenths / 10, tenths % 10, (ull) final);
}

static void draw_executor(struct grid *grid, const struct view *view, const struct view_treasury *treasury)
{
    char who[LEASE_HOLDER_MAX_BYTES + 64], when[WORDS_TIME_TEXT_BYTES];
    const struct treasury *stored = &treasury->situation.treasury;
    enum tone tone = draw_executor_text(view, treasury, who, sizeof who);
    switch (executor_presence(stored, view->now_ms)) {
    case EXECUTOR_NONE:
        draw_line(grid, "executor", tone, "%s: start `bursar run`", who);
        return;
    case EXECUTOR_LOST:
        ago(view->now_ms, stored->lease_renewed_ms, when);
        draw_line(grid, "executor", tone, "%s has not renewed its lease for %s", stored->lease_holder, when);
        return;
    case EXECUTOR_RUNNING:
        draw_line(grid, "executor", tone, "%s, lease epoch %llu", who, (ull)stored->lease_epoch);
        return;
    }
}

static void draw_breaker(struct grid *grid, const struct view_treasury *treasury)
{
    char text[BREAKER_TEXT_BYTES], command[BREAKER_COMMAND_TEXT_BYTES];
    enum bursar_breaker_state state = treasury->breaker.view.state;
    if (state == BURSAR_BREAKER_CLOSED && !treasury->breaker.view.forced)
        return; /* the table has it */
    breaker_text(&treasury->breaker, text);
    draw_line(grid, "breaker", state == BURSAR_BREAKER_OPEN ? TONE_BAD : TONE_WAIT, "%s", text);
    if (treasury->breaker.view.forced && breaker_command_text(&treasury->breaker, command))
        draw_line(grid, "", TONE_PLAIN, "%s", command);
}

static void draw_money(struct grid *grid, const struct view_treasury *treasury)
{
    const struct money_record *money = &treasury->breaker.money;
    char text[MONEY_TEXT_BYTES];
    if (money->cause == MONEY_NONE)
        return; /* the table has it */
    money_text(money, text);
    draw_line(grid, "MONEY", TONE_BAD, "breaker %s", text);
    draw_line(grid, "  to do", TONE_TITLE, "%s", money_action(money->cause));
}

static void draw_halt(struct grid *grid, const struct view_treasury *treasury)
{
    enum halt_code halt = situation_halt(&treasury->situation);
    const char *reason = treasury->situation.treasury.halt_reason;
    if (halt == HALT_NONE && treasury->has_look) {
        halt = treasury->look.halt;
        reason = treasury->look.halt_reason;
    }
    if (halt == HALT_NONE)
        return;
    const char *name = halt_code_name(halt);
    draw_line(grid, "HALTED", TONE_BAD, "%s: %s", name ? name : "unknown", reason);
    draw_line(grid, "  to do", TONE_TITLE, "%s", halt_action(halt));
}

static void draw_nodes(struct grid *grid, const struct view_treasury *treasury)
{
    if (!treasury->has_look) {
        draw_line(grid, "nodes", TONE_PLAIN, "being looked at");
        return;
    }
    for (size_t i = 0; i < treasury->look.node_count; i++) {
        const struct live_node *node = &treasury->look.nodes[i];
        const char *name = i == 0 ? "nodes" : "";
        if (node->state == NODE_OK && node->has_latest)
            draw_line(grid, name, TONE_GOOD, "%s ok, block %llu", node->url, (ull)node->latest_block);
        else
            draw_line(grid, name, node->state == NODE_OK ? TONE_GOOD : TONE_BAD, "%s %s%s%s", node->url,
                      node_state_name(node->state), node->last_error[0] ? ": " : "", node->last_error);
    }
}

static void draw_webhooks(struct grid *grid, const struct view *view)
{
    for (size_t i = 0; i < view->webhook_count; i++) {
        char text[WEBHOOK_VIEW_TEXT_BYTES];
        const struct webhook_view *webhook = &view->webhooks[i];
        webhook_view_text(webhook, view->now_ms, text);
        draw_line(grid, i == 0 ? "webhooks" : "",
                  webhook->is_failing                         ? TONE_BAD
                  : !webhook->is_known || webhook->behind > 0 ? TONE_WAIT
                                                              : TONE_GOOD,
                  "%s", text);
    }
}

void draw_standing(struct grid *grid, const struct view *view, const struct view_treasury *treasury)
{
    char address[ADDRESS_TEXT_BYTES], at[RFC3339_TEXT_BYTES];
    const struct snapshot *snapshot = &treasury->situation.snapshot;
    address_to_text(&treasury->address, address);
    draw_line(grid, "account", TONE_PLAIN, "%s on chain %llu", address, (ull)treasury->chain_id);
    draw_balance(grid, view, treasury);
    if (treasury->is_stored) {
        draw_queue(grid, treasury);
        draw_rate(grid, view, treasury);
        draw_executor(grid, view, treasury);
        draw_breaker(grid, treasury);
        draw_money(grid, treasury);
        draw_halt(grid, treasury);
    } else {
        draw_line(grid, "store", TONE_WAIT, "not in the store yet: `bursar run` adds it");
    }
    draw_nodes(grid, treasury);
    draw_webhooks(grid, view);
    if (treasury->is_stored && situation_is_blind(&treasury->situation)) {
        rfc3339_from_seconds(snapshot->last_error_ms / 1000, at);
        draw_line(grid, "last error", TONE_WAIT, "%s %s", at, snapshot->last_error);
    }
    if (treasury->is_stored && snapshot->hold[0] && treasury->breaker.money.cause == MONEY_NONE) /* else it is that */
        draw_line(grid, "holds", TONE_WAIT, "%s", snapshot->hold);
}
