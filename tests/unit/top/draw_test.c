/* What is to be seen, at sizes from nothing to a large window. */
#include "base/cleanup.h"
#include "chain/chain.h"
#include "top/draw.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct grid grid, body;
static struct view view;
static struct wishes wishes;
static char text[256 * 1024];

static void add_reason(struct view_treasury *treasury, enum diagnosis_kind kind, uint64_t count, const char *ref,
                       const char *cause, const char *action)
{
    struct view_reason *reason = &treasury->reasons[treasury->reason_count++];
    *reason = (struct view_reason){ .kind = kind, .count = count, .first_id = 17 };
    (void)snprintf(reason->first_ref, sizeof reason->first_ref, "%s", ref);
    (void)snprintf(reason->text.cause, sizeof reason->text.cause, "%s", cause);
    (void)snprintf(reason->text.action, sizeof reason->text.action, "%s", action);
}

static void fill(struct view_treasury *treasury, const char *name)
{
    const uint64_t now_ms = view.now_ms;
    struct treasury *stored = &treasury->situation.treasury;
    treasury->name = name;
    treasury->chain_id = 31337;
    treasury->is_stored = true;
    treasury->situation.now_ms = now_ms;
    (void)snprintf(stored->lease_holder, sizeof stored->lease_holder, "host:77");
    stored->lease_epoch = 3;
    stored->lease_renewed_ms = now_ms;
    stored->lease_ttl_ms = 15000;
    treasury->counts[STATE_QUEUED] = 9;
    treasury->counts[STATE_STAGED] = 2;
    treasury->has_balance = true;
    treasury->balance = bursar_amount_from_u64(1234567890123456789U);
    treasury->balance_ms = now_ms - 2000;
    treasury->situation.lane = (struct lane){ .in_flight = 70, .next_nonce = 100 };
    for (uint64_t i = 0; i < 60; i++)
        treasury->flights[treasury->flight_count++] = (struct view_flight){ .nonce = 30 + i,
                                                                            .disbursement = 5,
                                                                            .kind = INTENT_PAYMENT,
                                                                            .attempts = 2,
                                                                            .max_fee_per_gas_wei = 1500000000,
                                                                            .sends = 4,
                                                                            .verdict = SUBMIT_UNDERPRICED,
                                                                            .started_ms = now_ms - 125000 };
    add_reason(treasury, DIAGNOSIS_BLOCKED, 3, "salary", "not enough funds", "send at least 2 ETH");
    add_reason(treasury, DIAGNOSIS_WAITING, 1, "later", "not due yet", "nothing: it goes on by itself");
    for (uint64_t i = 0; i < 50; i++) {
        struct event_record event = { .at_ms = now_ms - 50 + i,
                                      .cause = CAUSE_INCLUDED,
                                      .from_state = STATE_STAGED,
                                      .to_state = STATE_EXECUTED,
                                      .disbursement = (int64_t)i + 1,
                                      .ref = "paid",
                                      .actor = "host:77" };
        log_tail_add(&treasury->tail, &event);
    }
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    view = (struct view){ .now_ms = 1760000000000, .count = 2, .treasuries = calloc(2, sizeof *view.treasuries) };
    wishes = (struct wishes){ .interval_ms = 1000 };
    assert_non_null(view.treasuries);
    fill(&view.treasuries[0], "main");
    fill(&view.treasuries[1], "second");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    grid_free(&grid);
    grid_free(&body);
    free(view.treasuries);
    return 0;
}

/* All of it as one text. */
static const char *drawn(size_t columns, size_t rows)
{
    size_t used = 0;
    draw_screen(&grid, &body, &view, &wishes, columns, rows);
    assert_int_equal(grid.rows, rows);
    assert_int_equal(grid.columns, columns);
    for (size_t row = 0; row < grid.rows; row++) {
        grid_text(&grid, row, text + used, sizeof text - used - 1);
        used += strlen(text + used);
        text[used++] = '\n';
    }
    text[used] = 0;
    return text;
}

#define assert_shows(part) assert_non_null(strstr(text, (part)))
#define assert_hides(part) assert_null(strstr(text, (part)))

static void all_that_matters_fits_into_80_by_24(void **state)
{
    (void)state;
    (void)drawn(80, 24);
    static const char *const parts[] = {
        "bursar top  2025-10-09T08:53:20Z  main (1 of 2)",
        "TREASURY",
        "> main",
        "  second",
        "1.234567 ETH",
        "host:77",
        "1.234567890123456789 ETH",
        "9 queued, 2 staged",
        "50 paid (0.8 a second)",
        "lease epoch 3",
        "blocked    17 'salary' and 2 more: not enough funds",
        "to do    send at least 2 ETH",
        " 30        2 min    1.5 gwei             4     underpriced        payment 5",
        "with higher nonces",
        "EVENTS",
        "50 'paid': executed host:77",
        "q quit",
        "below",
    };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (!strstr(text, parts[i]))
            fail_msg("no '%s' in\n%s", parts[i], text);
    }
}

static void a_larger_window_shows_more(void **state)
{
    (void)state;
    (void)drawn(120, 60);
    assert_shows("waiting    17 'later': not due yet\n");
    assert_shows(" 42 ");
    assert_shows("30 'paid'");
    assert_hides("OLD:");
}

static void every_size_is_drawn(void **state)
{
    (void)state;
    for (size_t columns = 1; columns <= 200; columns += columns < 20 ? 1 : 37) {
        for (size_t rows = 1; rows <= 100; rows += rows < 30 ? 1 : 23) {
            wishes.help = (rows & 1) != 0;
            (void)drawn(columns, rows);
        }
    }
}

static void scrolling_ends_at_the_last_line(void **state)
{
    (void)state;
    wishes.scroll = 100000;
    (void)drawn(80, 24);
    assert_hides("TREASURY");
    assert_shows(" 1 'paid'"); /* the oldest event is the last line */
    assert_shows(" 0 below");
    assert_true(wishes.scroll > 0 && wishes.scroll < 100);
    size_t before = wishes.scroll;
    wishes.scroll -= 1;
    (void)drawn(80, 24);
    assert_int_equal(wishes.scroll, before - 1);
    assert_shows(" 1 below");
}

static void the_treasury_that_is_chosen_is_shown(void **state)
{
    (void)state;
    wishes.selected = 1;
    (void)drawn(80, 24);
    assert_shows("second (2 of 2)");
    assert_shows("> second");
}

static void trouble_is_told_in_words(void **state)
{
    (void)state;
    struct view_treasury *treasury = &view.treasuries[0];
    (void)snprintf(view.error, sizeof view.error, "the store is locked");
    treasury->situation.treasury.halt = HALT_GENESIS_MISMATCH;
    (void)snprintf(treasury->situation.treasury.halt_reason, HALT_REASON_MAX_BYTES, "another genesis");
    treasury->breaker.view.state = BURSAR_BREAKER_OPEN;
    treasury->situation.treasury.lease_renewed_ms = view.now_ms - 100000;
    treasury->has_look = true;
    treasury->look.node_count = 2;
    treasury->look.nodes[0] = (struct live_node){ .state = NODE_FAILING };
    (void)snprintf(treasury->look.nodes[0].url, NODE_NAME_MAX_BYTES, "http://a.example");
    (void)snprintf(treasury->look.nodes[0].last_error, BURSAR_ERROR_MESSAGE_MAX_BYTES, "timed out \033[2J");
    treasury->look.nodes[1] = (struct live_node){ .state = NODE_OK, .has_latest = true, .latest_block = 12 };
    (void)snprintf(treasury->look.nodes[1].url, NODE_NAME_MAX_BYTES, "http://b.example");
    (void)drawn(100, 40);
    assert_shows("OLD: the store is locked");
    assert_shows("HALTED     genesis_mismatch: another genesis");
    assert_shows("breaker    ");
    assert_shows("host:77 has not renewed its lease for 100 s");
    assert_shows("http://a.example failing: timed out ?[2J");
    assert_shows("http://b.example ok, block 12");
    treasury->breaker.view = (struct bursar_breaker_view){ .forced = true, .next_change_at_ms = view.now_ms + 60000 };
    (void)drawn(100, 40);
    assert_shows("breaker    closed; held until 2");
    assert_hides("webhook");
    view.webhook_count = 2;
    view.webhooks[0] = (struct webhook_view){ .name = "ops", .is_known = true, .behind = 12, .is_failing = true };
    view.webhooks[0].record.next_try_ms = view.now_ms + 8000;
    (void)snprintf(view.webhooks[0].record.last_error, sizeof view.webhooks[0].record.last_error, "answered 500");
    view.webhooks[1] = (struct webhook_view){ .name = "audit", .is_known = true, .record.delivered = 7 };
    (void)drawn(160, 40);
    assert_shows("webhooks   ops: 12 events behind; not taken at 1970-01-01T00:00:00Z: answered 500; next try at "
                 "2025-10-09T08:53:28Z\n");
    assert_shows("           audit: up to date, 7 events delivered\n");
    treasury->is_stored = false;
    (void)drawn(100, 40);
    assert_shows("not in the store yet");
    assert_hides("EVENTS");
}

static void an_open_money_breaker_is_told_with_what_to_do(void **state)
{
    (void)state;
    static const char detail[] = "3 payments failed on chain within 3600 s; the last: \033[2J";
    struct view_treasury *treasury = &view.treasuries[1];
    struct money_record *money = &treasury->breaker.money;
    *money = (struct money_record){ .cause = MONEY_REVERTS, .actor = "host:77", .changed_ms = 1760000000000 };
    (void)snprintf(money->detail, sizeof money->detail, "%s", detail);
    (void)snprintf(treasury->situation.snapshot.hold, sizeof treasury->situation.snapshot.hold, "money_breaker_open");
    (void)drawn(80, 24);
    assert_shows("BREAKER   MONEY   HALT");
    assert_shows("host:77         closed    closed  -"); /* the first */
    assert_shows("host:77         closed    open    -");
    assert_hides("3 payments failed");
    wishes.selected = 1;
    add_reason(treasury, DIAGNOSIS_WAITING, 2, "held", "the money breaker is open", money_action(MONEY_REVERTS));
    (void)drawn(80, 60);
    assert_shows("'held' and 1 more: the money breaker is open");
    char *action = strstr(text, "see why with");
    assert_non_null(action);
    assert_null(strstr(action + 1, "see why with")); /* said once */
    (void)drawn(80, 24);
    assert_shows("MONEY      breaker open since 2025-10-09T08:53:20Z (reverts): 3 payments failed");
    assert_shows("the last: ?[2J");
    assert_shows("to do    see why with `bursar list --state failed`");
    assert_shows("close --money");
    assert_hides("holds");
    money->cause = MONEY_NONE;
    (void)drawn(80, 24);
    assert_hides("MONEY     ");
    assert_shows("holds      money_breaker_open"); /* of a tick before it was closed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_matters_fits_into_80_by_24, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_larger_window_shows_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_size_is_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(scrolling_ends_at_the_last_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_treasury_that_is_chosen_is_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_is_told_in_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_money_breaker_is_told_with_what_to_do, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
