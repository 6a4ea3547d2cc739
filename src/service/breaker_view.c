/* From a stored breaker to what is shown of it. */
#include "service/breaker_view.h"

#include "base/cleanup.h"
#include "base/time.h"
#include "doctor/blocked.h"
#include "doctor/diagnosis.h"
#include "service/json_values.h"

#include <string.h>

void breaker_standing_none(const struct bursar_breaker_config *config, uint64_t wall_ms, struct breaker_standing *ret)
{
    *ret = (struct breaker_standing){ .config = *config, .wall_ms = wall_ms, .view = BREAKER_VIEW_NONE };
}

enum bursar_status breaker_standing_read(const struct store *store, int64_t treasury,
                                         const struct bursar_breaker_config *config, uint64_t wall_ms,
                                         struct breaker_standing *ret, struct bursar_error *err)
{
    breaker_standing_none(config, wall_ms, ret);
    enum bursar_status status = breaker_look(store, treasury, &ret->config, wall_ms, &ret->record, &ret->view, err);
    return status == BURSAR_OK ? store->money_load(store->ctx, treasury, &ret->money, err) : status;
}

static uint64_t since_ms(const struct breaker_standing *standing)
{
    uint64_t ago_ms = standing->view.since_change_ms;
    return ago_ms < standing->wall_ms ? standing->wall_ms - ago_ms : 0; /* NEVER is the largest */
}

static uint64_t half_open_ms(const struct breaker_standing *standing)
{
    uint64_t at_ms = standing->view.next_change_at_ms;
    return standing->view.state == BURSAR_BREAKER_OPEN && at_ms != BURSAR_BREAKER_NEVER ? at_ms : 0;
}

static uint64_t held_until_ms(const struct breaker_standing *standing)
{
    const struct bursar_breaker_view *view = &standing->view;
    return view->state == BURSAR_BREAKER_CLOSED && view->forced ? view->next_change_at_ms : 0;
}

static const struct {
    const char *name;
    enum breaker_command command;
} COMMANDS[] = { { "open", BREAKER_COMMAND_OPEN },
                 { "close", BREAKER_COMMAND_CLOSE },
                 { "reset", BREAKER_COMMAND_RESET } };

static const char *command_name(enum breaker_command command)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (COMMANDS[i].command == command)
            return COMMANDS[i].name;
    }
    return NULL;
}

bool breaker_command_from_name(const char *name, enum breaker_command *ret)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            *ret = COMMANDS[i].command;
            return true;
        }
    }
    return false;
}

static json_t *money_json(const struct money_record *money)
{
    const char *cause = money_cause_name(money->cause);
    const bool ever = money->actor[0];
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "state", cause ? "open" : "closed", "cause",
                     cause ? json_string(cause) : json_null(), "detail",
                     ever ? output_json_text(money->detail) : json_null(), "action",
                     cause ? json_string(money_action(money->cause)) : json_null(), "actor",
                     ever ? output_json_text(money->actor) : json_null(), "since", output_json_ms(money->changed_ms));
}

const char *breaker_for_problem(enum breaker_command command, const char *text, uint64_t *ret_ms)
{
    uint64_t max_ms = breaker_command_max_ms(command), for_ms;
    if (max_ms == 0)
        return "belongs to open and close";
    if (!duration_to_ms(text, &for_ms) || for_ms > max_ms)
        return command == BREAKER_COMMAND_OPEN ? "must be a number with its unit, 1s to 30d (s, m, h or d)"
                                               : "must be a number with its unit, 1s to 1d (s, m, h or d)";
    *ret_ms = for_ms;
    return NULL;
}

json_t *breaker_json(const struct breaker_standing *standing)
{
    const struct bursar_breaker_view *view = &standing->view;
    const struct breaker_record *record = &standing->record;
    const char *state = bursar_breaker_state_name(view->state), *command = command_name(record->command);
    json_t *item = json_pack(
        "{s:s,s:I,s:I,s:b,s:o,s:o,s:o}", "state", state ? state : "unknown", "failures", (json_int_t)view->failures,
        "successes", (json_int_t)view->successes, "forced", view->forced, "since", output_json_ms(since_ms(standing)),
        "half_open_at", output_json_ms(half_open_ms(standing)), "held_until", output_json_ms(held_until_ms(standing)));
    json_t *more = json_pack("{s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o}", "openings", (json_int_t)view->openings, "rate_calls",
                             (json_int_t)view->rate_calls, "rate_failures", (json_int_t)view->rate_failures, "command",
                             command ? json_string(command) : json_null(), "actor",
                             command ? output_json_text(record->actor) : json_null(), "reason",
                             command ? output_json_text(record->reason) : json_null(), "commanded_at",
                             output_json_ms(record->commanded_ms), "money", money_json(&standing->money));
    if (!item || !more || json_object_update(item, more) != 0) {
        json_decref(item);
        item = NULL;
    }
    json_decref(more);
    return item;
}

static void time_text(const char *before, uint64_t wall_ms, char ret[RFC3339_TEXT_BYTES + 16])
{
    char at[RFC3339_TEXT_BYTES];
    ret[0] = 0;
    if (wall_ms == 0)
        return;
    rfc3339_from_seconds(wall_ms / 1000, at);
    (void)snprintf(ret, RFC3339_TEXT_BYTES + 16, "%s%s", before, at);
}

void breaker_text(const struct breaker_standing *standing, char ret[BREAKER_TEXT_BYTES])
{
    const struct bursar_breaker_view *view = &standing->view;
    char since[RFC3339_TEXT_BYTES + 16], until[RFC3339_TEXT_BYTES + 16], held[RFC3339_TEXT_BYTES + 16];
    time_text(" since ", since_ms(standing), since);
    time_text("; half-open at ", half_open_ms(standing), until);
    time_text("; held until ", held_until_ms(standing), held);
    unsigned long long window_s = standing->config.window_ms / 1000;
    bool for_good = view->forced && view->next_change_at_ms == BURSAR_BREAKER_NEVER;
    switch (view->state) {
    case BURSAR_BREAKER_CLOSED:
        if (standing->config.failure_rate_percent)
            (void)snprintf(ret, BREAKER_TEXT_BYTES, "closed%s%s; failures: %llu of %llu requests within %llu s", since,
                           held, (unsigned long long)view->rate_failures, (unsigned long long)view->rate_calls,
                           window_s);
        else
            (void)snprintf(ret, BREAKER_TEXT_BYTES, "closed%s%s; failures: %u of %u within %llu s", since, held,
                           (unsigned)view->failures, (unsigned)standing->config.failure_threshold, window_s);
        return;
    case BURSAR_BREAKER_OPEN:
        (void)snprintf(ret, BREAKER_TEXT_BYTES, "open%s: nothing new is paid%s", since,
                       for_good ? "; stays so until `bursar breaker close`" : until);
        return;
    case BURSAR_BREAKER_HALF_OPEN:
        (void)snprintf(ret, BREAKER_TEXT_BYTES, "half_open%s; successes: %u of %u", since, (unsigned)view->successes,
                       (unsigned)standing->config.success_threshold);
        return;
    }
    (void)snprintf(ret, BREAKER_TEXT_BYTES, "unknown");
}

bool breaker_command_text(const struct breaker_standing *standing, char ret[BREAKER_COMMAND_TEXT_BYTES])
{
    static const char *const done[] = { "", "opened", "closed", "reset" };
    const struct breaker_record *record = &standing->record;
    char at[RFC3339_TEXT_BYTES + 16];
    if (record->command == BREAKER_COMMAND_NONE || (size_t)record->command >= COUNT_OF(done))
        return false;
    time_text(", ", record->commanded_ms, at);
    (void)snprintf(ret, BREAKER_COMMAND_TEXT_BYTES, "%s by %s%s: %s", done[record->command], record->actor, at,
                   record->reason);
    return true;
}

void money_text(const struct money_record *money, char ret[MONEY_TEXT_BYTES])
{
    char since[RFC3339_TEXT_BYTES + 16];
    const char *cause = money_cause_name(money->cause);
    time_text(" since ", money->changed_ms, since);
    if (money->cause == MONEY_PERSON)
        (void)snprintf(ret, MONEY_TEXT_BYTES, "open%s, by %s: %s", since, money->actor, money->detail);
    else if (cause)
        (void)snprintf(ret, MONEY_TEXT_BYTES, "open%s (%s): %s", since, cause, money->detail);
    else if (money->actor[0])
        (void)snprintf(ret, MONEY_TEXT_BYTES, "closed%s, by %s: %s", since, money->actor, money->detail);
    else
        (void)snprintf(ret, MONEY_TEXT_BYTES, "closed");
}
